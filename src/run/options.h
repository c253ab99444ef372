/* What the command line of `firma run` asks for, before any file is read. Layer: run (L3).
 * Texts are borrowed from argv; NULL = not given. Source: [the Firma specification, run 2.1]. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct fb_err;

struct run_options {
    const char *profile;
    const char *config;
    const char *backend;
    const char *sidecar;           /* local, unix://, tcp:// */
    bool no_autostart;
    const char *sidecar_config;
    uint64_t sidecar_startup_timeout_s; /* 0 = 10 */
    const char *capability_file;
    const char *identity_mode;
    bool preserve_host_user;
    bool print_effective_config;
    const char *authority;         /* local, or a URL */
    const char *authority_profile; /* NULL = developer */
    const char *sandbox_id;
    bool allow_non_structural;
    bool timings;
    char *const *command; /* NULL-terminated words after the options */
    int n_command;
};

/* Conflicts that need no file: FB_E_SIDECAR_LOCAL_NO_AUTOSTART, FB_E_AUTHORITY_LOCAL_NO_AUTOSTART, FB_E_MISSING_COMMAND,
 * FB_E_USAGE for values outside their list, FB_E_RESERVED_SANDBOX_ID. Creates nothing. */
int run_options_check(const struct run_options *o, struct fb_err *err);

/* True when the variable @name says yes: 1, true, yes or on, in any case, blanks around it ignored. */
bool run_options_env_is_set(const char *name);

#endif
