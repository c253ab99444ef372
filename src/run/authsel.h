/* Which Authority: one of this run's own, a remote one, a running one that is ours, or none.
 * Layer: run (L3). Thread: start-up; may ask the person. Source: [the Firma specification, run 5.3]; [the Firma design,
 * section 4, "--authority local"]. Order: the flag, the [authority] table of the discovered file, [sidecar.authority].url,
 * one question. */
#ifndef RUN_AUTHSEL_H
#define RUN_AUTHSEL_H

#include "base/err.h"

#include <stdbool.h>

struct fb_toml_doc;

enum run_authority_kind { RUN_AUTHORITY_NONE, RUN_AUTHORITY_LOCAL, RUN_AUTHORITY_REMOTE };

enum { RUN_AUTHORITY_PROBE_MS = 500, RUN_AUTHORITY_URL_BYTES = 512, RUN_AUTHORITY_PATH_BYTES = 4096 };

struct run_authority {
    enum run_authority_kind kind;
    char url[RUN_AUTHORITY_URL_BYTES]; /* REMOTE; LOCAL: known when it is ready */
    char public_key_path[RUN_AUTHORITY_PATH_BYTES]; /* "" = not known (yet) */
};

struct run_authsel_input {
    const char *flag; /* --authority, NULL = not given */
    bool no_autostart;
    bool sidecar_is_external; /* then an Authority is resolved only when the flag says so */
    const struct fb_toml_doc *config; /* discovered firma.toml, NULL = none */
    const char *config_path;          /* NULL = none; then an answer of yes is kept in the default place */
    const char *config_dir;
    int in_fd; /* standard input: asked only when it is a terminal */
};

/* Errors: FB_E_AUTHORITY_UNREACHABLE, _DECLINED, _PROMPT_NO_TTY, _TRANSPORT_AMBIGUOUS, FB_E_MISSING_AUTHORITY,
 * FB_E_CONFIG_PARSE when the file to be extended is malformed. */
int run_authsel(const struct run_authsel_input *in, struct run_authority *ret, struct fb_err *err);

#endif
