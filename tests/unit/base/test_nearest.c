/* Suggestions: close enough or none. */
#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void the_closest_name_is_found_and_far_ones_are_not(void **state)
{
    (void)state;
    static const char *const names[] = { "audit", "identity", "interceptor", "log" };
    assert_string_equal(fb_nearest(FB_STR("audti"), names, 4) == NULL ? "none" : "some", "none");
    assert_string_equal(fb_nearest(FB_STR("audt"), names, 4), "audit");
    assert_string_equal(fb_nearest(FB_STR("identiy"), names, 4), "identity");
    assert_string_equal(fb_nearest(FB_STR("log"), names, 4), "log");
    assert_null(fb_nearest(FB_STR("zzzzzz"), names, 4));
    assert_null(fb_nearest(FB_STR(""), names, 4));
    assert_null(fb_nearest(FB_STR("log"), names, 0));
}

static void words_beyond_the_limit_get_no_suggestion(void **state)
{
    (void)state;
    char word[65];
    memset(word, 'a', sizeof word);
    char same[65];
    memset(same, 'a', 64);
    same[64] = '\0';
    const char *const names[] = { same };
    assert_non_null(fb_nearest(fb_str_n(word, 64), names, 1));
    assert_null(fb_nearest(fb_str_n(word, 65), names, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_closest_name_is_found_and_far_ones_are_not),
        cmocka_unit_test(words_beyond_the_limit_get_no_suggestion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
