/* One accepted connection of a server, whose peer is the test itself: it writes frames and reads what comes back.
 * Time is an argument of the sweep, so that no test waits for it. */
#ifndef TESTS_RPC_RAW_PEER_H
#define TESTS_RPC_RAW_PEER_H

#include "rpc_test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "rpc/conn_priv.h"

#include <sys/socket.h>
#include <unistd.h>

enum { F_DATA = 0, F_HEADERS = 1, F_RST = 3, F_SETTINGS = 4, F_PING = 6, F_GOAWAY = 7, F_WINDOW = 8 };

struct raw_peer {
    struct fb_loop *loop;
    struct fb_timer *turn;
    struct rp_server *server;
    int fd;               /* the test's end */
    struct rp_call *call; /* the last one that reached the handler */
    unsigned ended;
    unsigned frames[256]; /* seen so far, by kind */
    uint32_t last_code;   /* of the last RST_STREAM or GOAWAY */
    unsigned char in[1 << 16];
    size_t in_n;
    bool closed;
};

static inline void raw_on_end(void *arg, struct rp_call *call)
{
    struct raw_peer *p = arg;

    (void)call;
    p->call = NULL;
    p->ended++;
}

static inline void raw_on_request(void *arg, struct rp_call *call, struct fb_str message)
{
    struct raw_peer *p = arg;

    (void)message;
    p->call = call;
    rp_call_on_end(call, raw_on_end, p);
    rp_call_open(call);
}

static inline void raw_on_turn(void *arg)
{
    fb_loop_stop(arg);
}

/* Lets the loop deal with what was written, and takes what it answered. */
static inline void raw_turn(struct raw_peer *p)
{
    fb_timer_start(p->turn, 5, 0);
    fb_loop_run(p->loop);
    for (;;) {
        ssize_t n = recv(p->fd, p->in + p->in_n, sizeof(p->in) - p->in_n, MSG_DONTWAIT);
        if (n == 0)
            p->closed = true;
        if (n <= 0)
            break;
        p->in_n += (size_t)n;
        size_t at = 0;
        while (p->in_n - at >= 9) {
            const unsigned char *f = p->in + at;
            size_t size = (size_t)f[0] << 16 | (size_t)f[1] << 8 | f[2];
            if (p->in_n - at < 9 + size)
                break;
            p->frames[f[3]]++;
            if (f[3] == F_RST || f[3] == F_GOAWAY) {
                const unsigned char *c = f + 9 + (f[3] == F_GOAWAY ? 4 : 0);
                p->last_code = (uint32_t)c[0] << 24 | (uint32_t)c[1] << 16 | (uint32_t)c[2] << 8 | c[3];
            }
            at += 9 + size;
        }
        memmove(p->in, p->in + at, p->in_n - at);
        p->in_n -= at;
    }
}

static inline void raw_frame(struct raw_peer *p, int kind, int flags, uint32_t stream, const void *body, size_t n)
{
    unsigned char head[9] = {
        (unsigned char)(n >> 16),      (unsigned char)(n >> 8),      (unsigned char)n,
        (unsigned char)kind,           (unsigned char)flags,         (unsigned char)(stream >> 24),
        (unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream
    };

    assert_int_equal(send(p->fd, head, sizeof(head), MSG_NOSIGNAL), sizeof(head));
    if (n > 0)
        assert_int_equal(send(p->fd, body, n, MSG_NOSIGNAL), (ssize_t)n);
}

static inline void raw_greet(struct raw_peer *p, const void *settings, size_t n)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

    assert_int_equal(send(p->fd, preface, sizeof(preface) - 1, MSG_NOSIGNAL), sizeof(preface) - 1);
    raw_frame(p, F_SETTINGS, 0, 0, settings, n);
}

static inline size_t raw_field(unsigned char *out, const char *name, const char *value)
{
    size_t n = 0;

    out[n++] = 0; /* literal, enters no table */
    out[n++] = (unsigned char)strlen(name);
    memcpy(out + n, name, strlen(name));
    n += strlen(name);
    out[n++] = (unsigned char)strlen(value);
    memcpy(out + n, value, strlen(value));
    return n + strlen(value);
}

/* HEADERS of a call of the test's only method. */
static inline void raw_call(struct raw_peer *p, uint32_t stream)
{
    unsigned char block[512];
    size_t n = raw_field(block, ":method", "POST");

    n += raw_field(block + n, ":scheme", "http");
    n += raw_field(block + n, ":path", "/t.T/M");
    n += raw_field(block + n, ":authority", "x");
    n += raw_field(block + n, "content-type", "application/grpc");
    raw_frame(p, F_HEADERS, 4, stream, block, n);
}

static inline void raw_whole_call(struct raw_peer *p, uint32_t stream)
{
    raw_call(p, stream);
    raw_frame(p, F_DATA, 1, stream, "\0\0\0\0\0", 5);
}

static inline struct rp_conn *raw_conn(struct raw_peer *p)
{
    assert_non_null(p->server->conns);
    return p->server->conns;
}

static inline int raw_set_up(void **state)
{
    static struct raw_peer p;
    static struct rp_method methods[] = { { "/t.T/M", raw_on_request, &p }, { NULL, NULL, NULL } };
    int fds[2];

    memset(&p, 0, sizeof(p));
    assert_int_equal(fb_loop_new(&p.loop, NULL), 0);
    assert_int_equal(fb_timer_new(p.loop, raw_on_turn, p.loop, &p.turn, NULL), 0);
    assert_int_equal(rp_server_new(p.loop, methods, &p.server, NULL), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
    p.fd = fds[1];
    rp_conn_accept(p.server, fds[0]);
    assert_int_equal(rp_server_connections(p.server), 1);
    *state = &p;
    return 0;
}

static inline int raw_tear_down(void **state)
{
    struct raw_peer *p = *state;

    rp_server_free(p->server);
    close(p->fd);
    fb_timer_free(p->turn);
    fb_loop_free(p->loop);
    return 0;
}

#endif
