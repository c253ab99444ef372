/* A component that the launcher forks (Authority, Sidecar): process, control socket, log file. Layer: run (L3).
 * Source: [the Firma design, section 2]: forked early, told everything over the socket, dead with its parent. */
#ifndef RUN_CHILD_H
#define RUN_CHILD_H

#include "base/err.h"
#include "base/loop.h"
#include "base/proc.h"

#include <stdbool.h>

struct run_child {
    struct fb_proc proc; /* pid 0 = never started */
    int sock;
    struct fb_watch *watch;
    bool ready;
    bool gone; /* the control socket has ended */
};

void run_child_init(struct run_child *c);
/* Forks @entry with its own session, its standard input and output on /dev/null, its standard error in the file
 * @log_name (made 0600) below @dir_fd, its working directory there too, and no other descriptor but its end of the
 * socket. No thread may exist yet. */
int run_child_start(struct run_child *c, int (*entry)(int control_fd), int dir_fd, const char *log_name,
                    struct fb_err *err);
/* Watches the control socket, which becomes non-blocking. */
int run_child_watch(struct run_child *c, struct fb_loop *loop, fb_watch_fn *fn, void *arg, struct fb_err *err);
/* Sends STOP and returns: components that do not need each other any more end side by side. */
void run_child_ask_to_stop(struct run_child *c);
/* After run_child_ask_to_stop: waits half of @grace_ms, SIGTERM, waits the other half, SIGKILL; reaps and closes. Takes
 * one that never started. */
void run_child_stop(struct run_child *c, int64_t grace_ms);

#endif
