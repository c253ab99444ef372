/* The life of a client connection: buffers, socket, deadlines, and the step from one request to the next. What a request
 * means is in step.c, where it goes in exchange.c and tunnel.c. */
#include "sidecar/conn.h"

#include "base/log.h"
#include "sidecar/exchange.h"
#include "sidecar/record.h"
#include "sidecar/reply.h"
#include "sidecar/step.h"
#include "sidecar/tunnel.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    OUT_MAX_BYTES = 512 << 10, /* a reply of our own with the longest detail; relayed bodies stop at SC_SIDE_BUFFER_BYTES */
    OUT_HOLD_WHOLE_BYTES = 8 << 10, /* shorter tails wait for the record in one piece */
    LINGER_MS = 2000,
    WARM_MS = 1000, /* an idle connection keeps its buffers so long */
};

static void on_event(void *arg, int ready);

const struct sc_ident *sc_conn_ident(const struct sc_conn *c)
{
    return c->server->ident_fixed ? &c->server->ident : &c->ident;
}

void sc_conn_deadline(struct sc_conn *c, uint64_t ms)
{
    c->deadline_ms = fb_loop_now_ms(c->server->loop) + ms;
}

void sc_conn_body_deadline(struct sc_conn *c)
{
    const struct sc_limits *l = &c->server->limits;
    uint64_t now = fb_loop_now_ms(c->server->loop);
    uint64_t end = c->body_start_ms + l->body_gap_ms + (uint64_t)c->body.n * 1000 / SC_BODY_MIN_BYTES_PER_S;
    c->deadline_ms = end < now + l->body_gap_ms ? end : now + l->body_gap_ms;
}

size_t sc_conn_backlog(const struct sc_conn *c)
{
    return c->out.n - c->out_off;
}

bool sc_conn_is_idle(const struct sc_conn *c)
{
    return (c->state == SC_CONN_HEAD || c->state == SC_CONN_PREFACE) && c->in.n == 0 && sc_conn_backlog(c) == 0;
}

void sc_conn_start(struct sc_server *s, int fd, enum sc_door door, pid_t peer_pid)
{
    struct sc_conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        close(fd);
        return;
    }
    c->server = s;
    c->fd = fd;
    c->door = door;
    c->peer_pid = peer_pid;
    c->state = door == SC_DOOR_UNIX && !s->ident_fixed ? SC_CONN_PREFACE : SC_CONN_HEAD;
    fb_buf_init(&c->in, s->limits.head_bytes + SC_READ_BYTES);
    fb_buf_init(&c->out, OUT_MAX_BYTES);
    fb_buf_init(&c->body, s->limits.body_bytes);
    fb_buf_init(&c->ex.head, 2 * s->limits.head_bytes + SC_READ_BYTES);
    fb_arena_init(&c->arena, SC_REQUEST_ARENA_BYTES);
    if (fb_watch_new(s->loop, fd, on_event, c, &c->watch, NULL) < 0) {
        close(fd);
        free(c);
        return;
    }
    c->idle_since_ms = fb_loop_now_ms(s->loop);
    sc_conn_deadline(c, s->limits.idle_ms);
    sc_server_add(s, c);
    sc_conn_watch(c);
}

static void release_body(struct sc_conn *c)
{
    c->server->body_bytes -= c->body_charged;
    c->body_charged = 0;
    if (c->body.cap > SC_SIDE_BUFFER_BYTES)
        fb_buf_done(&c->body);
    else
        fb_buf_reset(&c->body);
}

void sc_conn_close(struct sc_conn *c, const char *why)
{
    if (c->state == SC_CONN_DEAD)
        return;
    if (c->state == SC_CONN_TUNNEL)
        sc_tunnel_cut(c, why == NULL ? "transport: cut" : why);
    else if (c->call.open && c->call.slot != NULL && !c->call.recorded)
        sc_record_commit(c, "CONNECTOR_FAILURE", why == NULL ? "transport: cut" : why);
    c->state = SC_CONN_DEAD;
    sc_record_drop(c);
    sc_exchange_drop(c);
    release_body(c);
    fb_watch_free(c->watch);
    c->watch = NULL;
    close(c->fd);
    c->fd = -1;
    sc_server_remove(c->server, c);
}

void sc_conn_free(struct sc_conn *c)
{
    fb_buf_done(&c->in);
    fb_buf_done(&c->out);
    fb_buf_done(&c->body);
    fb_buf_done(&c->ex.head);
    fb_arena_done(&c->arena);
    free(c->parser);
    free(c);
}

/* --- output --- */

void sc_conn_watch(struct sc_conn *c)
{
    if (c->state == SC_CONN_DEAD)
        return;
    int events = 0;
    if (c->state == SC_CONN_TUNNEL)
        events = sc_tunnel_client_events(c);
    else if (!c->in_eof && (c->state == SC_CONN_HEAD || c->state == SC_CONN_PREFACE || c->state == SC_CONN_BODY ||
                            c->state == SC_CONN_LINGER || c->in.n < SC_READ_BYTES))
        events |= FB_READABLE;
    if (c->want_write)
        events |= FB_WRITABLE;
    (void)fb_watch_set(c->watch, events);
}

bool sc_conn_flush(struct sc_conn *c)
{
    size_t end = c->out.n;
    if (c->hold)
        end = sc_conn_backlog(c) > OUT_HOLD_WHOLE_BYTES && c->state != SC_CONN_REPLY ? end - 1 : c->out_off;
    else if (c->ex.until_close_out && !c->ended && end > c->out_off)
        end--; /* the end of the connection is the end of the answer: the last byte is known only then */
    c->want_write = false;
    while (c->out_off < end) {
        ssize_t n = send(c->fd, c->out.p + c->out_off, end - c->out_off, MSG_NOSIGNAL);
        if (n > 0) {
            c->out_off += (size_t)n;
            continue;
        }
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            c->want_write = true;
            sc_conn_watch(c);
            return true;
        }
        sc_conn_close(c, "transport: the client has gone");
        return false;
    }
    if (c->out_off == c->out.n) {
        c->out_off = 0;
        fb_buf_reset(&c->out);
    } else if (c->out_off >= SC_SIDE_BUFFER_BYTES) {
        fb_buf_consume(&c->out, c->out_off);
        c->out_off = 0;
    }
    return true;
}

/* --- from one request to the next --- */

static void linger(struct sc_conn *c)
{
    c->state = SC_CONN_LINGER;
    (void)shutdown(c->fd, SHUT_WR);
    if (c->in_eof) {
        sc_conn_close(c, NULL);
        return;
    }
    fb_buf_reset(&c->in);
    sc_conn_deadline(c, LINGER_MS);
    sc_conn_watch(c);
}

static void next_request(struct sc_conn *c)
{
    struct sc_server *s = c->server;
    sc_record_drop(c);
    memset(&c->call, 0, sizeof c->call);
    sc_exchange_drop(c);
    release_body(c);
    c->ended = false;
    if (c->close_after || s->draining || (c->in_eof && c->in.n == 0)) {
        linger(c);
        return;
    }
    fb_arena_reset(&c->arena);
    c->state = SC_CONN_HEAD;
    c->idle_since_ms = fb_loop_now_ms(s->loop);
    sc_conn_deadline(c, c->in.n > 0 ? s->limits.head_ms : s->limits.idle_ms);
    sc_step(c);
}

/* The answer may be finished: in out, recorded, written. */
static void after_write(struct sc_conn *c)
{
    if (c->ended && !c->hold && sc_conn_backlog(c) == 0)
        next_request(c);
    else
        sc_conn_watch(c);
}

void sc_conn_end_answer(struct sc_conn *c)
{
    c->ended = true;
    sc_conn_deadline(c, c->server->limits.body_gap_ms);
    if (sc_conn_flush(c))
        after_write(c);
}

void sc_conn_recorded(struct sc_conn *c, int code)
{
    if (c->state == SC_CONN_DEAD)
        return;
    c->hold = false;
    if (c->state == SC_CONN_TUNNEL) {
        sc_tunnel_recorded(c, code);
        return;
    }
    bool refused = c->state == SC_CONN_REPLY;
    if (c->break_off || (code < 0 && !refused)) {
        /* Without a record the call must not look complete to the client. */
        sc_conn_close(c, NULL);
        return;
    }
    if (sc_conn_flush(c))
        after_write(c);
}

static bool answer_keeps(const struct sc_conn *c)
{
    return !c->close_after && !c->server->draining;
}

void sc_conn_deny(struct sc_conn *c, unsigned status, bool close_it)
{
    struct sc_call *call = &c->call;
    c->server->counters.denied++;
    c->close_after = c->close_after || close_it;
    if (call->event_id[0] == '\0')
        fb_uuid_v7(call->event_id);
    c->state = SC_CONN_REPLY;
    if (sc_reply_deny(&c->out, status, call->verdict.reason, call->verdict.detail, call->event_id, answer_keeps(c),
                      c->req.is_head) < 0) {
        sc_conn_close(c, NULL);
        return;
    }
    if (call->slot == NULL && sc_record_reserve(c, false) < 0)
        FB_LOG(FB_LOG_ERROR, "denial not recorded", FB_KZ("event_id", call->event_id));
    c->hold = true;
    c->ended = true;
    sc_conn_deadline(c, c->server->limits.body_gap_ms);
    sc_record_commit(c, NULL, NULL);
    sc_conn_watch(c);
}

void sc_conn_abort(struct sc_conn *c, const char *code, const char *detail)
{
    struct sc_call *call = &c->call;
    c->server->counters.aborted++;
    sc_exchange_hang_up(c);
    if (c->ex.answered) {
        c->break_off = true;
        sc_record_commit(c, code, detail);
        return;
    }
    fb_uuid_v7(call->event_id);
    c->state = SC_CONN_REPLY;
    if (sc_reply_abort(&c->out, code, fb_str_of(detail), call->event_id, answer_keeps(c), c->req.is_head) < 0) {
        sc_conn_close(c, detail);
        return;
    }
    c->hold = true;
    c->ended = true;
    sc_conn_deadline(c, c->server->limits.body_gap_ms);
    sc_record_commit(c, code, detail);
    sc_conn_watch(c);
}

/* --- input --- */

/* Reads once. False when the connection ended. */
static bool read_some(struct sc_conn *c)
{
    if (fb_buf_reserve(&c->in, SC_READ_BYTES) < 0) {
        sc_conn_close(c, NULL);
        return false;
    }
    ssize_t n = recv(c->fd, c->in.p + c->in.n, SC_READ_BYTES, 0);
    if (n > 0) {
        c->in.n += (size_t)n;
        return true;
    }
    if (n == 0) {
        c->in_eof = true;
        return true;
    }
    if (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)
        return true;
    sc_conn_close(c, "transport: the client has gone");
    return false;
}

static void on_readable(struct sc_conn *c)
{
    bool was_empty = c->in.n == 0;
    if (!read_some(c))
        return;
    switch (c->state) {
    case SC_CONN_LINGER:
        fb_buf_reset(&c->in);
        if (c->in_eof)
            sc_conn_close(c, NULL);
        return;
    case SC_CONN_PREFACE:
    case SC_CONN_HEAD:
        if (was_empty && c->in.n > 0)
            sc_conn_deadline(c, c->server->limits.head_ms);
        sc_step(c);
        return;
    case SC_CONN_BODY:
        sc_conn_body_deadline(c);
        sc_step(c);
        return;
    default:
        sc_conn_watch(c); /* pipelined: its turn comes */
        return;
    }
}

static void on_event(void *arg, int ready)
{
    struct sc_conn *c = arg;
    if (c->state == SC_CONN_DEAD)
        return;
    if (c->state == SC_CONN_TUNNEL) {
        sc_tunnel_client_event(c, ready);
        return;
    }
    if ((ready & FB_WRITABLE) != 0 && c->want_write) {
        if (c->state == SC_CONN_REPLY || c->ex.answered) /* other deadlines are not for reading to put off */
            sc_conn_deadline(c, c->server->limits.body_gap_ms);
        if (!sc_conn_flush(c))
            return;
        if (c->state == SC_CONN_EXCHANGE && !c->ended)
            sc_exchange_drained(c);
        else
            after_write(c);
        return; /* level-triggered: a readable socket is reported again */
    }
    if ((ready & FB_READABLE) != 0)
        on_readable(c);
}

/* --- time --- */

static void trim(struct sc_conn *c, uint64_t now)
{
    if (now - c->idle_since_ms < WARM_MS)
        return;
    fb_buf_done(&c->in);
    fb_buf_done(&c->out);
    fb_buf_done(&c->body);
    fb_buf_done(&c->ex.head);
    fb_arena_done(&c->arena);
}

static void head_timed_out(struct sc_conn *c)
{
    c->server->counters.malformed++;
    c->close_after = true;
    c->state = SC_CONN_REPLY;
    c->ended = true;
    if (sc_reply_text(&c->out, 408, FB_STR("request head took too long\n"), false) < 0) {
        sc_conn_close(c, NULL);
        return;
    }
    sc_conn_deadline(c, LINGER_MS);
    if (sc_conn_flush(c))
        after_write(c);
}

void sc_conn_sweep(struct sc_conn *c, uint64_t now_ms)
{
    if (c->state == SC_CONN_DEAD)
        return;
    if (now_ms < c->deadline_ms) {
        if (sc_conn_is_idle(c))
            trim(c, now_ms);
        return;
    }
    if (c->state != SC_CONN_LINGER && !sc_conn_is_idle(c))
        c->server->counters.timeouts++;
    switch (c->state) {
    case SC_CONN_HEAD:
        if (c->in.n > 0) {
            head_timed_out(c);
            return;
        }
        break;
    case SC_CONN_BODY:
        sc_step_body_failed(c, "failed to read body: timed out");
        return;
    case SC_CONN_EXCHANGE:
        if (c->want_write || c->ended)
            break;
        sc_conn_abort(c, "CONNECTOR_TIMEOUT", sc_exchange_timeout_detail(c));
        return;
    case SC_CONN_TUNNEL:
        sc_tunnel_timeout(c);
        return;
    default:
        break;
    }
    sc_conn_close(c, "transport: the client does not read");
}
