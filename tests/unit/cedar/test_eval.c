/* Operators: results, error classes, short circuit, order of evaluation. */
#include "cedar_case.h"

#define NONE "Nobody::\"x\""

static struct cedar_entities *store(void)
{
    static const char json[] =
        "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"age\":30,\"addr\":{\"zip\":\"1\"}},"
        "\"parents\":[{\"type\":\"Group\",\"id\":\"g\"}],\"tags\":{\"t\":\"v\"}},"
        "{\"uid\":{\"type\":\"Group\",\"id\":\"g\"},\"attrs\":{},\"parents\":[{\"type\":\"Group\",\"id\":\"top\"}]}]";
    struct cedar_entities *e;
    assert_int_equal(cedar_entities_from_json(json, sizeof json - 1, NULL, &e, NULL), 0);
    return e;
}

static void boolean_operators_stop_early(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "true && false", "false" },
        { "false && 1", "false" },
        { "true || 1", "true" },
        { "true && 1", "!TypeError" },
        { "false || 1", "!TypeError" },
        { "1 && true", "!TypeError" },
        { "false && (1 + \"a\" == 2)", "false" },
        { "true && true && false && 1", "false" },
        { "!true", "false" },
        { "!1", "!TypeError" },
        { "!!!!true", "true" },
        { "if true then 1 else 1 + \"a\"", "1" },
        { "if 1 then 1 else 2", "!TypeError" },
    };
    CHECK_ROWS(rows, NULL);
}

static void arithmetic_is_checked(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "1 + 2 * 3 - 4", "3" },
        { "10 - 3 - 2", "5" },
        { "9223372036854775807 + 1", "!IntegerOverflow" },
        { "-9223372036854775808 - 1", "!IntegerOverflow" },
        { "9223372036854775807 * 2", "!IntegerOverflow" },
        { "-(-9223372036854775808)", "!IntegerOverflow" },
        { "1 + true", "!TypeError" },
        { "-\"a\"", "!TypeError" },
        { "1 < 2", "true" },
        { "2 >= 2", "true" },
        { "2 > 2", "false" },
        { "\"a\" < \"b\"", "!TypeError" },
        { "1 < \"b\"", "!TypeError" },
        { "(1 + \"a\") == (9223372036854775807 + 1)", "!TypeError" }, /* left first */
        { "(9223372036854775807 + 1) == (1 + \"a\")", "!IntegerOverflow" },
        { "\"a\" < (9223372036854775807 + 1)", "!IntegerOverflow" }, /* both operands before the types */
    };
    CHECK_ROWS(rows, NULL);
}

static void equality_never_errs(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "1 == \"1\"", "false" },
        { "1 != \"1\"", "true" },
        { "[1,2,2] == [2,1]", "true" },
        { "[1,[2,3]] == [[3,2],1]", "true" },
        { "[1,true,\"a\"].contains(true)", "true" },
        { "{a:1,\"b\":2} == {b:2,a:1}", "true" },
        { "{a:1} == {a:1,b:2}", "false" },
        { "A::B::\"x\" == A::B::\"x\"", "true" },
        { "A::\"x\" == B::\"x\"", "false" },
        { "\"\\u{e9}\" == \"e\\u{301}\"", "false" }, /* no normalisation */
        { "[] == []", "true" },
        { "ip(\"1.2.3.4\") == \"1.2.3.4\"", "false" },
    };
    CHECK_ROWS(rows, NULL);
}

static void sets(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "[1,2].contains(3)", "false" },
        { "[1,2].containsAll([])", "true" },
        { "[1,2].containsAll([2,1,1])", "true" },
        { "[1,2].containsAny([])", "false" },
        { "[1,2].containsAny([3,2])", "true" },
        { "[].isEmpty()", "true" },
        { "[1].isEmpty()", "false" },
        { "1.contains(1)", "!TypeError" },
        { "[1].containsAll(1)", "!TypeError" },
        { "[1].containsAny({})", "!TypeError" },
        { "{}.isEmpty()", "!TypeError" },
        { "[1 + true, 2]", "!TypeError" },
        { "[3,1,2,1]", "[1,2,3]" },
        { "[1].contains([1 + true])", "!TypeError" },
    };
    CHECK_ROWS(rows, NULL);
}

static void membership(void **state)
{
    (void)state;
    struct cedar_entities *e = store();
    static const struct row rows[] = {
        { "principal in Group::\"g\"", "true" },
        { "principal in Group::\"top\"", "true" }, /* top itself is not in the store */
        { "principal in principal", "true" },
        { NONE " in " NONE, "true" },
        { NONE " in Group::\"g\"", "false" },
        { "Group::\"g\" in principal", "false" },
        { "principal in []", "false" },
        { "principal in [Group::\"no\", Group::\"top\"]", "true" },
        { "principal in [principal, 1]", "!TypeError" }, /* even though one matches */
        { "principal in 1", "!TypeError" },
        { "1 in principal", "!TypeError" },
        { "principal is User", "true" },
        { "principal is Users", "false" },
        { "principal is User in Group::\"g\"", "true" },
        { "principal is Doc in 1", "false" },
        { "principal is User in 1", "!TypeError" },
        { "1 is User", "!TypeError" },
    };
    CHECK_ROWS(rows, e);
    cedar_entities_free(e);
}

static void attributes_and_tags(void **state)
{
    (void)state;
    struct cedar_entities *e = store();
    static const struct row rows[] = {
        { "principal.age", "30" },
        { "principal[\"age\"]", "30" },
        { "principal.addr.zip", "\"1\"" },
        { "principal.nosuch", "!EntityAttrDoesNotExist" },
        { NONE ".age", "!EntityDoesNotExist" },
        { "{a:1}.b", "!RecordAttrDoesNotExist" },
        { "1.a", "!TypeError" },
        { "principal has age", "true" },
        { "principal has addr.zip", "true" },
        { "principal has addr.zip.x", "!TypeError" },
        { "principal has addr.no.x", "false" },
        { "principal has \"a b\"", "false" },
        { NONE " has age", "false" },
        { "1 has a", "!TypeError" },
        { "principal.hasTag(\"t\")", "true" },
        { "principal.hasTag(\"age\")", "false" },
        { "principal.getTag(\"t\")", "\"v\"" },
        { "principal.getTag(\"no\")", "!EntityAttrDoesNotExist" },
        { NONE ".getTag(\"t\")", "!EntityDoesNotExist" },
        { NONE ".hasTag(\"t\")", "false" },
        { "principal.hasTag(1)", "!TypeError" },
        { "{}.hasTag(\"a\")", "!TypeError" },
        { "principal.getTag(if true then \"t\" else \"u\")", "\"v\"" },
        { "principal has t", "false" }, /* attributes and tags are apart */
    };
    CHECK_ROWS(rows, e);
    cedar_entities_free(e);
}

static void steps_are_bounded(void **state)
{
    (void)state;
    struct cedar_scratch *s = cedar_scratch_new(0);
    const struct cedar_value *v;
    struct cedar_error err;
    cedar_scratch_set_steps(s, 4);
    assert_int_equal(cedar_evaluate("1+1+1", 5, NULL, NULL, s, &v, &err), CEDAR_E_LIMIT);
    assert_string_equal(err.kind, "StepLimit");
    cedar_scratch_set_steps(s, 5);
    assert_int_equal(cedar_evaluate("1+1+1", 5, NULL, NULL, s, &v, &err), 0);
    cedar_scratch_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(boolean_operators_stop_early),
        cmocka_unit_test(arithmetic_is_checked),
        cmocka_unit_test(equality_never_errs),
        cmocka_unit_test(sets),
        cmocka_unit_test(membership),
        cmocka_unit_test(attributes_and_tags),
        cmocka_unit_test(steps_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
