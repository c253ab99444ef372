/* Head, body, decision: one request at a time. */
#include "sidecar/step.h"

#include "audit/log.h"
#include "base/clock.h"
#include "base/log.h"
#include "sidecar/exchange.h"
#include "sidecar/intake.h"
#include "sidecar/preface.h"
#include "sidecar/record.h"
#include "sidecar/reply.h"
#include "sidecar/routes.h"
#include "sidecar/tunnel.h"

#include <stdio.h>
#include <stdlib.h>

/* A parser for a head that comes in parts, with its fields behind it. */
struct parser {
    struct fn_h1 h1; /* first: sc_conn keeps a pointer to it */
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
};

/* --- refusals --- */

static void malformed(struct sc_conn *c, unsigned status, bool close_it, const char *text)
{
    struct sc_server *s = c->server;
    s->counters.malformed++;
    c->call.open = true;
    fe_verdict_deny(&c->call.verdict, &c->arena, &c->req.env, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: %s", text);
    if (close_it)
        fb_buf_reset(&c->in);
    sc_conn_deny(c, status, close_it);
}

void sc_step_body_failed(struct sc_conn *c, const char *why)
{
    malformed(c, 403, true, why);
}

static void refuse_framing(struct sc_conn *c, enum fn_h1_refusal why)
{
    memset(&c->req, 0, sizeof c->req);
    c->req.env.method = FB_STR("");
    malformed(c, fn_h1_refusal_status(why), true, fn_h1_refusal_text(why));
}

/* --- decision --- */

/* In the words of the record, where secrets are masked. */
static void log_denial(const struct sc_conn *c)
{
    const struct fe_verdict *v = &c->call.verdict;
    const char *what = c->req.is_connect ? "CONNECT denied by guard policy" : "HTTP request denied by guard policy";
    FB_LOG(FB_LOG_INFO, what, FB_KS("session_id", v->session_id), FB_KS("host", c->req.env.host),
           FB_KZ("reason", fc_reason_wire(v->reason)), FB_KS("detail", v->deny_reason));
}

static void judge(struct sc_conn *c)
{
    struct fe_envelope *env = &c->req.env;
    env->has_body = c->body.n > 0;
    env->body = fb_buf_str(&c->body);
    env->session_hint = fb_str_of(sc_conn_ident(c)->session_id);
    env->agent_hint = fb_str_of(sc_conn_ident(c)->agent_id);
    env->now_wall_ms = fb_clock_wall_ms();
    int64_t start = fb_clock_mono_ns();
    env->now_mono_ms = start / 1000000;
    fe_decide(c->server->engine, env, c->server->scratch, &c->arena, &c->call.verdict);
    c->call.decide_us = (fb_clock_mono_ns() - start) / 1000;
    if (!fe_decision_dispatches(c->call.verdict.decision))
        return;
    if (sc_record_reserve(c, c->req.is_connect) < 0)
        fe_verdict_deny(&c->call.verdict, &c->arena, env, FC_REASON_FAIL_CLOSED, "%s", FA_UNAVAILABLE_DETAIL);
}

/* Everything of the client's buffer that the dispatch needs is copied here, before those bytes are given up. */
static int prepare(struct sc_conn *c)
{
    const struct fe_verdict *v = &c->call.verdict;
    if (c->req.is_connect)
        return 0;
    fb_buf_reset(&c->ex.head);
    return sc_intake_write(&c->ex.head, &c->req, v->redact_headers, v->n_redact_headers, c->body.n);
}

/* @used bytes at the front of c->in belong to this request. */
static void decide(struct sc_conn *c, size_t used)
{
    judge(c);
    bool go = fe_decision_dispatches(c->call.verdict.decision);
    int prepared = go ? prepare(c) : 0;
    fb_buf_consume(&c->in, used);
    if (!go) {
        log_denial(c);
        sc_conn_deny(c, 403, false);
    } else if (prepared < 0) {
        sc_conn_abort(c, "CONNECTOR_INVALID_REQUEST", "request: it cannot be written");
    } else if (c->req.is_connect) {
        sc_tunnel_start(c);
    } else {
        sc_exchange_start(c);
    }
}

/* --- body --- */

/* What has arrived counts, not what was announced: a head costs its sender next to nothing. */
static bool charge(struct sc_conn *c, uint64_t n)
{
    struct sc_server *s = c->server;
    if (n > s->limits.bodies_bytes || s->body_bytes > s->limits.bodies_bytes - n || !sc_server_share(s, c, n))
        return false;
    s->body_bytes += n;
    c->body_charged += n;
    return true;
}

static void too_large(struct sc_conn *c)
{
    char text[96];
    snprintf(text, sizeof text, "request body exceeds %zu bytes limit", c->server->limits.body_bytes);
    malformed(c, 403, true, text);
}

/* 1: body complete; 0: more wanted; -1: refused already. */
static int take_chunks(struct sc_conn *c)
{
    while (c->in.n > 0) {
        size_t used = 0;
        struct fb_str run = { NULL, 0 };
        int r = fn_chunked_decode(&c->body_chunks, fb_buf_str(&c->in), &used, &run);
        if (r < 0) {
            char text[SC_INTAKE_TEXT_BYTES];
            snprintf(text, sizeof text, "failed to read body: %s", c->body_chunks.why);
            malformed(c, 400, true, text);
            return -1;
        }
        if (run.n > c->server->limits.body_bytes - c->body.n) {
            too_large(c);
            return -1;
        }
        if (!charge(c, run.n) || fb_buf_adds(&c->body, run) < 0) {
            malformed(c, 403, true, "sidecar body budget exceeded");
            return -1;
        }
        fb_buf_consume(&c->in, used);
        if (r == FN_CHUNKED_DONE)
            return 1;
        if (used == 0)
            break;
    }
    return 0;
}

static int take_length(struct sc_conn *c)
{
    size_t n = c->in.n < c->body_left ? c->in.n : (size_t)c->body_left;
    if (!charge(c, n) || fb_buf_add(&c->body, c->in.p, n) < 0) {
        malformed(c, 403, true, "sidecar body budget exceeded");
        return -1;
    }
    fb_buf_consume(&c->in, n);
    c->body_left -= n;
    return c->body_left == 0 ? 1 : 0;
}

static void step_body(struct sc_conn *c)
{
    int r = c->req.head.chunked ? take_chunks(c) : take_length(c);
    if (r < 0)
        return;
    if (r == 1) {
        decide(c, 0);
        return;
    }
    if (c->in_eof) {
        sc_step_body_failed(c, "failed to read body: the connection ended");
        return;
    }
    sc_conn_watch(c);
}

/* The head must outlive the bytes in c->in: it is copied and read again from the copy. */
static bool keep_head(struct sc_conn *c, const struct fn_h1_head *head, struct fn_h1_head *ret)
{
    struct fn_h1 again;
    const struct fn_h1_head *copy = NULL;
    struct fb_str text = fb_arena_str(&c->arena, fb_str_n(c->in.p, head->head_bytes));
    struct fn_h1_field *fields = fb_arena_alloc(&c->arena, (head->n_fields + 1) * sizeof *fields);
    if (text.p == NULL || fields == NULL)
        return false;
    fn_h1_init(&again, FN_H1_REQUEST, fields, head->n_fields + 1, c->server->limits.head_bytes);
    if (fn_h1_parse(&again, text, &copy) != 0)
        return false;
    *ret = *copy;
    return true;
}

/* --- head --- */

static void answer_routes(struct sc_conn *c, size_t used)
{
    fb_auto(fb_buf_done) struct fb_buf text;
    fb_buf_init(&text, SC_ROUTES_MAX_BYTES);
    bool ok = sc_routes_text(c->server->engine, &text) == 0;
    FB_LOG(FB_LOG_INFO, "routes told", FB_KU("peer_pid", (uint64_t)c->peer_pid));
    fb_buf_consume(&c->in, used);
    c->state = SC_CONN_REPLY;
    if (!ok || sc_reply_text(&c->out, 200, fb_buf_str(&text), !c->close_after) < 0) {
        sc_conn_close(c, NULL);
        return;
    }
    sc_conn_end_answer(c);
}

static void begin_body(struct sc_conn *c, const struct fn_h1_head *head)
{
    char text[SC_INTAKE_TEXT_BYTES];
    struct fn_h1_head kept;
    size_t used = head->head_bytes;
    if (!keep_head(c, head, &kept) || sc_intake_read(&c->arena, &kept, &c->req, text) < 0) {
        malformed(c, 431, true, "request too large");
        return;
    }
    fb_buf_consume(&c->in, used);
    c->state = SC_CONN_BODY;
    c->body_left = kept.content_length;
    fn_chunked_init(&c->body_chunks);
    c->body_start_ms = fb_loop_now_ms(c->server->loop);
    sc_conn_body_deadline(c);
    if (kept.expect_continue && c->in.n == 0) {
        /* Policy may read the body, so it has to come before the decision; nothing is sent on before that. */
        if (fb_buf_adds(&c->out, FB_STR("HTTP/1.1 100 Continue\r\n\r\n")) < 0 || !sc_conn_flush(c))
            return;
    }
    step_body(c);
}

static void on_head(struct sc_conn *c, const struct fn_h1_head *head)
{
    struct sc_server *s = c->server;
    char text[SC_INTAKE_TEXT_BYTES];
    s->counters.requests++;
    c->heads++;
    c->call.open = true;
    c->close_after = !head->keep_alive;
    if (c->door == SC_DOOR_UNIX && !c->prefaced && sc_intake_is_routes(head)) {
        answer_routes(c, head->head_bytes);
        return;
    }
    if (sc_intake_read(&c->arena, head, &c->req, text) < 0) {
        bool has_body = head->framing != FN_H1_BODY_NONE;
        if (!has_body)
            fb_buf_consume(&c->in, head->head_bytes);
        malformed(c, 403, has_body, text);
        return;
    }
    if (head->chunked) {
        begin_body(c, head);
        return;
    }
    uint64_t n = head->has_length ? head->content_length : 0;
    if (n > s->limits.body_bytes) {
        too_large(c);
        return;
    }
    if (n > c->in.n - head->head_bytes) {
        begin_body(c, head);
        return;
    }
    if (!charge(c, n) || fb_buf_add(&c->body, c->in.p + head->head_bytes, (size_t)n) < 0) {
        malformed(c, 403, true, "sidecar body budget exceeded");
        return;
    }
    decide(c, head->head_bytes + (size_t)n);
}

static struct fn_h1 *new_parser(struct sc_server *s)
{
    struct parser *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    fn_h1_init(&p->h1, FN_H1_REQUEST, p->fields, s->limits.fields, s->limits.head_bytes);
    return &p->h1;
}

static void step_head(struct sc_conn *c)
{
    struct sc_server *s = c->server;
    struct fn_h1 whole;
    const struct fn_h1_head *head = NULL;
    if (c->in.n == 0) {
        if (c->in_eof)
            sc_conn_close(c, NULL);
        else
            sc_conn_watch(c);
        return;
    }
    struct fn_h1 *h = c->parser;
    if (h == NULL) {
        h = &whole;
        fn_h1_init(h, FN_H1_REQUEST, s->fields, s->limits.fields, s->limits.head_bytes);
    }
    int r = fn_h1_parse(h, fb_buf_str(&c->in), &head);
    if (r == FN_H1_MORE) {
        if (c->in_eof || (c->parser == NULL && (c->parser = new_parser(s)) == NULL)) {
            s->counters.malformed++;
            sc_conn_close(c, NULL);
            return;
        }
        sc_conn_watch(c);
        return;
    }
    enum fn_h1_refusal why = h->refusal;
    struct fn_h1_head kept;
    bool ok = r == 0;
    if (ok && c->parser != NULL) {
        ok = keep_head(c, head, &kept);
        head = &kept;
        why = FN_H1_BAD_HEAD_TOO_LARGE;
    }
    free(c->parser);
    c->parser = NULL;
    if (ok)
        on_head(c, head);
    else
        refuse_framing(c, why);
}

static void step_once(struct sc_conn *c)
{
    if (c->state == SC_CONN_PREFACE) {
        int r = sc_preface_read(c);
        if (r < 0 || (r == SC_PREFACE_MORE && c->in_eof)) {
            if (r < 0)
                FB_LOG(FB_LOG_WARN, "connection refused", FB_KZ("why", "malformed PROXY header"));
            sc_conn_close(c, NULL);
            return;
        }
        if (r == SC_PREFACE_MORE) {
            sc_conn_watch(c);
            return;
        }
        c->state = SC_CONN_HEAD;
    }
    if (c->state == SC_CONN_HEAD)
        step_head(c);
    else if (c->state == SC_CONN_BODY)
        step_body(c);
}

void sc_step(struct sc_conn *c)
{
    /* An answer may be out before this returns, and then asks for the next request: a loop, not a recursion, because
     * a client can put thousands of requests into one read. */
    c->step_again = true;
    if (c->stepping)
        return;
    c->stepping = true;
    while (c->step_again && c->state != SC_CONN_DEAD) {
        c->step_again = false;
        step_once(c);
    }
    c->stepping = false;
}
