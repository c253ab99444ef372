/* Chunked bodies: the same bytes and the same end however the input is cut; what is decoded can be encoded and decoded
 * again. The first byte is the step. */
#include "fuzz.h"

#include "base/buf.h"
#include "net/chunked.h"

struct outcome {
    int rc;
    size_t used;
    struct fb_buf body;
};

static void decode(struct outcome *o, const uint8_t *p, size_t n, size_t step)
{
    struct fn_chunked c;
    fn_chunked_init(&c);
    *o = (struct outcome){ 0 };
    fb_buf_init(&o->body, 1 << 20);
    while (o->rc == 0 && o->used < n) {
        size_t have = n - o->used < step ? n - o->used : step;
        char *piece = fuzz_copy(p + o->used, have);
        size_t used;
        struct fb_str data;
        o->rc = fn_chunked_decode(&c, fb_str_n(piece, have), &used, &data);
        FUZZ_CHECK(used <= have && data.n <= used && (o->rc < 0 || used > 0));
        if (o->rc >= 0)
            fb_buf_adds(&o->body, data);
        o->used += used;
        free(piece);
    }
}

static void encoded_again(struct fb_str body)
{
    struct fb_buf out;
    struct outcome o;
    char head[FN_CHUNKED_HEAD_BYTES];
    fb_buf_init(&out, 2 << 20);
    if (body.n > 0) {
        fb_buf_add(&out, head, fn_chunked_head(head, body.n));
        fb_buf_adds(&out, body);
        fb_buf_adds(&out, FN_CHUNKED_CRLF);
    }
    fb_buf_adds(&out, FN_CHUNKED_LAST);
    decode(&o, (const uint8_t *)out.p, out.n, out.n);
    FUZZ_CHECK(o.rc == FN_CHUNKED_DONE && o.used == out.n && fb_str_eq(fb_buf_str(&o.body), body));
    fb_buf_done(&o.body);
    fb_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct outcome whole;
    struct outcome cut;
    decode(&whole, data + 1, size - 1, size);
    decode(&cut, data + 1, size - 1, 1 + (size_t)data[0]);
    FUZZ_CHECK(whole.rc == cut.rc && (whole.rc < 0 || whole.used == cut.used));
    FUZZ_CHECK(fb_str_eq(fb_buf_str(&whole.body), fb_buf_str(&cut.body)));
    if (whole.rc == FN_CHUNKED_DONE)
        encoded_again(fb_buf_str(&whole.body));
    fb_buf_done(&whole.body);
    fb_buf_done(&cut.body);
    return 0;
}
