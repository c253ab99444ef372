/* Head, then body, with no more than SC_SIDE_BUFFER_BYTES waiting for the client. */
#include "sidecar/answer.h"

#include "net/h1w.h"
#include "sidecar/exchange.h"
#include "sidecar/record.h"
#include "sidecar/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct parser {
    struct fn_h1 h1; /* first: sc_exchange keeps a pointer to it */
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
};

static void bad_answer(struct sc_conn *c, const char *why)
{
    char detail[256];
    snprintf(detail, sizeof detail, "decode: %s", why);
    sc_conn_abort(c, "CONNECTOR_FAILURE", detail);
}

/* --- head --- */

static int write_framing(struct sc_conn *c, const struct fn_h1_head *h)
{
    struct sc_exchange *ex = &c->ex;
    bool old_client = c->req.head.minor == 0;
    switch (ex->framing) {
    case FN_H1_BODY_NONE:
        /* HEAD and 304 tell the length of a body that is not sent. */
        if (h->has_length && h->status != 204)
            return fn_h1w_length(&c->out, h->content_length);
        return 0;
    case FN_H1_BODY_LENGTH:
        return fn_h1w_length(&c->out, h->content_length);
    case FN_H1_BODY_CHUNKED:
    case FN_H1_BODY_CLOSE:
        if (!old_client) {
            ex->chunk_out = true;
            return fn_h1w_chunked(&c->out);
        }
        ex->until_close_out = true;
        c->close_after = true;
        return 0;
    case FN_H1_BODY_TUNNEL:
        break;
    }
    return FB_E_PARSE;
}

static int write_head(struct sc_conn *c, const struct fn_h1_head *h)
{
    int r = fn_h1w_status(&c->out, h->status);
    for (size_t i = 0; r == 0 && i < h->n_fields; i++)
        if (fn_h1w_forwards(&h->fields[i]))
            r = fn_h1w_field(&c->out, h->fields[i].name, h->fields[i].value);
    if (r == 0)
        r = write_framing(c, h);
    if (r == 0 && (c->close_after || c->server->draining))
        r = fn_h1w_fieldz(&c->out, "connection", "close");
    else if (r == 0 && c->req.head.minor == 0)
        r = fn_h1w_fieldz(&c->out, "connection", "keep-alive");
    if (r == 0)
        r = fn_h1w_end(&c->out);
    return r;
}

/* A final head: what follows, and how. False when the call was aborted. */
static bool take_head(struct sc_conn *c, const struct fn_h1_head *h)
{
    struct sc_exchange *ex = &c->ex;
    ex->framing = fn_h1_response_framing(h, c->req.method);
    ex->left = h->content_length;
    ex->up_keep = h->keep_alive;
    if (ex->framing == FN_H1_BODY_CHUNKED)
        fn_chunked_init(&ex->chunked);
    size_t before = c->out.n;
    if (write_head(c, h) < 0) {
        c->out.n = before;
        c->out.failed = false;
        bad_answer(c, ex->framing == FN_H1_BODY_TUNNEL ? "a change of protocol" : "the head cannot be passed on");
        return false;
    }
    ex->answered = true;
    sc_conn_deadline(c, c->server->limits.dispatch_ms);
    c->call.dispatch_status = h->status;
    return true;
}

static struct fn_h1 *new_parser(const struct sc_server *s)
{
    struct parser *p = malloc(sizeof *p);
    if (p == NULL)
        return NULL;
    fn_h1_init(&p->h1, FN_H1_RESPONSE, p->fields, FN_H1_FIELDS_MAX, s->limits.head_bytes);
    return &p->h1;
}

/* 1: answered; 0: more wanted; -1: aborted. */
static int read_head(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    struct sc_server *s = c->server;
    for (;;) {
        struct fn_h1 whole;
        const struct fn_h1_head *h = NULL;
        struct fn_h1 *parser = ex->parser;
        if (ex->up->in.n == 0)
            return 0;
        if (parser == NULL) {
            parser = &whole;
            fn_h1_init(parser, FN_H1_RESPONSE, s->fields, FN_H1_FIELDS_MAX, s->limits.head_bytes);
        }
        int r = fn_h1_parse(parser, fb_buf_str(&ex->up->in), &h);
        if (r == FN_H1_MORE) {
            if (ex->parser != NULL || (ex->parser = new_parser(s)) != NULL)
                return 0;
            bad_answer(c, "out of memory");
            return -1;
        }
        if (r < 0) {
            bad_answer(c, fn_h1_refusal_text(parser->refusal));
            return -1;
        }
        bool interim = h->status < 200 && h->status != 101;
        size_t used = h->head_bytes;
        if (!interim && !take_head(c, h))
            return -1;
        free(ex->parser);
        ex->parser = NULL;
        fb_buf_consume(&ex->up->in, used);
        if (!interim)
            return 1;
        if (++ex->interim > SC_INTERIM_MAX) {
            bad_answer(c, "too many interim answers");
            return -1;
        }
    }
}

/* --- body --- */

static int pass(struct sc_conn *c, struct fb_str data)
{
    if (data.n == 0)
        return 0;
    int r = 0;
    if (c->ex.chunk_out) {
        char line[FN_CHUNKED_HEAD_BYTES];
        size_t n = fn_chunked_head(line, data.n);
        r = fb_buf_add(&c->out, line, n);
    }
    if (r == 0)
        r = fb_buf_adds(&c->out, data);
    if (r == 0 && c->ex.chunk_out)
        r = fb_buf_adds(&c->out, FN_CHUNKED_CRLF);
    c->call.response_bytes += data.n;
    return r;
}

/* 1: the body is complete; 0: all of @in is used or the client has enough; negative: the framing is broken. */
static int relay(struct sc_conn *c, struct fb_str in, size_t *ret_used)
{
    struct sc_exchange *ex = &c->ex;
    size_t at = 0;
    int done = 0;
    while (done == 0 && sc_conn_backlog(c) < SC_SIDE_BUFFER_BYTES) {
        struct fb_str rest = fb_str_n(in.p + at, in.n - at);
        struct fb_str run = rest;
        size_t used = rest.n;
        switch (ex->framing) {
        case FN_H1_BODY_NONE:
        case FN_H1_BODY_TUNNEL:
            *ret_used = at;
            return 1;
        case FN_H1_BODY_LENGTH:
            run.n = used = rest.n < ex->left ? rest.n : (size_t)ex->left;
            ex->left -= used;
            done = ex->left == 0;
            break;
        case FN_H1_BODY_CHUNKED:
            if (rest.n == 0)
                break;
            run.n = 0;
            done = fn_chunked_decode(&ex->chunked, rest, &used, &run);
            break;
        case FN_H1_BODY_CLOSE:
            break;
        }
        if (done < 0)
            return done;
        if (pass(c, run) < 0)
            return FB_E_NOMEM;
        at += used;
        if (used == 0 && done == 0)
            break;
    }
    *ret_used = at;
    return done > 0 ? 1 : 0;
}

static void finish(struct sc_conn *c, bool reusable)
{
    struct sc_exchange *ex = &c->ex;
    struct sc_up *up = ex->up;
    if (ex->chunk_out && fb_buf_adds(&c->out, FN_CHUNKED_LAST) < 0) {
        sc_conn_close(c, "body: out of memory");
        return;
    }
    ex->up = NULL;
    if (reusable && ex->sent && ex->up_keep && up->in.n == 0)
        sc_pool_give(up);
    else
        sc_up_close(up);
    c->hold = true;
    c->ended = true;
    sc_record_commit(c, NULL, NULL);
    sc_conn_end_answer(c);
}

static void proceed(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    if (!ex->answered) {
        int r = read_head(c);
        if (r < 0)
            return;
        if (r == 0) {
            sc_up_want(ex->up, FB_READABLE | (ex->sent ? 0 : FB_WRITABLE));
            return;
        }
    }
    for (;;) {
        size_t used = 0;
        int r = relay(c, fb_buf_str(&ex->up->in), &used);
        if (r < 0) {
            bad_answer(c, ex->framing == FN_H1_BODY_CHUNKED ? ex->chunked.why : "out of memory");
            return;
        }
        fb_buf_consume(&ex->up->in, used);
        if (r == 1) {
            finish(c, true);
            return;
        }
        if (!sc_conn_flush(c))
            return;
        if (sc_conn_backlog(c) >= SC_SIDE_BUFFER_BYTES) {
            sc_up_want(ex->up, 0); /* until the client has read */
            sc_conn_deadline(c, c->server->limits.body_gap_ms);
            sc_conn_watch(c);
            return;
        }
        if (used == 0 || ex->up->in.n == 0)
            break;
    }
    sc_up_want(ex->up, FB_READABLE | (ex->sent ? 0 : FB_WRITABLE));
}

void sc_answer_continue(struct sc_conn *c)
{
    if (c->ex.up != NULL)
        proceed(c);
}

static void on_end(struct sc_conn *c)
{
    if (c->ex.answered && c->ex.framing == FN_H1_BODY_CLOSE)
        finish(c, false);
    else if (c->ex.got_bytes && !c->ex.answered)
        bad_answer(c, "the connection ended inside the head");
    else
        sc_exchange_lost(c, "the connection was closed");
}

void sc_answer_readable(struct sc_conn *c)
{
    struct sc_exchange *ex = &c->ex;
    struct fb_buf *in = &ex->up->in;
    if (fb_buf_reserve(in, SC_READ_BYTES) < 0) {
        bad_answer(c, "the head is too large");
        return;
    }
    ssize_t n = recv(ex->up->fd, in->p + in->n, SC_READ_BYTES, 0);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return;
    if (n < 0) {
        sc_exchange_lost(c, strerror(errno));
        return;
    }
    if (n == 0) {
        on_end(c);
        return;
    }
    in->n += (size_t)n;
    ex->got_bytes = true;
    if (ex->answered) /* a head has one limit for the whole of it, a body one for each pause */
        sc_conn_deadline(c, c->server->limits.dispatch_ms);
    proceed(c);
}
