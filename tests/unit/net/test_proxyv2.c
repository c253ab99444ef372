/* Shows that the relay's header comes back as it was written, and that every other one is refused. */
#include "net_test.h"

#include "net/proxyv2.h"

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define GOOD "\x21\0\0\x0c\xe0\0\1s\xe1\0\1t\xe2\0\1u"

static int parse(struct fb_str in, struct fn_proxyv2 *ret)
{
    uint8_t *exact = malloc(in.n == 0 ? 1 : in.n);
    memcpy(exact, in.p, in.n);
    struct fb_err err = { 0 };
    int rc = fn_proxyv2_parse(exact, in.n, ret, &err);
    if (rc < 0)
        assert_memory_equal(err.msg, "PROXY header: ", 14);
    free(exact);
    return rc;
}

static void round_trip(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 4096);
    const struct fn_proxyv2 ids = { .sandbox = FB_STR("0190-sandbox"),
                                    .session = FB_STR("sess.1"),
                                    .agent = FB_STR("a/b:c") };
    assert_int_equal(fn_proxyv2_write(&b, &ids), 0);
    size_t n = b.n;
    struct fn_proxyv2 got;
    for (size_t k = 0; k < n; k++)
        assert_int_equal(parse(fb_str_n(b.p, k), &got), FN_PROXYV2_MORE);
    fb_buf_addz(&b, "GET / HTTP/1.1\r\n");
    assert_int_equal(fn_proxyv2_parse((const uint8_t *)b.p, b.n, &got, NULL), 0);
    assert_text(got.sandbox, "0190-sandbox");
    assert_text(got.session, "sess.1");
    assert_text(got.agent, "a/b:c");
    assert_int_equal(got.bytes, n);
    fb_buf_done(&b);
}

static void absent(void **state)
{
    (void)state;
    struct fn_proxyv2 got;
    assert_int_equal(parse(FB_STR("GET / HTTP/1.1\r\n"), &got), FN_PROXYV2_ABSENT);
    assert_int_equal(parse(FB_STR("\r\nGET"), &got), FN_PROXYV2_ABSENT);
    assert_int_equal(parse(FB_STR("PROXY TCP4"), &got), FN_PROXYV2_ABSENT);
    assert_int_equal(parse(FB_STR("\r\n\r\n\0\r\nQUIT\r"), &got), FN_PROXYV2_ABSENT);
    assert_int_equal(parse(FB_STR(SIG), &got), FN_PROXYV2_MORE);
    assert_int_equal(parse(FB_STR(""), &got), FN_PROXYV2_MORE);
}

static void refused(void **state)
{
    (void)state;
    struct fn_proxyv2 got;
    assert_int_equal(parse(FB_STR(SIG GOOD), &got), 0);
    const struct fb_str bad[] = {
        FB_STR(SIG "\x20"),                                             /* LOCAL */
        FB_STR(SIG "\x11"),                                             /* version 1 */
        FB_STR(SIG "\x22"),                                             /* unknown command */
        FB_STR(SIG "\x21\x11"),                                         /* TCP over IPv4 */
        FB_STR(SIG "\x21\0\0\0"),                                       /* no ids */
        FB_STR(SIG "\x21\0\0\x08\xe0\0\1s\xe1\0\1t"),                   /* agent missing */
        FB_STR(SIG "\x21\0\0\x0d\xe0\0\1s\xe1\0\1t\xe2\0\1ux"),         /* a byte too many */
        FB_STR(SIG "\x21\0\0\x0c\xe0\0\1s\xe1\0\1t\xe2\0\2u"),          /* field past the end */
        FB_STR(SIG "\x21\0\0\x10\xe0\0\1s\xe1\0\1t\xe2\0\1u\xe0\0\1v"), /* twice */
        FB_STR(SIG "\x21\0\0\x10\xe0\0\1s\xe1\0\1t\xe2\0\1u\4\0\1\0"),  /* NOOP */
        FB_STR(SIG "\x21\0\0\x10\xe0\0\1s\xe1\0\1t\xe2\0\1u\xe3\0\1v"), /* unknown */
        FB_STR(SIG "\x21\0\0\x0b\xe0\0\0\xe1\0\1t\xe2\0\1u"),           /* empty id */
        FB_STR(SIG "\x21\0\0\x0c\xe0\0\1\0\xe1\0\1t\xe2\0\1u"),         /* NUL */
        FB_STR(SIG "\x21\0\0\x0c\xe0\0\1\n\xe1\0\1t\xe2\0\1u"),         /* line end */
        FB_STR(SIG "\x21\0\0\x0c\xe0\0\1 \xe1\0\1t\xe2\0\1u"),          /* blank */
        FB_STR(SIG "\x21\0\0\x0c\xe0\0\1\xe9\xe1\0\1t\xe2\0\1u"),       /* not ASCII */
    };
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        if (parse(bad[i], &got) != FB_E_PARSE)
            fail_msg("case %zu accepted", i);
    }
}

static void limits(void **state)
{
    (void)state;
    struct fn_proxyv2 got;
    assert_int_equal(parse(FB_STR(SIG "\x21\0\x03\xf0"), &got), FN_PROXYV2_MORE);
    assert_int_equal(parse(FB_STR(SIG "\x21\0\x03\xf1"), &got), FB_E_LIMIT);
    char id[FN_PROXYV2_ID_MAX_BYTES + 1];
    memset(id, 'a', sizeof id);
    struct fb_buf b;
    fb_buf_init(&b, 4096);
    struct fn_proxyv2 ids = { .sandbox = fb_str_n(id, FN_PROXYV2_ID_MAX_BYTES) };
    ids.session = ids.sandbox;
    ids.agent = ids.sandbox;
    assert_int_equal(fn_proxyv2_write(&b, &ids), 0);
    assert_int_equal(parse(fb_buf_str(&b), &got), 0);
    ids.agent.n++;
    fb_buf_reset(&b);
    assert_int_equal(fn_proxyv2_write(&b, &ids), FB_E_PARSE);
    ids.agent = FB_STR("");
    assert_int_equal(fn_proxyv2_write(&b, &ids), FB_E_PARSE);
    ids.agent = FB_STR("a\r\nb");
    assert_int_equal(fn_proxyv2_write(&b, &ids), FB_E_PARSE);
    assert_int_equal(b.n, 0);
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(absent),
        cmocka_unit_test(refused),
        cmocka_unit_test(limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
