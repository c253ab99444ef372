#include "run/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FD_LAUNCHER, FD_BWRAP, FD_FIRST_FREE };

static _Noreturn void watch(int launcher, int bwrap)
{
    /* None of the caller's pipes and sockets may stay open by us. */
    const int up = fcntl(bwrap, F_DUPFD, FD_FIRST_FREE);
    if (dup2(launcher, FD_LAUNCHER) >= 0 && dup2(up, FD_BWRAP) >= 0 &&
        syscall(SYS_close_range, FD_FIRST_FREE, ~0U, 0U) == 0) {
        struct pollfd ends[] = { { .fd = FD_LAUNCHER, .events = POLLIN }, { .fd = FD_BWRAP, .events = POLLIN } };
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        while (poll(ends, sizeof(ends) / sizeof(ends[0]), -1) < 0 && errno == EINTR)
            continue;
    }
    (void)kill(0, SIGKILL);
    _exit(1);
}

int run_watcher_start(pid_t launcher)
{
    const int ends[2] = { pidfd_open(launcher, 0), pidfd_open(getpid(), 0) };

    if (ends[0] < 0 || ends[1] < 0)
        return -1;
    /* After the descriptor was opened: it means the launcher, and not a successor to its number. */
    if (getppid() != launcher)
        _exit(125);
    /* The launcher's child, not ours: bubblewrap waits for its own children only, and the launcher can see it gone. */
    const long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0UL, 0UL, 0UL, 0UL);
    if (pid == 0)
        watch(ends[0], ends[1]);
    const int saved = errno;
    (void)close(ends[0]);
    (void)close(ends[1]);
    errno = saved;
    return pid < 0 ? -1 : 0;
}

void run_watcher_reap(pid_t group)
{
    /* The number is still ours: only a watcher that has not been reaped can be waited for. */
    pid_t got;
    do {
        siginfo_t there = { 0 };
        if (waitid(P_PGID, (id_t)group, &there, WEXITED | WNOHANG | WNOWAIT) != 0)
            return;
        (void)kill(-group, SIGKILL);
        got = waitpid(-group, NULL, 0);
    } while (got > 0 || (got < 0 && errno == EINTR));
}
