/* Child processes. */
#include "base/proc.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAT_BYTES = 1024, STAT_START_TIME = 22, STAT_STATE = 3 };

void fb_proc_die_with_parent(pid_t parent)
{
    /* The signal comes only for a death after this call; one before it shows as another parent. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
}

/* Handlers and mask of the parent mean nothing in the child, and a pending handler must not run there. */
static void reset_signals(void)
{
    struct sigaction plain = { .sa_handler = SIG_DFL };
    for (int sig = 1; sig <= SIGRTMAX; sig++)
        (void)sigaction(sig, &plain, NULL);
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int fb_proc_fork(struct fb_proc *ret, int (*main)(void *arg), void *arg, struct fb_err *err)
{
    pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    /* Buffered output would come twice. */
    (void)fflush(NULL);
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    int fork_errno = errno;
    if (pid == 0) {
        fb_proc_die_with_parent(parent);
        reset_signals();
        int status = main(arg);
        (void)fflush(NULL);
        _exit(status);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return fb_err_sys(err, FB_E_SPAWN, fork_errno, "cannot fork");
    /* Not reaped yet, so the number still means this child. */
    int pidfd = pidfd_open(pid, 0);
    if (pidfd < 0) {
        int r = fb_err_sys(err, FB_E_SPAWN, errno, "cannot open a descriptor for process %d", (int)pid);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return r;
    }
    *ret = (struct fb_proc){ .pid = pid, .pidfd = pidfd };
    return 0;
}

int fb_proc_signal(const struct fb_proc *p, int sig)
{
    if (p->pid <= 0 || pidfd_send_signal(p->pidfd, sig, NULL, 0) == 0 || errno == ESRCH)
        return 0;
    return FB_E_IO;
}

/* Waits until the descriptor says that the process has ended. 1 = time is over. */
static int wait_ended(int pidfd, int64_t timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? 0 : fb_clock_mono_ms() + timeout_ms;
    for (;;) {
        int64_t left = timeout_ms < 0 ? -1 : deadline - fb_clock_mono_ms();
        if (timeout_ms >= 0 && left < 0)
            left = 0;
        struct pollfd fd = { .fd = pidfd, .events = POLLIN };
        int n = poll(&fd, 1, left > INT_MAX ? INT_MAX : (int)left);
        if (n > 0)
            return 0;
        if (n == 0 && left <= INT_MAX)
            return 1;
        if (n < 0 && errno != EINTR)
            return FB_E_WAIT;
    }
}

int fb_proc_wait(struct fb_proc *p, int64_t timeout_ms, int *ret_status, struct fb_err *err)
{
    if (p->pid <= 0)
        return fb_err_set(err, FB_E_WAIT, "no such child process");
    int r = wait_ended(p->pidfd, timeout_ms);
    if (r == 1)
        return 1;
    if (r != 0)
        return fb_err_sys(err, FB_E_WAIT, errno, "cannot wait for process %d", (int)p->pid);
    int status = 0;
    pid_t got;
    do
        got = waitpid(p->pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fb_err_sys(err, FB_E_WAIT, errno, "cannot wait for process %d", (int)p->pid);
    p->pid = 0;
    if (ret_status != NULL)
        *ret_status = status;
    return 0;
}

void fb_proc_stop(struct fb_proc *p, int64_t grace_ms)
{
    if (p == NULL)
        return;
    if (p->pid > 0) {
        (void)fb_proc_signal(p, SIGTERM);
        if (fb_proc_wait(p, grace_ms < 0 ? 0 : grace_ms, NULL, NULL) == 1) {
            (void)fb_proc_signal(p, SIGKILL);
            (void)fb_proc_wait(p, -1, NULL, NULL);
        }
    }
    /* An all-zero struct was never filled, and 0 is no descriptor of ours. */
    if (p->pidfd > 0)
        fb_fd_close(&p->pidfd);
    p->pidfd = -1;
    p->pid = 0;
}

/* Field @number (from 1) of the line; the name, field 2, may hold blanks and brackets, so counting starts after it. */
static struct fb_str stat_field(struct fb_str line, int number)
{
    const char *end = line.n == 0 ? NULL : memrchr(line.p, ')', line.n);
    if (end == NULL)
        return fb_str_n(NULL, 0);
    struct fb_str rest = fb_str_trim(fb_str_n(end + 1, line.n - (size_t)(end + 1 - line.p)));
    struct fb_str field = fb_str_n(NULL, 0);
    for (int i = STAT_STATE; i <= number; i++)
        if (!fb_str_split(&rest, ' ', &field))
            return fb_str_n(NULL, 0);
    return field;
}

int fb_proc_start_time(pid_t pid, uint64_t *ret_ticks)
{
    char path[64];
    char text[STAT_BYTES];
    size_t n = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = pid <= 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return FB_E_NOT_FOUND;
    int r = fb_fd_read_full(fd, text, sizeof text, &n);
    fb_fd_close(&fd);
    if (r != 0)
        return FB_E_NOT_FOUND;
    struct fb_str state = stat_field(fb_str_n(text, n), STAT_STATE);
    /* One that waits to be reaped runs no more. */
    if (state.n != 1 || state.p[0] == 'Z' || state.p[0] == 'X')
        return FB_E_NOT_FOUND;
    return fb_num_u64(stat_field(fb_str_n(text, n), STAT_START_TIME), 0, UINT64_MAX, ret_ticks) == 0 ? 0
                                                                                                    : FB_E_NOT_FOUND;
}

/* @last is included. */
static void close_span(int first, int last)
{
    if (first > last || close_range((unsigned)first, (unsigned)last, 0) == 0)
        return;
    struct rlimit limit;
    if (last == INT_MAX && getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < INT_MAX)
        last = (int)limit.rlim_max;
    for (int fd = first; fd < last; fd++)
        (void)close(fd);
    (void)close(last);
}

void fb_proc_close_from(int first, const int *keep, size_t n_keep)
{
    for (size_t i = 0; i < n_keep; i++) {
        if (keep[i] < first)
            continue;
        close_span(first, keep[i] - 1);
        first = keep[i] + 1;
    }
    close_span(first, INT_MAX);
}
