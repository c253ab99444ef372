/* Escaping: nothing that can move a cursor or forge a line gets through. */
#include "base/err.h"
#include "base/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void check(const char *in, size_t n, const char *expected)
{
    char out[256];
    assert_int_equal(fb_escape_term(out, sizeof out, in, n), strlen(expected));
    assert_string_equal(out, expected);
    struct fb_buf b;
    fb_buf_init(&b, 256);
    assert_int_equal(fb_escape_term_buf(&b, fb_str_n(in, n)), 0);
    assert_int_equal(b.n, strlen(expected));
    if (b.n > 0)
        assert_string_equal(b.p, expected);
    fb_buf_done(&b);
}

static void controls_are_shown_not_sent(void **state)
{
    (void)state;
    check("", 0, "");
    check("a\x1b[2Jb\n\r\t\x7f", 10, "a\\x1b[2Jb\\x0a\\x0d\\x09\\x7f");
    check("\0", 1, "\\x00");
    check("\xC2\x9B" "31m", 5, "\\u{9b}31m");
    check("\xE2\x80\xAE", 3, "\\u{202e}");
    check("\xE2\x80\xA8", 3, "\\u{2028}");
    check("\xE2\x81\xA6", 3, "\\u{2066}");
    check("\xFF\xC3", 2, "\\xff\\xc3");
}

static void a_backslash_is_doubled_so_that_an_escape_cannot_be_forged(void **state)
{
    (void)state;
    check("\\x1b", 4, "\\\\x1b");
}

static void ordinary_text_of_any_script_stays(void **state)
{
    (void)state;
    check("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", 12, "h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
}

static void output_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char out[6];
    assert_int_equal(fb_escape_term(out, sizeof out, "ab\x1b\x1b", 4), 2);
    assert_string_equal(out, "ab");
    assert_int_equal(fb_escape_term(out, sizeof out, "a\xE2\x82\xAC" "bc", 6), 5);
    assert_string_equal(out, "a\xE2\x82\xAC" "b");
    assert_int_equal(fb_escape_term(out, 1, "abc", 3), 0);
    assert_string_equal(out, "");
    assert_int_equal(fb_escape_term(out, 0, "abc", 3), 0);
}

static void a_full_buffer_is_left_as_it_was(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 5);
    fb_buf_addz(&b, "abc");
    assert_int_equal(fb_escape_term_buf(&b, FB_STR("d\x1b")), FB_E_LIMIT);
    assert_string_equal(b.p, "abc");
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_are_shown_not_sent),
        cmocka_unit_test(a_backslash_is_doubled_so_that_an_escape_cannot_be_forged),
        cmocka_unit_test(ordinary_text_of_any_script_stays),
        cmocka_unit_test(output_is_cut_at_a_whole_character),
        cmocka_unit_test(a_full_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
