/* The DNS stub: UDP one datagram at a time, TCP with one reply outstanding a connection. */
#include "run/dnsstub.h"

#include "base/fd.h"
#include "net/dnsmsg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct dns_conn {
    struct run_dnsstub *stub;
    int fd; /* -1 = free place */
    struct fb_watch *watch;
    uint8_t in[2 + FN_DNSMSG_QUERY_MAX_BYTES];
    size_t in_n;
    uint8_t out[2 + FN_DNSMSG_REPLY_MAX_BYTES];
    size_t out_from;
    size_t out_to;
    uint64_t last_ms;
};

struct run_dnsstub {
    struct fb_loop *loop;
    const struct run_routes *routes;
    int udp_fd;
    int tcp_fd;
    struct fb_watch *udp_watch;
    struct fb_watch *tcp_watch;
    struct fb_timer *sweep;
    struct dns_conn conns[RUN_DNSSTUB_TCP_MAX];
    unsigned count;
};

enum { SWEEP_MS = 2000 };

/* Length of the reply, 0 = say nothing. */
static size_t answer(const struct run_dnsstub *d, const uint8_t *p, size_t n, uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES])
{
    static const uint8_t loopback[4] = { 127, 0, 0, 1 };
    struct fn_dnsmsg_query q;
    int r = fn_dnsmsg_parse(p, n, &q);
    if (r == FN_DNSMSG_SILENT)
        return 0;
    if (r != 0)
        return fn_dnsmsg_reply(&q, q.fault, NULL, out);
    if (q.name_n == 0 || !run_routes_match(d->routes, fb_str_n(q.name, q.name_n)))
        return fn_dnsmsg_reply(&q, FN_DNSMSG_NXDOMAIN, NULL, out);
    return fn_dnsmsg_reply(&q, FN_DNSMSG_NOERROR, q.type == FN_DNSMSG_TYPE_A ? loopback : NULL, out);
}

static void on_udp(void *arg, int ready)
{
    (void)ready;
    struct run_dnsstub *d = arg;
    for (int i = 0; i < RUN_DNSSTUB_BATCH; i++) {
        uint8_t query[FN_DNSMSG_QUERY_MAX_BYTES];
        uint8_t reply[FN_DNSMSG_REPLY_MAX_BYTES];
        struct sockaddr_storage from;
        socklen_t from_n = sizeof from;
        ssize_t n = recvfrom(d->udp_fd, query, sizeof query, MSG_TRUNC, (struct sockaddr *)&from, &from_n);
        if (n < 0)
            return;
        size_t size = (size_t)n > sizeof query ? 0 : answer(d, query, (size_t)n, reply);
        /* A full buffer drops the reply, as DNS over UDP may; the asker asks again. */
        if (size > 0)
            (void)sendto(d->udp_fd, reply, size, MSG_DONTWAIT, (const struct sockaddr *)&from, from_n);
    }
}

static void drop(struct dns_conn *c)
{
    struct run_dnsstub *d = c->stub;
    fb_watch_free(c->watch);
    c->watch = NULL;
    fb_fd_close(&c->fd);
    d->count--;
    (void)fb_watch_set(d->tcp_watch, FB_READABLE);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* False: close. */
static bool flush(struct dns_conn *c)
{
    while (c->out_from < c->out_to) {
        ssize_t n = send(c->fd, c->out + c->out_from, c->out_to - c->out_from, MSG_NOSIGNAL);
        if (n < 0)
            return would_block();
        c->out_from += (size_t)n;
    }
    c->out_from = c->out_to = 0;
    return true;
}

/* Answers queries in order while the one before has been sent. False: close. */
static bool serve(struct dns_conn *c)
{
    while (c->out_to == 0) {
        const uint8_t *msg = NULL;
        size_t n = 0;
        size_t used = 0;
        int r = fn_dnsmsg_tcp_take(c->in, c->in_n, &msg, &n, &used);
        if (r == FN_DNSMSG_MORE)
            return true;
        if (r < 0)
            return false;
        size_t size = answer(c->stub, msg, n, c->out + 2);
        memmove(c->in, c->in + used, c->in_n - used);
        c->in_n -= used;
        if (size == 0)
            return false;
        fn_dnsmsg_tcp_head(c->out, size);
        c->out_to = size + 2;
        if (!flush(c))
            return false;
    }
    return true;
}

static void on_conn(void *arg, int ready)
{
    struct dns_conn *c = arg;
    c->last_ms = fb_loop_now_ms(c->stub->loop);
    bool ok = flush(c);
    if (ok && (ready & FB_READABLE) != 0 && c->in_n < sizeof c->in) {
        ssize_t n = read(c->fd, c->in + c->in_n, sizeof c->in - c->in_n);
        ok = n > 0 || (n < 0 && would_block());
        c->in_n += n > 0 ? (size_t)n : 0;
    }
    if (!ok || !serve(c)) {
        drop(c);
        return;
    }
    (void)fb_watch_set(c->watch, c->out_to > 0 ? FB_WRITABLE : FB_READABLE);
}

static struct dns_conn *free_place(struct run_dnsstub *d)
{
    for (size_t i = 0; i < RUN_DNSSTUB_TCP_MAX; i++)
        if (d->conns[i].fd < 0)
            return &d->conns[i];
    return NULL;
}

static void on_tcp(void *arg, int ready)
{
    (void)ready;
    struct run_dnsstub *d = arg;
    struct dns_conn *c = free_place(d);
    int fd = c == NULL ? -1 : accept4(d->tcp_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* Full, or out of descriptors: the sweep opens the door again. */
        if (c == NULL || !would_block())
            (void)fb_watch_set(d->tcp_watch, 0);
        return;
    }
    c->stub = d;
    c->fd = fd;
    c->in_n = c->out_from = c->out_to = 0;
    c->last_ms = fb_loop_now_ms(d->loop);
    d->count++;
    if (fb_watch_new(d->loop, fd, on_conn, c, &c->watch, NULL) < 0 || fb_watch_set(c->watch, FB_READABLE) < 0)
        drop(c);
}

static void on_sweep(void *arg)
{
    struct run_dnsstub *d = arg;
    uint64_t now = fb_loop_now_ms(d->loop);
    for (size_t i = 0; i < RUN_DNSSTUB_TCP_MAX; i++)
        if (d->conns[i].fd >= 0 && now - d->conns[i].last_ms > RUN_DNSSTUB_TCP_IDLE_MS)
            drop(&d->conns[i]);
    if (d->count < RUN_DNSSTUB_TCP_MAX)
        (void)fb_watch_set(d->tcp_watch, FB_READABLE);
}

static int watch(struct run_dnsstub *d, struct fb_err *err)
{
    if (fb_fd_set_nonblock(d->udp_fd) < 0 || fb_fd_set_nonblock(d->tcp_fd) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot set up the DNS sockets");
    int r = fb_watch_new(d->loop, d->udp_fd, on_udp, d, &d->udp_watch, err);
    if (r == 0)
        r = fb_watch_new(d->loop, d->tcp_fd, on_tcp, d, &d->tcp_watch, err);
    if (r == 0)
        r = fb_watch_set(d->udp_watch, FB_READABLE);
    if (r == 0)
        r = fb_watch_set(d->tcp_watch, FB_READABLE);
    if (r == 0)
        r = fb_timer_new(d->loop, on_sweep, d, &d->sweep, err);
    if (r == 0)
        fb_timer_start(d->sweep, SWEEP_MS, SWEEP_MS);
    return r;
}

int run_dnsstub_new(struct fb_loop *loop, int udp_fd, int tcp_fd, const struct run_routes *routes,
                    struct run_dnsstub **ret, struct fb_err *err)
{
    struct run_dnsstub *d = calloc(1, sizeof *d);
    if (d == NULL) {
        close(udp_fd);
        close(tcp_fd);
        return fb_err_set(err, FB_E_NOMEM, "out of memory for the DNS stub");
    }
    d->loop = loop;
    d->routes = routes;
    d->udp_fd = udp_fd;
    d->tcp_fd = tcp_fd;
    for (size_t i = 0; i < RUN_DNSSTUB_TCP_MAX; i++)
        d->conns[i].fd = -1;
    int r = watch(d, err);
    if (r < 0) {
        run_dnsstub_free(d);
        return r;
    }
    *ret = d;
    return 0;
}

void run_dnsstub_free(struct run_dnsstub *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < RUN_DNSSTUB_TCP_MAX; i++)
        if (d->conns[i].fd >= 0)
            drop(&d->conns[i]);
    fb_watch_free(d->udp_watch);
    fb_watch_free(d->tcp_watch);
    fb_timer_free(d->sweep);
    fb_fd_close(&d->udp_fd);
    fb_fd_close(&d->tcp_fd);
    free(d);
}
