/* Everything about a launch that can be known before anything is started: the merged profile, names, paths, the
 * environment and the view of the file system. Touches nothing on disk but the directory of the list of workspaces.
 * Layer: run (L3). Thread: start-up.
 * Source: [the Firma specification, run 5 steps 3-7]. */
#ifndef RUN_SETTLE_H
#define RUN_SETTLE_H

#include "core/config.h"
#include "run/endpoint.h"
#include "run/environ.h"
#include "run/hidden.h"
#include "run/identity.h"
#include "run/mounts.h"
#include "run/options.h"
#include "run/profile.h"
#include "run/sandbox.h"
#include "token/claims.h"

#include <limits.h>

struct run_settled {
    const struct run_options *options;
    struct fc_config config; /* .doc is NULL when no file was found */
    struct run_profile profile;
    char sandbox_id[65];
    char session_id[130];
    char agent_id[130];
    char cwd[PATH_MAX];
    char home[PATH_MAX]; /* inside */
    char *state_dir;
    char *workspaces_path; /* NULL = nowhere to keep it */
    struct run_identity identity;
    bool sidecar_local;
    struct run_endpoint endpoint; /* when not local */
    char capability_key_path[PATH_MAX]; /* "" = unknown */
    const char *capability_file;        /* NULL = none */
    struct tk_claims capability;        /* of capability_file */
    struct run_mount mounts[RUN_PROFILE_MOUNTS_MAX + 1];
    size_t n_mounts;
    struct run_hidden hidden;
    struct run_sandbox_plan plan;
    struct run_environ env;
};

/* Fills @s; on failure too it must be given to run_settle_done. */
int run_settle(struct run_settled *s, const struct run_options *o, struct fb_err *err);
void run_settle_done(struct run_settled *s);

#endif
