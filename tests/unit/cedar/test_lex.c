/* Blanks, comments, identifiers, integers, tokens: what is a token and what is refused. */
#include "cedar_case.h"

#define PERMIT(body) "permit(principal,action,resource) when {" body "};"

static void blanks_are_unicode_white_space_and_nothing_else(void **state)
{
    (void)state;
    char out[64];
    static const struct row rows[] = {
        { "permit\v(principal,\faction,\xc2\x85resource\xc2\xa0)\xe2\x80\x83;\xe3\x80\x80", "ok" },
        { "permit\xe2\x80\x8b(principal,action,resource);", "InvalidToken" }, /* zero-width space */
        { "\xef\xbb\xbfpermit(principal,action,resource);", "InvalidToken" }, /* byte-order mark */
        { "// only a comment", "ok" },
        { "", "ok" },
        { "permit(principal,action,resource); // the end\n", "ok" },
        { "/* no block comments */", "UnexpectedToken" },
        { "permit(principal,action,resource) when { true } # ;", "InvalidToken" },
        { PERMIT("\"open"), "InvalidToken" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(parse_text(rows[i].given, strlen(rows[i].given), out, sizeof out), rows[i].want);
}

static void bytes_that_are_not_utf8_are_refused_with_a_place(void **state)
{
    (void)state;
    struct cedar_policy_set *set;
    struct cedar_error err;
    const char text[] = "permit(principal,\n \xff";
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, &err), CEDAR_E_UTF8);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, 2);
}

static void reserved_words_and_the_free_ones(void **state)
{
    (void)state;
    char out[64];
    static const struct row rows[] = {
        { PERMIT("context.permit"), "ok" },
        { PERMIT("context.principal"), "ok" },
        { PERMIT("principal::\"a\" == principal"), "ok" },
        { PERMIT("context.if"), "ReservedIdentifier" },
        { PERMIT("context has like"), "ReservedIdentifier" },
        { PERMIT("context.__cedar"), "ReservedNamespace" },
        { PERMIT("context[\"if\"]"), "ok" },
        { PERMIT("context has \"__cedar\""), "ok" },
        { PERMIT("{true: 1}"), "ReservedIdentifier" },
        { PERMIT("__cedar::Long::\"a\" == principal"), "ReservedNamespace" },
        { PERMIT("in::\"a\" == principal"), "ReservedIdentifier" },
        { "@if(\"x\") @__cedar permit(principal,action,resource);", "ok" },
        { "permit(principal is permit, action, resource);", "ok" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(parse_text(rows[i].given, strlen(rows[i].given), out, sizeof out), rows[i].want) != 0)
            fail_msg("%s gives %s, not %s", rows[i].given, out, rows[i].want);
    }
}

static void integers_reach_both_ends_of_64_bits(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "007", "7" },
        { "9223372036854775807", "9223372036854775807" },
        { "9223372036854775808", "!IntegerTooLarge" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "- 9223372036854775808", "-9223372036854775808" },
        { "-(9223372036854775808)", "!IntegerTooLarge" },
        { "--9223372036854775808", "!IntegerOverflow" },
        { "18446744073709551616", "!IntegerTooLarge" },
        { "-9223372036854775809", "!IntegerTooLarge" },
    };
    CHECK_ROWS(rows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_are_unicode_white_space_and_nothing_else),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused_with_a_place),
        cmocka_unit_test(reserved_words_and_the_free_ones),
        cmocka_unit_test(integers_reach_both_ends_of_64_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
