#include "authority/config.h"

#include "base/fs.h"
#include "base/num.h"
#include "base/toml.h"
#include "core/config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum rebase { KEEP, REBASE };

/* One row a text key: where it is stored, its default, and whether the file's directory goes in front of it. */
static const struct text_key {
    const char *key;
    size_t offset;
    const char *fallback;
    enum rebase rebase;
} text_keys[] = {
    { "listen_addr", offsetof(struct au_config, listen_addr), "[::1]:50051", KEEP },
    { "policy_dir", offsetof(struct au_config, policy_dir), "policies/", REBASE },
    { "issuance_policy_dir", offsetof(struct au_config, issuance_policy_dir), "issuance-policies/", REBASE },
    { "schema_path", offsetof(struct au_config, schema_path), "", REBASE },
    { "revocation_file", offsetof(struct au_config, revocation_file), "revocations.txt", KEEP },
    { "key_file", offsetof(struct au_config, key_file), "firma-authority.key", REBASE },
    { "log_level", offsetof(struct au_config, log_level), "info", KEEP },
    { "tls_cert_path", offsetof(struct au_config, tls_cert_path), "", REBASE },
    { "tls_key_path", offsetof(struct au_config, tls_key_path), "", REBASE },
    { "mtls_client_ca_cert_path", offsetof(struct au_config, mtls_client_ca_cert_path), "", REBASE },
    { "mtls_client_ca_key_path", offsetof(struct au_config, mtls_client_ca_key_path), "", REBASE },
    { "authorized_clients_path", offsetof(struct au_config, authorized_clients_path), "", REBASE },
};

static const char *const allowed_keys[] = {
    "listen_addr",
    "policy_dir",
    "issuance_policy_dir",
    "schema_path",
    "revocation_file",
    "key_file",
    "max_ttl_seconds",
    "bundle_ttl_seconds",
    "max_ttl",
    "bundle_ttl",
    "log_level",
    "tls_cert_path",
    "tls_key_path",
    "mtls_client_ca_cert_path",
    "mtls_client_ca_key_path",
    "authorized_clients_path",
    "allow_insecure_remote_listen",
    NULL,
};

static char **field_of(struct au_config *c, const struct text_key *k)
{
    return (char **)(void *)((char *)c + k->offset);
}

int au_config_set(char **field, struct fb_str value, struct fb_err *err)
{
    char *copy = fb_str_dupz(value);

    if (copy == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    free(*field);
    *field = copy;
    return 0;
}

void au_config_done(struct au_config *c)
{
    for (size_t i = 0; i < FB_COUNT(text_keys); i++)
        free(*field_of(c, &text_keys[i]));
    free(c->path);
    *c = (struct au_config){ 0 };
}

int au_config_defaults(struct au_config *c, struct fb_err *err)
{
    *c = (struct au_config){ .max_ttl_s = AU_MAX_TTL_DEFAULT_S, .bundle_ttl_s = AU_BUNDLE_TTL_DEFAULT_S };
    int rc = au_config_set(&c->path, FB_STR(""), err);
    for (size_t i = 0; rc == 0 && i < FB_COUNT(text_keys); i++)
        rc = au_config_set(field_of(c, &text_keys[i]), fb_str_of(text_keys[i].fallback), err);
    if (rc != 0)
        au_config_done(c);
    return rc;
}

static int bad(struct fb_err *err, const char *what, const char *problem)
{
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "[authority] %s %s", what, problem);
}

/* A duration key ("1h") of the file, in whole seconds. */
static int take_duration(const struct fb_toml_doc *d, const struct fb_toml *table, const char *key, int64_t *ret_s,
                         struct fb_err *err)
{
    const struct fb_toml *node = fb_toml_get(table, key);
    struct fb_str text = FB_STR("");
    uint64_t ms = 0;
    int rc = fb_toml_want_str(d, node, &text, err);

    if (rc != 0 || node == NULL)
        return rc;
    if (fb_num_duration_ms(text, &ms) != 0 || ms == 0 || ms % 1000 != 0 || ms / 1000 > AU_TTL_MAX_S)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "%s:%u:%u: key '%s' must be a duration in whole seconds, at least 1s and at most 365 days",
                          fb_toml_name(d), node->line, node->col, key);
    *ret_s = (int64_t)(ms / 1000);
    return 0;
}

static int take_numbers(const struct fb_toml_doc *d, const struct fb_toml *table, struct au_config *c,
                        struct fb_err *err)
{
    int64_t max_ttl = c->max_ttl_s;
    int64_t bundle_ttl = c->bundle_ttl_s;
    int rc = fb_toml_want_i64(d, fb_toml_get(table, "max_ttl_seconds"), 1, AU_TTL_MAX_S, &max_ttl, err);

    if (rc == 0)
        rc = fb_toml_want_i64(d, fb_toml_get(table, "bundle_ttl_seconds"), 1, AU_TTL_MAX_S, &bundle_ttl, err);
    if (rc == 0)
        rc = take_duration(d, table, "max_ttl", &max_ttl, err);
    if (rc == 0)
        rc = take_duration(d, table, "bundle_ttl", &bundle_ttl, err);
    if (rc == 0)
        rc = fb_toml_want_bool(d, fb_toml_get(table, "allow_insecure_remote_listen"), &c->allow_insecure_remote_listen,
                               err);
    c->max_ttl_s = (int32_t)max_ttl;
    c->bundle_ttl_s = (uint32_t)bundle_ttl;
    return rc;
}

static int take_table(const struct fb_toml_doc *d, const struct fb_toml *table, const char *dir, struct au_config *c,
                      struct fb_err *err)
{
    int rc = fb_toml_only_keys(d, table, "authority", allowed_keys, err);

    for (size_t i = 0; rc == 0 && i < FB_COUNT(text_keys); i++) {
        const struct text_key *k = &text_keys[i];
        struct fb_str text = fb_str_of(*field_of(c, k));
        rc = fb_toml_want_str(d, fb_toml_get(table, k->key), &text, err);
        if (rc == 0 && text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
            rc = bad(err, k->key, "must not hold a NUL");
        if (rc != 0)
            break;
        char *copy = fb_str_dupz(text);
        char *full = copy == NULL ? NULL : k->rebase == REBASE ? fb_fs_join(dir, copy) : strdup(copy);
        free(copy);
        if (full == NULL)
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        free(*field_of(c, k));
        *field_of(c, k) = full;
    }
    return rc == 0 ? take_numbers(d, table, c, err) : rc;
}

/* FIRMA_AUTHORITY_<KEY>; NULL when it is not set. Empty counts as set: validation then rejects it. */
static const char *from_env(const char *key)
{
    char name[64];
    size_t n = (size_t)snprintf(name, sizeof(name), "FIRMA_AUTHORITY_%s", key);

    for (size_t i = 0; i < n && i < sizeof(name); i++)
        name[i] = (char)toupper((unsigned char)name[i]);
    return getenv(name);
}

static int take_env_seconds(const char *key, bool is_duration, int64_t *ret_s, struct fb_err *err)
{
    const char *text = from_env(key);
    uint64_t v = 0;

    if (text == NULL)
        return 0;
    int rc = is_duration ? fb_num_duration_ms(fb_str_of(text), &v) : fb_num_u64(fb_str_of(text), 1, AU_TTL_MAX_S, &v);
    if (rc == 0 && is_duration)
        rc = v == 0 || v % 1000 != 0 || v / 1000 > AU_TTL_MAX_S ? FB_E_PARSE : 0;
    if (rc != 0)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "environment FIRMA_AUTHORITY_*: %s must be %s, at least 1 s and at most 365 days, not '%s'",
                          key, is_duration ? "a duration in whole seconds" : "a number of seconds", text);
    *ret_s = (int64_t)(is_duration ? v / 1000 : v);
    return 0;
}

static int take_env(struct au_config *c, struct fb_err *err)
{
    int64_t max_ttl = c->max_ttl_s;
    int64_t bundle_ttl = c->bundle_ttl_s;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < FB_COUNT(text_keys); i++) {
        const char *value = from_env(text_keys[i].key);
        if (value != NULL)
            rc = au_config_set(field_of(c, &text_keys[i]), fb_str_of(value), err);
    }
    if (rc == 0)
        rc = take_env_seconds("max_ttl_seconds", false, &max_ttl, err);
    if (rc == 0)
        rc = take_env_seconds("bundle_ttl_seconds", false, &bundle_ttl, err);
    if (rc == 0)
        rc = take_env_seconds("max_ttl", true, &max_ttl, err);
    if (rc == 0)
        rc = take_env_seconds("bundle_ttl", true, &bundle_ttl, err);
    c->max_ttl_s = (int32_t)max_ttl;
    c->bundle_ttl_s = (uint32_t)bundle_ttl;
    return rc;
}

/* "ip:port" only: no names, so that nothing but this text decides where is listened. */
static int parse_addr(struct au_config *c, struct fb_err *err)
{
    struct fb_str text = fb_str_of(c->listen_addr);
    char host[INET6_ADDRSTRLEN + 1];
    uint64_t port = 0;
    size_t colon = text.n;
    bool v6 = text.n > 0 && text.p[0] == '[';

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon == 0 || fb_num_u64(fb_str_n(text.p + colon, text.n - colon), 0, 65535, &port) != 0)
        return bad(err, "listen_addr", "must be an address and a port, such as \"[::1]:50051\"");
    struct fb_str h = fb_str_n(text.p, colon - 1);
    if (v6 && h.n >= 2 && h.p[h.n - 1] == ']')
        h = fb_str_n(h.p + 1, h.n - 2);
    if (h.n == 0 || h.n >= sizeof(host))
        return bad(err, "listen_addr", "must be an IP address and a port; names are not looked up");
    memcpy(host, h.p, h.n);
    host[h.n] = '\0';
    struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    if (v6 && inet_pton(AF_INET6, host, &a6.sin6_addr) == 1) {
        memcpy(&c->addr, &a6, sizeof(a6));
        c->addr_len = sizeof(a6);
        if (!IN6_IS_ADDR_LOOPBACK(&a6.sin6_addr) && !c->allow_insecure_remote_listen)
            return bad(err, "listen_addr",
                       "is not a loopback address, and TLS is not supported yet; set "
                       "allow_insecure_remote_listen = true to send tokens in the clear");
        return 0;
    }
    if (v6 || inet_pton(AF_INET, host, &a4.sin_addr) != 1)
        return bad(err, "listen_addr", "must be an IP address and a port; names are not looked up");
    memcpy(&c->addr, &a4, sizeof(a4));
    c->addr_len = sizeof(a4);
    if (ntohl(a4.sin_addr.s_addr) >> 24 != 127 && !c->allow_insecure_remote_listen)
        return bad(err, "listen_addr",
                   "is not a loopback address, and TLS is not supported yet; set "
                   "allow_insecure_remote_listen = true to send tokens in the clear");
    return 0;
}

static bool set(const char *text)
{
    return text[0] != '\0';
}

int au_config_check(struct au_config *c, struct fb_err *err)
{
    if (set(c->tls_cert_path) != set(c->tls_key_path))
        return bad(err, "TlsPairMismatch:", "tls_cert_path and tls_key_path must be set together");
    if (set(c->mtls_client_ca_cert_path) != set(c->authorized_clients_path))
        return bad(err,
                   "MtlsPairMismatch:", "mtls_client_ca_cert_path and authorized_clients_path must be set together");
    if (set(c->mtls_client_ca_cert_path) && !set(c->tls_cert_path))
        return bad(err, "MtlsRequiresServerTls:", "mtls_client_ca_cert_path needs tls_cert_path and tls_key_path");
    if (set(c->tls_cert_path) || set(c->mtls_client_ca_key_path))
        return bad(err, "tls_cert_path", "is set, but this version does not speak TLS; unset the TLS keys");
    if (!set(c->policy_dir))
        return bad(err, "policy_dir", "must not be empty");
    if (!set(c->issuance_policy_dir))
        return bad(err, "issuance_policy_dir", "must not be empty");
    if (!set(c->key_file))
        return bad(err, "key_file", "must not be empty");
    if (!set(c->revocation_file))
        return bad(err, "revocation_file", "must not be empty");
    return parse_addr(c, err);
}

static int load_file(const char *path, struct au_config *c, struct fb_err *err)
{
    struct fc_config file = { 0 };
    const struct fb_toml *table = NULL;
    bool named = path != NULL && path[0] != '\0';
    int rc = named ? fc_config_load(path, &file, err) : fc_config_discover(NULL, NULL, &file, err);

    if (rc == 0 && file.doc == NULL) {
        rc = fb_err_set(err, FB_E_CONFIG_VALIDATION, "no firma.toml was found, and the authority needs one");
        fb_err_remedy(err, "name one: firma authority -c FILE; docs/reference/authority.md shows a small one");
    }
    if (rc == 0)
        rc = fc_config_section(&file, "authority", &table, err);
    if (rc == 0)
        rc = take_table(file.doc, table, file.dir, c, err);
    if (rc == 0)
        rc = au_config_set(&c->path, fb_str_of(file.path), err);
    c->source = fc_config_source_name(file.source);
    fc_config_done(&file);
    return rc;
}

int au_config_load(const char *path, struct au_config *c, struct fb_err *err)
{
    int rc = au_config_defaults(c, err);

    if (rc == 0)
        rc = load_file(path, c, err);
    if (rc == 0)
        rc = take_env(c, err);
    if (rc == 0)
        rc = au_config_check(c, err);
    if (rc != 0)
        au_config_done(c);
    return rc;
}
