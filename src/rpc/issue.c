/* IssueCapability for a launcher that has no loop yet: one connection, one call, one deadline. */
#include "base/clock.h"
#include "base/fd.h"
#include "rpc/endpoint_priv.h"
#include "rpc/msg.h"
#include "rpc/stream_priv.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

static const char issue_path[] = "/firma.v1.AuthorityService/IssueCapability";

struct call_state {
    struct rp_link link;
    struct rp_stream_state stream;
    struct fb_buf reply; /* secret: holds a token */
    bool has_reply;
    bool closed;
};

static int keep_message(void *arg, struct fb_str message)
{
    struct call_state *c = arg;

    if (c->has_reply)
        return FB_E_PARSE;
    c->has_reply = true;
    return fb_buf_adds(&c->reply, message);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
    struct call_state *c = arg;

    (void)session;
    (void)flags;
    if (frame->hd.stream_id == c->stream.id)
        rp_stream_header(&c->stream, fb_str_n((const char *)name, name_n), fb_str_n((const char *)value, value_n));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *p, size_t n, void *arg)
{
    struct call_state *c = arg;

    (void)session;
    (void)flags;
    if (stream_id != c->stream.id || !c->stream.http_ok || !c->stream.grpc_ok)
        return 0;
    return rp_frame_feed(&c->stream.in, p, n, keep_message, c) == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *arg)
{
    struct call_state *c = arg;

    (void)session;
    (void)error_code;
    if (stream_id == c->stream.id)
        c->closed = true;
    return 0;
}

static int new_session(struct call_state *c)
{
    nghttp2_session_callbacks *cb = NULL;

    if (nghttp2_session_callbacks_new(&cb) != 0)
        return FB_E_NOMEM;
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    int rc = rp_stream_session(&c->link.session, cb, c);
    nghttp2_session_callbacks_del(cb);
    return rc;
}

/* Waits for @events. 0, or FB_E_TIMEOUT. */
static int wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left = deadline_ms - fb_clock_mono_ms();
        struct pollfd p = { fd, events, 0 };

        if (left <= 0)
            return FB_E_TIMEOUT;
        int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);
        if (n > 0 || (n < 0 && errno != EINTR))
            return 0;
    }
}

static int connect_one(const struct rp_endpoint *ep, size_t which, int64_t deadline_ms, struct fb_err *err)
{
    bool done = false;
    int error = 0;
    socklen_t len = sizeof(error);
    int fd = rp_endpoint_connect(ep, which, &done, err);

    if (fd < 0 || done)
        return fd;
    if (wait_for(fd, POLLOUT, deadline_ms) != 0)
        error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0)
        return fd;
    fb_fd_close(&fd);
    return fb_err_sys(err, FB_E_AUTHORITY_UNREACHABLE, error, "cannot connect to %s", ep->authority);
}

static int connect_any(const char *url, struct rp_endpoint *ep, int64_t deadline_ms, struct fb_err *err)
{
    int fd = rp_endpoint_resolve(url, ep, err);

    for (size_t i = 0; fd == 0 && i < ep->n_addrs; i++) {
        int got = connect_one(ep, i, deadline_ms, err);
        if (got >= 0)
            return got;
        if (i + 1 == ep->n_addrs)
            return got;
    }
    return fd;
}

/* Drives the session until the stream has closed. */
static int exchange(struct call_state *c, int64_t deadline_ms, struct fb_err *err)
{
    int rc = rp_link_flush(&c->link, fb_clock_mono_ms());

    while (rc == 0 && !c->closed) {
        short events = (short)(c->link.wants_write ? POLLIN | POLLOUT : POLLIN);
        if (wait_for(c->link.fd, events, deadline_ms) != 0)
            return fb_err_set(err, FB_E_TIMEOUT, "the authority did not answer in time");
        rc = rp_link_read(&c->link, fb_clock_mono_ms());
    }
    if (!c->closed)
        return fb_err_set(err, FB_E_UNAVAILABLE, "authority: %s", c->link.why);
    return 0;
}

static int judge_status(const struct call_state *c, struct fb_err *err)
{
    const struct rp_stream_state *s = &c->stream;
    int code = FB_E_UNAVAILABLE;

    if (!s->http_ok || !s->grpc_ok)
        return fb_err_set(err, code, "the server at the authority's address does not speak gRPC");
    if (!s->has_status)
        return fb_err_set(err, code, "the authority ended the call without a status");
    if (s->status == RP_OK && c->has_reply && rp_frame_at_boundary(&s->in))
        return 0;
    if (s->status == RP_OK)
        return fb_err_set(err, code, "the authority's reply is missing or cut");
    if (s->status == RP_DEADLINE_EXCEEDED)
        code = FB_E_TIMEOUT;
    else if (s->status == RP_INVALID_ARGUMENT || s->status == RP_FAILED_PRECONDITION ||
             s->status == RP_PERMISSION_DENIED || s->status == RP_UNAUTHENTICATED)
        code = FB_E_CAPABILITY;
    return fb_err_set(err, code, "authority: %s%s%s", rp_status_name(s->status), s->text[0] == '\0' ? "" : ": ",
                      s->text);
}

static int decode(struct call_state *c, struct rp_issue_reply *ret, struct fb_err *err)
{
    struct fb_arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    fb_arena_init(arena, RP_DECODE_MAX_BYTES);
    int rc = rp_msg_get_issue_reply(arena, fb_buf_str(&c->reply), ret);
    ret->memory = arena;
    if (rc == 0)
        return 0;
    rp_issue_reply_done(ret);
    return fb_err_set(err, rc == FB_E_NOMEM ? rc : FB_E_UNAVAILABLE, "the authority's reply is malformed");
}

int rp_issue_capability(const char *url, const struct rp_issue_request *request, int64_t timeout_ms,
                        struct rp_issue_reply *ret, struct fb_err *err)
{
    struct call_state c = { .link = { .fd = -1 } };
    struct rp_endpoint ep;
    struct fb_buf message;
    int64_t start_ms = fb_clock_mono_ms();

    *ret = (struct rp_issue_reply){ 0 };
    fb_buf_init(&message, RP_MESSAGE_MAX_BYTES);
    fb_buf_init_secret(&c.reply, RP_MESSAGE_MAX_BYTES);
    int rc = rp_msg_put_issue_request(&message, request);
    if (rc != 0) {
        fb_err_set(err, rc, "the request for a capability is too large (at most %d actions)", RP_ACTIONS_MAX);
        goto out;
    }
    c.link.fd = connect_any(url, &ep, start_ms + timeout_ms, err);
    if (c.link.fd < 0) {
        rc = c.link.fd;
        goto out;
    }
    c.link.read_at_ms = c.link.progress_at_ms = start_ms;
    rc = new_session(&c);
    if (rc == 0)
        rc = rp_stream_start(&c.stream, c.link.session, issue_path, ep.authority, fb_buf_str(&message), timeout_ms);
    if (rc != 0)
        fb_err_set(err, rc, "cannot start the call");
    if (rc == 0)
        rc = exchange(&c, start_ms + timeout_ms, err);
    if (rc == 0)
        rc = judge_status(&c, err);
    if (rc == 0)
        rc = decode(&c, ret, err);
out:
    if (c.link.session != NULL || c.link.fd >= 0)
        rp_link_done(&c.link);
    rp_stream_done(&c.stream);
    fb_buf_done(&message);
    fb_buf_done(&c.reply);
    return rc;
}

void rp_issue_reply_done(struct rp_issue_reply *reply)
{
    if (reply->raw_token.p != NULL)
        explicit_bzero((char *)(uintptr_t)reply->raw_token.p, reply->raw_token.n);
    if (reply->memory != NULL)
        fb_arena_done(reply->memory);
    free(reply->memory);
    *reply = (struct rp_issue_reply){ 0 };
}
