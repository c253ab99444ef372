/* One call on the server's side: request in, replies and trailers out. */
#include "base/clock.h"
#include "rpc/conn_priv.h"
#include "rpc/msg.h"

#include <stdlib.h>

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                         NGHTTP2_NV_FLAG_NONE };
}

struct rp_call *rp_call_new(struct rp_conn *conn, int32_t stream_id)
{
    struct rp_call *call = calloc(1, sizeof(*call));

    if (call == NULL)
        return NULL;
    call->conn = conn;
    call->stream_id = stream_id;
    call->started_at_ms = call->progress_at_ms = fb_clock_mono_ms();
    rp_frame_init(&call->in, RP_MESSAGE_MAX_BYTES);
    fb_buf_init_secret(&call->message, RP_MESSAGE_MAX_BYTES);
    fb_buf_init_secret(&call->out, RP_CALL_QUEUE_MAX_BYTES);
    call->next = conn->calls;
    call->back = &conn->calls;
    if (call->next != NULL)
        call->next->back = &call->next;
    conn->calls = call;
    conn->n_calls++;
    return call;
}

static void count_inbound(struct rp_call *call, size_t bytes)
{
    call->conn->server->inbound_bytes -= call->inbound_bytes;
    call->conn->server->inbound_bytes += bytes;
    call->inbound_bytes = bytes;
}

static void drop_request(struct rp_call *call)
{
    rp_frame_done(&call->in);
    fb_buf_done(&call->message);
    count_inbound(call, 0);
}

/* Tells whoever keeps the call that it is over; at most once. */
static void tell_end(struct rp_call *call)
{
    void (*fn)(void *arg, struct rp_call *c) = call->on_end;

    call->on_end = NULL;
    call->on_drained = NULL;
    if (fn != NULL)
        fn(call->on_end_arg, call);
}

void rp_call_free(struct rp_call *call)
{
    tell_end(call);
    drop_request(call);
    fb_buf_done(&call->out);
    fb_timer_free(call->deadline);
    *call->back = call->next;
    if (call->next != NULL)
        call->next->back = call->back;
    call->conn->n_calls--;
    free(call);
}

/* ---- request ---- */

bool rp_call_header(struct rp_call *call, struct fb_str name, struct fb_str value)
{
    struct rp_call_head *h = &call->head;

    h->bytes += name.n + value.n;
    if (h->bytes > RP_HEADERS_MAX_BYTES)
        return false;
    if (fb_str_eqz(name, ":method")) {
        h->is_post = fb_str_eqz(value, "POST");
    } else if (fb_str_eqz(name, ":path")) {
        /* A path too long for the table of methods is none of them. */
        if (value.n < sizeof(h->path))
            memcpy(h->path, value.p, value.n);
    } else if (fb_str_eqz(name, "content-type")) {
        static const struct fb_str type = { "application/grpc", 16 };
        h->is_grpc =
            fb_str_starts(value, type) && (value.n == type.n || value.p[type.n] == '+' || value.p[type.n] == ';');
    } else if (fb_str_eqz(name, "grpc-timeout")) {
        h->bad_timeout = rp_status_timeout_ms(value, &h->timeout_ms) != 0;
        if (h->timeout_ms == 0)
            h->timeout_ms = 1; /* "0S" has passed already; 0 would mean none */
    }
    return true;
}

static void refuse_http(struct rp_call *call, const char *http_status)
{
    nghttp2_nv nv[] = { field(":status", http_status) };

    call->finished = true;
    call->headers_sent = true;
    drop_request(call);
    (void)nghttp2_submit_response(call->conn->link.session, call->stream_id, nv, 1, NULL);
}

static void on_deadline(void *arg)
{
    struct rp_call *call = arg;
    struct rp_conn *conn = call->conn;

    rp_call_abort(call, RP_DEADLINE_EXCEEDED, "deadline exceeded");
    rp_conn_kick(conn);
}

/* Answers only when the peer has said all: a reply in the middle of a request makes some clients give up on it. */
static void refuse(struct rp_call *call, enum rp_status status, const char *text)
{
    call->refusal = status;
    call->refusal_text = text;
    drop_request(call);
}

void rp_call_begin(struct rp_call *call)
{
    const struct rp_call_head *h = &call->head;

    if (!h->is_post) {
        refuse_http(call, "405");
    } else if (!h->is_grpc) {
        refuse_http(call, "415");
    } else if (rp_server_find(call->conn->server, h->path) == NULL) {
        refuse(call, RP_UNIMPLEMENTED, "unknown method");
    } else if (h->bad_timeout) {
        refuse(call, RP_INVALID_ARGUMENT, "malformed grpc-timeout");
    } else if (call->conn->server->draining) {
        refuse(call, RP_UNAVAILABLE, "shutting down");
    } else if (h->timeout_ms > 0) {
        if (fb_timer_new(call->conn->server->loop, on_deadline, call, &call->deadline, NULL) == 0)
            fb_timer_start(call->deadline, (uint64_t)h->timeout_ms, 0);
        else
            rp_call_finish(call, RP_RESOURCE_EXHAUSTED, "out of memory");
    }
}

/* Keeps the one message of the request; a second one is an error. */
static int take_message(void *arg, struct fb_str message)
{
    struct rp_call *call = arg;

    (void)message;
    if (call->has_message)
        return 1;
    call->has_message = true;
    call->message = call->in.body; /* moved: the framing gets a fresh buffer */
    fb_buf_init(&call->in.body, RP_MESSAGE_MAX_BYTES);
    return 0;
}

void rp_call_data(struct rp_call *call, const void *p, size_t n)
{
    if (call->finished || call->refusal != RP_OK)
        return; /* what still comes is thrown away */
    int rc = rp_frame_feed(&call->in, p, n, take_message, call);
    if (rc == 1)
        refuse(call, RP_INVALID_ARGUMENT, "more than one request message");
    else if (rc == FB_E_LIMIT)
        refuse(call, RP_RESOURCE_EXHAUSTED, "request message is larger than 4 MiB");
    else if (rc == FB_E_PARSE)
        refuse(call, RP_UNIMPLEMENTED, "compressed messages are not supported");
    else if (rc != 0)
        refuse(call, RP_RESOURCE_EXHAUSTED, "out of memory");
    if (call->refusal != RP_OK)
        return;
    count_inbound(call, rp_frame_held_bytes(&call->in) + call->message.cap);
    if (call->conn->server->inbound_bytes > RP_INBOUND_MAX_BYTES)
        refuse(call, RP_RESOURCE_EXHAUSTED, "too many request bytes at one time");
}

void rp_call_end_of_request(struct rp_call *call)
{
    call->request_done = true;
    if (call->finished)
        return;
    if (call->refusal != RP_OK) {
        rp_call_finish(call, call->refusal, call->refusal_text);
        return;
    }
    if (!call->has_message || !rp_frame_at_boundary(&call->in)) {
        rp_call_finish(call, RP_INVALID_ARGUMENT, "request message is missing or cut");
        return;
    }
    /* The message must outlive whatever the handler does to the call, but not the call's end. */
    struct fb_buf message = call->message;
    fb_buf_init(&call->message, RP_MESSAGE_MAX_BYTES);
    rp_frame_done(&call->in);
    const struct rp_method *m = rp_server_find(call->conn->server, call->head.path);
    struct rp_server *server = call->conn->server;
    size_t counted = call->inbound_bytes;
    call->inbound_bytes = 0;
    m->on_request(m->arg, call, fb_buf_str(&message));
    server->inbound_bytes -= counted;
    fb_buf_done(&message);
}

/* ---- reply ---- */

size_t rp_call_pending_bytes(const struct rp_call *call)
{
    return call->out.n - call->out_off;
}

/* The codes end at 16. */
static void status_text(enum rp_status status, char out[4])
{
    out[0] = (char)(status >= 10 ? '1' : '0' + (int)status);
    out[1] = (char)(status >= 10 ? '0' + ((int)status - 10) : '\0');
    out[2] = '\0';
}

static void submit_trailers(struct rp_call *call)
{
    char status[4];

    status_text(call->status, status);
    nghttp2_nv nv[] = { field("grpc-status", status), field("grpc-message", call->text) };
    (void)nghttp2_submit_trailer(call->conn->link.session, call->stream_id, nv, call->text[0] == '\0' ? 1 : 2);
}

static ssize_t read_reply(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t cap, uint32_t *flags,
                          nghttp2_data_source *source, void *arg)
{
    struct rp_call *call = source->ptr;
    size_t n = rp_call_pending_bytes(call);

    (void)session;
    (void)stream_id;
    (void)arg;
    if (n > cap)
        n = cap;
    if (n > 0) {
        memcpy(buf, call->out.p + call->out_off, n);
        call->out_off += n;
        call->progress_at_ms = fb_clock_mono_ms();
    }
    if (rp_call_pending_bytes(call) > 0)
        return (ssize_t)n;
    call->out_off = 0;
    fb_buf_done(&call->out); /* a stream may idle for hours; its last bundle need not be held */
    if (call->finished) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        submit_trailers(call);
        return (ssize_t)n;
    }
    if (n == 0) {
        call->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (call->on_drained != NULL)
        call->on_drained(call->on_drained_arg, call);
    return (ssize_t)n;
}

void rp_call_open(struct rp_call *call)
{
    nghttp2_nv nv[] = { field(":status", "200"), field("content-type", "application/grpc") };
    nghttp2_data_provider provider = { { .ptr = call }, read_reply };

    if (call->headers_sent)
        return;
    call->headers_sent = true;
    (void)nghttp2_submit_response(call->conn->link.session, call->stream_id, nv, FB_COUNT(nv), &provider);
    rp_conn_kick(call->conn);
}

static void resume(struct rp_call *call)
{
    if (call->deferred) {
        call->deferred = false;
        (void)nghttp2_session_resume_data(call->conn->link.session, call->stream_id);
    }
    rp_conn_kick(call->conn);
}

int rp_call_send(struct rp_call *call, const void *message, size_t n)
{
    unsigned char head[RP_FRAME_HEAD_BYTES];

    if (n > RP_MESSAGE_MAX_BYTES)
        return FB_E_LIMIT;
    /* Reserve for both first: half a frame in the queue could not be taken back. */
    int rc = fb_buf_reserve(&call->out, sizeof(head) + n);
    if (rc != 0) {
        call->out.failed = false;
        return rc;
    }
    if (rp_call_pending_bytes(call) == 0)
        call->progress_at_ms = fb_clock_mono_ms();
    rp_frame_head(head, (uint32_t)n);
    rc = fb_buf_add(&call->out, head, sizeof(head));
    if (rc == 0 && n > 0)
        rc = fb_buf_add(&call->out, message, n);
    rp_call_open(call);
    resume(call);
    return rc;
}

void rp_call_finish(struct rp_call *call, enum rp_status status, const char *message)
{
    struct fb_str text = fb_str_of(message == NULL ? "" : message);

    if (call->finished)
        return;
    if (text.n > RP_GRPC_MESSAGE_MAX_BYTES)
        text.n = RP_GRPC_MESSAGE_MAX_BYTES;
    call->finished = true;
    call->status = status;
    call->progress_at_ms = fb_clock_mono_ms();
    call->on_end = NULL;
    call->on_drained = NULL;
    rp_status_encode(call->text, sizeof(call->text), text);
    drop_request(call);
    if (call->headers_sent) {
        resume(call);
        return;
    }
    /* Nothing was sent: headers and trailers in one block. */
    char number[4];
    status_text(status, number);
    nghttp2_nv nv[] = { field(":status", "200"), field("content-type", "application/grpc"),
                        field("grpc-status", number), field("grpc-message", call->text) };
    call->headers_sent = true;
    (void)nghttp2_submit_response(call->conn->link.session, call->stream_id, nv, call->text[0] == '\0' ? 3 : 4, NULL);
    rp_conn_kick(call->conn);
}

void rp_call_abort(struct rp_call *call, enum rp_status status, const char *message)
{
    if (call->finished)
        return;
    tell_end(call);
    rp_call_finish(call, status, message);
}

void rp_call_on_end(struct rp_call *call, void (*fn)(void *arg, struct rp_call *c), void *arg)
{
    call->on_end = fn;
    call->on_end_arg = arg;
}

void rp_call_on_drained(struct rp_call *call, void (*fn)(void *arg, struct rp_call *c), void *arg)
{
    call->on_drained = fn;
    call->on_drained_arg = arg;
}
