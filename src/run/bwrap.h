/* bubblewrap: its argument list from a plan, its start in a child that has given up root, its complaints in our words.
 * Source: bwrap(1) 0.8; [the Firma design, section 4, "how bwrap is called"]. Layer: run (L3).
 * Thread: run_bwrap_start before any other thread exists. */
#ifndef RUN_BWRAP_H
#define RUN_BWRAP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/proc.h"
#include "run/mounts.h"

enum {
    RUN_BWRAP_ARGS_MAX_BYTES = 4 << 20,
    RUN_BWRAP_DATA_MAX = 256, /* files given by content */
};

/* Where firma-init is shown in the sandbox. */
#define RUN_BWRAP_INIT_INSIDE "/run/firma/init"

/* What the child needs; everything is borrowed. */
struct run_bwrap {
    const struct run_mounts *mounts;
    struct run_identity identity;
    const char *hostname;
    const char *bwrap_path;
    const char *init_path;
    int control;     /* the sandbox's end of the socket pair */
    int filters;     /* the file behind INIT_FD_FILTERS */
    int view;        /* the file behind INIT_FD_VIEW */
    int diagnostics; /* becomes standard error of bubblewrap */
};

/* Appends the arguments, each with its NUL, as `--args` reads them. The k-th step with content is given descriptor
 * @first_data_fd + k. @source_of maps a step's host path to the one to use (NULL: unchanged).
 * 0, FB_E_LIMIT, FB_E_NOMEM. */
int run_bwrap_args(const struct run_bwrap *b, int first_data_fd,
                   const char *(*source_of)(const void *ctx, const char *source), const void *ctx, struct fb_buf *out,
                   struct fb_err *err) FB_MUST_USE;

/* Forks; the child arranges descriptors, gives up root when it must, and executes bubblewrap with an empty environment
 * in a session of its own. 0 or FB_E_SPAWN, FB_E_IO, FB_E_LIMIT. A failure in the child ends it with a text in
 * @diagnostics. */
int run_bwrap_start(const struct run_bwrap *b, struct fb_proc *ret, struct fb_err *err) FB_MUST_USE;

/* Turns what bubblewrap (or the child before it) said into an error with a remedy; @said may be empty. Returns the code:
 * FB_E_UNSUPPORTED_BACKEND when this host cannot do it at all, else FB_E_BACKEND. */
int run_bwrap_explain(const char *said, struct fb_err *err);

#endif
