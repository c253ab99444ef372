/* A few short-lived connections, one request each. */
#include "sidecar/health.h"

#include "base/fd.h"
#include "net/h1.h"
#include "sidecar/listener.h"
#include "sidecar/reply.h"
#include "sidecar/resolver.h"
#include "sidecar/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct client {
    struct sc_health *health;
    int fd; /* -1: free place */
    struct fb_watch *watch;
    uint64_t deadline_ms;
    size_t n;
    char head[SC_HEALTH_HEAD_BYTES];
};

struct sc_health {
    struct sc_server *server;
    int fd;
    struct fb_watch *watch;
    struct fb_timer *sweep;
    struct client clients[SC_HEALTH_CLIENTS_MAX];
};

static void drop(struct client *c)
{
    fb_watch_free(c->watch);
    c->watch = NULL;
    fb_fd_close(&c->fd);
}

static void answer(struct client *c, const struct fn_h1_head *head)
{
    fb_auto(fb_buf_done) struct fb_buf out;
    fb_buf_init(&out, SC_HEALTH_HEAD_BYTES);
    int r;
    if (head == NULL)
        r = sc_reply_text(&out, 400, FB_STR("bad request\n"), false);
    else if (!fb_str_eqz(head->method, "GET") || !fb_str_eqz(head->target, "/healthz"))
        r = sc_reply_text(&out, 404, FB_STR("not found"), false);
    else if (sc_server_is_ready(c->health->server))
        r = sc_reply_text(&out, 200, FB_STR("ok"), false);
    else
        r = sc_reply_text(&out, 503, FB_STR("not ready"), false);
    if (r == 0)
        (void)send(c->fd, out.p, out.n, MSG_NOSIGNAL); /* far below a socket's buffer */
    (void)shutdown(c->fd, SHUT_WR);
    drop(c);
}

static void on_client(void *arg, int ready)
{
    struct client *c = arg;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
    struct fn_h1 h;
    const struct fn_h1_head *head = NULL;
    (void)ready;
    ssize_t n = recv(c->fd, c->head + c->n, sizeof c->head - c->n, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        drop(c);
        return;
    }
    c->n += (size_t)n;
    fn_h1_init(&h, FN_H1_REQUEST, fields, FN_H1_FIELDS_MAX, sizeof c->head);
    int r = fn_h1_parse(&h, fb_str_n(c->head, c->n), &head);
    if (r == FN_H1_MORE && c->n < sizeof c->head)
        return;
    answer(c, r == 0 ? head : NULL);
}

static void on_accept(void *arg, int ready)
{
    struct sc_health *h = arg;
    (void)ready;
    struct client *c = NULL;
    for (size_t i = 0; i < SC_HEALTH_CLIENTS_MAX && c == NULL; i++)
        if (h->clients[i].fd < 0)
            c = &h->clients[i];
    int fd = c == NULL ? -1 : accept4(h->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        /* Full, or out of descriptors: the sweep looks again. */
        if (c == NULL || errno == EMFILE || errno == ENFILE)
            (void)fb_watch_set(h->watch, 0);
        return;
    }
    c->fd = fd;
    c->n = 0;
    c->deadline_ms = fb_loop_now_ms(h->server->loop) + SC_HEALTH_LIMIT_MS;
    if (fb_watch_new(h->server->loop, fd, on_client, c, &c->watch, NULL) < 0 || fb_watch_set(c->watch, FB_READABLE) < 0)
        drop(c);
}

static void on_sweep(void *arg)
{
    struct sc_health *h = arg;
    uint64_t now = fb_loop_now_ms(h->server->loop);
    for (size_t i = 0; i < SC_HEALTH_CLIENTS_MAX; i++)
        if (h->clients[i].fd >= 0 && now >= h->clients[i].deadline_ms)
            drop(&h->clients[i]);
    (void)fb_watch_set(h->watch, FB_READABLE);
}

static int listen_on(const char *addr, struct fb_err *err)
{
    struct sc_ip ip;
    unsigned port;
    int r = sc_listener_parse(addr, &ip, &port);
    if (r < 0)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "health address '%s' is not an ip:port", addr);
    struct sockaddr_storage ss;
    socklen_t n = sc_ip_sockaddr(&ip, port, &ss);
    fb_auto(fb_fd_close) int fd = socket(ip.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, SC_HEALTH_CLIENTS_MAX) < 0)
        return fb_err_sys(err, errno == EADDRINUSE ? FB_E_ALREADY_RUNNING : FB_E_IO, errno,
                          "cannot listen on the health address '%s'", addr);
    return fb_fd_take(&fd);
}

int sc_health_new(struct sc_server *s, const char *addr, struct sc_health **ret, struct fb_err *err)
{
    int fd = listen_on(addr, err);
    if (fd < 0)
        return fd;
    struct sc_health *h = calloc(1, sizeof *h);
    if (h == NULL) {
        close(fd);
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    h->server = s;
    h->fd = fd;
    for (size_t i = 0; i < SC_HEALTH_CLIENTS_MAX; i++) {
        h->clients[i].health = h;
        h->clients[i].fd = -1;
    }
    int r = fb_watch_new(s->loop, fd, on_accept, h, &h->watch, err);
    if (r == 0)
        r = fb_watch_set(h->watch, FB_READABLE);
    if (r == 0)
        r = fb_timer_new(s->loop, on_sweep, h, &h->sweep, err);
    if (r < 0) {
        sc_health_free(h);
        return r;
    }
    fb_timer_start(h->sweep, SC_HEALTH_LIMIT_MS / 5, SC_HEALTH_LIMIT_MS / 5);
    *ret = h;
    return 0;
}

void sc_health_free(struct sc_health *h)
{
    if (h == NULL)
        return;
    for (size_t i = 0; i < SC_HEALTH_CLIENTS_MAX; i++)
        if (h->clients[i].fd >= 0)
            drop(&h->clients[i]);
    fb_watch_free(h->watch);
    fb_timer_free(h->sweep);
    fb_fd_close(&h->fd);
    free(h);
}
