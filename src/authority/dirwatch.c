#include "authority/dirwatch.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
    struct au_dirhub *hub;
    struct au_dirwatch *next;
    char *dir;
    char *only;
    au_dirwatch_fn *fn;
    void *arg;
    int dir_fd;             /* until the first attach: the directory may be renamed with its parent before */
    int wd;                 /* shared by all watchers of one directory; -1: not attached, or the directory is gone */
    struct fb_timer *timer; /* end of a burst, or the next look for a lost directory */
    bool pending;
    bool replaced;
    bool complained;
};

struct au_dirhub {
    struct fb_loop *loop;
    uint64_t delay_ms;
    int fd;
    struct fb_watch *watch;
    struct au_dirwatch *first;
};

/* 0, or -1 with errno. The first time the directory that was opened, later whatever stands at the path. */
static int attach(struct au_dirwatch *w)
{
    char held[32];

    snprintf(held, sizeof(held), "/proc/self/fd/%d", w->dir_fd);
    w->wd = inotify_add_watch(w->hub->fd, w->dir_fd >= 0 ? held : w->dir, EVENTS);
    w->replaced = w->replaced || w->dir_fd < 0;
    fb_fd_close(&w->dir_fd);
    return w->wd < 0 ? -1 : 0;
}

static void on_timer(void *arg)
{
    struct au_dirwatch *w = arg;

    if (w->wd < 0 && attach(w) != 0) {
        if (!w->complained)
            FB_LOG(FB_LOG_WARN, "directory cannot be watched; looking again every second", FB_KZ("dir", w->dir),
                   FB_KZ("detail", strerror(errno)));
        w->complained = true;
        fb_timer_start(w->timer, LOST_AGAIN_MS, 0);
        return;
    }
    bool replaced = w->replaced;
    w->pending = w->replaced = w->complained = false;
    w->fn(w->arg, replaced);
}

static void plan(struct au_dirwatch *w)
{
    if (w->pending)
        return;
    w->pending = true;
    fb_timer_start(w->timer, AU_DIRWATCH_QUIET_MS, 0);
}

/* The directory behind @wd is no longer what stands at the path. */
static void lose(struct au_dirhub *hub, const struct inotify_event *e)
{
    bool ours = false;

    for (struct au_dirwatch *w = hub->first; w != NULL; w = w->next) {
        if (w->wd != e->wd)
            continue; /* of another directory, or of the one before */
        ours = true;
        w->wd = -1;
        plan(w);
    }
    if (ours && (e->mask & IN_IGNORED) == 0)
        (void)inotify_rm_watch(hub->fd, e->wd);
}

static void take_event(struct au_dirhub *hub, const struct inotify_event *e)
{
    if ((e->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED)) != 0) {
        lose(hub, e);
        return;
    }
    bool overflow = (e->mask & IN_Q_OVERFLOW) != 0; /* something was missed, nobody knows where */
    for (struct au_dirwatch *w = hub->first; w != NULL; w = w->next)
        if (overflow || (w->wd == e->wd && (w->only == NULL || (e->len > 0 && strcmp(e->name, w->only) == 0))))
            plan(w);
}

static void on_ready(void *arg, int ready)
{
    struct au_dirhub *hub = arg;
    char chunk[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

    (void)ready;
    for (;;) {
        ssize_t n = read(hub->fd, chunk, sizeof(chunk));
        if (n <= 0)
            return;
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(chunk + at);
            take_event(hub, e);
            at += (ssize_t)(sizeof(*e) + e->len);
        }
    }
}

static void free_watch(struct au_dirwatch *w)
{
    fb_timer_free(w->timer);
    fb_fd_close(&w->dir_fd);
    free(w->dir);
    free(w->only);
    free(w);
}

void au_dirhub_stop(struct au_dirhub *hub)
{
    for (struct au_dirwatch *w = hub == NULL ? NULL : hub->first; w != NULL; w = w->next) {
        if (w->wd >= 0)
            (void)inotify_rm_watch(hub->fd, w->wd); /* fails for the second of two that share it */
        w->wd = -1;
        fb_timer_stop(w->timer);
        w->pending = true; /* nothing is planned any more */
    }
}

void au_dirhub_free(struct au_dirhub *hub)
{
    if (hub == NULL)
        return;
    for (struct au_dirwatch *w = hub->first, *next = NULL; w != NULL; w = next) {
        next = w->next;
        free_watch(w);
    }
    fb_watch_free(hub->watch);
    fb_fd_close(&hub->fd);
    free(hub);
}

int au_dirhub_new(struct fb_loop *loop, uint64_t delay_ms, struct au_dirhub **ret, struct fb_err *err)
{
    struct au_dirhub *hub = calloc(1, sizeof(*hub));

    if (hub == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    hub->loop = loop;
    hub->delay_ms = delay_ms;
    hub->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int rc = hub->fd < 0 ? fb_err_sys(err, FB_E_IO, errno, "cannot watch directories") : 0;
    if (rc == 0)
        rc = fb_watch_new(loop, hub->fd, on_ready, hub, &hub->watch, err);
    if (rc == 0 && (rc = fb_watch_set(hub->watch, FB_READABLE)) != 0)
        fb_err_set(err, rc, "cannot watch directories");
    if (rc != 0) {
        au_dirhub_free(hub);
        return rc;
    }
    *ret = hub;
    return 0;
}

int au_dirwatch_add(struct au_dirhub *hub, const char *dir, const char *only, au_dirwatch_fn *fn, void *arg,
                    struct fb_err *err)
{
    struct au_dirwatch *w = calloc(1, sizeof(*w));

    if (w == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    *w = (struct au_dirwatch){ .hub = hub, .fn = fn, .arg = arg, .wd = -1, .dir = strdup(dir) };
    w->only = only == NULL ? NULL : strdup(only);
    w->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;
    if (w->dir == NULL || (only != NULL && w->only == NULL))
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    else if (w->dir_fd < 0 || (hub->delay_ms == 0 && attach(w) != 0))
        rc = fb_err_sys(err, FB_E_IO, errno, "cannot watch directory '%s'", dir);
    if (rc == 0)
        rc = fb_timer_new(hub->loop, on_timer, w, &w->timer, err);
    if (rc != 0) {
        free_watch(w);
        return rc;
    }
    w->next = hub->first;
    hub->first = w;
    if (hub->delay_ms > 0) {
        w->pending = true;
        fb_timer_start(w->timer, hub->delay_ms, 0);
    }
    return 0;
}
