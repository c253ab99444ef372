/* gRPC framing and every message decoder: a stream of frames, each message read as each type. */
#include "rpc/bounds.h"
#include "rpc/frame.h"
#include "rpc/msg.h"
#include "rpc/status.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put_back(const struct rp_issue_request *q)
{
    struct rp_issue_request again;
    struct fb_arena a;
    struct fb_buf out;

    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    fb_buf_init(&out, RP_MESSAGE_MAX_BYTES);
    /* What was read must be writable, and read the same again. */
    if (rp_msg_put_issue_request(&out, q) != 0 || rp_msg_get_issue_request(&a, fb_buf_str(&out), &again) != 0 ||
        !fb_str_eq(q->agent_id, again.agent_id) || q->n_actions != again.n_actions || q->ttl_s != again.ttl_s)
        abort();
    fb_buf_done(&out);
    fb_arena_done(&a);
}

static int on_message(void *arg, struct fb_str m)
{
    struct fb_arena a;
    struct rp_issue_request q;
    struct rp_issue_reply r;
    struct rp_bundle b;
    struct rp_time t;
    struct fb_str s1;
    struct fb_str s2;
    int64_t ns = 0;
    char text[64];

    (void)arg;
    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    if (rp_msg_get_issue_request(&a, m, &q) == 0)
        put_back(&q);
    if (rp_msg_get_issue_reply(&a, m, &r) == 0 && r.granted && r.raw_token.n == 0)
        abort();
    if (rp_msg_get_bundle(&a, m, &b) == 0 && b.version.n == 0)
        abort();
    (void)rp_msg_get_watch_bundle(&a, m, &s1);
    (void)rp_msg_get_watch_revocations(&a, m, &t);
    (void)rp_msg_get_revocation(&a, m, &s1, &s2, &ns);
    (void)rp_msg_get_health(&a, m, &s1);
    (void)rp_status_timeout_ms(m, &ns);
    (void)rp_status_decode(text, sizeof(text), m);
    (void)rp_status_encode(text, sizeof(text), m);
    fb_arena_done(&a);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rp_frame f;
    /* The first byte says in which steps the rest arrives. */
    size_t step = n == 0 || data[0] == 0 ? 1 : data[0];

    rp_frame_init(&f, 1 << 16);
    for (size_t at = 1; at < n; at += step)
        if (rp_frame_feed(&f, data + at, n - at < step ? n - at : step, on_message, NULL) != 0)
            break;
    rp_frame_done(&f);
    return 0;
}
