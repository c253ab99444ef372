/* Child processes: fork with a parent-death signal and a pidfd, wait, identity by start time. Layer: base (L0).
 * Call before any thread exists. Source: [the Firma design, section 2]. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

struct fb_proc {
    pid_t pid;
    int pidfd; /* -1 when none */
};

/* Forks. In the child: parent-death signal SIGKILL is set and the parent checked, then @main(arg) runs and its result is the exit status
 * (through _exit). In the parent: *@ret holds pid and pidfd. FB_E_SPAWN. */
int fb_proc_fork(struct fb_proc *ret, int (*main)(void *arg), void *arg, struct fb_err *err);
/* Sets the parent-death signal (again: a change of uid clears it) and ends the process if @parent is already gone. */
void fb_proc_die_with_parent(pid_t parent);
/* Sends through the pidfd, so that a reused pid is never hit; a dead process is no error. */
int fb_proc_signal(const struct fb_proc *p, int sig);
/* Waits up to @timeout_ms (-1: for ever). 1 = still running; 0 = ended, *@ret_status is wait(2)'s status. Closes nothing. */
int fb_proc_wait(struct fb_proc *p, int64_t timeout_ms, int *ret_status, struct fb_err *err);
/* SIGTERM, @grace_ms, SIGKILL, reap, close the pidfd. Takes an empty struct. */
void fb_proc_stop(struct fb_proc *p, int64_t grace_ms);

/* Start time of @pid in clock ticks since boot (field 22 of stat), to tell a reused pid; FB_E_NOT_FOUND when dead. */
int fb_proc_start_time(pid_t pid, uint64_t *ret_ticks);
/* Closes every descriptor from @first up but those in @keep (sorted ascending). */
void fb_proc_close_from(int first, const int *keep, size_t n_keep);

#endif
