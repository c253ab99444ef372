/* The runtime shape of a launch: built-in profile, then [defaults], then [profiles.<id>], then the command line.
 * Layer: run (L3). Thread: start-up. Source: [the Firma specification, run 3.2, 4.2]; [the Firma design, section 4].
 * Merge rules: env_set by key, env_passthrough as a sorted set, mounts and allowed_domains replaced when the higher list
 * is not empty, `network` and identity_mode replaced whole, `capability` by field. Unknown keys are refused. */
#ifndef RUN_PROFILE_H
#define RUN_PROFILE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "run/identity.h"

#include <stdbool.h>
#include <stdint.h>

struct fb_toml_doc;

enum {
    RUN_PROFILE_MEMORY_MAX_BYTES = 8 << 20,
    RUN_PROFILE_ENV_MAX = 512,
    RUN_PROFILE_MOUNTS_MAX = 128,
    RUN_PROFILE_NAMES_MAX = 256,
};

enum run_backend { RUN_BACKEND_BWRAP, RUN_BACKEND_VZ, RUN_BACKEND_WSL2, RUN_BACKEND_FIRECRACKER };

struct run_names {
    const char *items[RUN_PROFILE_NAMES_MAX];
    size_t count;
};

struct run_env_pair {
    const char *name;
    const char *value;
};

struct run_profile_mount {
    const char *source;
    const char *target;
    bool read_only;
};

struct run_profile {
    struct fb_arena arena; /* owns every text below */
    const char *id;
    enum run_backend backend;
    const char *sidecar_endpoint; /* NULL = none persisted */
    struct run_names env_passthrough;
    struct run_env_pair env_set[RUN_PROFILE_ENV_MAX];
    size_t n_env_set;
    struct run_profile_mount mounts[RUN_PROFILE_MOUNTS_MAX];
    size_t n_mounts;
    bool workspace; /* the working directory, read-write, at its own path */
    struct run_names allowed_domains;
    bool enforce_network_namespace;
    bool fail_closed;
    enum run_identity_mode identity;
    const char *capability_path; /* capability.source of kind "file"; NULL = disabled */
    const char *capability_public_key_path;
    double refresh_ratio;
    int64_t grace_s;
    struct run_names requested_actions; /* empty = all registered classes */
    bool use_http_proxy_sidecar;
    bool allow_non_structural;
};

/* The built-in profile @name overlaid with the run tables of @doc (NULL = none). FB_E_CONFIG_VALIDATION: unknown profile
 * (the message lists the known ones), unknown key, wrong value, each with file, line and column. @ret is filled even on
 * failure enough for run_profile_done. */
int run_profile_resolve(struct run_profile *ret, const char *name, const struct fb_toml_doc *doc, struct fb_err *err);
/* The rules that hold after every layer, the command line included: network, capability ranges. */
int run_profile_check(const struct run_profile *p, struct fb_err *err);
void run_profile_done(struct run_profile *p);

const char *run_backend_name(enum run_backend b);
/* Refuses every backend but bwrap with FB_E_UNSUPPORTED_BACKEND, the reason and what to do instead. */
int run_backend_check(enum run_backend b, struct fb_err *err);
/* false when @text names no backend. */
bool run_backend_parse(const char *text, enum run_backend *ret);

#endif
