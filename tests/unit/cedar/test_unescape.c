/* String literals: every escape, and what is no escape. */
#include "cedar_case.h"

static void every_escape(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "\"\\n\\r\\t\\\\\\\"\\'\" == \"\\x0a\\x0D\\x09\\x5c\\x22\\x27\"", "true" },
        { "\"\\0\" == \"\\x00\"", "true" },
        { "\"\\0\" == \"\"", "false" },
        { "\"\\u{41}\\u{0041}\\u{1_F600}\"", "\"AA\xf0\x9f\x98\x80\"" },
        { "\"\\u{10FFFF}\" == \"\\u{10FFFe}\"", "false" },
        { "\"a\nb\tc\" == \"a\\nb\\tc\"", "true" }, /* raw line feed and tab */
        { "\"\\x80\"", "!InvalidEscape" },
        { "\"\\x4\"", "!InvalidEscape" },
        { "\"\\u{}\"", "!InvalidEscape" },
        { "\"\\u{_1}\"", "!InvalidEscape" },
        { "\"\\u{0000041}\"", "!InvalidEscape" },
        { "\"\\u{d800}\"", "!InvalidEscape" },
        { "\"\\u{110000}\"", "!InvalidEscape" },
        { "\"\\u41\"", "!InvalidEscape" },
        { "\"\\a\"", "!InvalidEscape" },
        { "\"\\*\"", "!InvalidEscape" },
        { "\"a\rb\"", "!InvalidEscape" },
        { "\"a\r\nb\"", "!InvalidEscape" },
        { "\"a\\\nb\"", "!InvalidEscape" },
        { "\"\\U{41}\"", "!InvalidEscape" },
    };
    CHECK_ROWS(rows, NULL);
}

static void nul_is_an_ordinary_character(void **state)
{
    (void)state;
    char out[64];
    static const char text[] = "\"a\0b\" == \"a\\0b\"";
    assert_string_equal(eval_text(text, sizeof text - 1, NULL, out, sizeof out), "true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_escape),
        cmocka_unit_test(nul_is_an_ordinary_character),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
