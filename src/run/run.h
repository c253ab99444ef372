/* `firma run`: one launch from flags to teardown. Layer: run (L3). Thread: none may exist yet (it forks).
 * Source: [the Firma specification, run 5]; [the Firma design, section 2]. */
#ifndef RUN_RUN_H
#define RUN_RUN_H

struct run_options;
struct fb_err;

/* Entries of the other components, handed down because folders of one layer never include each other. Each runs in a
 * forked child with its end of the control socket (stack/child.h) and returns an exit status. */
struct run_children {
    int (*authority)(int control_fd);
    int (*sidecar)(int control_fd);
};

/* Resolves, starts, waits, tears down. 0: *@ret_status is the exit status to give back (the agent's, 128+n, or 0 after
 * --print-effective-config). Negative: nothing runs any more, nothing is left behind, @err says why. */
int run_main(const struct run_options *o, const struct run_children *children, int *ret_status, struct fb_err *err);

#endif
