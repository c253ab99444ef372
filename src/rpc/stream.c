#include "rpc/stream_priv.h"

#include "base/err.h"
#include "rpc/bounds.h"

#include <stdio.h>

enum { CLIENT_WINDOW_BYTES = 1 << 20 };

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                         NGHTTP2_NV_FLAG_NONE };
}

static ssize_t read_request(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t cap, uint32_t *flags,
                            nghttp2_data_source *source, void *arg)
{
    struct rp_stream_state *s = source->ptr;
    size_t n = s->request.n - s->sent;

    (void)session;
    (void)stream_id;
    (void)arg;
    if (n > cap)
        n = cap;
    memcpy(buf, s->request.p + s->sent, n);
    s->sent += n;
    if (s->sent == s->request.n)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

int rp_stream_start(struct rp_stream_state *s, nghttp2_session *session, const char *path, const char *authority,
                    struct fb_str message, int64_t timeout_ms)
{
    unsigned char head[RP_FRAME_HEAD_BYTES];
    char timeout[24];
    nghttp2_nv nv[] = { field(":method", "POST"),     field(":scheme", "http"),
                        field(":path", path),         field(":authority", authority),
                        field("te", "trailers"),      field("content-type", "application/grpc"),
                        field("user-agent", "firma"), field("grpc-timeout", "0m") };

    *s = (struct rp_stream_state){ .path = path, .status = RP_UNKNOWN };
    rp_frame_init(&s->in, RP_MESSAGE_MAX_BYTES);
    fb_buf_init(&s->request, RP_MESSAGE_MAX_BYTES + sizeof(head));
    rp_frame_head(head, (uint32_t)message.n);
    if (fb_buf_add(&s->request, head, sizeof(head)) != 0 || fb_buf_adds(&s->request, message) != 0)
        return FB_E_LIMIT;
    snprintf(timeout, sizeof(timeout), "%lldm", (long long)(timeout_ms > 99999999 ? 99999999 : timeout_ms));
    nv[7] = field("grpc-timeout", timeout);
    nghttp2_data_provider provider = { { .ptr = s }, read_request };
    int32_t id = nghttp2_submit_request(session, NULL, nv, timeout_ms > 0 ? 8 : 7, &provider, s);
    if (id < 0)
        return FB_E_UNAVAILABLE;
    s->id = id;
    return 0;
}

void rp_stream_done(struct rp_stream_state *s)
{
    rp_frame_done(&s->in);
    fb_buf_done(&s->request);
    s->id = 0;
}

void rp_stream_header(struct rp_stream_state *s, struct fb_str name, struct fb_str value)
{
    if (fb_str_eqz(name, ":status")) {
        s->http_ok = fb_str_eqz(value, "200");
    } else if (fb_str_eqz(name, "content-type")) {
        s->grpc_ok = fb_str_starts(value, FB_STR("application/grpc"));
    } else if (fb_str_eqz(name, "grpc-status")) {
        s->has_status = true;
        s->status = rp_status_parse(value);
    } else if (fb_str_eqz(name, "grpc-message")) {
        rp_status_decode(s->text, sizeof(s->text), value);
    }
}

int rp_stream_session(nghttp2_session **ret, nghttp2_session_callbacks *cb, void *arg)
{
    const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, CLIENT_WINDOW_BYTES },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, RP_HEADERS_MAX_BYTES },
    };
    nghttp2_option *opt = NULL;
    int rc = FB_E_NOMEM;

    if (nghttp2_option_new(&opt) != 0)
        return FB_E_NOMEM;
    nghttp2_option_set_max_outbound_ack(opt, 64);
    nghttp2_option_set_max_settings(opt, 16);
    if (nghttp2_session_client_new2(ret, cb, arg, opt) == 0 &&
        nghttp2_submit_settings(*ret, NGHTTP2_FLAG_NONE, settings, FB_COUNT(settings)) == 0 &&
        nghttp2_session_set_local_window_size(*ret, NGHTTP2_FLAG_NONE, 0, CLIENT_WINDOW_BYTES) == 0)
        rc = 0;
    nghttp2_option_del(opt);
    return rc;
}
