/* Long-lived components as one unit: started in order, probed, and torn down together. Layer: stack (L2).
 * Thread: none may exist (it forks). Source: [the Firma specification, operate 5]. */
#ifndef STACK_SUPERVISE_H
#define STACK_SUPERVISE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ST_SUPERVISE_READY_S = 60,
    ST_SUPERVISE_PAUSE_MS = 100,
    ST_SUPERVISE_GRACE_MS = 5000,
    ST_SUPERVISE_VANISH_MS = 2000,
    ST_SUPERVISE_COMPONENTS_MAX = 4,
};

struct st_component {
    const char *name;       /* "authority", "sidecar": names its pid, listen and log files */
    int (*run)(void *arg);  /* body of the child; its result is the exit status */
    void *arg;
    const char *listen;     /* where it will accept: host:port or the path of a Unix socket */
};

/* Takes `stack.lock` of @state_dir (FB_E_ALREADY_RUNNING when a live stack holds it) and returns its descriptor: the first
 * thing to do, before any configuration is read. */
int st_supervise_lock(const char *state_dir, struct fb_err *err);

/* Starts the components in order, each in a process group of its own with its output in `<name>.log`, and waits until each
 * accepts. Then: foreground, until SIGINT, SIGTERM or the end of any component; @detach, a supervisor in a session of its own
 * does that, is recorded in `stack.pid`, and this call returns. Takes @lock_fd. FB_E_READINESS names the component, its
 * log and the limit; everything started is then gone again. */
int st_supervise_run(const char *state_dir, int lock_fd, const struct st_component *components, size_t n, bool detach,
                     struct fb_err *err);

/* Ends a running stack: Sidecar, supervisor, Authority; SIGKILL after @timeout_ms. 1 = nothing was running. */
int st_supervise_stop(const char *state_dir, int64_t timeout_ms, struct fb_err *err);

#endif
