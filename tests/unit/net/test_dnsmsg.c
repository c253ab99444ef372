/* Shows that a question is read strictly, that replies are exactly what was asked for, and what is never answered. */
#include "net_test.h"

#include "net/dnsmsg.h"

#define HEAD "\x12\x34\x01\x00\0\1\0\0\0\0\0\0"
#define HEAD_OPT "\x12\x34\x01\x00\0\1\0\0\0\0\0\1"
#define NAME "\3API\7Example\3com\0"
#define A_IN "\0\1\0\1"
#define OPT "\0\0\x29\x04\xd0\0\0\0\0\0\0"

static int parse(struct fb_str m, struct fn_dnsmsg_query *q)
{
    uint8_t *exact = malloc(m.n == 0 ? 1 : m.n);
    memcpy(exact, m.p, m.n);
    int rc = fn_dnsmsg_parse(exact, m.n, q);
    /* The question points into the copy: let the tests look into the original. */
    if (q->question != NULL)
        q->question = (const uint8_t *)m.p + (q->question - exact);
    free(exact);
    return rc;
}

static void fault(struct fb_str m, enum fn_dnsmsg_rcode want)
{
    struct fn_dnsmsg_query q;
    assert_int_equal(parse(m, &q), FN_DNSMSG_FAULT);
    assert_int_equal(q.fault, want);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    size_t n = fn_dnsmsg_reply(&q, q.fault, NULL, out);
    assert_true(n >= 12);
    assert_int_equal(out[0], 0x12);
    assert_int_equal(out[1], 0x34);
    assert_int_equal(out[3], want & 15);
    assert_true((out[2] & 0x80) != 0);
}

static void a_question_and_its_answers(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    struct fb_str m = FB_STR(HEAD NAME A_IN);
    assert_int_equal(parse(m, &q), 0);
    assert_text(fb_str_n(q.name, q.name_n), "api.example.com");
    assert_int_equal(q.type, FN_DNSMSG_TYPE_A);
    assert_true(q.recursion_desired);
    assert_false(q.edns);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    const uint8_t addr[4] = { 127, 0, 0, 1 };
    size_t n = fn_dnsmsg_reply(&q, FN_DNSMSG_NOERROR, addr, out);
    struct fb_str want = FB_STR("\x12\x34\x85\0\0\1\0\1\0\0\0\0" NAME A_IN "\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x7f\0\0\1");
    assert_int_equal(n, want.n);
    assert_memory_equal(out, want.p, n);
    n = fn_dnsmsg_reply(&q, FN_DNSMSG_NXDOMAIN, addr, out);
    want = FB_STR("\x12\x34\x85\3\0\1\0\0\0\0\0\0" NAME A_IN);
    assert_int_equal(n, want.n);
    assert_memory_equal(out, want.p, n);
}

static void other_types_get_an_empty_answer(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    struct fb_str m = FB_STR(HEAD NAME "\0\x1c\0\1");
    assert_int_equal(parse(m, &q), 0);
    assert_int_equal(q.type, FN_DNSMSG_TYPE_AAAA);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    const uint8_t addr[4] = { 127, 0, 0, 1 };
    size_t n = fn_dnsmsg_reply(&q, FN_DNSMSG_NOERROR, addr, out);
    struct fb_str want = FB_STR("\x12\x34\x85\0\0\1\0\0\0\0\0\0" NAME "\0\x1c\0\1");
    assert_int_equal(n, want.n);
    assert_memory_equal(out, want.p, n);
}

static void edns(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    struct fb_str m = FB_STR(HEAD_OPT NAME A_IN OPT);
    assert_int_equal(parse(m, &q), 0);
    assert_true(q.edns);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    size_t n = fn_dnsmsg_reply(&q, FN_DNSMSG_NXDOMAIN, NULL, out);
    struct fb_str want = FB_STR("\x12\x34\x85\3\0\1\0\0\0\0\0\1" NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\0");
    assert_int_equal(n, want.n);
    assert_memory_equal(out, want.p, n);
    /* With an option (a cookie). */
    assert_int_equal(parse(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\x06\0\x0a\0\2ab"), &q), 0);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\1\0\0\0\0"), FN_DNSMSG_BADVERS);
    fault(FB_STR(HEAD_OPT NAME A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\1"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN OPT "x"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\1a\0\x29\x04\xd0\0\0\0\0\0\0"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\1\0\1\0\0\0\5\0\4abcd"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\5\0\x0a\0\2a"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\0\0\0\0\3\0\x0a\0"), FN_DNSMSG_FORMERR);
}

static void badvers_is_split_over_two_fields(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    struct fb_str m = FB_STR(HEAD_OPT NAME A_IN "\0\0\x29\x04\xd0\0\1\0\0\0\0");
    assert_int_equal(parse(m, &q), FN_DNSMSG_FAULT);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    size_t n = fn_dnsmsg_reply(&q, q.fault, NULL, out);
    assert_int_equal(out[3], 0);
    assert_int_equal(out[n - 6], 1);
}

static void never_answered(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    for (size_t n = 0; n < 12; n++)
        assert_int_equal(parse(fb_str_n(HEAD, n), &q), FN_DNSMSG_SILENT);
    assert_int_equal(parse(FB_STR("\x12\x34\x81\x00\0\1\0\0\0\0\0\0" NAME A_IN), &q), FN_DNSMSG_SILENT);
}

static void faults(void **state)
{
    (void)state;
    fault(FB_STR("\x12\x34\x10\x00\0\1\0\0\0\0\0\0" NAME A_IN), FN_DNSMSG_NOTIMP); /* STATUS */
    fault(FB_STR("\x12\x34\x28\x00\0\1\0\0\0\0\0\0" NAME A_IN), FN_DNSMSG_NOTIMP); /* UPDATE */
    fault(FB_STR(HEAD NAME "\0\1\0\3"), FN_DNSMSG_NOTIMP);                         /* CHAOS */
    fault(FB_STR(HEAD NAME "\0\1\0\xff"), FN_DNSMSG_NOTIMP);
    fault(FB_STR("\x12\x34\x01\x00\0\0\0\0\0\0\0\0"), FN_DNSMSG_FORMERR);
    fault(FB_STR("\x12\x34\x01\x00\0\2\0\0\0\0\0\0" NAME A_IN NAME A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR("\x12\x34\x01\x00\0\1\0\1\0\0\0\0" NAME A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR("\x12\x34\x01\x00\0\1\0\0\0\1\0\0" NAME A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR("\x12\x34\x01\x00\0\1\0\0\0\0\0\2" NAME A_IN OPT OPT), FN_DNSMSG_FORMERR);
    fault(FB_STR("\x12\x34\x03\x00\0\1\0\0\0\0\0\0" NAME A_IN), FN_DNSMSG_FORMERR); /* TC */
    fault(FB_STR(HEAD NAME A_IN "x"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD NAME "\0\1\0"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\3ap"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\3api"), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD), FN_DNSMSG_FORMERR);
    /* Compression: to itself, to the header, after a label; and the two extended label kinds. */
    fault(FB_STR(HEAD "\xc0\x0c" A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\xc0\x00" A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\3api\xc0\x0c" A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\x41\0" A_IN), FN_DNSMSG_FORMERR);
    fault(FB_STR(HEAD "\x80\0" A_IN), FN_DNSMSG_FORMERR);
}

static void names_that_no_rule_can_mean(void **state)
{
    (void)state;
    struct fn_dnsmsg_query q;
    assert_int_equal(parse(FB_STR(HEAD "\3a.b\3com\0" A_IN), &q), 0);
    assert_int_equal(q.name_n, 0);
    assert_int_equal(parse(FB_STR(HEAD "\3a\0b\3com\0" A_IN), &q), 0);
    assert_int_equal(q.name_n, 0);
    assert_int_equal(parse(FB_STR(HEAD "\2\xc3\xa9\3com\0" A_IN), &q), 0);
    assert_int_equal(q.name_n, 0);
    assert_int_equal(parse(FB_STR(HEAD "\0" A_IN), &q), 0);
    assert_int_equal(q.name_n, 0);
    assert_int_equal(parse(FB_STR(HEAD "\5_http\3com\0" A_IN), &q), 0);
    assert_text(fb_str_n(q.name, q.name_n), "_http.com");
}

/* A question whose name has @n bytes on the wire. */
static size_t long_name(uint8_t *out, size_t n)
{
    memcpy(out, HEAD, 12);
    size_t at = 12;
    size_t left = n - 1;
    while (left > 0) {
        size_t len = left > 64 ? 63 : left - 1;
        if (left - len - 1 == 1)
            len--;
        out[at++] = (uint8_t)len;
        memset(out + at, 'a', len);
        at += len;
        left -= len + 1;
    }
    out[at++] = 0;
    memcpy(out + at, A_IN, 4);
    return at + 4;
}

static void name_limits(void **state)
{
    (void)state;
    uint8_t m[512];
    struct fn_dnsmsg_query q;
    size_t n = long_name(m, 255);
    assert_int_equal(parse(fb_str_n((char *)m, n), &q), 0);
    assert_int_equal(q.name_n, 253);
    uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES];
    q.edns = true;
    assert_true(fn_dnsmsg_reply(&q, FN_DNSMSG_NOERROR, (const uint8_t *)"abcd", out) <= FN_DNSMSG_REPLY_MAX_BYTES);
    n = long_name(m, 256);
    fault(fb_str_n((char *)m, n), FN_DNSMSG_FORMERR);
    n = long_name(m, 300);
    fault(fb_str_n((char *)m, n), FN_DNSMSG_FORMERR);
}

static void message_size_limit(void **state)
{
    (void)state;
    static uint8_t m[FN_DNSMSG_QUERY_MAX_BYTES + 1];
    struct fb_str front = FB_STR(HEAD_OPT NAME A_IN OPT);
    for (size_t n = FN_DNSMSG_QUERY_MAX_BYTES; n <= FN_DNSMSG_QUERY_MAX_BYTES + 1; n++) {
        memset(m, 0, sizeof m);
        memcpy(m, front.p, front.n);
        size_t options = n - front.n;
        m[front.n - 2] = (uint8_t)(options >> 8);
        m[front.n - 1] = (uint8_t)options;
        m[front.n + 1] = 12; /* padding */
        m[front.n + 2] = (uint8_t)((options - 4) >> 8);
        m[front.n + 3] = (uint8_t)(options - 4);
        struct fn_dnsmsg_query q;
        assert_int_equal(parse(fb_str_n((char *)m, n), &q), n == FN_DNSMSG_QUERY_MAX_BYTES ? 0 : FN_DNSMSG_FAULT);
    }
}

static void tcp(void **state)
{
    (void)state;
    const uint8_t *msg;
    size_t n;
    size_t used;
    const uint8_t *in = (const uint8_t *)"\0\3abc\0\1d";
    for (size_t k = 0; k < 5; k++)
        assert_int_equal(fn_dnsmsg_tcp_take(in, k, &msg, &n, &used), FN_DNSMSG_MORE);
    assert_int_equal(fn_dnsmsg_tcp_take(in, 8, &msg, &n, &used), 0);
    assert_int_equal(n, 3);
    assert_int_equal(used, 5);
    assert_ptr_equal(msg, in + 2);
    assert_int_equal(fn_dnsmsg_tcp_take((const uint8_t *)"\0\0", 2, &msg, &n, &used), FB_E_PARSE);
    assert_int_equal(fn_dnsmsg_tcp_take((const uint8_t *)"\x10\x00", 2, &msg, &n, &used), FN_DNSMSG_MORE);
    assert_int_equal(fn_dnsmsg_tcp_take((const uint8_t *)"\x10\x01", 2, &msg, &n, &used), FB_E_LIMIT);
    uint8_t head[2];
    fn_dnsmsg_tcp_head(head, 298);
    assert_int_equal(head[0], 1);
    assert_int_equal(head[1], 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_and_its_answers),
        cmocka_unit_test(other_types_get_an_empty_answer),
        cmocka_unit_test(edns),
        cmocka_unit_test(badvers_is_split_over_two_fields),
        cmocka_unit_test(never_answered),
        cmocka_unit_test(faults),
        cmocka_unit_test(names_that_no_rule_can_mean),
        cmocka_unit_test(name_limits),
        cmocka_unit_test(message_size_limit),
        cmocka_unit_test(tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
