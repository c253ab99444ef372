/* The upstream side of one request: connection, sending, and when to try again. The answer is read in answer.c. */
#include "sidecar/exchange.h"

#include "base/clock.h"
#include "sidecar/answer.h"
#include "sidecar/record.h"
#include "sidecar/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void on_up(void *arg, int ready);
static void dial(struct sc_conn *c);

void sc_exchange_hang_up(struct sc_conn *c)
{
    sc_dial_cancel(c->ex.dial);
    c->ex.dial = NULL;
    sc_up_close(c->ex.up);
    c->ex.up = NULL;
}

void sc_exchange_drop(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    sc_exchange_hang_up(c);
    free(ex->parser);
    struct fb_buf head = ex->head;
    fb_buf_reset(&head);
    memset(ex, 0, sizeof *ex);
    ex->head = head;
}

const char *sc_exchange_timeout_detail(const struct sc_conn *c)
{
    if (c->ex.up == NULL)
        return "connect: timed out";
    return c->ex.answered ? "body: the answer stopped coming" : "transport: no answer in time";
}

/* --- sending --- */

/* A connection that waited in the pool may have been closed by the other side just now. */
static bool try_again(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    bool untouched = ex->head_off == 0 && ex->body_off == 0;
    if (ex->retried || ex->up == NULL || !ex->up->reused || ex->got_bytes || !(c->req.repeatable || untouched))
        return false;
    ex->retried = true;
    ex->head_off = 0;
    ex->body_off = 0;
    ex->sent = false;
    sc_exchange_hang_up(c);
    dial(c);
    return true;
}

void sc_exchange_lost(struct sc_conn *c, const char *why)
{
    char detail[SC_DIAL_WHY_BYTES];
    if (try_again(c))
        return;
    snprintf(detail, sizeof detail, "%s: %s", c->ex.answered ? "body" : "transport", why);
    sc_conn_abort(c, "CONNECTOR_FAILURE", detail);
}

/* False when the exchange ended or changed hands meanwhile. */
static bool send_request(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    while (ex->head_off < ex->head.n || ex->body_off < c->body.n) {
        struct iovec iov[2] = {
            { ex->head.p + ex->head_off, ex->head.n - ex->head_off },
            { c->body.p == NULL ? NULL : c->body.p + ex->body_off, c->body.n - ex->body_off },
        };
        struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
        if (iov[0].iov_len == 0) {
            msg.msg_iov = &iov[1];
            msg.msg_iovlen = 1;
        } else if (iov[1].iov_len == 0) {
            msg.msg_iovlen = 1;
        }
        ssize_t n = sendmsg(ex->up->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            sc_up_want(ex->up, FB_READABLE | FB_WRITABLE);
            return true;
        }
        if (n < 0) {
            sc_exchange_lost(c, strerror(errno));
            return false;
        }
        size_t head = (size_t)n < ex->head.n - ex->head_off ? (size_t)n : ex->head.n - ex->head_off;
        ex->head_off += head;
        ex->body_off += (size_t)n - head;
    }
    ex->sent = true;
    sc_up_want(ex->up, FB_READABLE);
    return true;
}

/* The first byte goes only to a peer that has said nothing: what it says unasked is no answer. */
static bool begin_request(struct sc_conn *c)
{
    if (sc_up_is_quiet(c->ex.up))
        return send_request(c);
    sc_exchange_lost(c, "the upstream hung up or spoke before it was asked");
    return false;
}

static void on_up(void *arg, int ready)
{
    struct sc_conn *c = arg;
    if (c->state != SC_CONN_EXCHANGE || c->ex.up == NULL)
        return;
    if (c->ex.head_off == 0) {
        (void)begin_request(c);
        return; /* level-triggered: an answer is reported again */
    }
    if ((ready & FB_WRITABLE) != 0 && !c->ex.sent && !send_request(c))
        return;
    if ((ready & FB_READABLE) != 0)
        sc_answer_readable(c);
}

/* --- connecting --- */

/* The name was allowed, the address behind it is not: refused, and recorded as a denial. */
static void refuse_address(struct sc_conn *c, const char *why)
{
    struct fe_verdict *v = &c->call.verdict;
    struct fb_str action = v->action;
    struct fb_str resource = v->resource;
    struct fe_verdict denied;
    fe_verdict_deny(&denied, &c->arena, NULL, FC_REASON_LOOPBACK_BLOCKED, "%s", why);
    v->decision = FE_DENY;
    v->reason = denied.reason;
    v->detail = denied.detail;
    v->deny_reason = denied.deny_reason;
    v->action = action;
    v->resource = resource;
    v->bundle_version = FB_STR("");
    sc_conn_deny(c, 403, false);
}

static void on_dialled(void *arg, enum sc_dial_result result, struct sc_up *up, const char *why)
{
    struct sc_conn *c = arg;
    char detail[SC_DIAL_WHY_BYTES + 16];
    c->ex.dial = NULL;
    snprintf(detail, sizeof detail, "connect: %s", why);
    switch (result) {
    case SC_DIAL_OK:
        c->ex.up = up;
        sc_up_own(up, on_up, c);
        (void)begin_request(c);
        return;
    case SC_DIAL_REFUSED_ADDRESS:
        refuse_address(c, why);
        return;
    case SC_DIAL_TIMEOUT:
        sc_conn_abort(c, "CONNECTOR_TIMEOUT", detail);
        return;
    case SC_DIAL_DNS:
    case SC_DIAL_CONNECT:
        break;
    }
    sc_conn_abort(c, "CONNECTOR_FAILURE", detail);
}

static void dial(struct sc_conn *c)
{
    struct sc_server *s = c->server;
    const struct fn_authority *to = &c->req.target.authority;
    struct fb_err err = { 0 };
    if (sc_dial_start(s->pool, s->resolver, &to->host, to->port,
                      sc_guard_exempt(&to->host, c->call.verdict.rule_names_host), s->limits.dispatch_ms,
                      on_dialled, c, &c->ex.dial, &err) < 0) {
        c->ex.dial = NULL;
        sc_conn_abort(c, "CONNECTOR_FAILURE", "connect: no resources");
    }
}

void sc_exchange_start(struct sc_conn *c)
{
    struct sc_server *s = c->server;
    const struct fn_authority *to = &c->req.target.authority;
    c->state = SC_CONN_EXCHANGE;
    c->call.dispatch_start_ns = fb_clock_mono_ns();
    /* For all of it up to the end of the response head, whatever drips meanwhile; a long request body gets its time. */
    sc_conn_deadline(c, s->limits.dispatch_ms + (uint64_t)c->body.n * 1000 / SC_BODY_MIN_BYTES_PER_S);
    if (c->req.target.https) {
        sc_conn_abort(c, "CONNECTOR_INVALID_REQUEST", "request: https goes through CONNECT");
        return;
    }
    c->ex.up = sc_pool_take(s->pool, fn_host_str(&to->host), to->port,
                            sc_guard_exempt(&to->host, c->call.verdict.rule_names_host), on_up, c);
    if (c->ex.up == NULL)
        dial(c);
    else if (!send_request(c))
        return;
    sc_conn_watch(c);
}

void sc_exchange_drained(struct sc_conn *c)
{
    sc_answer_continue(c);
    if (c->state == SC_CONN_EXCHANGE)
        sc_conn_watch(c);
}
