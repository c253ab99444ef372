/* Schemas in JSON syntax: each rule with its refusal; both syntaxes there and back. */
#include "cedar_case.h"

#define NS(types, actions) "{\"N\":{\"entityTypes\":{" types "},\"actions\":{" actions "}}}"
#define ENTITY(body) NS("\"A\":" body, "")
#define ATTR(type) ENTITY("{\"shape\":{\"type\":\"Record\",\"attributes\":{\"x\":" type "}}}")
#define ACTION(body) NS("\"U\":{},\"R\":{}", "\"g\":{},\"a\":" body)
#define APPLIES(more) "{\"appliesTo\":{\"principalTypes\":[\"U\"],\"resourceTypes\":[\"R\"]" more "}}"

static void verdicts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{}", "ok" },
        { "[]", "InvalidForm" },
        { NS("", ""), "ok" },
        { "{\"N\":{\"entityTypes\":{}}}", "MissingField" },
        { "{\"N\":{\"entityTypes\":{},\"actions\":{},\"x\":1}}", "UnknownField" },
        { "{\"1\":{\"entityTypes\":{},\"actions\":{}}}", "InvalidNamespace" },
        { "{\"\":{\"entityTypes\":{},\"actions\":{},\"annotations\":{\"a\":\"b\"}}}", "UnknownField" },
        { ENTITY("{\"memberOfTypes\":[\"A\"]}"), "ok" },
        { ENTITY("{\"memberOfTypes\":[\"B\"]}"), "UnknownEntityType" },
        { ENTITY("{\"shape\":{\"type\":\"Long\"}}"), "NotARecord" },
        { ENTITY("{\"shape\":{\"type\":\"Record\",\"attributes\":{},\"additionalAttributes\":true}}"),
          "UnsupportedFeature" },
        { ENTITY("{\"enum\":[\"a\"]}"), "ok" },
        { ENTITY("{\"enum\":[]}"), "EmptyEnum" },
        { ENTITY("{\"enum\":[\"a\"],\"tags\":{\"type\":\"Long\"}}"), "UnknownField" },
        { ATTR("{\"type\":\"Boolean\",\"required\":false}"), "ok" },
        { ATTR("{\"type\":\"Bool\"}"), "ok" },
        { ATTR("{\"type\":\"__cedar::ipaddr\"}"), "ok" },
        { ATTR("{\"type\":\"A\"}"), "UnknownType" }, /* an entity type needs Entity or EntityOrCommon */
        { ATTR("{\"type\":\"Entity\",\"name\":\"A\"}"), "ok" },
        { ATTR("{\"type\":\"EntityOrCommon\",\"name\":\"A\"}"), "ok" },
        { ATTR("{\"type\":\"EntityOrCommon\",\"name\":\"Boolean\"}"), "UnknownType" },
        { ATTR("{\"type\":\"Extension\",\"name\":\"nope\"}"), "UnknownType" },
        { ATTR("{\"type\":\"Set\"}"), "MissingField" },
        { ATTR("{\"type\":\"Set\",\"element\":{\"type\":\"Long\",\"required\":true}}"), "UnknownField" },
        { ATTR("{\"type\":\"Long\",\"x\":1}"), "UnknownField" },
        { ATTR("\"Long\""), "InvalidForm" },
        { ACTION("{}"), "ok" },
        { ACTION("{\"appliesTo\":null,\"memberOf\":[{\"id\":\"g\"}]}"), "ok" },
        { ACTION("{\"memberOf\":[{\"id\":\"x\"}]}"), "UnknownAction" },
        { ACTION("{\"memberOf\":[{\"id\":\"a\"}]}"), "Cycle" },
        { ACTION(APPLIES("")), "ok" },
        { ACTION(APPLIES(",\"context\":{\"type\":\"Long\"}")), "NotARecord" },
        { ACTION("{\"appliesTo\":{\"principalTypes\":[],\"resourceTypes\":[]}}"), "ok" },
        { ACTION("{\"appliesTo\":{\"principalTypes\":[\"U\"]}}"), "MissingField" },
        { ACTION("{\"attributes\":{}}"), "UnsupportedFeature" },
        { "{\"N\":{\"entityTypes\":{},\"actions\":{},\"commonTypes\":{\"T\":{\"type\":\"T\"}}}}", "CommonTypeCycle" },
        { "{\"N\":", "InvalidJson" },
        { "{\"N\":{\"entityTypes\":{},\"actions\":{}},\"N\":{\"entityTypes\":{},\"actions\":{}}}", "DuplicateKey" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cedar_schema *s;
        struct cedar_error err;
        int rc = cedar_schema_from_json(rows[i].given, strlen(rows[i].given), &s, &err);
        if (strcmp(rc ? err.kind : "ok", rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, rc ? err.kind : "ok", rows[i].want);
        if (!rc)
            cedar_schema_free(s);
    }
}

static void both_syntaxes_there_and_back(void **state)
{
    (void)state;
    static const char text[] =
        "@a(\"x\") namespace N::M { entity A, B in [A] = { x: Long, \"y z\"?: Set<{ q: T }>, @d a: Action }\n"
        "tags String; type T = { at?: __cedar::datetime, who: A }; entity C enum [\"p\", \"q\\\"\"];\n"
        "@b action \"v w\", w in [g, N::M::Action::\"h\"] appliesTo { principal: [A], resource: B, context: T };\n"
        "action g, h; } entity Z; action top;";
    struct cedar_schema *a, *b, *c;
    struct cedar_text json, again, printed, third;
    struct cedar_error err;
    assert_int_equal(cedar_schema_parse(text, sizeof text - 1, &a, NULL), 0);
    assert_int_equal(cedar_schema_to_json(a, &json), 0);
    assert_int_equal(cedar_schema_from_json(json.ptr, json.len, &b, &err), 0);
    assert_int_equal(cedar_schema_to_json(b, &again), 0);
    assert_string_equal(json.ptr, again.ptr);
    assert_int_equal(cedar_schema_to_text(b, &printed), 0);
    if (cedar_schema_parse(printed.ptr, printed.len, &c, &err))
        fail_msg("%s\n%s", err.msg, printed.ptr);
    assert_int_equal(cedar_schema_to_text(c, &third), 0);
    assert_string_equal(printed.ptr, third.ptr);
    cedar_text_free(&json);
    cedar_text_free(&again);
    cedar_text_free(&printed);
    cedar_text_free(&third);
    cedar_schema_free(a);
    cedar_schema_free(b);
    cedar_schema_free(c);
}

static void what_cedar_syntax_cannot_say(void **state)
{
    (void)state;
    static const char *const texts[] = {
        ACTION("{\"appliesTo\":{\"principalTypes\":[\"U\"],\"resourceTypes\":[]}}"),
        "{\"N\":{\"entityTypes\":{\"A\":{\"shape\":{\"type\":\"T\"}}},\"actions\":{},\"commonTypes\":{\"T\":{\"type\":"
        "\"Record\","
        "\"attributes\":{}}}}}",
        "{\"N\":{\"entityTypes\":{\"X\":{\"tags\":{\"type\":\"Entity\",\"name\":\"X\"}}},\"actions\":{},"
        "\"commonTypes\":"
        "{\"X\":{\"type\":\"Long\"}}}}",
    };
    for (size_t i = 0; i < 3; i++) {
        struct cedar_schema *s;
        struct cedar_text t;
        assert_int_equal(cedar_schema_from_json(texts[i], strlen(texts[i]), &s, NULL), 0);
        assert_int_equal(cedar_schema_to_text(s, &t), CEDAR_E_SCHEMA);
        cedar_schema_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(both_syntaxes_there_and_back),
        cmocka_unit_test(what_cedar_syntax_cannot_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
