/* Diagnostics: place, excerpt, caret, what was expected, hints; nothing a terminal could act on. */
#include "cedar_case.h"

#include "cedar/diag.h"
#include "cedar/str.h"

static void a_refusal_shows_its_place(void **state)
{
    (void)state;
    static const char text[] = "permit(principal, action,\n       resource) wen { true };";
    struct cedar_policy_set *set;
    struct cedar_error err;
    char out[1024], small[10];
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, &err), CEDAR_E_PARSE);
    size_t n = cedar_error_render(&err, "a.cedar", text, sizeof text - 1, out, sizeof out);
    assert_string_equal(out, "a.cedar:2:18: InvalidCondition: `wen` is not a condition\n"
                             "    2 |        resource) wen { true };\n"
                             "      |                  ^^^\n"
                             "      = expected `when`, `unless` or `;`\n"
                             "      = did you mean `when`?");
    assert_int_equal(n, strlen(out));
    assert_int_equal(cedar_error_render(&err, "a.cedar", text, sizeof text - 1, small, sizeof small), n);
    assert_string_equal(small, "a.cedar:2");
    assert_int_equal(cedar_error_render(&err, NULL, NULL, 0, NULL, 0),
                     strlen("2:18: InvalidCondition: `wen` is not a condition"
                            "\n      = expected `when`, `unless` or `;`"
                            "\n      = did you mean `when`?"));
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    static const char text[] = "permit(principal == \"\x1b[31m\", action, resource);";
    struct cedar_policy_set *set;
    struct cedar_error err;
    char out[1024];
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, &err), CEDAR_E_PARSE);
    cedar_error_render(&err, "a\x1b.cedar", text, sizeof text - 1, out, sizeof out);
    assert_null(strchr(out, '\x1b'));
    cedar_error_set(&err, CEDAR_E_PARSE, "X", "%s", "a\nb\x07\xe2\x80\xae");
    assert_string_equal(err.msg, "a?b????");
}

static void columns_count_characters(void **state)
{
    (void)state;
    uint32_t line, col;
    cedar_source_position("\xc3\xa9\xc3\xa9x\ny", 7, 4, &line, &col);
    assert_int_equal(line, 1);
    assert_int_equal(col, 3);
    cedar_source_position("\xc3\xa9\xc3\xa9x\ny", 7, 6, &line, &col);
    assert_int_equal(line, 2);
    assert_int_equal(col, 1);
}

static void names_and_distances(void **state)
{
    (void)state;
    assert_true(cedar_is_name(cedar_str_c("A::B_1")));
    assert_false(cedar_is_name(cedar_str_c("A::")));
    assert_false(cedar_is_name(cedar_str_c("::A")));
    assert_false(cedar_is_name(cedar_str_c("A:B")));
    assert_false(cedar_is_name(cedar_str_c("A::if")));
    assert_false(cedar_is_name(cedar_str_c("")));
    assert_true(cedar_str_eq(cedar_name_base(cedar_str_c("A::B::C")), cedar_str_c("C")));
    assert_true(cedar_str_eq(cedar_name_namespace(cedar_str_c("A::B::C")), cedar_str_c("A::B")));
    assert_int_equal(cedar_name_namespace(cedar_str_c("C")).len, 0);
    assert_int_equal(cedar_str_distance(cedar_str_c("permit"), cedar_str_c("premit"), 3), 1);
    assert_int_equal(cedar_str_distance(cedar_str_c("a"), cedar_str_c("abcd"), 3), 3);
    assert_int_equal(cedar_str_distance(cedar_str_c("a"), cedar_str_c("vwxyz"), 2), 3);
    assert_string_equal(cedar_code_name(CEDAR_E_EVAL), "eval");
    assert_string_equal(cedar_code_name(CEDAR_E_PARSE), "parse");
    assert_string_equal(cedar_code_name(-99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_shows_its_place),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(columns_count_characters),
        cmocka_unit_test(names_and_distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
