/* `[authority]` of firma.toml, with the environment over it. Source: [the Firma specification, authority 3];
 * docs/reference/authority.md. Layer: authority (L3). Thread: start-up. */
#ifndef AUTHORITY_CONFIG_H
#define AUTHORITY_CONFIG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
    AU_MAX_TTL_DEFAULT_S = 3600,
    AU_BUNDLE_TTL_DEFAULT_S = 30,
    AU_TTL_MAX_S = 365 * 24 * 3600, /* a ceiling for both TTL keys */
};

/* Every text is a heap string of its own, never NULL after a successful load ("" = unset). */
struct au_config {
    char *path; /* the file it came from, "" for none */
    const char *source; /* how it was found, static text; NULL for none */
    char *listen_addr;
    char *policy_dir;
    char *issuance_policy_dir;
    char *schema_path;
    char *revocation_file;
    char *key_file;
    char *log_level;
    char *tls_cert_path;
    char *tls_key_path;
    char *mtls_client_ca_cert_path;
    char *mtls_client_ca_key_path;
    char *authorized_clients_path;
    int32_t max_ttl_s;
    uint32_t bundle_ttl_s;
    bool allow_insecure_remote_listen;
    struct sockaddr_storage addr; /* of listen_addr */
    socklen_t addr_len;
    /* Only set by code: */
    bool loopback_fallback;  /* 127.0.0.1 when [::1] cannot be bound */
    uint64_t watch_delay_ms; /* see au_dirhub_new */
};

/* Fills in every default, no file and no environment. FB_E_NOMEM. */
int au_config_defaults(struct au_config *c, struct fb_err *err);
/* Reads @path (NULL or "": the discovered firma.toml), then FIRMA_AUTHORITY_* of the environment, then checks.
 * FB_E_CONFIG_PARSE, FB_E_CONFIG_VALIDATION, FB_E_INSECURE, FB_E_NOMEM; @c is then empty. */
int au_config_load(const char *path, struct au_config *c, struct fb_err *err) FB_MUST_USE;
/* Checks across keys and fills in addr. FB_E_CONFIG_VALIDATION. */
int au_config_check(struct au_config *c, struct fb_err *err);
/* Replaces a text. FB_E_NOMEM. */
int au_config_set(char **field, struct fb_str value, struct fb_err *err);
/* Takes an empty struct. */
void au_config_done(struct au_config *c);

#endif
