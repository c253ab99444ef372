/* Shows the byte classes against their definition, the name tables, and the looking up of fields. */
#include "h1_test.h"

static void tokens(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char byte = (char)c;
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool want = letter || (c > 0 && strchr("!#$%&'*+-.^_`|~", (int)c) != NULL);
        if (fn_h1_is_token(fb_str_n(&byte, 1)) != want)
            fail_msg("byte 0x%02x", c);
    }
    assert_false(fn_h1_is_token(FB_STR("")));
    assert_true(fn_h1_is_token(FB_STR("X-a.b")));
}

static void values(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        char text[3] = { 'a', (char)c, 'b' };
        bool want = (c >= 0x20 || c == '\t') && c != 0x7f;
        if (fn_h1_is_value(fb_str_n(text, 3)) != want)
            fail_msg("byte 0x%02x", c);
    }
    assert_true(fn_h1_is_value(FB_STR("")));
    assert_false(fn_h1_is_value(FB_STR(" a")));
    assert_false(fn_h1_is_value(FB_STR("a\t")));
}

static void name_tables(void **state)
{
    (void)state;
    assert_true(fn_h1_is_hop(FB_STR("Connection")));
    assert_true(fn_h1_is_hop(FB_STR("PROXY-AUTHORIZATION")));
    assert_true(fn_h1_is_hop(FB_STR("te")));
    assert_false(fn_h1_is_hop(FB_STR("authorization")));
    assert_false(fn_h1_is_hop(FB_STR("content-length")));
    assert_true(fn_h1_is_ours(FB_STR("x-firma-session-id")));
    assert_true(fn_h1_is_ours(FB_STR("X-FIRMA-")));
    assert_false(fn_h1_is_ours(FB_STR("x-firm")));
    assert_false(fn_h1_is_ours(FB_STR("x-firmaments")));
}

static void look_up(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, "GET / HTTP/1.1\r\nA: 1\r\na: 2\r\nVary: x , Y\r\nvary: z\r\n\r\n");
    assert_text(fn_h1_get(r.head, "a")->value, "1");
    assert_int_equal(fn_h1_count(r.head, "A"), 2);
    assert_null(fn_h1_get(r.head, "b"));
    assert_true(fn_h1_has_token(r.head, "vary", "y"));
    assert_true(fn_h1_has_token(r.head, "vary", "Z"));
    assert_false(fn_h1_has_token(r.head, "vary", "x , y"));
    assert_false(fn_h1_has_token(r.head, "b", "y"));
    h1_run_done(&r);
}

static void every_refusal_has_name_text_and_status(void **state)
{
    (void)state;
#define FN_H1_REFUSAL(sym, status, name, text)                       \
    assert_string_equal(fn_h1_refusal_name(FN_H1_BAD_##sym), name);  \
    assert_int_equal(fn_h1_refusal_status(FN_H1_BAD_##sym), status); \
    assert_string_equal(fn_h1_refusal_text(FN_H1_BAD_##sym), text);
#include "net/h1_refusals.h"
#undef FN_H1_REFUSAL
    assert_string_equal(fn_h1_refusal_name(FN_H1_OK), "ok");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens),
        cmocka_unit_test(values),
        cmocka_unit_test(name_tables),
        cmocka_unit_test(look_up),
        cmocka_unit_test(every_refusal_has_name_text_and_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
