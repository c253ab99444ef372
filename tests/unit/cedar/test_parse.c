/* The grammar of policies: what is accepted, and the class of each refusal. */
#include "cedar_case.h"

#include <stdlib.h>

#define P "permit(principal,action,resource)"
#define WHEN(body) P " when {" body "};"

static void check(const struct row *rows, size_t n)
{
    char out[64];
    for (size_t i = 0; i < n; i++) {
        if (strcmp(parse_text(rows[i].given, strlen(rows[i].given), out, sizeof out), rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, out, rows[i].want);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

static void scopes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { P ";", "ok" },
        { "permit(principal,action,resource,);", "ok" },
        { "permit(principal == (U::\"a\"),action in [Action::\"x\",],resource is T in G::\"g\");", "ok" },
        { "permit(principal == ?principal,action,resource in ?resource);", "ok" },
        { "permit(principal is T in ?principal,action in NS::Action::\"x\",resource);", "ok" },
        { "permit(principal,action in [],resource);", "ok" },
        { "Permit(principal,action,resource);", "InvalidEffect" },
        { "allow(principal,action,resource);", "InvalidEffect" },
        { "permit(principal,action);", "MissingScopeVariable" },
        { "permit();", "MissingScopeVariable" },
        { "permit(principal,action,resource,context);", "ExtraScopeElement" },
        { "permit(action,principal,resource);", "IncorrectVariable" },
        { "permit(principal != U::\"a\",action,resource);", "InvalidScopeOperator" },
        { "permit(principal < U::\"a\",action,resource);", "InvalidScopeOperator" },
        { "permit(principal,action < Action::\"a\",resource);", "InvalidActionScopeOperator" },
        { "permit(principal is T == U::\"a\",action,resource);", "IsWithEq" },
        { "permit(principal in G::\"g\" is T,action,resource);", "InvertedIsIn" },
        { "permit(principal,action is Action,resource);", "IsInActionScope" },
        { "permit(principal == [U::\"a\"],action,resource);", "WrongEntityArgument" },
        { "permit(principal in [U::\"a\"],action,resource);", "WrongEntityArgument" },
        { "permit(principal == U,action,resource);", "WrongEntityArgument" },
        { "permit(principal,action == [Action::\"a\"],resource);", "WrongEntityArgument" },
        { "permit(principal : T,action,resource);", "TypeConstraints" },
        { "permit(principal,action == U::\"a\",resource);", "InvalidActionType" },
        { "permit(principal,action == Action::Foo::\"a\",resource);", "InvalidActionType" },
        { "permit(principal,action in [Action::\"a\",U::\"b\"],resource);", "InvalidActionType" },
        { "permit(principal == ?resource,action,resource);", "InvalidSlot" },
        { "permit(principal == ?other,action,resource);", "InvalidSlot" },
        { "permit(principal,action == ?action,resource);", "InvalidSlot" },
        { "permit(principal,action,resource)", "UnexpectedToken" },
        { "permit(principal action,resource);", "UnexpectedToken" },
    };
    CHECK(rows);
}

static void conditions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { P " when {true} unless {false} when {1 == 1};", "ok" },
        { P " if {true};", "InvalidCondition" },
        { P " When {true};", "InvalidCondition" },
        { P " when {};", "EmptyClause" },
        { WHEN("?principal == principal"), "SlotsInConditionClause" },
        { "@a @b(\"x\") " P ";", "ok" },
        { "@a @a " P ";", "DuplicateAnnotation" },
        { "@a(x) " P ";", "UnexpectedToken" },
        { "@a(", "UnexpectedToken" },
        { "@a(\"x\"", "UnexpectedToken" },
        { "@", "UnexpectedToken" },
    };
    CHECK(rows);
}

static void expressions(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { WHEN("1 < 2 < 3"), "AmbiguousOperators" },
        { WHEN("1 == 1 == true"), "AmbiguousOperators" },
        { WHEN("principal in principal in principal"), "AmbiguousOperators" },
        { WHEN("(1 < 2) == true"), "ok" },
        { WHEN("1 / 2 == 1"), "UnsupportedDivision" },
        { WHEN("1 % 2 == 1"), "UnsupportedModulo" },
        { WHEN("context.a = 1"), "InvalidSingleEq" },
        { WHEN("!!!!true"), "ok" },
        { WHEN("!!!!!true"), "UnaryOpLimit" },
        { WHEN("----1 == 1"), "ok" },
        { WHEN("-----1 == 1"), "UnaryOpLimit" },
        { WHEN("!-1 == 1"), "UnexpectedToken" },
        { WHEN("nosuch"), "ArbitraryVariable" },
        { WHEN("A::b"), "ArbitraryVariable" },
        { WHEN("context[a]"), "InvalidIndex" },
        { WHEN("context[1]"), "InvalidIndex" },
        { WHEN("principal is 1"), "InvalidIsType" },
        { WHEN("principal is principal"), "ok" },
        { WHEN("nosuch(1)"), "UnknownFunction" },
        { WHEN("A::ip(\"1.2.3.4\")"), "UnknownFunction" },
        { WHEN("context.nosuch(1)"), "UnknownMethod" },
        { WHEN("context.ip()"), "MethodCallOnFunction" },
        { WHEN("contains(1)"), "FunctionCallOnMethod" },
        { WHEN("isIpv4(1)"), "FunctionCallOnMethod" },
        { WHEN("principal(1)"), "VariableCall" },
        { WHEN("(1)(2)"), "ExpressionCall" },
        { WHEN("[1].contains()"), "WrongArity" },
        { WHEN("[1].contains(1,2)"), "WrongArity" },
        { WHEN("[1].isEmpty(1)"), "WrongArity" },
        { WHEN("principal.getTag()"), "WrongArity" },
        { WHEN("[1].contains(1,)"), "ok" },
        { WHEN("ip() == ip(1,2)"), "ok" }, /* extension arity is not a parse error */
        { WHEN("{a:1,\"a\":2} == {}"), "DuplicateRecordKey" },
        { WHEN("{a:1,} == [1,]"), "ok" },
        { WHEN("User::{\"a\"} == principal"), "InvalidEntityLiteral" },
        { WHEN("true && if true then true else false"), "UnexpectedToken" },
        { WHEN("true && (if true then true else false)"), "ok" },
        { WHEN("if true then true"), "UnexpectedToken" },
        { WHEN("context has a.b.c && context has \"x y\""), "ok" },
        { WHEN("1 + 2 == 3 || false && true"), "ok" },
        { WHEN("context.a.b[\"c\"].contains(1)"), "ok" },
        { WHEN("true true"), "UnexpectedToken" },
    };
    CHECK(rows);
}

/* P when { ((((true)))) }; */
static char *nested(const char *open, const char *close, size_t n, const char *core)
{
    size_t a = strlen(open), b = strlen(close);
    char *s = malloc(64 + strlen(core) + n * (a + b)), *p = s;
    p += sprintf(p, "%s when {", P);
    for (size_t i = 0; i < n; i++, p += a)
        memcpy(p, open, a);
    p += sprintf(p, "%s", core);
    for (size_t i = 0; i < n; i++, p += b)
        memcpy(p, close, b);
    sprintf(p, "};");
    return s;
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char out[64], *s;
    static const struct {
        const char *open, *close, *core;
        size_t ok;
    } rows[] = { { "(", ")", "true", CEDAR_MAX_NESTING - 1 },
                 { "[", "]", "1", CEDAR_MAX_NESTING - 1 },
                 { "{a:", "}", "1", CEDAR_MAX_NESTING - 1 },
                 { "if true then true else ", "", "false", CEDAR_MAX_NESTING - 1 } };
    for (size_t i = 0; i < 4; i++) {
        s = nested(rows[i].open, rows[i].close, rows[i].ok, rows[i].core);
        assert_string_equal(parse_text(s, strlen(s), out, sizeof out), "ok");
        free(s);
        s = nested(rows[i].open, rows[i].close, rows[i].ok + 1, rows[i].core);
        assert_string_equal(parse_text(s, strlen(s), out, sizeof out), "NestingTooDeep");
        free(s);
    }
    /* left-leaning chains count by depth of the tree, and `||` stays flat whatever its length */
    s = nested("1 + ", "", CEDAR_MAX_EXPR_DEPTH - 1, "1");
    assert_string_equal(parse_text(s, strlen(s), out, sizeof out), "ok");
    free(s);
    s = nested("1 + ", "", CEDAR_MAX_EXPR_DEPTH, "1");
    assert_string_equal(parse_text(s, strlen(s), out, sizeof out), "ExpressionTooDeep");
    free(s);
    s = nested("true || ", "", 50000, "true");
    assert_string_equal(parse_text(s, strlen(s), out, sizeof out), "ok");
    free(s);
}

static void annotations_have_a_limit(void **state)
{
    (void)state;
    char out[64], *s = malloc(CEDAR_MAX_ANNOTATIONS * 16 + 64);
    for (int extra = 0; extra < 2; extra++) {
        char *p = s;
        for (int i = 0; i < CEDAR_MAX_ANNOTATIONS + extra; i++)
            p += sprintf(p, "@a%d ", i);
        sprintf(p, P ";");
        assert_string_equal(parse_text(s, strlen(s), out, sizeof out), extra ? "TooManyAnnotations" : "ok");
    }
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(conditions),
        cmocka_unit_test(expressions),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(annotations_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
