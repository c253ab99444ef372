/* Forking and stopping the components of a run. */
#include "run/child.h"

#include "base/fd.h"
#include "base/log.h"
#include "stack/child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct entry {
    int (*run)(int control_fd);
    int sock;
    int log;
    int dir;
};

void run_child_init(struct run_child *c)
{
    *c = (struct run_child){ .proc = { .pid = 0, .pidfd = -1 }, .sock = -1 };
}

/* In the child. Its own session keeps the terminal's Ctrl-C away: the launcher decides when it ends. */
static int child_main(void *arg)
{
    const struct entry *e = arg;
    (void)setsid();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(e->log, STDERR_FILENO) < 0)
        return 1;
    /* Its files lie in a directory that is renamed once it is whole: relative names survive that. */
    if (fchdir(e->dir) < 0)
        return 1;
    /* A log file of the launcher's is its own, and its descriptor is closed below. */
    fb_log_set_fd(STDERR_FILENO);
    int sock = e->sock;
    int (*run)(int) = e->run;
    fb_proc_close_from(3, &sock, 1);
    return run(sock);
}

int run_child_start(struct run_child *c, int (*entry)(int control_fd), int dir_fd, const char *log_name,
                    struct fb_err *err)
{
    int pair[2];
    int r = st_child_pair(pair, err);
    if (r < 0)
        return r;
    fb_auto(fb_fd_close) int theirs = pair[1];
    c->sock = pair[0];
    fb_auto(fb_fd_close) int log = openat(dir_fd, log_name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot create '%s'", log_name);
    struct entry e = { entry, theirs, log, dir_fd };
    return fb_proc_fork(&c->proc, child_main, &e, err);
}

int run_child_watch(struct run_child *c, struct fb_loop *loop, fb_watch_fn *fn, void *arg, struct fb_err *err)
{
    if (fb_fd_set_nonblock(c->sock) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot set up a control socket");
    int r = fb_watch_new(loop, c->sock, fn, arg, &c->watch, err);
    return r < 0 ? r : fb_watch_set(c->watch, FB_READABLE);
}

void run_child_ask_to_stop(struct run_child *c)
{
    if (c->proc.pid > 0 && !c->gone)
        (void)st_child_send(c->sock, ST_MSG_STOP, NULL, 0, NULL, 0, NULL);
}

void run_child_stop(struct run_child *c, int64_t grace_ms)
{
    fb_watch_free(c->watch);
    c->watch = NULL;
    if (c->proc.pid > 0) {
        int status;
        if (c->gone || fb_proc_wait(&c->proc, grace_ms / 2, &status, NULL) != 0)
            fb_proc_stop(&c->proc, grace_ms / 2);
        else
            fb_fd_close(&c->proc.pidfd);
    }
    fb_fd_close(&c->sock);
    c->proc.pid = 0;
}
