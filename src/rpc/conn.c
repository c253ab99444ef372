/* One accepted connection: nghttp2's callbacks, time-outs, and the end. */
#include "base/clock.h"
#include "base/fd.h"
#include "rpc/conn_priv.h"

#include <stdlib.h>

static struct rp_call *call_of(nghttp2_session *session, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct rp_conn *conn = arg;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct rp_call *call = conn->n_calls < RP_STREAMS_MAX ? rp_call_new(conn, frame->hd.stream_id) : NULL;
    if (call == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call) == 0 ? 0
                                                                                         : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
    struct rp_call *call = call_of(session, frame->hd.stream_id);

    (void)flags;
    (void)arg;
    if (call == NULL)
        return 0;
    return rp_call_header(call, fb_str_n((const char *)name, name_n), fb_str_n((const char *)value, value_n))
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *p, size_t n, void *arg)
{
    struct rp_call *call = call_of(session, stream_id);

    (void)flags;
    (void)arg;
    if (call != NULL)
        rp_call_data(call, p, n);
    return 0;
}

/* A peer that opens and resets streams makes us work for nothing; past a rate it is sent away. */
static void count_reset(struct rp_conn *conn)
{
    int64_t now = fb_clock_mono_ms();

    if (now - conn->resets_since_ms > RP_RESETS_WINDOW_MS) {
        conn->resets_since_ms = now;
        conn->resets = 0;
    }
    if (++conn->resets > RP_RESETS_MAX)
        (void)nghttp2_session_terminate_session(conn->link.session, NGHTTP2_ENHANCE_YOUR_CALM);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct rp_conn *conn = arg;
    struct rp_call *call = NULL;

    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        conn->saw_settings = true;
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            rp_link_pong(&conn->link);
        return 0;
    case NGHTTP2_RST_STREAM:
        count_reset(conn);
        return 0;
    case NGHTTP2_HEADERS:
        call = call_of(session, frame->hd.stream_id);
        if (call != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            rp_call_begin(call);
        break;
    case NGHTTP2_DATA:
        call = call_of(session, frame->hd.stream_id);
        break;
    default:
        return 0;
    }
    if (call != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        rp_call_end_of_request(call);
    return 0;
}

/* The reply is out and the peer still sends: nothing of that will be read. */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    (void)arg;
    if (frame->hd.type != NGHTTP2_HEADERS || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    const struct rp_call *call = call_of(session, frame->hd.stream_id);
    if (call != NULL && !call->request_done)
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *arg)
{
    struct rp_conn *conn = arg;
    struct rp_call *call = call_of(session, stream_id);

    (void)error_code;
    if (call == NULL)
        return 0;
    conn->busy_at_ms = fb_clock_mono_ms();
    (void)nghttp2_session_set_stream_user_data(session, stream_id, NULL);
    rp_call_free(call);
    return 0;
}

static int new_session(struct rp_conn *conn)
{
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *opt = NULL;
    int rc = -1;

    if (nghttp2_session_callbacks_new(&cb) != 0 || nghttp2_option_new(&opt) != 0)
        goto out;
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_option_set_max_outbound_ack(opt, 64);
    nghttp2_option_set_max_settings(opt, 16);
    nghttp2_option_set_max_send_header_block_length(opt, 16 << 10);
    if (nghttp2_session_server_new2(&conn->link.session, cb, conn, opt) != 0)
        goto out;
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, RP_STREAMS_MAX },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, RP_HEADERS_MAX_BYTES },
    };
    rc = nghttp2_submit_settings(conn->link.session, NGHTTP2_FLAG_NONE, settings, FB_COUNT(settings));
out:
    nghttp2_option_del(opt);
    nghttp2_session_callbacks_del(cb);
    return rc;
}

static void on_ready(void *arg, int ready)
{
    struct rp_conn *conn = arg;
    int64_t now = fb_clock_mono_ms();
    int rc = (ready & FB_READABLE) != 0 ? rp_link_read(&conn->link, now) : rp_link_flush(&conn->link, now);

    if (rc != 0)
        rp_conn_free(conn);
}

static void on_kick(void *arg)
{
    struct rp_conn *conn = arg;

    if (rp_link_flush(&conn->link, fb_clock_mono_ms()) != 0)
        rp_conn_free(conn);
}

void rp_conn_kick(struct rp_conn *conn)
{
    fb_timer_start(conn->kick, 0, 0);
}

void rp_conn_accept(struct rp_server *server, int fd)
{
    struct rp_conn *conn = calloc(1, sizeof(*conn));

    if (conn == NULL) {
        fb_fd_close(&fd);
        return;
    }
    int64_t now = fb_clock_mono_ms();
    conn->server = server;
    conn->link.fd = fd;
    conn->link.read_at_ms = conn->link.progress_at_ms = now;
    conn->opened_at_ms = conn->busy_at_ms = now;
    conn->next = server->conns;
    conn->back = &server->conns;
    if (conn->next != NULL)
        conn->next->back = &conn->next;
    server->conns = conn;
    server->n_conns++;
    if (fb_timer_new(server->loop, on_kick, conn, &conn->kick, NULL) != 0 || new_session(conn) != 0 ||
        fb_watch_new(server->loop, fd, on_ready, conn, &conn->link.watch, NULL) != 0 ||
        fb_watch_set(conn->link.watch, FB_READABLE) != 0 || rp_link_flush(&conn->link, now) != 0)
        rp_conn_free(conn);
}

void rp_conn_free(struct rp_conn *conn)
{
    struct rp_server *server = conn->server;

    while (conn->calls != NULL)
        rp_call_free(conn->calls);
    rp_link_done(&conn->link);
    fb_timer_free(conn->kick);
    *conn->back = conn->next;
    if (conn->next != NULL)
        conn->next->back = conn->back;
    server->n_conns--;
    free(conn);
    rp_server_conn_gone(server);
}

void rp_conn_goaway(struct rp_conn *conn)
{
    int32_t last = nghttp2_session_get_last_proc_stream_id(conn->link.session);

    (void)nghttp2_submit_goaway(conn->link.session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    rp_conn_kick(conn);
}

/* Calls whose peer sends no request or takes no reply. */
static void sweep_calls(struct rp_conn *conn, int64_t now_ms)
{
    for (struct rp_call *call = conn->calls; call != NULL; call = call->next) {
        bool late = !call->request_done && now_ms - call->started_at_ms > RP_REQUEST_TIMEOUT_MS;
        bool stuck =
            (rp_call_pending_bytes(call) > 0 || call->finished) && now_ms - call->progress_at_ms > RP_STALL_TIMEOUT_MS;
        if (late || stuck)
            (void)nghttp2_submit_rst_stream(conn->link.session, NGHTTP2_FLAG_NONE, call->stream_id, NGHTTP2_CANCEL);
    }
}

void rp_conn_sweep(struct rp_conn *conn, int64_t now_ms)
{
    bool dead = !conn->saw_settings && now_ms - conn->opened_at_ms > RP_PREFACE_TIMEOUT_MS;

    dead = dead || (conn->link.out_n > 0 && now_ms - conn->link.progress_at_ms > RP_STALL_TIMEOUT_MS);
    dead = dead || rp_link_keepalive(&conn->link, now_ms, RP_KEEPALIVE_MS, RP_KEEPALIVE_ACK_MS) != 0;
    if (!dead) {
        sweep_calls(conn, now_ms);
        if (conn->n_calls == 0 && now_ms - conn->busy_at_ms > RP_IDLE_TIMEOUT_MS)
            (void)nghttp2_session_terminate_session(conn->link.session, NGHTTP2_NO_ERROR);
        dead = rp_link_flush(&conn->link, now_ms) != 0;
    }
    if (dead)
        rp_conn_free(conn);
}
