/* Idle upstream connections. Each is watched while it waits, so that one which the peer closes is dropped at once. */
#include "base/fd.h"
#include "sidecar/upstream.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sidecar/pool_priv.h"

int sc_pool_new(struct fb_loop *loop, struct sc_pool **ret, struct fb_err *err)
{
    struct sc_pool *p = calloc(1, sizeof *p);
    if (p == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    p->loop = loop;
    *ret = p;
    return 0;
}

void sc_pool_free(struct sc_pool *p)
{
    if (p == NULL)
        return;
    while (p->idle != NULL) {
        struct sc_up *up = p->idle;
        p->idle = up->next;
        sc_up_close(up);
    }
    free(p);
}

static void unlink_idle(struct sc_up *up)
{
    struct sc_pool *p = up->pool;
    for (struct sc_up **at = &p->idle; *at != NULL; at = &(*at)->next)
        if (*at == up) {
            *at = up->next;
            up->next = NULL;
            p->n_idle--;
            return;
        }
}

static void on_event(void *arg, int ready)
{
    struct sc_up *up = arg;
    if (up->fn != NULL) {
        up->fn(up->arg, ready);
        return;
    }
    if (up->in_pool) {
        /* End of file, or bytes nobody asked for: not to be trusted with another call. */
        unlink_idle(up);
        sc_up_close(up);
        return;
    }
    sc_up_want(up, 0);
}

int sc_up_wrap(struct sc_pool *p, int fd, const char *host, unsigned port, const struct sc_ip *peer, struct sc_up **ret)
{
    struct sc_up *up = calloc(1, sizeof *up);
    if (up == NULL)
        return FB_E_NOMEM;
    up->pool = p;
    up->fd = fd;
    up->port = port;
    up->peer = *peer;
    memcpy(up->host, host, strlen(host) + 1);
    fb_buf_init(&up->in, SC_UP_IN_MAX_BYTES);
    if (fb_watch_new(p->loop, fd, on_event, up, &up->watch, NULL) < 0) {
        free(up);
        return FB_E_NOMEM;
    }
    *ret = up;
    return 0;
}

void sc_up_want(struct sc_up *up, int events)
{
    (void)fb_watch_set(up->watch, events);
}

void sc_up_own(struct sc_up *up, fb_watch_fn *fn, void *arg)
{
    up->fn = fn;
    up->arg = arg;
}

void sc_up_close(struct sc_up *up)
{
    if (up == NULL)
        return;
    fb_watch_free(up->watch);
    close(up->fd);
    fb_buf_done(&up->in);
    free(up);
}

bool sc_up_is_quiet(const struct sc_up *up)
{
    char c;
    ssize_t n = recv(up->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

static bool suits(const struct sc_up *up, struct fb_str host, unsigned port, enum sc_exempt exempt)
{
    return up->port == port && fb_str_eq(fb_str_of(up->host), host) &&
           (up->from_table || sc_guard_refuses(&up->peer, exempt) == NULL);
}

struct sc_up *sc_pool_take(struct sc_pool *p, struct fb_str host, unsigned port, enum sc_exempt exempt, fb_watch_fn *fn,
                           void *arg)
{
    struct sc_up **at = &p->idle;
    while (*at != NULL) {
        struct sc_up *up = *at;
        if (!suits(up, host, port, exempt)) {
            at = &up->next;
            continue;
        }
        *at = up->next;
        up->next = NULL;
        p->n_idle--;
        up->in_pool = false;
        if (!sc_up_is_quiet(up)) {
            sc_up_close(up);
            continue;
        }
        up->reused = true;
        sc_up_own(up, fn, arg);
        return up;
    }
    return NULL;
}

void sc_pool_give(struct sc_up *up)
{
    struct sc_pool *p = up->pool;
    size_t same = 0;
    for (struct sc_up *o = p->idle; o != NULL; o = o->next)
        same += o->port == up->port && strcmp(o->host, up->host) == 0;
    if (same >= SC_POOL_IDLE_PER_HOST || p->n_idle >= SC_POOL_IDLE_MAX || up->in.n > 0) {
        sc_up_close(up);
        return;
    }
    sc_up_own(up, NULL, NULL);
    sc_up_want(up, FB_READABLE);
    up->in_pool = true;
    up->idle_since_ms = fb_loop_now_ms(p->loop);
    up->next = p->idle;
    p->idle = up;
    p->n_idle++;
}

size_t sc_pool_sweep(struct sc_pool *p, uint64_t now_ms)
{
    struct sc_up **at = &p->idle;
    while (*at != NULL) {
        struct sc_up *up = *at;
        if (now_ms - up->idle_since_ms < SC_POOL_IDLE_MS) {
            if (up->in.cap > 0 && now_ms - up->idle_since_ms > SC_POOL_WARM_MS)
                fb_buf_done(&up->in);
            at = &up->next;
            continue;
        }
        *at = up->next;
        p->n_idle--;
        sc_up_close(up);
    }
    return p->n_idle;
}
