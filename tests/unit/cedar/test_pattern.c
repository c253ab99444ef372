/* `like`: stars, escapes, decoding first, and no exponential cases. */
#include "cedar_case.h"

#include "cedar/pattern.h"

static void patterns_match_whole_strings(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "\"\" like \"\"", "true" },
        { "\"\" like \"*\"", "true" },
        { "\"abc\" like \"abc\"", "true" },
        { "\"abc\" like \"ab\"", "false" },
        { "\"abc\" like \"*c\"", "true" },
        { "\"abc\" like \"a*\"", "true" },
        { "\"abc\" like \"a*c\"", "true" },
        { "\"abc\" like \"*b*\"", "true" },
        { "\"abc\" like \"*x*\"", "false" },
        { "\"ABC\" like \"abc\"", "false" },
        { "\"a\\nb\" like \"a*b\"", "true" },
        { "\"a*b\" like \"a\\*b\"", "true" },
        { "\"axb\" like \"a\\*b\"", "false" },
        { "\"axb\" like \"a\\u{2a}b\"", "true" }, /* decoding comes first */
        { "\"axb\" like \"a\\x2ab\"", "true" },
        { "\"aa\" like \"a*a\"", "true" },
        { "\"a\" like \"a*a\"", "false" }, /* one letter cannot be both ends */
        { "\"abab\" like \"*ab*ab*\"", "true" },
        { "\"aab\" like \"*ab\"", "true" },
        { "\"\xc3\xa9t\xc3\xa9\" like \"\xc3\xa9*\xc3\xa9\"", "true" },
        { "1 like \"1\"", "!TypeError" },
        { "\"a\" like \"\\q\"", "!InvalidEscape" },
        { "\"a\" like a", "!InvalidPattern" },
        { "\"a\" like (\"a\")", "!InvalidPattern" },
    };
    CHECK_ROWS(rows, NULL);
}

static void many_stars_stay_cheap(void **state)
{
    (void)state;
    static char text[20000], pattern[400];
    struct cedar_str seg[100];
    memset(text, 'a', sizeof text);
    memset(pattern, 'a', sizeof pattern);
    for (int i = 0; i < 100; i++)
        seg[i] = (struct cedar_str){ pattern, 100 };
    pattern[99] = 'b'; /* never there: a backtracking matcher would try every split */
    struct cedar_pattern p = { seg, 100 };
    assert_false(cedar_pattern_match(&p, (struct cedar_str){ text, sizeof text }));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_match_whole_strings),
        cmocka_unit_test(many_stars_stay_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
