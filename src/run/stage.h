/* For root only: the launcher's child collects what is to be mounted in a mount namespace of its own, before it gives
 * up root. So the plan may name directories that the lesser user cannot walk to, and a workspace that belongs to root
 * appears, through an id-mapped mount, as that user's.
 * Source: [the Firma design, section 4, "run by root"]; mount_setattr(2). Layer: run (L3). */
#ifndef RUN_STAGE_H
#define RUN_STAGE_H

#include "base/err.h"
#include "base/macros.h"
#include "run/mounts.h"

enum { RUN_STAGE_MAX = 64 };

struct run_stage {
    struct run_stage_entry {
        char *source;     /* host path */
        char staged[32];  /* where the child puts it */
        bool is_dir;
        bool idmap;       /* root's, shown as the lesser user's */
    } entries[RUN_STAGE_MAX];
    size_t n;
    struct run_identity identity;
};

/* Decides what is staged: every mount of the profile, and @init_path. 0, FB_E_LIMIT, FB_E_NOMEM, FB_E_BACKEND. */
int run_stage_plan(const struct run_mounts *m, const struct run_identity *id, const char *init_path,
                   struct run_stage *ret, struct fb_err *err) FB_MUST_USE;
void run_stage_done(struct run_stage *s);

/* The path to give to bubblewrap for @source (a run_stage as @ctx); @source itself when it is not staged. The text lives
 * until the next call. */
const char *run_stage_source(const void *ctx, const char *source);

/* In the child, still root: makes the mount namespace and the staged mounts. NULL, or what failed with errno set. */
const char *run_stage_enter(const struct run_stage *s);

#endif
