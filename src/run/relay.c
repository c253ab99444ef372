/* The relay: two sockets, two buffers, half-close passed on. */
#include "run/relay.h"

#include "base/fd.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One direction: read from its source, kept, written to its sink. */
struct flow {
    char bytes[RUN_RELAY_BUFFER_BYTES];
    size_t from;
    size_t to;
    bool ended; /* the source has said so */
    bool told;  /* and the sink knows */
};

struct end {
    int fd;
    struct fb_watch *watch;
};

struct relayed {
    struct run_relay *relay;
    struct relayed *next;
    struct relayed **link; /* what points at this one */
    struct end agent;
    struct end sidecar;
    struct flow up;
    struct flow down;
    bool connected;
    uint64_t last_ms;
};

struct run_relay {
    struct fb_loop *loop;
    int listen_fd;
    struct fb_watch *watch;
    struct fb_timer *sweep;
    struct sockaddr_storage addr;
    socklen_t addr_n;
    char header[1024];
    size_t header_n;
    struct relayed *first;
    unsigned count;
};

enum { SWEEP_MS = 5000, ACCEPT_BATCH = 16 };

static void cut(struct relayed *c)
{
    struct run_relay *r = c->relay;
    fb_watch_free(c->agent.watch);
    fb_watch_free(c->sidecar.watch);
    fb_fd_close(&c->agent.fd);
    fb_fd_close(&c->sidecar.fd);
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    free(c);
    r->count--;
    (void)fb_watch_set(r->watch, FB_READABLE);
}

static bool would_block(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Moves what can be moved. False: the connection is beyond use. */
static bool pump(struct flow *f, int source, int sink)
{
    if (!f->ended && f->to < sizeof f->bytes) {
        ssize_t n = read(source, f->bytes + f->to, sizeof f->bytes - f->to);
        if (n < 0 && !would_block())
            return false;
        if (n == 0)
            f->ended = true;
        if (n > 0)
            f->to += (size_t)n;
    }
    if (f->from < f->to) {
        ssize_t n = send(sink, f->bytes + f->from, f->to - f->from, MSG_NOSIGNAL);
        if (n < 0 && !would_block())
            return false;
        if (n > 0)
            f->from += (size_t)n;
        if (f->from == f->to)
            f->from = f->to = 0;
    }
    if (f->ended && f->from == f->to && !f->told) {
        f->told = true;
        (void)shutdown(sink, SHUT_WR);
    }
    return true;
}

static int interest(const struct flow *reads, const struct flow *writes)
{
    int events = 0;
    if (!reads->ended && reads->to < sizeof reads->bytes)
        events |= FB_READABLE;
    if (writes->from < writes->to)
        events |= FB_WRITABLE;
    return events;
}

static void on_ready(void *arg, int ready)
{
    (void)ready;
    struct relayed *c = arg;
    if (!c->connected) {
        int failed = 0;
        socklen_t n = sizeof failed;
        if (getsockopt(c->sidecar.fd, SOL_SOCKET, SO_ERROR, &failed, &n) < 0 || failed != 0) {
            cut(c);
            return;
        }
        c->connected = true;
    }
    c->last_ms = fb_loop_now_ms(c->relay->loop);
    if (!pump(&c->up, c->agent.fd, c->sidecar.fd) || !pump(&c->down, c->sidecar.fd, c->agent.fd) ||
        (c->up.told && c->down.told)) {
        cut(c);
        return;
    }
    (void)fb_watch_set(c->agent.watch, interest(&c->up, &c->down));
    (void)fb_watch_set(c->sidecar.watch, interest(&c->down, &c->up));
}

static int dial(struct relayed *c)
{
    const struct run_relay *r = c->relay;
    c->sidecar.fd = socket(r->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->sidecar.fd < 0)
        return -1;
    if (connect(c->sidecar.fd, (const struct sockaddr *)&r->addr, r->addr_n) == 0)
        c->connected = true;
    else if (errno != EINPROGRESS)
        return -1;
    return 0;
}

/* Takes @fd in every case. */
static void begin(struct run_relay *r, int fd)
{
    struct relayed *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return;
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    c->relay = r;
    c->agent.fd = fd;
    c->sidecar.fd = -1;
    c->last_ms = fb_loop_now_ms(r->loop);
    c->next = r->first;
    c->link = &r->first;
    if (r->first != NULL)
        r->first->link = &c->next;
    r->first = c;
    r->count++;
    memcpy(c->up.bytes, r->header, r->header_n);
    c->up.to = r->header_n;
    if (dial(c) < 0 || fb_watch_new(r->loop, fd, on_ready, c, &c->agent.watch, NULL) < 0 ||
        fb_watch_new(r->loop, c->sidecar.fd, on_ready, c, &c->sidecar.watch, NULL) < 0 ||
        fb_watch_set(c->sidecar.watch, FB_READABLE | FB_WRITABLE) < 0)
        cut(c);
}

static void on_accept(void *arg, int ready)
{
    (void)ready;
    struct run_relay *r = arg;
    for (int i = 0; i < ACCEPT_BATCH && r->count < RUN_RELAY_CONNECTIONS_MAX; i++) {
        int fd = accept4(r->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* Out of descriptors: a spin would eat the core; the sweep looks again. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
                (void)fb_watch_set(r->watch, 0);
            return;
        }
        begin(r, fd);
    }
    if (r->count >= RUN_RELAY_CONNECTIONS_MAX)
        (void)fb_watch_set(r->watch, 0);
}

static void on_sweep(void *arg)
{
    struct run_relay *r = arg;
    uint64_t now = fb_loop_now_ms(r->loop);
    for (struct relayed *c = r->first; c != NULL;) {
        struct relayed *next = c->next;
        if (now - c->last_ms > RUN_RELAY_IDLE_MS)
            cut(c);
        c = next;
    }
    if (r->count < RUN_RELAY_CONNECTIONS_MAX)
        (void)fb_watch_set(r->watch, FB_READABLE);
}

int run_relay_new(struct fb_loop *loop, int listen_fd, const struct run_endpoint *to, struct fb_str header,
                  struct run_relay **ret, struct fb_err *err)
{
    struct run_relay *r = calloc(1, sizeof *r);
    if (r == NULL || header.n > sizeof r->header) {
        free(r);
        close(listen_fd);
        return fb_err_set(err, FB_E_NOMEM, "out of memory for the relay");
    }
    r->loop = loop;
    r->listen_fd = listen_fd;
    if (header.n > 0)
        memcpy(r->header, header.p, header.n);
    r->header_n = header.n;
    int code = run_endpoint_address(to, &r->addr, &r->addr_n, err);
    if (code == 0 && fb_fd_set_nonblock(listen_fd) < 0)
        code = fb_err_sys(err, FB_E_IO, errno, "cannot set up the proxy listener");
    if (code == 0)
        code = fb_watch_new(loop, listen_fd, on_accept, r, &r->watch, err);
    if (code == 0)
        code = fb_timer_new(loop, on_sweep, r, &r->sweep, err);
    if (code < 0) {
        run_relay_free(r);
        return code;
    }
    fb_timer_start(r->sweep, SWEEP_MS, SWEEP_MS);
    code = fb_watch_set(r->watch, FB_READABLE);
    *ret = r;
    return code;
}

void run_relay_free(struct run_relay *r)
{
    if (r == NULL)
        return;
    while (r->first != NULL)
        cut(r->first);
    fb_watch_free(r->watch);
    fb_timer_free(r->sweep);
    fb_fd_close(&r->listen_fd);
    free(r);
}
