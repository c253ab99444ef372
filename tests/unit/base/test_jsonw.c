/* The JSON writer: order, escapes, numbers, and what cannot be written. */
#include "base/jsonw.h"

#include <math.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void compact_output_keeps_the_order_of_the_calls(void **state)
{
    (void)state;
    struct fb_buf b;
    struct fb_jsonw w;
    fb_buf_init(&b, 1000);
    fb_jsonw_init(&w, &b, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "z");
    fb_jsonw_i64(&w, -1);
    fb_jsonw_key(&w, "a");
    fb_jsonw_array(&w);
    fb_jsonw_u64(&w, UINT64_MAX);
    fb_jsonw_bool(&w, true);
    fb_jsonw_bool(&w, false);
    fb_jsonw_null(&w);
    fb_jsonw_strz(&w, NULL);
    fb_jsonw_raw(&w, FB_STR("{\"r\":1}"));
    fb_jsonw_array_end(&w);
    fb_jsonw_keys(&w, FB_STR("e"));
    fb_jsonw_object(&w);
    fb_jsonw_object_end(&w);
    fb_jsonw_object_end(&w);
    assert_string_equal(b.p, "{\"z\":-1,\"a\":[18446744073709551615,true,false,null,null,{\"r\":1}],\"e\":{}}");
    fb_buf_done(&b);
}

static void indented_output_has_one_item_a_line_and_empty_ones_closed(void **state)
{
    (void)state;
    struct fb_buf b;
    struct fb_jsonw w;
    fb_buf_init(&b, 1000);
    fb_jsonw_init(&w, &b, 2);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "a");
    fb_jsonw_array(&w);
    fb_jsonw_i64(&w, 1);
    fb_jsonw_i64(&w, 2);
    fb_jsonw_array_end(&w);
    fb_jsonw_key(&w, "b");
    fb_jsonw_array(&w);
    fb_jsonw_array_end(&w);
    fb_jsonw_object_end(&w);
    assert_string_equal(b.p, "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": []\n}");
    fb_buf_done(&b);
}

static void text_is_escaped_and_broken_bytes_replaced(void **state)
{
    (void)state;
    struct fb_buf b;
    struct fb_jsonw w;
    fb_buf_init(&b, 1000);
    fb_jsonw_init(&w, &b, 0);
    fb_jsonw_str(&w, FB_STR("q\" b\\ \b\f\n\r\t \x01\x1f\x7f / \xC3\xA9 \xFF\xC3 \xED\xA0\x80"));
    assert_string_equal(b.p, "\"q\\\" b\\\\ \\b\\f\\n\\r\\t \\u0001\\u001f\\u007f / \xC3\xA9 \xEF\xBF\xBD\xEF\xBF\xBD "
                             "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
    fb_buf_reset(&b);
    fb_jsonw_str(&w, fb_str_n("a\0b", 3));
    assert_string_equal(b.p, "\"a\\u0000b\"");
    fb_buf_done(&b);
}

static void numbers_with_a_fraction_read_back_the_same(void **state)
{
    (void)state;
    static const struct { double v; const char *text; } rows[] = {
        { 0.1, "0.1" }, { 1, "1.0" }, { 0, "0.0" }, { 1e300, "1e+300" }, { -2.5, "-2.5" }, { 0.1 + 0.2, "0.30000000000000004" },
        { NAN, "null" }, { INFINITY, "null" }, { -INFINITY, "null" },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct fb_buf b;
        struct fb_jsonw w;
        fb_buf_init(&b, 100);
        fb_jsonw_init(&w, &b, 0);
        fb_jsonw_f64(&w, rows[i].v);
        assert_string_equal(b.p, rows[i].text);
        fb_buf_done(&b);
    }
}

static void depth_works_at_the_limit_and_fails_past_it(void **state)
{
    (void)state;
    struct fb_buf b;
    struct fb_jsonw w;
    fb_buf_init(&b, 1000);
    fb_jsonw_init(&w, &b, 0);
    for (int i = 0; i < FB_JSONW_DEPTH; i++)
        fb_jsonw_array(&w);
    assert_false(fb_buf_failed(&b));
    fb_jsonw_array(&w);
    assert_true(fb_buf_failed(&b));
    fb_buf_reset(&b);
    fb_jsonw_init(&w, &b, 0);
    fb_jsonw_object_end(&w);
    assert_true(fb_buf_failed(&b));
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compact_output_keeps_the_order_of_the_calls),
        cmocka_unit_test(indented_output_has_one_item_a_line_and_empty_ones_closed),
        cmocka_unit_test(text_is_escaped_and_broken_bytes_replaced),
        cmocka_unit_test(numbers_with_a_fraction_read_back_the_same),
        cmocka_unit_test(depth_works_at_the_limit_and_fails_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
