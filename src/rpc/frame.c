#include "rpc/frame.h"

#include "base/err.h"

void rp_frame_init(struct rp_frame *f, size_t max_bytes)
{
    *f = (struct rp_frame){ 0 };
    fb_buf_init_secret(&f->body, max_bytes); /* a message may hold a token */
}

void rp_frame_done(struct rp_frame *f)
{
    fb_buf_done(&f->body);
    f->head_n = 0;
}

static int head_complete(struct rp_frame *f)
{
    f->want = (size_t)f->head[1] << 24 | (size_t)f->head[2] << 16 | (size_t)f->head[3] << 8 | f->head[4];
    if (f->head[0] != 0)
        return FB_E_PARSE;
    if (f->want > f->body.max)
        return FB_E_LIMIT;
    return 0;
}

/* Copies what belongs to the message under way. Returns the bytes used, or a negative code. */
static long take_body(struct rp_frame *f, const char *p, size_t n)
{
    size_t missing = f->want - f->body.n;
    size_t used = n < missing ? n : missing;
    int rc = used == 0 ? 0 : fb_buf_add(&f->body, p, used);

    return rc != 0 ? rc : (long)used;
}

int rp_frame_feed(struct rp_frame *f, const void *p, size_t n, int (*fn)(void *arg, struct fb_str message), void *arg)
{
    const char *in = p;

    if (f->failed != 0)
        return f->failed;
    while (n > 0) {
        if (f->head_n < RP_FRAME_HEAD_BYTES) {
            f->head[f->head_n++] = (unsigned char)*in++;
            n--;
            if (f->head_n < RP_FRAME_HEAD_BYTES)
                continue;
            f->failed = head_complete(f);
            if (f->failed != 0)
                return f->failed;
        }
        long used = take_body(f, in, n);
        if (used < 0) {
            f->failed = (int)used;
            return f->failed;
        }
        in += used;
        n -= (size_t)used;
        if (f->body.n < f->want)
            continue;
        int rc = fn(arg, fb_buf_str(&f->body));
        fb_buf_reset(&f->body);
        f->head_n = 0;
        if (rc != 0)
            return rc;
    }
    return 0;
}

bool rp_frame_at_boundary(const struct rp_frame *f)
{
    return f->failed == 0 && f->head_n == 0;
}

size_t rp_frame_held_bytes(const struct rp_frame *f)
{
    return f->body.cap;
}

void rp_frame_head(unsigned char out[RP_FRAME_HEAD_BYTES], uint32_t n)
{
    out[0] = 0;
    out[1] = (unsigned char)(n >> 24);
    out[2] = (unsigned char)(n >> 16);
    out[3] = (unsigned char)(n >> 8);
    out[4] = (unsigned char)n;
}
