/* The listening side: accepting within limits, the sweep, draining, health. */
#include "rpc/server.h"

#include "base/clock.h"
#include "base/fd.h"
#include "rpc/conn_priv.h"
#include "rpc/msg.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { SWEEP_MS = 1000, DRAIN_STATUS_MS = 100, DRAIN_EXTRA_MS = 1000, ACCEPT_BURST = 16 };

/* ---- health ---- */

static bool knows_service(const struct rp_server *server, struct fb_str service)
{
    for (const struct rp_method *m = server->methods; m->path != NULL; m++) {
        struct fb_str path = fb_str_of(m->path);
        if (path.n > service.n + 1 && fb_str_eq(fb_str_n(path.p + 1, service.n), service) &&
            path.p[service.n + 1] == '/')
            return true;
    }
    return service.n == 0;
}

static void on_health(void *arg, struct rp_call *call, struct fb_str message)
{
    struct fb_arena arena;
    struct fb_buf out;
    struct fb_str service = FB_STR("");

    (void)arg;
    fb_arena_init(&arena, RP_DECODE_MAX_BYTES);
    fb_buf_init(&out, 64);
    if (rp_msg_get_health(&arena, message, &service) != 0) {
        rp_call_finish(call, RP_INVALID_ARGUMENT, "malformed request");
    } else if (!knows_service(call->conn->server, service)) {
        rp_call_finish(call, RP_NOT_FOUND, "unknown service");
    } else if (rp_msg_put_health_serving(&out) != 0 || rp_call_send(call, out.p, out.n) != 0) {
        rp_call_finish(call, RP_INTERNAL, NULL);
    } else {
        rp_call_finish(call, RP_OK, NULL);
    }
    fb_buf_done(&out);
    fb_arena_done(&arena);
}

static const struct rp_method health_method = { "/grpc.health.v1.Health/Check", on_health, NULL };

const struct rp_method *rp_server_find(const struct rp_server *server, const char *path)
{
    for (const struct rp_method *m = server->methods; m->path != NULL; m++)
        if (strcmp(m->path, path) == 0)
            return m;
    return strcmp(health_method.path, path) == 0 ? &health_method : NULL;
}

/* ---- life ---- */

static void start_sweeping(struct rp_server *server)
{
    if (server->sweeping)
        return;
    server->sweeping = true;
    fb_timer_start(server->sweep, SWEEP_MS, SWEEP_MS);
}

static void pause_accepting(struct rp_server *server, bool on)
{
    if (server->accept_watch == NULL || server->accept_paused == on)
        return;
    server->accept_paused = on;
    (void)fb_watch_set(server->accept_watch, on ? 0 : FB_READABLE);
}

static void on_sweep(void *arg)
{
    struct rp_server *server = arg;
    int64_t now = fb_clock_mono_ms();

    for (struct rp_conn *conn = server->conns, *next = NULL; conn != NULL; conn = next) {
        next = conn->next;
        rp_conn_sweep(conn, now);
    }
    /* Also the way back after the process ran out of descriptors. */
    if (server->n_conns < RP_CONNECTIONS_MAX)
        pause_accepting(server, false);
    if (server->n_conns == 0 && !server->accept_paused) {
        server->sweeping = false;
        fb_timer_stop(server->sweep);
    }
}

static void on_acceptable(void *arg, int ready)
{
    struct rp_server *server = arg;

    (void)ready;
    for (int i = 0; i < ACCEPT_BURST; i++) {
        if (server->n_conns >= RP_CONNECTIONS_MAX) {
            pause_accepting(server, true);
            break;
        }
        int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(server, true);
            break;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        rp_conn_accept(server, fd);
    }
    start_sweeping(server);
}

int rp_server_new(struct fb_loop *loop, const struct rp_method *methods, struct rp_server **ret, struct fb_err *err)
{
    struct rp_server *server = calloc(1, sizeof(*server));

    if (server == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    server->loop = loop;
    server->methods = methods;
    server->listen_fd = -1;
    int rc = fb_timer_new(loop, on_sweep, server, &server->sweep, err);
    if (rc != 0) {
        free(server);
        return rc;
    }
    *ret = server;
    return 0;
}

int rp_server_listen(struct rp_server *server, int listen_fd, struct fb_err *err)
{
    server->listen_fd = listen_fd;
    if (fb_fd_set_nonblock(listen_fd) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot prepare the listening socket");
    int rc = fb_watch_new(server->loop, listen_fd, on_acceptable, server, &server->accept_watch, err);
    return rc != 0 ? rc : fb_watch_set(server->accept_watch, FB_READABLE);
}

size_t rp_server_connections(const struct rp_server *server)
{
    return server->n_conns;
}

static void stop_accepting(struct rp_server *server)
{
    fb_watch_free(server->accept_watch);
    server->accept_watch = NULL;
    server->accept_paused = false;
    fb_fd_close(&server->listen_fd);
}

/* ---- draining ---- */

static void finish_drain(struct rp_server *server)
{
    void (*done)(void *arg) = server->drained;

    server->drained = NULL;
    fb_timer_stop(server->drain_timer);
    if (done != NULL)
        done(server->drained_arg);
}

void rp_server_conn_gone(struct rp_server *server)
{
    if (server->draining && server->n_conns == 0 && server->drain_timer != NULL)
        fb_timer_start(server->drain_timer, 0, 0); /* never from under the caller that freed the connection */
    else if (server->n_conns < RP_CONNECTIONS_MAX)
        pause_accepting(server, false);
}

enum drain_stage { DRAIN_CALLS, DRAIN_GOAWAY, DRAIN_CUT };

static void end_calls(struct rp_server *server)
{
    for (struct rp_conn *conn = server->conns; conn != NULL; conn = conn->next)
        for (struct rp_call *call = conn->calls; call != NULL; call = call->next)
            rp_call_abort(call, RP_UNAVAILABLE, "shutting down");
}

static void goaway_all(struct rp_server *server)
{
    for (struct rp_conn *conn = server->conns; conn != NULL; conn = conn->next)
        rp_conn_goaway(conn);
}

/* The stages have time between them: some clients drop a status that arrives together with a GOAWAY. */
static void on_drain(void *arg)
{
    struct rp_server *server = arg;
    int stage = server->n_conns == 0 ? DRAIN_CUT : server->drain_stage++;

    if (stage == DRAIN_CALLS) {
        end_calls(server);
        fb_timer_start(server->drain_timer, DRAIN_STATUS_MS, 0);
    } else if (stage == DRAIN_GOAWAY) {
        goaway_all(server);
        fb_timer_start(server->drain_timer, DRAIN_EXTRA_MS, 0);
    } else {
        while (server->conns != NULL)
            rp_conn_free(server->conns);
        finish_drain(server);
    }
}

void rp_server_drain(struct rp_server *server, int64_t grace_ms, void (*done)(void *arg), void *arg)
{
    if (server->draining)
        return;
    server->draining = true;
    server->drained = done;
    server->drained_arg = arg;
    stop_accepting(server);
    if (fb_timer_new(server->loop, on_drain, server, &server->drain_timer, NULL) != 0) {
        while (server->conns != NULL)
            rp_conn_free(server->conns);
        if (done != NULL)
            done(arg);
        return;
    }
    /* Busy connections hear it after their last call: some clients drop what comes after a GOAWAY, the status included.
     */
    for (struct rp_conn *conn = server->conns; conn != NULL; conn = conn->next)
        if (conn->n_calls == 0)
            rp_conn_goaway(conn);
    fb_timer_start(server->drain_timer, server->n_conns == 0 ? 0 : (uint64_t)grace_ms, 0);
}

void rp_server_free(struct rp_server *server)
{
    if (server == NULL)
        return;
    stop_accepting(server);
    fb_timer_free(server->drain_timer);
    server->drain_timer = NULL;
    while (server->conns != NULL)
        rp_conn_free(server->conns);
    fb_timer_free(server->sweep);
    free(server);
}
