/* The JSON policy format: there and back, each refusal, sets with templates and links; canonical text parses back. */
#include "cedar_case.h"

#define HEAD \
    "{\"effect\":\"permit\",\"principal\":{\"op\":\"All\"},\"action\":{\"op\":\"All\"},\"resource\":{\"op\":\"All\"},"
#define BODY(e) HEAD "\"conditions\":[{\"kind\":\"when\",\"body\":" e "}]}"
#define SCOPE(p, a) \
    "{\"effect\":\"forbid\",\"principal\":" p ",\"action\":" a ",\"resource\":{\"op\":\"All\"},\"conditions\":[]}"
#define ALL "{\"op\":\"All\"}"

static struct cedar_policy_set *parse(const char *text)
{
    struct cedar_policy_set *set;
    struct cedar_error err;
    if (cedar_policy_set_parse(text, strlen(text), &set, &err))
        fail_msg("%s: %s %s", text, err.kind, err.msg);
    return set;
}

static void there_and_back(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "@a @b(\"x\\n\") permit(principal is U in G::\"g\",action in [Action::\"v\",Action::\"w\"],resource == "
        "R::\"\\0\\u{202e}\");",
        "forbid(principal == ?principal,action == N::Action::\"v\",resource is T in ?resource) when {true} unless "
        "{false};",
        "permit(principal,action in [],resource) when {principal has a.b.c && !(1 > 2) && -5 == -(3) && --5 == 1};",
        "permit(principal,action,resource) when {context.x like \"a*\\*b\\n*\" || principal[\"a b\"].c has \"x y\"};",
        "permit(principal,action,resource) when {(if true then 1 else 2) + 1 * (2 - 3) - (4 - 5) >= "
        "-9223372036854775808};",
        "permit(principal,action,resource) when {(1 < 2) == (2 <= 3) && (true || false) && (true && (false && true))};",
        "permit(principal,action,resource) when {ip(\"::1\").isInRange(ip(\"::/0\")) && "
        "[1,{a:[],\"if\":2}].containsAny([])};",
        "permit(principal,action,resource) when {!!!!true && !(!(!(!(!true)))) && -(-(-(-(-1)))) == 1 && (-5).x};",
        "permit(principal,action,resource) when {principal.hasTag(\"a\") && principal.getTag(\"b\").isEmpty() && "
        "principal is "
        "U in [U::\"x\"]};",
        "permit(principal,action,resource) when {if (if true then true else false) then 1 in 2 else principal is "
        "A::B};",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct cedar_text json, text, again;
        struct cedar_policy_set *a = parse(texts[i]), *b, *c;
        assert_int_equal(cedar_policy_to_json(a, 0, &json), 0);
        assert_int_equal(cedar_policy_from_json(json.ptr, json.len, &b, NULL), 0);
        assert_int_equal(cedar_policy_to_text(b, 0, &text), 0);
        c = parse(text.ptr);
        assert_int_equal(cedar_policy_to_json(c, 0, &again), 0);
        assert_string_equal(json.ptr, again.ptr);
        cedar_text_free(&json);
        cedar_text_free(&text);
        cedar_text_free(&again);
        cedar_policy_set_free(a);
        cedar_policy_set_free(b);
        cedar_policy_set_free(c);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { BODY("{\"Value\":true}"), "ok" },
        { HEAD "\"conditions\":[],\"annotations\":{\"a\":null,\"b\":\"x\"}}", "ok" },
        { BODY("{\"has\":{\"left\":{\"Var\":\"context\"},\"attr\":[\"a\",\"b c\"]}}"), "ok" },
        { BODY("{\"Value\":{\"a\":[1,{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}]}}"), "ok" },
        { "[]", "InvalidForm" },
        { HEAD "\"conditions\":[],\"extra\":1}", "UnknownField" },
        { "{\"effect\":\"permit\"}", "MissingField" },
        { HEAD "\"conditions\":{}}", "InvalidForm" },
        { HEAD "\"conditions\":[{\"kind\":\"if\",\"body\":{\"Value\":true}}]}", "InvalidCondition" },
        { HEAD "\"conditions\":[],\"annotations\":{\"a b\":null}}", "InvalidAnnotation" },
        { BODY("{\"Value\":true,\"Var\":\"context\"}"), "InvalidForm" },
        { BODY("{\"Nope\":[]}"), "UnknownOperator" },
        { BODY("{\"Slot\":\"?principal\"}"), "SlotsInConditionClause" },
        { BODY("{\"Var\":\"nope\"}"), "ArbitraryVariable" },
        { BODY("{\"Value\":null}"), "InvalidValue" },
        { BODY("{\"Value\":1.5}"), "InvalidValue" },
        { BODY("{\"==\":{\"left\":{\"Value\":1}}}"), "MissingField" },
        { BODY("{\"!\":{\"arg\":{\"Value\":true},\"x\":1}}"), "UnknownField" },
        { BODY("{\"like\":{\"left\":{\"Value\":\"a\"},\"pattern\":[\"wildcard\"]}}"), "InvalidPattern" },
        { BODY("{\"is\":{\"left\":{\"Var\":\"context\"},\"entity_type\":\"A ::B\"}}"), "InvalidTypeName" },
        { BODY("{\"isIpv4\":[]}"), "InvalidForm" },
        { SCOPE("{\"op\":\"==\",\"slot\":\"?principal\"}", ALL), "ok" },
        { SCOPE("{\"op\":\"==\",\"slot\":\"?resource\"}", ALL), "InvalidSlot" },
        { SCOPE("{\"op\":\"<\"}", ALL), "InvalidScopeOperator" },
        { SCOPE("{\"op\":\"==\"}", ALL), "InvalidForm" },
        { SCOPE("{\"op\":\"All\",\"entity\":{}}", ALL), "UnknownField" },
        { SCOPE("{\"op\":\"is\",\"entity_type\":\"U\",\"in\":{\"slot\":\"?principal\"}}", ALL), "ok" },
        { SCOPE(ALL, "{\"op\":\"in\",\"entities\":[]}"), "ok" },
        { SCOPE(ALL, "{\"op\":\"==\",\"entity\":{\"type\":\"U\",\"id\":\"x\"}}"), "InvalidActionType" },
        { SCOPE(ALL, "{\"op\":\"is\",\"entity_type\":\"U\"}"), "InvalidActionScopeOperator" },
        { SCOPE(ALL, "{\"op\":\"in\",\"entities\":[{\"type\":\"Action\"}]}"), "ExpectedEntity" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cedar_policy_set *set;
        struct cedar_error err;
        int rc = cedar_policy_from_json(rows[i].given, strlen(rows[i].given), &set, &err);
        if (strcmp(rc ? err.kind : "ok", rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, rc ? err.kind : "ok", rows[i].want);
        if (!rc)
            cedar_policy_set_free(set);
    }
}

static void whole_sets(void **state)
{
    (void)state;
    struct cedar_policy_set *set =
        parse("permit(principal,action,resource);permit(principal == ?principal,action,resource);");
    struct cedar_policy_set *again;
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_text json, json2;
    struct cedar_error err;
    const struct cedar_value *u = cedar_value_entity(s, cedar_str_c("U"), cedar_str_c("a"));
    assert_int_equal(cedar_policy_set_link(set, cedar_str_c("policy1"), cedar_str_c("link"), u, NULL, NULL), 0);
    assert_int_equal(cedar_policy_set_to_json(set, &json), 0);
    assert_int_equal(cedar_policy_set_from_json(json.ptr, json.len, &again, &err), 0);
    assert_int_equal(cedar_policy_set_count(again), 3);
    assert_int_equal(cedar_policy_set_to_json(again, &json2), 0);
    assert_string_equal(json.ptr, json2.ptr);
    static const struct row rows[] = {
        { "{}", "ok" },
        { "{\"staticPolicies\":{\"a\":" SCOPE("{\"op\":\"==\",\"slot\":\"?principal\"}", ALL) "}}", "WrongPlace" },
        { "{\"templates\":{\"a\":" SCOPE(ALL, ALL) "}}", "WrongPlace" },
        { "{\"staticPolicies\":{\"a\":" SCOPE(ALL, ALL) "},\"templates\":{\"a\":" SCOPE(
              "{\"op\":\"==\",\"slot\":\"?principal\"}", ALL) "}}",
          "DuplicatePolicyId" },
        { "{\"templateLinks\":[{\"templateId\":\"t\",\"newId\":\"n\",\"values\":{}}]}", "NoSuchTemplate" },
        { "{\"templateLinks\":{}}", "InvalidForm" },
        { "{\"nope\":1}", "UnknownField" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cedar_policy_set *x;
        int rc = cedar_policy_set_from_json(rows[i].given, strlen(rows[i].given), &x, &err);
        assert_string_equal(rc ? err.kind : "ok", rows[i].want);
        if (!rc)
            cedar_policy_set_free(x);
    }
    cedar_text_free(&json);
    cedar_text_free(&json2);
    cedar_policy_set_free(set);
    cedar_policy_set_free(again);
    cedar_scratch_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(refusals),
        cmocka_unit_test(whole_sets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
