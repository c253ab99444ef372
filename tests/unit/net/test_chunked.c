/* Shows that the chunked decoder gives the same bytes however the input is cut, and refuses every deviation. */
#include "net_test.h"

#include "base/buf.h"
#include "net/chunked.h"

struct outcome {
    int rc;
    size_t used;
    struct fb_buf body;
    const char *why;
};

static struct outcome decode(struct fb_str in, size_t step)
{
    struct outcome o = { 0 };
    struct fn_chunked c;
    fn_chunked_init(&c);
    fb_buf_init(&o.body, 1 << 20);
    while (o.rc == 0 && o.used < in.n) {
        size_t n = in.n - o.used < step ? in.n - o.used : step;
        /* Exact-size copy: the address sanitizer sees a read past the end. */
        char *piece = malloc(n);
        memcpy(piece, in.p + o.used, n);
        size_t used;
        struct fb_str data;
        o.rc = fn_chunked_decode(&c, fb_str_n(piece, n), &used, &data);
        if (o.rc >= 0) {
            fb_buf_adds(&o.body, data);
            assert_true(used > 0);
        }
        o.used += used;
        free(piece);
    }
    o.why = c.why;
    if (o.rc < 0) {
        size_t used;
        struct fb_str data;
        assert_true(fn_chunked_decode(&c, FB_STR("0\r\n\r\n"), &used, &data) < 0);
    }
    return o;
}

static void all_ways(struct fb_str in, int want_rc, const char *want_body, size_t want_used)
{
    for (size_t step = 1; step <= in.n; step++) {
        struct outcome o = decode(in, step);
        if (o.rc != want_rc)
            fail_msg("'%.*s' step %zu: %d (%s), want %d", FB_STR_ARG(in), step, o.rc, o.why == NULL ? "" : o.why,
                     want_rc);
        if (want_rc >= 0) {
            assert_text(fb_buf_str(&o.body), want_body);
            assert_int_equal(o.used, want_used);
        } else {
            assert_non_null(o.why);
        }
        fb_buf_done(&o.body);
    }
}

static void good(const char *in, const char *body)
{
    all_ways(fb_str_of(in), FN_CHUNKED_DONE, body, strlen(in));
}

static void bad(const char *in)
{
    all_ways(fb_str_of(in), FB_E_PARSE, NULL, 0);
}

static void bodies(void **state)
{
    (void)state;
    good("0\r\n\r\n", "");
    good("000\r\n\r\n", "");
    good("5\r\nhello\r\n0\r\n\r\n", "hello");
    good("5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n", "hello world");
    good("A\r\n0123456789\r\n0\r\n\r\n", "0123456789");
    good("00a\r\n0123456789\r\n00\r\n\r\n", "0123456789");
    good("2\r\n\r\n\r\n0\r\n\r\n", "\r\n");
    good("5;a=b;c=\"d\"\r\nhello\r\n0;x\r\n\r\n", "hello");
    good("0\r\nX: y\r\nZ:\r\n\r\n", "");
    all_ways(FB_STR("1\r\na\r\n0\r\n\r\nGET / HTTP/1.1"), FN_CHUNKED_DONE, "a", 11);
    all_ways(FB_STR("5\r\nhel"), 0, "hel", 6);
    all_ways(FB_STR("0\r\n\r"), 0, "", 4);
}

static void refused(void **state)
{
    (void)state;
    bad("\r\n");
    bad("g\r\n");
    bad("0x5\r\nhello\r\n0\r\n\r\n");
    bad("-1\r\n");
    bad("+5\r\nhello\r\n0\r\n\r\n");
    bad(" 5\r\nhello\r\n0\r\n\r\n");
    bad("5 \r\nhello\r\n0\r\n\r\n");
    bad("5\t;a\r\nhello\r\n0\r\n\r\n");
    bad("5\nhello\r\n0\r\n\r\n");
    bad("5\r\nhello\n0\r\n\r\n");
    bad("5\r\nhello0\r\n\r\n");
    bad("5\r\nhello!\r\n0\r\n\r\n");
    bad("5\r\nhello\r0\r\n\r\n");
    bad("5\rhello\r\n0\r\n\r\n");
    bad("5\r\nhello\r\n\r\n0\r\n\r\n");
    bad("5;a\nb\r\nhello\r\n0\r\n\r\n");
    bad("5;a\rb\r\nhello\r\n0\r\n\r\n");
    bad("5;a\x01\r\nhello\r\n0\r\n\r\n");
    bad("0\n\n");
    bad("0\r\n\n");
    bad("0\r\n\rx");
    bad("0\r\nX: y\n\r\n");
    bad("0\r\nX: y\rZ\r\n\r\n");
    bad("0\r\n folded\r\n\r\n");
    bad("0\r\n: a\r\n\r\n");
    bad("0\r\nX : a\r\n\r\n");
    bad("0\r\nnocolon\r\n\r\n");
    bad("0\r\nX: \x01\r\n\r\n");
    bad("0\r\nGET / HTTP/1.1\r\n\r\n");
    all_ways(FB_STR("5\0\r\nhello\r\n0\r\n\r\n"), FB_E_PARSE, NULL, 0);
    all_ways(FB_STR("0\r\nX: \0\r\n\r\n"), FB_E_PARSE, NULL, 0);
}

static void size_digits_limit(void **state)
{
    (void)state;
    good("000000000000001\r\na\r\n0\r\n\r\n", "a");
    all_ways(FB_STR("0000000000000001\r\na\r\n0\r\n\r\n"), FB_E_LIMIT, NULL, 0);
    all_ways(FB_STR("ffffffffffffffff\r\na"), FB_E_LIMIT, NULL, 0);
    /* The count starts anew with each chunk. */
    good("000000000000001\r\na\r\n000000000000001\r\nb\r\n000000000000000\r\n\r\n", "ab");
}

/* "@front" + @n times @c + "@back" */
static char *repeat(const char *front, char c, size_t n, const char *back)
{
    size_t f = strlen(front);
    size_t b = strlen(back);
    char *text = malloc(f + n + b + 1);
    memcpy(text, front, f);
    memset(text + f, c, n);
    memcpy(text + f + n, back, b + 1);
    return text;
}

static void length_limits(void **state)
{
    (void)state;
    char *text = repeat("1;", 'x', FN_CHUNKED_EXT_MAX_BYTES, "\r\na\r\n0\r\n\r\n");
    good(text, "a");
    free(text);
    text = repeat("1;", 'x', FN_CHUNKED_EXT_MAX_BYTES + 1, "\r\na\r\n0\r\n\r\n");
    all_ways(fb_str_of(text), FB_E_LIMIT, NULL, 0);
    free(text);
    /* The CR that ends a trailer line counts: "X:" + n + CR. */
    text = repeat("0\r\nX:", 'x', FN_CHUNKED_TRAILER_MAX_BYTES - 3, "\r\n\r\n");
    struct outcome o = decode(fb_str_of(text), 1000);
    assert_int_equal(o.rc, FN_CHUNKED_DONE);
    fb_buf_done(&o.body);
    free(text);
    text = repeat("0\r\nX:", 'x', FN_CHUNKED_TRAILER_MAX_BYTES - 2, "\r\n\r\n");
    o = decode(fb_str_of(text), 1000);
    assert_int_equal(o.rc, FB_E_LIMIT);
    fb_buf_done(&o.body);
    free(text);
}

static void extensions_of_all_chunks_together(void **state)
{
    (void)state;
    struct fb_buf in;
    fb_buf_init(&in, 1 << 20);
    for (size_t i = 0; i < FN_CHUNKED_EXT_TOTAL_MAX_BYTES / 128; i++) {
        char *chunk = repeat("1;", 'x', 128, "\r\na\r\n");
        fb_buf_addz(&in, chunk);
        free(chunk);
    }
    struct outcome o = decode(fb_buf_str(&in), 777);
    assert_int_equal(o.rc, 0);
    fb_buf_done(&o.body);
    fb_buf_addz(&in, "1;x\r\na\r\n");
    o = decode(fb_buf_str(&in), 777);
    assert_int_equal(o.rc, FB_E_LIMIT);
    fb_buf_done(&o.body);
    fb_buf_done(&in);
}

static void what_is_encoded_is_decoded(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 9, 10, 15, 16, 255, 256, 70000 };
    struct fb_buf in;
    fb_buf_init(&in, 1 << 20);
    size_t total = 0;
    for (size_t i = 0; i < FB_COUNT(sizes); i++) {
        char head[FN_CHUNKED_HEAD_BYTES];
        fb_buf_add(&in, head, fn_chunked_head(head, sizes[i]));
        for (uint64_t k = 0; k < sizes[i]; k++)
            fb_buf_addc(&in, (char)('a' + k % 26));
        fb_buf_adds(&in, FN_CHUNKED_CRLF);
        total += (size_t)sizes[i];
    }
    fb_buf_adds(&in, FN_CHUNKED_LAST);
    struct outcome o = decode(fb_buf_str(&in), 4096);
    assert_int_equal(o.rc, FN_CHUNKED_DONE);
    assert_int_equal(o.body.n, total);
    fb_buf_done(&o.body);
    fb_buf_done(&in);
    char head[FN_CHUNKED_HEAD_BYTES];
    assert_int_equal(fn_chunked_head(head, UINT64_MAX), 18);
    assert_memory_equal(head, "ffffffffffffffff\r\n", 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies),
        cmocka_unit_test(refused),
        cmocka_unit_test(size_digits_limit),
        cmocka_unit_test(length_limits),
        cmocka_unit_test(extensions_of_all_chunks_together),
        cmocka_unit_test(what_is_encoded_is_decoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
