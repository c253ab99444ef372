/* HTTP/1 heads: the answer does not depend on how the bytes were cut, and an accepted head that is written anew is
 * accepted again with the same meaning. The first byte chooses the kind of message and the step. */
#include "fuzz.h"

#include "net/h1w.h"

struct run {
    struct fn_h1 h;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
    const struct fn_h1_head *head;
    char *buf;
    int rc;
};

static void feed(struct run *r, enum fn_h1_kind kind, const uint8_t *p, size_t n, size_t step)
{
    fn_h1_init(&r->h, kind, r->fields, FN_H1_FIELDS_MAX, 4096);
    r->rc = FN_H1_MORE;
    r->buf = NULL;
    for (size_t have = 0; have < n && r->rc == FN_H1_MORE;) {
        have = n - have < step ? n : have + step;
        char *moved = fuzz_copy(p, have);
        r->rc = fn_h1_parse(&r->h, fb_str_n(moved, have), &r->head);
        free(r->buf);
        r->buf = moved;
    }
}

static void same(const struct fn_h1_head *a, const struct fn_h1_head *b)
{
    FUZZ_CHECK(fb_str_eq(a->method, b->method) && fb_str_eq(a->target, b->target) && fb_str_eq(a->reason, b->reason));
    FUZZ_CHECK(a->status == b->status && a->minor == b->minor && a->n_fields == b->n_fields);
    FUZZ_CHECK(a->head_bytes == b->head_bytes && a->framing == b->framing && a->content_length == b->content_length);
    FUZZ_CHECK(a->keep_alive == b->keep_alive && a->upgrade == b->upgrade && fb_str_eq(a->host, b->host));
    for (size_t i = 0; i < a->n_fields; i++) {
        FUZZ_CHECK(fb_str_eq(a->fields[i].name, b->fields[i].name));
        FUZZ_CHECK(fb_str_eq(a->fields[i].value, b->fields[i].value));
        FUZZ_CHECK(a->fields[i].hop == b->fields[i].hop);
    }
}

static void written_again(const struct fn_h1_head *head)
{
    struct fb_buf out;
    struct run r;
    fb_buf_init(&out, 16384);
    FUZZ_CHECK(!(head->has_length && head->chunked));
    if (memchr(head->target.p, '#', head->target.n) == NULL) {
        FUZZ_CHECK(fn_h1w_request(&out, head->method, head->target, (struct fb_str){ 0 }) == 0);
        for (size_t i = 0; i < head->n_fields; i++)
            FUZZ_CHECK(fn_h1w_field(&out, head->fields[i].name, head->fields[i].value) == 0);
        FUZZ_CHECK(fn_h1w_end(&out) == 0);
        if (out.n <= 4096) {
            feed(&r, FN_H1_REQUEST, (const uint8_t *)out.p, out.n, out.n);
            if (head->minor == 1) {
                FUZZ_CHECK(r.rc == 0 && r.head->head_bytes == out.n && r.head->n_fields == head->n_fields);
                FUZZ_CHECK(r.head->framing == head->framing && r.head->content_length == head->content_length);
            }
            free(r.buf);
        }
    }
    fb_buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    enum fn_h1_kind kind = (data[0] & 1) != 0 ? FN_H1_RESPONSE : FN_H1_REQUEST;
    size_t step = 1 + (data[0] >> 1);
    struct run whole;
    struct run cut;
    feed(&whole, kind, data + 1, size - 1, size);
    feed(&cut, kind, data + 1, size - 1, step);
    FUZZ_CHECK(whole.rc == cut.rc && whole.h.refusal == cut.h.refusal);
    if (whole.rc == 0) {
        same(whole.head, cut.head);
        FUZZ_CHECK(whole.head->head_bytes <= size - 1);
        if (kind == FN_H1_REQUEST)
            written_again(whole.head);
    }
    free(whole.buf);
    free(cut.buf);
    return 0;
}
