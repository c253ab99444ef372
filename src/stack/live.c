/* Liveness of recorded processes, with reused pids told apart, and of their sockets. */
#include "stack/live.h"

#include "base/err.h"
#include "base/fd.h"
#include "base/proc.h"
#include "stack/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { START_SLACK_S = 2 };

/* Wall-clock second at which the machine booted, 0 when unknown. */
static int64_t boot_unix_s(void)
{
    struct timespec boot;
    struct timespec wall;
    if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0 || clock_gettime(CLOCK_REALTIME, &wall) < 0)
        return 0;
    return (int64_t)wall.tv_sec - (int64_t)boot.tv_sec;
}

/* The state letter of the process, 0 when it is gone. The name before it may hold anything but ends with the last ')'. */
static char state_letter(pid_t pid)
{
    char path[40];
    char line[512];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    fb_auto(fb_fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    if (fd < 0 || fb_fd_read_full(fd, line, sizeof line - 1, &n) < 0)
        return 0;
    line[n] = '\0';
    const char *end = strrchr(line, ')');
    return end != NULL && end[1] == ' ' ? end[2] : 0;
}

bool st_live_is_frozen(pid_t pid)
{
    char state = state_letter(pid);
    return state == 'T' || state == 't';
}

bool st_live_process(pid_t pid, uint64_t start_ticks, int64_t recorded_unix_s)
{
    if (pid <= 0)
        return false;
    /* EPERM: somebody else's process, but alive. */
    if (kill(pid, 0) < 0 && errno != EPERM)
        return false;
    char state = state_letter(pid);
    uint64_t ticks = 0;
    if (state == 'Z' || state == 'X' || fb_proc_start_time(pid, &ticks) < 0)
        return false;
    if (start_ticks != 0)
        return ticks == start_ticks;
    long hz = sysconf(_SC_CLK_TCK);
    int64_t boot = boot_unix_s();
    if (recorded_unix_s == 0 || hz <= 0 || boot == 0)
        return true;
    int64_t started = boot + (int64_t)(ticks / (uint64_t)hz);
    return started <= recorded_unix_s + START_SLACK_S;
}

static int64_t recorded_time(int dir)
{
    struct stat st;
    return fstatat(dir, "sidecar.pid", &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

enum st_live st_live_marker(int run_fd, const char *id)
{
    fb_auto(fb_fd_close) int dir = openat(run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? ST_LIVE_NONE : ST_LIVE_UNSURE;
    struct st_meta meta;
    if (st_meta_read(dir, &meta, NULL) < 0)
        return ST_LIVE_UNSURE;
    enum st_live live = ST_LIVE_UNSURE;
    if (meta.pid > 0)
        live = meta.pid <= INT32_MAX && st_live_process((pid_t)meta.pid, meta.pid_start_ticks, recorded_time(dir))
                   ? ST_LIVE_YES
                   : ST_LIVE_DEAD;
    st_meta_done(&meta);
    return live;
}

static enum st_probe judge_errno(int code)
{
    switch (code) {
    case 0:
        return ST_PROBE_ACCEPTS;
    case ECONNREFUSED:
    case ENOENT:
    case EAGAIN: /* a full backlog: nobody takes connections off it */
    case ETIMEDOUT:
    case ENOTSOCK:
    case EPROTOTYPE:
        return ST_PROBE_CLOSED;
    default:
        return ST_PROBE_UNSURE;
    }
}

enum st_probe st_live_probe(const struct sockaddr *addr, socklen_t n)
{
    fb_auto(fb_fd_close) int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return ST_PROBE_UNSURE;
    if (connect(fd, addr, n) == 0)
        return ST_PROBE_ACCEPTS;
    if (errno != EINPROGRESS)
        return judge_errno(errno);
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int failed = 0;
    socklen_t size = sizeof failed;
    if (poll(&p, 1, ST_LIVE_CONNECT_MS) <= 0)
        return ST_PROBE_CLOSED;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
        return ST_PROBE_UNSURE;
    return judge_errno(failed);
}

enum st_probe st_live_probe_unix_at(int dir_fd, const char *name)
{
    struct stat st;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return judge_errno(errno);
    if (!S_ISSOCK(st.st_mode))
        return ST_PROBE_CLOSED;
    /* Through the descriptor the path stays short, and names the directory that was opened. */
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    if (snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%s", dir_fd, name) >= (int)sizeof addr.sun_path)
        return ST_PROBE_UNSURE;
    return st_live_probe((const struct sockaddr *)&addr, sizeof addr);
}
