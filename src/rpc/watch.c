/* The standing watch of a Sidecar: both streams over one connection, opened again whenever anything about it breaks. */
#include "base/clock.h"
#include "base/fd.h"
#include "rpc/backoff_priv.h"
#include "rpc/endpoint_priv.h"
#include "rpc/msg.h"
#include "rpc/stream_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char *const paths[2] = {
    [RP_STREAM_BUNDLE] = "/firma.v1.AuthorityService/WatchPolicyBundle",
    [RP_STREAM_REVOCATIONS] = "/firma.v1.AuthorityService/WatchRevocations",
};

enum { TICK_MS = 1000, WHY_BYTES = 320 };

enum watch_state { WATCH_WAITING, WATCH_CONNECTING, WATCH_UP };

struct rp_watch {
    struct fb_loop *loop;
    struct rp_watch_ops ops;
    void *arg;
    struct rp_watch_opts opts;
    char *url;
    struct rp_endpoint ep;
    size_t which_addr;
    struct rp_backoff backoff;
    enum watch_state state;
    struct rp_link link;
    struct rp_stream_state streams[2];
    struct fb_timer *timer; /* WAITING: next attempt; CONNECTING: time-out; UP: keepalive */
    struct fb_arena arena;  /* of the message under way */
    int busy;               /* depth of our own frames on the stack: no freeing below */
    bool freed;
    bool lost;
    char why[WHY_BYTES];
};

static void on_timer(void *arg);
static void on_ready(void *arg, int ready);

static void set_why(struct rp_watch *w, const char *why)
{
    if (!w->lost)
        snprintf(w->why, sizeof(w->why), "%.*s", WHY_BYTES - 1, why);
    w->lost = true;
}

static void destroy(struct rp_watch *w)
{
    fb_timer_free(w->timer);
    if (w->link.fd >= 0 || w->link.session != NULL)
        rp_link_done(&w->link);
    for (size_t i = 0; i < FB_COUNT(w->streams); i++)
        rp_stream_done(&w->streams[i]);
    fb_arena_done(&w->arena);
    free(w->url);
    free(w);
}

/* ---- what the streams bring ---- */

static int on_bundle_message(void *arg, struct fb_str message)
{
    struct rp_watch *w = arg;
    struct rp_bundle bundle;

    fb_arena_reset(&w->arena);
    int rc = rp_msg_get_bundle(&w->arena, message, &bundle);
    if (rc != 0)
        return rc;
    rp_backoff_good(&w->backoff);
    w->ops.on_bundle(w->arg, &bundle);
    return w->freed ? FB_E_CANCELLED : 0;
}

static int on_revocation_message(void *arg, struct fb_str message)
{
    struct rp_watch *w = arg;
    struct fb_str id = FB_STR("");
    struct fb_str reason = FB_STR("");
    int64_t at_ns = 0;

    fb_arena_reset(&w->arena);
    int rc = rp_msg_get_revocation(&w->arena, message, &id, &reason, &at_ns);
    if (rc != 0)
        return rc;
    w->ops.on_revocation(w->arg, id, reason, at_ns);
    return w->freed ? FB_E_CANCELLED : 0;
}

static struct rp_stream_state *stream_of(struct rp_watch *w, int32_t id)
{
    for (size_t i = 0; i < FB_COUNT(w->streams); i++)
        if (id != 0 && w->streams[i].id == id)
            return &w->streams[i];
    return NULL;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
    struct rp_stream_state *s = stream_of(arg, frame->hd.stream_id);

    (void)session;
    (void)flags;
    if (s != NULL)
        rp_stream_header(s, fb_str_n((const char *)name, name_n), fb_str_n((const char *)value, value_n));
    return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *arg)
{
    struct rp_watch *w = arg;
    struct rp_stream_state *s = stream_of(w, frame->hd.stream_id);

    (void)session;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        rp_link_pong(&w->link);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        set_why(w, "the authority is going away");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (s == NULL || frame->hd.type != NGHTTP2_HEADERS || s->open || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
        return 0;
    if (!s->http_ok || !s->grpc_ok) {
        set_why(w, "the server at the authority's address does not speak gRPC");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    s->open = true;
    w->ops.on_state(w->arg, (enum rp_stream)(s - w->streams), true, "");
    return w->freed ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *p, size_t n, void *arg)
{
    struct rp_watch *w = arg;
    struct rp_stream_state *s = stream_of(w, stream_id);

    (void)session;
    (void)flags;
    if (s == NULL || !s->open)
        return 0;
    bool is_bundle = s == &w->streams[RP_STREAM_BUNDLE];
    int rc = rp_frame_feed(&s->in, p, n, is_bundle ? on_bundle_message : on_revocation_message, w);
    if (rc == 0)
        return 0;
    set_why(w, rc == FB_E_LIMIT ? "a message is larger than allowed" : "a message is malformed");
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error_code, void *arg)
{
    struct rp_watch *w = arg;
    struct rp_stream_state *s = stream_of(w, stream_id);
    char why[WHY_BYTES];

    (void)session;
    (void)error_code;
    if (s == NULL)
        return 0;
    if (s->has_status)
        snprintf(why, sizeof(why), "stream ended: %s%s%s", rp_status_name(s->status), s->text[0] == '\0' ? "" : ": ",
                 s->text);
    else
        snprintf(why, sizeof(why), "stream was reset");
    set_why(w, why);
    return 0;
}

/* ---- connection ---- */

static int new_session(struct rp_watch *w)
{
    nghttp2_session_callbacks *cb = NULL;

    if (nghttp2_session_callbacks_new(&cb) != 0)
        return FB_E_NOMEM;
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    int rc = rp_stream_session(&w->link.session, cb, w);
    nghttp2_session_callbacks_del(cb);
    return rc;
}

/* Closes what there is, tells of the streams that were open, and plans the next attempt. */
static void drop(struct rp_watch *w, const char *why)
{
    bool open[2];
    uint32_t random = 0;

    for (size_t i = 0; i < FB_COUNT(open); i++) {
        open[i] = w->streams[i].open;
        rp_stream_done(&w->streams[i]);
        w->streams[i].open = false;
    }
    if (w->link.fd >= 0 || w->link.session != NULL)
        rp_link_done(&w->link);
    w->link = (struct rp_link){ .fd = -1 };
    w->state = WATCH_WAITING;
    fb_arena_reset(&w->arena);
    if (w->ep.n_addrs > 0)
        w->which_addr = (w->which_addr + 1) % w->ep.n_addrs;
    (void)!getrandom(&random, sizeof(random), GRND_NONBLOCK);
    fb_timer_start(w->timer, (uint64_t)rp_backoff_wait_ms(&w->backoff, fb_clock_mono_ms(), random), 0);
    for (size_t i = 0; i < FB_COUNT(open) && !w->freed; i++)
        if (open[i])
            w->ops.on_state(w->arg, (enum rp_stream)i, false, why);
}

static void start_streams(struct rp_watch *w)
{
    struct fb_buf message;
    int rc = new_session(w);

    fb_buf_init(&message, RP_MESSAGE_MAX_BYTES);
    /* No version and no since: after a loss everything is wanted again, so that no staleness clock runs on. */
    if (rc == 0)
        rc = rp_msg_put_watch_bundle(&message, FB_STR(""));
    if (rc == 0)
        rc = rp_stream_start(&w->streams[0], w->link.session, paths[0], w->ep.authority, fb_buf_str(&message), 0);
    fb_buf_reset(&message);
    if (rc == 0)
        rc = rp_msg_put_watch_revocations(&message, NULL);
    if (rc == 0)
        rc = rp_stream_start(&w->streams[1], w->link.session, paths[1], w->ep.authority, fb_buf_str(&message), 0);
    fb_buf_done(&message);
    if (rc != 0)
        set_why(w, "cannot start the streams");
}

static void connected(struct rp_watch *w)
{
    int64_t now = fb_clock_mono_ms();

    w->state = WATCH_UP;
    w->link.read_at_ms = w->link.progress_at_ms = now;
    (void)fb_watch_set(w->link.watch, FB_READABLE);
    start_streams(w);
    if (!w->lost && rp_link_flush(&w->link, now) != 0)
        set_why(w, w->link.why);
    fb_timer_start(w->timer, TICK_MS, TICK_MS);
}

static void attempt(struct rp_watch *w)
{
    struct fb_err err = { 0 };
    bool done = false;

    w->lost = false;
    w->link = (struct rp_link){ .fd = -1 };
    rp_backoff_attempt(&w->backoff, fb_clock_mono_ms());
    if (w->ep.n_addrs == 0 && rp_endpoint_resolve(w->url, &w->ep, &err) != 0) {
        w->ep.n_addrs = 0;
        set_why(w, err.msg);
        return;
    }
    int fd = rp_endpoint_connect(&w->ep, w->which_addr, &done, &err);
    if (fd < 0) {
        set_why(w, err.msg);
        return;
    }
    w->link.fd = fd;
    if (fb_watch_new(w->loop, fd, on_ready, w, &w->link.watch, &err) != 0) {
        set_why(w, err.msg);
        return;
    }
    w->state = WATCH_CONNECTING;
    if (done) {
        connected(w);
        return;
    }
    (void)fb_watch_set(w->link.watch, FB_WRITABLE);
    fb_timer_start(w->timer, (uint64_t)w->opts.connect_timeout_ms, 0);
}

static void finish_connect(struct rp_watch *w)
{
    int error = 0;
    socklen_t len = sizeof(error);
    char text[128];

    if (getsockopt(w->link.fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        error = errno;
    if (error == 0) {
        connected(w);
        return;
    }
    snprintf(text, sizeof(text), "cannot connect: %s", strerror(error));
    set_why(w, text);
}

/* Every entry from the loop ends here: a loss is handled once, and a free that came from a callback is carried out. */
static void leave(struct rp_watch *w)
{
    if (w->lost && !w->freed) {
        char why[WHY_BYTES];
        memcpy(why, w->why, sizeof(why));
        w->lost = false;
        drop(w, why);
    }
    if (--w->busy == 0 && w->freed)
        destroy(w);
}

static void on_ready(void *arg, int ready)
{
    struct rp_watch *w = arg;
    int64_t now = fb_clock_mono_ms();

    w->busy++;
    if (w->state == WATCH_CONNECTING)
        finish_connect(w);
    else if (((ready & FB_READABLE) != 0 ? rp_link_read(&w->link, now) : rp_link_flush(&w->link, now)) != 0)
        set_why(w, w->link.why);
    leave(w);
}

static void on_timer(void *arg)
{
    struct rp_watch *w = arg;
    int64_t now = fb_clock_mono_ms();

    w->busy++;
    if (w->state == WATCH_WAITING)
        attempt(w);
    else if (w->state == WATCH_CONNECTING)
        set_why(w, "time-out while connecting");
    else if (rp_link_keepalive(&w->link, now, w->opts.keepalive_ms, RP_KEEPALIVE_ACK_MS) != 0 ||
             rp_link_flush(&w->link, now) != 0)
        set_why(w, w->link.why);
    leave(w);
}

static int64_t or_default(int64_t value, int64_t fallback)
{
    return value > 0 ? value : fallback;
}

int rp_watch_new(struct fb_loop *loop, const char *url, const struct rp_watch_opts *opts,
                 const struct rp_watch_ops *ops, void *arg, struct rp_watch **ret, struct fb_err *err)
{
    static const struct rp_watch_opts none = { 0 };
    int rc = rp_url_check(url, err);

    if (rc != 0)
        return rc;
    struct rp_watch *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    w->opts = opts == NULL ? none : *opts;
    w->opts.connect_timeout_ms = or_default(w->opts.connect_timeout_ms, 10000);
    w->opts.keepalive_ms = or_default(w->opts.keepalive_ms, RP_KEEPALIVE_MS);
    rp_backoff_init(&w->backoff, or_default(w->opts.backoff_min_ms, 250), or_default(w->opts.backoff_max_ms, 30000));
    w->loop = loop;
    w->ops = *ops;
    w->arg = arg;
    w->link.fd = -1;
    fb_arena_init(&w->arena, RP_DECODE_MAX_BYTES);
    w->url = fb_str_dupz(fb_str_of(url));
    rc =
        w->url == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : fb_timer_new(loop, on_timer, w, &w->timer, err);
    if (rc != 0) {
        destroy(w);
        return rc;
    }
    fb_timer_start(w->timer, 0, 0);
    *ret = w;
    return 0;
}

void rp_watch_free(struct rp_watch *watch)
{
    if (watch == NULL)
        return;
    watch->freed = true;
    if (watch->busy == 0)
        destroy(watch);
}
