/* Shows that nothing handed to the writer can add a line, and that what it writes is read back by the parser. */
#include "h1_test.h"

#include "net/h1w.h"

static void lines(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 4096);
    assert_int_equal(fn_h1w_status(&b, 403), 0);
    assert_int_equal(fn_h1w_fieldz(&b, "x-a", "b"), 0);
    assert_int_equal(fn_h1w_length(&b, 12), 0);
    assert_int_equal(fn_h1w_end(&b), 0);
    assert_text(fb_buf_str(&b), "HTTP/1.1 403 Forbidden\r\nx-a: b\r\ncontent-length: 12\r\n\r\n");
    fb_buf_reset(&b);
    assert_int_equal(fn_h1w_request(&b, FB_STR("GET"), FB_STR("/a"), (struct fb_str){ 0 }), 0);
    assert_int_equal(fn_h1w_request(&b, FB_STR("GET"), FB_STR("/a"), FB_STR("")), 0);
    assert_int_equal(fn_h1w_request(&b, FB_STR("GET"), FB_STR("/a"), FB_STR("b=c")), 0);
    assert_int_equal(fn_h1w_chunked(&b), 0);
    assert_text(fb_buf_str(&b),
                "GET /a HTTP/1.1\r\nGET /a? HTTP/1.1\r\nGET /a?b=c HTTP/1.1\r\ntransfer-encoding: chunked\r\n");
    fb_buf_reset(&b);
    assert_int_equal(fn_h1w_status(&b, 299), 0);
    assert_text(fb_buf_str(&b), "HTTP/1.1 299 \r\n");
    fb_buf_done(&b);
}

static void nothing_adds_a_line(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 4096);
    static const char *const values[] = { "a\r\nx: y", "a\nb", "a\rb", "a\x01", " a", "a ", "\x7f" };
    for (size_t i = 0; i < FB_COUNT(values); i++)
        assert_int_equal(fn_h1w_fieldz(&b, "x", values[i]), FB_E_PARSE);
    static const char *const names[] = { "", "x y", "x:", "x\r\n", ":", "\xc3\xa9" };
    for (size_t i = 0; i < FB_COUNT(names); i++)
        assert_int_equal(fn_h1w_fieldz(&b, names[i], "a"), FB_E_PARSE);
    assert_int_equal(fn_h1w_field(&b, FB_STR("x"), FB_STR("a\0b")), FB_E_PARSE);
    static const char *const targets[] = { "", "/ x", "/\r\n", "/\xc3\xa9", "/#a", "/\x7f" };
    for (size_t i = 0; i < FB_COUNT(targets); i++)
        assert_int_equal(fn_h1w_request(&b, FB_STR("GET"), fb_str_of(targets[i]), (struct fb_str){ 0 }), FB_E_PARSE);
    assert_int_equal(fn_h1w_request(&b, FB_STR("GET"), FB_STR("/"), FB_STR("a b")), FB_E_PARSE);
    assert_int_equal(fn_h1w_request(&b, FB_STR("G T"), FB_STR("/"), (struct fb_str){ 0 }), FB_E_PARSE);
    assert_int_equal(fn_h1w_status(&b, 99), FB_E_PARSE);
    assert_int_equal(fn_h1w_status(&b, 1000), FB_E_PARSE);
    assert_int_equal(b.n, 0);
    fb_buf_done(&b);
}

static void whole_answers(void **state)
{
    (void)state;
    struct fb_buf b;
    struct h1_run r;
    fb_buf_init(&b, 4096);
    assert_int_equal(fn_h1w_response(&b, 403, "application/json", FB_STR("x-e: 1\r\n"), false, FB_STR("{}")), 0);
    h1_feed(&r, FN_H1_RESPONSE, fb_buf_str(&b), 0);
    assert_int_equal(r.rc, 0);
    assert_int_equal(r.head->status, 403);
    assert_int_equal(r.head->content_length, 2);
    assert_false(r.head->keep_alive);
    assert_text(fn_h1_get(r.head, "x-e")->value, "1");
    assert_text(fn_h1_get(r.head, "cache-control")->value, "no-store");
    h1_run_done(&r);
    fb_buf_reset(&b);
    assert_int_equal(fn_h1w_response(&b, 200, NULL, (struct fb_str){ 0 }, true, (struct fb_str){ 0 }), 0);
    h1_feed(&r, FN_H1_RESPONSE, fb_buf_str(&b), 0);
    assert_int_equal(r.rc, 0);
    assert_true(r.head->keep_alive);
    assert_null(fn_h1_get(r.head, "content-type"));
    h1_run_done(&r);
    fb_buf_done(&b);
    fb_buf_init(&b, 20);
    assert_true(fn_h1w_response(&b, 403, "application/json", (struct fb_str){ 0 }, false, FB_STR("{}")) < 0);
    fb_buf_done(&b);
}

static void what_is_forwarded(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST,
          "POST / HTTP/1.1\r\nHost: a\r\nConnection: x-b\r\nX-B: 1\r\nX-Firma-Session-Id: s\r\nContent-Length: 0\r\n"
          "Expect: 100-continue\r\nProxy-Authorization: p\r\nAuthorization: ok\r\nCookie: ok\r\n\r\n");
    for (size_t i = 0; i < r.head->n_fields; i++)
        assert_int_equal(fn_h1w_forwards(&r.head->fields[i]), fb_str_eqz(r.head->fields[i].value, "ok"));
    h1_run_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(nothing_adds_a_line),
        cmocka_unit_test(whole_answers),
        cmocka_unit_test(what_is_forwarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
