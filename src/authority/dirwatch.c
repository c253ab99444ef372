#include "authority/dirwatch.h"

#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
    EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF |
             IN_ONLYDIR,
    LOST_AGAIN_MS = 1000
};

struct au_dirwatch {
    char *dir;
    char *only;
    au_dirwatch_fn *fn;
    void *arg;
    int fd;
    int wd; /* -1: the directory is gone */
    struct fb_watch *watch;
    struct fb_timer *timer; /* end of a burst, or the next look for a lost directory */
    bool pending;
    bool replaced;
};

static int add(struct au_dirwatch *w)
{
    w->wd = inotify_add_watch(w->fd, w->dir, EVENTS);
    return w->wd < 0 ? -1 : 0;
}

static void on_timer(void *arg)
{
    struct au_dirwatch *w = arg;

    if (w->wd < 0) {
        if (add(w) != 0) {
            fb_timer_start(w->timer, LOST_AGAIN_MS, 0);
            return;
        }
        w->replaced = true;
    }
    bool replaced = w->replaced;
    w->pending = false;
    w->replaced = false;
    w->fn(w->arg, replaced);
}

static void plan(struct au_dirwatch *w)
{
    if (w->pending)
        return;
    w->pending = true;
    fb_timer_start(w->timer, AU_DIRWATCH_QUIET_MS, 0);
}

static void take_event(struct au_dirwatch *w, const struct inotify_event *e)
{
    if ((e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        if (e->wd != w->wd)
            return; /* of the directory before */
        if ((e->mask & IN_IGNORED) == 0)
            (void)inotify_rm_watch(w->fd, w->wd);
        w->wd = -1;
        plan(w);
    } else if ((e->mask & IN_Q_OVERFLOW) != 0 || w->only == NULL || (e->len > 0 && strcmp(e->name, w->only) == 0)) {
        plan(w);
    }
}

static void on_ready(void *arg, int ready)
{
    struct au_dirwatch *w = arg;
    char chunk[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    (void)ready;
    for (;;) {
        ssize_t n = read(w->fd, chunk, sizeof(chunk));
        if (n <= 0)
            return;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(chunk + at);
            take_event(w, e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
}

void au_dirwatch_free(struct au_dirwatch *w)
{
    if (w == NULL)
        return;
    fb_watch_free(w->watch);
    fb_timer_free(w->timer);
    fb_fd_close(&w->fd);
    free(w->dir);
    free(w->only);
    free(w);
}

int au_dirwatch_new(struct fb_loop *loop, const char *dir, const char *only, au_dirwatch_fn *fn, void *arg,
                    struct au_dirwatch **ret, struct fb_err *err)
{
    struct au_dirwatch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    w->fn = fn;
    w->arg = arg;
    w->wd = -1;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->dir = strdup(dir);
    w->only = only == NULL ? NULL : strdup(only);
    int rc = 0;
    if (w->dir == NULL || (only != NULL && w->only == NULL))
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    else if (w->fd < 0 || add(w) != 0)
        rc = fb_err_sys(err, FB_E_IO, errno, "cannot watch directory '%s'", dir);
    if (rc == 0)
        rc = fb_timer_new(loop, on_timer, w, &w->timer, err);
    if (rc == 0)
        rc = fb_watch_new(loop, w->fd, on_ready, w, &w->watch, err);
    if (rc == 0)
        rc = fb_watch_set(w->watch, FB_READABLE);
    if (rc != 0) {
        au_dirwatch_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}
