/* Byte views. */
#include "base/str.h"

#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void comparison_is_bytewise_with_the_shorter_first(void **state)
{
    (void)state;
    assert_true(fb_str_cmp(FB_STR("a"), FB_STR("b")) < 0);
    assert_true(fb_str_cmp(FB_STR("a"), FB_STR("ab")) < 0);
    assert_true(fb_str_cmp(FB_STR("\xFF"), FB_STR("a")) > 0);
    assert_int_equal(fb_str_cmp(fb_str_n(NULL, 0), FB_STR("")), 0);
    assert_true(fb_str_eq_nocase(FB_STR("Host"), FB_STR("hOST")));
    assert_false(fb_str_eq_nocase(FB_STR("[ab"), FB_STR("{ab")));
    assert_false(fb_str_eq_nocase(FB_STR("\xC3"), FB_STR("\xE3")));
    assert_true(fb_str_eq(fb_str_n(NULL, 0), FB_STR("")));
}

static void prefix_suffix_search_and_trim(void **state)
{
    (void)state;
    assert_true(fb_str_starts(FB_STR("abc"), FB_STR("ab")));
    assert_false(fb_str_starts(FB_STR("a"), FB_STR("ab")));
    assert_true(fb_str_ends(FB_STR("abc"), FB_STR("bc")));
    assert_true(fb_str_ends(FB_STR("abc"), FB_STR("")));
    assert_true(fb_str_contains(FB_STR("abc"), FB_STR("b")));
    assert_true(fb_str_contains(FB_STR(""), FB_STR("")));
    assert_false(fb_str_contains(FB_STR("ab"), FB_STR("abc")));
    assert_true(fb_str_eqz(fb_str_trim(FB_STR(" \t a b\t ")), "a b"));
    assert_int_equal(fb_str_trim(FB_STR(" \t ")).n, 0);
    assert_int_equal(fb_str_index(FB_STR("abc"), 'c'), 2);
    assert_int_equal(fb_str_index(FB_STR("abc"), 'x'), 3);
}

static void split_keeps_empty_parts(void **state)
{
    (void)state;
    struct fb_str rest = FB_STR("a,,b,");
    struct fb_str part;
    static const char *const parts[] = { "a", "", "b", "" };
    for (size_t i = 0; i < FB_COUNT(parts); i++) {
        assert_true(fb_str_split(&rest, ',', &part));
        assert_true(fb_str_eqz(part, parts[i]));
    }
    assert_false(fb_str_split(&rest, ',', &part));
}

static void secrets_compare_right_and_copies_refuse_nul(void **state)
{
    (void)state;
    assert_true(fb_str_eq_const_time(FB_STR("secret"), FB_STR("secret")));
    assert_false(fb_str_eq_const_time(FB_STR("secret"), FB_STR("secreT")));
    assert_false(fb_str_eq_const_time(FB_STR("secret"), FB_STR("secre")));
    char *copy = fb_str_dupz(fb_str_n("abcd", 3));
    assert_string_equal(copy, "abc");
    free(copy);
    assert_null(fb_str_dupz(fb_str_n("a\0b", 3)));
    copy = fb_str_dupz(fb_str_n(NULL, 0));
    assert_string_equal(copy, "");
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparison_is_bytewise_with_the_shorter_first),
        cmocka_unit_test(prefix_suffix_search_and_trim),
        cmocka_unit_test(split_keeps_empty_parts),
        cmocka_unit_test(secrets_compare_right_and_copies_refuse_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
