/* libuv behind our own calls. Every handle is one heap block, freed when libuv says that it is done with it. */
#include "base/loop.h"

#include <stdbool.h>
#include <stdlib.h>
#include <uv.h>

struct signal_slot {
    uv_signal_t uv; /* first: a handle's address is the block's */
    fb_signal_fn *fn;
    void *arg;
    struct signal_slot *next;
};

struct fb_loop {
    uv_loop_t uv;
    struct signal_slot *signals;
    bool running;
};

struct fb_watch {
    uv_poll_t uv;
    fb_watch_fn *fn;
    void *arg;
    int events;
};

struct fb_timer {
    uv_timer_t uv;
    struct fb_loop *loop;
    fb_timer_fn *fn;
    void *arg;
};

struct fb_wake {
    uv_async_t uv;
    fb_timer_fn *fn;
    void *arg;
};

_Static_assert((int)UV_READABLE == (int)FB_READABLE && (int)UV_WRITABLE == (int)FB_WRITABLE, "masks pass unchanged");

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static int uv_fail(struct fb_err *err, int r, const char *what)
{
    return fb_err_sys(err, r == UV_ENOMEM ? FB_E_NOMEM : FB_E_IO, -r, "%s", what);
}

static void *new_handle(size_t n, struct fb_err *err)
{
    void *p = calloc(1, n);
    if (p == NULL)
        (void)fb_err_set(err, FB_E_NOMEM, "no memory for a watcher");
    return p;
}

int fb_loop_new(struct fb_loop **ret, struct fb_err *err)
{
    struct fb_loop *loop = new_handle(sizeof *loop, err);
    if (loop == NULL)
        return FB_E_NOMEM;
    int r = uv_loop_init(&loop->uv);
    if (r != 0) {
        free(loop);
        return uv_fail(err, r, "cannot make an event loop");
    }
    *ret = loop;
    return 0;
}

static void close_leftover(uv_handle_t *handle, void *arg)
{
    (void)arg;
    if (!uv_is_closing(handle))
        uv_close(handle, free_handle);
}

void fb_loop_free(struct fb_loop *loop)
{
    if (loop == NULL)
        return;
    uv_walk(&loop->uv, close_leftover, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop->uv);
    free(loop);
}

void fb_loop_run(struct fb_loop *loop)
{
    loop->running = true;
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT);
    loop->running = false;
}

void fb_loop_stop(struct fb_loop *loop)
{
    uv_stop(&loop->uv);
}

uint64_t fb_loop_now_ms(const struct fb_loop *loop)
{
    return uv_now(&loop->uv);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct fb_watch *w = (struct fb_watch *)handle;
    if (status < 0) {
        /* libuv has stopped watching; a mask remembered as set would never be armed again. */
        w->events = 0;
        events = FB_READABLE | FB_WRITABLE;
    }
    w->fn(w->arg, events & (FB_READABLE | FB_WRITABLE));
}

int fb_watch_new(struct fb_loop *loop, int fd, fb_watch_fn *fn, void *arg, struct fb_watch **ret, struct fb_err *err)
{
    struct fb_watch *w = new_handle(sizeof *w, err);
    if (w == NULL)
        return FB_E_NOMEM;
    int r = uv_poll_init(&loop->uv, &w->uv, fd);
    if (r != 0) {
        free(w);
        return uv_fail(err, r, "cannot watch a descriptor");
    }
    w->fn = fn;
    w->arg = arg;
    *ret = w;
    return 0;
}

int fb_watch_set(struct fb_watch *w, int events)
{
    if (events == w->events)
        return 0;
    int r = events == 0 ? uv_poll_stop(&w->uv) : uv_poll_start(&w->uv, events, on_poll);
    if (r != 0)
        return FB_E_IO;
    w->events = events;
    return 0;
}

void fb_watch_free(struct fb_watch *w)
{
    if (w != NULL)
        uv_close((uv_handle_t *)&w->uv, free_handle);
}

static void on_timer(uv_timer_t *handle)
{
    struct fb_timer *t = (struct fb_timer *)handle;
    t->fn(t->arg);
}

int fb_timer_new(struct fb_loop *loop, fb_timer_fn *fn, void *arg, struct fb_timer **ret, struct fb_err *err)
{
    struct fb_timer *t = new_handle(sizeof *t, err);
    if (t == NULL)
        return FB_E_NOMEM;
    int r = uv_timer_init(&loop->uv, &t->uv);
    if (r != 0) {
        free(t);
        return uv_fail(err, r, "cannot make a timer");
    }
    t->loop = loop;
    t->fn = fn;
    t->arg = arg;
    *ret = t;
    return 0;
}

void fb_timer_start(struct fb_timer *t, uint64_t ms, uint64_t repeat_ms)
{
    /* Before the loop runs its time stands still, and a timer would come too early. */
    if (!t->loop->running)
        uv_update_time(&t->loop->uv);
    (void)uv_timer_start(&t->uv, on_timer, ms, repeat_ms);
}

void fb_timer_stop(struct fb_timer *t)
{
    (void)uv_timer_stop(&t->uv);
}

void fb_timer_free(struct fb_timer *t)
{
    if (t != NULL)
        uv_close((uv_handle_t *)&t->uv, free_handle);
}

static void on_signal(uv_signal_t *handle, int sig)
{
    struct signal_slot *slot = (struct signal_slot *)handle;
    slot->fn(slot->arg, sig);
}

int fb_loop_on_signal(struct fb_loop *loop, int sig, fb_signal_fn *fn, void *arg, struct fb_err *err)
{
    for (struct signal_slot *slot = loop->signals; slot != NULL; slot = slot->next)
        if (slot->uv.signum == sig) {
            slot->fn = fn;
            slot->arg = arg;
            return 0;
        }
    struct signal_slot *slot = new_handle(sizeof *slot, err);
    if (slot == NULL)
        return FB_E_NOMEM;
    int r = uv_signal_init(&loop->uv, &slot->uv);
    if (r != 0) {
        free(slot);
        return uv_fail(err, r, "cannot watch a signal");
    }
    slot->fn = fn;
    slot->arg = arg;
    r = uv_signal_start(&slot->uv, on_signal, sig);
    if (r != 0) {
        uv_close((uv_handle_t *)&slot->uv, free_handle);
        return uv_fail(err, r, "cannot watch a signal");
    }
    uv_unref((uv_handle_t *)&slot->uv);
    slot->next = loop->signals;
    loop->signals = slot;
    return 0;
}

static void on_wake(uv_async_t *handle)
{
    struct fb_wake *w = (struct fb_wake *)handle;
    w->fn(w->arg);
}

int fb_wake_new(struct fb_loop *loop, fb_timer_fn *fn, void *arg, struct fb_wake **ret, struct fb_err *err)
{
    struct fb_wake *w = new_handle(sizeof *w, err);
    if (w == NULL)
        return FB_E_NOMEM;
    w->fn = fn;
    w->arg = arg;
    int r = uv_async_init(&loop->uv, &w->uv, on_wake);
    if (r != 0) {
        free(w);
        return uv_fail(err, r, "cannot make a wake-up");
    }
    *ret = w;
    return 0;
}

void fb_wake_send(struct fb_wake *w)
{
    (void)uv_async_send(&w->uv);
}

void fb_wake_free(struct fb_wake *w)
{
    if (w != NULL)
        uv_close((uv_handle_t *)&w->uv, free_handle);
}
