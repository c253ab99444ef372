/* UTF-8: what is well formed, and nothing else. */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static bool valid(const char *z)
{
    return fb_utf8_valid(fb_str_of(z));
}

static void well_formed_text_passes(void **state)
{
    (void)state;
    assert_true(valid(""));
    assert_true(valid("plain"));
    assert_true(valid("\xC2\x80 \xDF\xBF \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"));
}

static void overlong_surrogate_and_beyond_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
                                       "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC2", "\xE2\x82",
                                       "\xF0\x9F\x98", "\xC2\x41", "\xE2\x82\x41" };
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_false(valid(bad[i]));
}

static void every_character_survives_a_round_trip(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x110000; c++) {
        char text[4];
        size_t n = fb_utf8_encode(text, c);
        bool is_char = c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
        assert_int_equal(n != 0, is_char);
        if (n == 0)
            continue;
        uint32_t back = 0;
        assert_int_equal(fb_utf8_decode(text, n, &back), n);
        assert_int_equal(back, c);
        assert_int_equal(fb_utf8_decode(text, n - 1, &back), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_passes),
        cmocka_unit_test(overlong_surrogate_and_beyond_are_refused),
        cmocka_unit_test(every_character_survives_a_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
