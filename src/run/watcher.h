/* A process of the launcher's that outlives it for a moment: a bubblewrap that loses its launcher, or its own first
 * process, half-way can leave a child that waits for ever without a death signal. The watcher is a member of
 * bubblewrap's process group, so that the group's number cannot pass to anybody else, and ends the whole group, itself
 * included, as soon as the launcher or bubblewrap has ended.
 * Source: setpgid(2), pidfd_open(2), clone(2) CLONE_PARENT. Layer: run (L3). Thread: before any other thread exists. */
#ifndef RUN_WATCHER_H
#define RUN_WATCHER_H

#include <sys/types.h>

/* In the child that will execute bubblewrap, after setsid and with the rights that bubblewrap will have: makes the
 * watcher, a child of @launcher. 0, or -1 with errno; ends the calling process when @launcher is gone already. */
int run_watcher_start(pid_t launcher);
/* In the launcher, once bubblewrap has been reaped: ends and reaps the watcher of group @group. */
void run_watcher_reap(pid_t group);

#endif
