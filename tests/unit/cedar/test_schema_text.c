/* Schemas in Cedar syntax: what is accepted, each rule with its refusal, what callers can ask. */
#include "cedar_case.h"

#define OK "entity U, R; "

static void verdicts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "", "ok" },
        { "entity A; namespace N { entity B in [A]; } entity C;", "ok" },
        { "entity entity = { type: String, \"a b\"?: Long, };", "ok" },
        { "entity A { x: Set<Set<Long>> } tags { y: Bool };", "ok" },
        { "entity A enum [\"x\", \"y\", \"x\"];", "ok" },
        { "entity A enum [];", "UnexpectedToken" },
        { "entity A enum [\"x\"] tags Long;", "UnexpectedToken" },
        { "entity A in [];", "ok" },
        { "entity A in [A];", "ok" },
        { "entity A in [B,];", "UnexpectedToken" },
        { "entity A in B;", "UnknownEntityType" },
        { "entity A; entity A;", "DuplicateEntityType" },
        { "entity Action;", "ReservedName" },
        { "entity in;", "ReservedIdentifier" },
        { "entity A = Long;", "UnexpectedToken" },
        { "type T = {}; entity A = T;", "UnexpectedToken" },
        { "type T = Long; entity A = { x: T, y: __cedar::Long };", "ok" },
        { "type Long2 = Long; type T = Set<Long2>;", "ok" },
        { "type Long = String;", "ReservedName" },
        { "type Entity = String;", "ReservedName" },
        { "type ipaddr = String; entity A { x: ipaddr };", "ok" },
        { "type A = B; type B = A;", "CommonTypeCycle" },
        { "type A = { x: Set<A> };", "CommonTypeCycle" },
        { "type A = Long; type A = Long;", "DuplicateCommonType" },
        { "entity A { x: Boolean };", "UnknownType" },
        { "entity A { x: Lnog };", "UnknownType" },
        { "entity A { x: __cedar::Nope };", "UnknownType" },
        { "entity A { x: Long, x: String };", "ok" },
        { "entity A { if: Long };", "ReservedIdentifier" },
        { "entity A { \"if\": Long };", "ok" },
        { "entity A; namespace N { entity A; }", "TypeShadowing" },
        { "namespace N {} namespace N {}", "DuplicateNamespace" },
        { "namespace N {};", "UnexpectedToken" },
        { "namespace __cedar {}", "ReservedIdentifier" },
        { OK "action a appliesTo { principal: U, resource: [R], context: {} };", "ok" },
        { OK "action a, \"b c\" appliesTo { principal: [U, R], resource: R, };", "ok" },
        { OK "action a appliesTo { principal: U };", "MissingAppliesTo" },
        { OK "action a appliesTo { principal: [], resource: R };", "UnexpectedToken" },
        { OK "action a appliesTo { principal: U, principal: U, resource: R };", "DuplicateKey" },
        { OK "action a appliesTo { };", "UnexpectedToken" },
        { OK "action a appliesTo { principal: X, resource: R };", "UnknownEntityType" },
        { OK "type C = Long; action a appliesTo { principal: U, resource: R, context: C };", "NotARecord" },
        { OK "type C = {}; action a appliesTo { principal: U, resource: R, context: C };", "ok" },
        { "action a in b; action b;", "ok" },
        { "action a in [\"b\", Action::\"c\"]; action b, c;", "ok" },
        { "action a in [];", "UnexpectedToken" },
        { "action a in b;", "UnknownAction" },
        { "action a in b; action b in a;", "Cycle" },
        { "action a in a;", "Cycle" },
        { "action a; action a;", "DuplicateAction" },
        { "action a attributes {};", "ok" },
        { "action a attributes { x: Long };", "UnexpectedToken" },
        { "@doc(\"x\") namespace N { @a entity A { @b x: Long }; @c type T = Long; @d action q; }", "ok" },
        { "@a @a entity A;", "DuplicateAnnotation" },
        { "namespace N { action a; action b in [Action::\"a\"]; }", "ok" },
        { "namespace N { action a; } namespace M { action b in N::Action::\"a\"; }", "ok" },
        { "namespace N { entity A { x: B, y: M::B }; entity B; } namespace M { entity B; }", "ok" },
        { "entity B; namespace N { entity A { x: B }; }", "ok" },
        { "namespace N { entity A; } entity B { x: A };", "UnknownType" },
        { "action a; entity A { x: Action };", "ok" },
        { "entity A { x: Action };", "UnknownType" },
        { "namespace N { action a in b; } action b;", "ok" },
        { "action __cedar; entity A { __cedar: __cedar::Long };", "ok" },
        { "entity __cedar;", "ReservedIdentifier" },
    };
    char out[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(schema_verdict(rows[i].given, out, sizeof out), rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, out, rows[i].want);
    }
}

static void callers_can_ask_for_types(void **state)
{
    (void)state;
    static const char text[] =
        "namespace F { entity Agent; entity Resource { id: String, host?: String };\n"
        "type C = { n: Long, tags: Set<String>, who?: Agent, ip: ipaddr };\n"
        "action \"x.y\" appliesTo { principal: Agent, resource: Resource, context: C }; action g; }";
    struct cedar_schema *s;
    struct cedar_attr a;
    assert_int_equal(cedar_schema_parse(text, sizeof text - 1, &s, NULL), 0);
    struct cedar_str act = cedar_str_c("F::Action"), id = cedar_str_c("x.y");
    assert_int_equal(cedar_schema_action_count(s), 2);
    assert_true(cedar_schema_has_action(s, act, id));
    assert_false(cedar_schema_has_action(s, act, cedar_str_c("no")));
    assert_null(cedar_schema_action_context(s, act, cedar_str_c("no")));
    assert_int_equal(cedar_type_attr_count(cedar_schema_action_context(s, act, cedar_str_c("g"))), 0);
    const struct cedar_type *c = cedar_schema_action_context(s, act, id);
    assert_int_equal(cedar_type_attr_count(c), 4);
    assert_true(cedar_type_attr_find(c, cedar_str_c("tags"), &a));
    assert_int_equal(cedar_type_kind(a.type), CEDAR_TYPE_SET);
    assert_int_equal(cedar_type_kind(cedar_type_element(a.type)), CEDAR_TYPE_STRING);
    assert_true(cedar_type_attr_find(c, cedar_str_c("who"), &a));
    assert_false(a.required);
    assert_true(cedar_str_eq(cedar_type_name(a.type), cedar_str_c("F::Agent")));
    assert_true(cedar_type_attr_find(c, cedar_str_c("ip"), &a));
    assert_true(cedar_str_eq(cedar_type_name(a.type), cedar_str_c("ipaddr")));
    assert_false(cedar_type_attr_find(c, cedar_str_c("nope"), &a));
    const struct cedar_type *r = cedar_schema_entity_attrs(s, cedar_str_c("F::Resource"));
    assert_true(cedar_type_attr_find(r, cedar_str_c("host"), &a) && !a.required);
    assert_true(cedar_type_attr_find(r, cedar_str_c("id"), &a) && a.required);
    assert_null(cedar_schema_entity_attrs(s, cedar_str_c("Resource")));
    assert_int_equal(cedar_schema_entity_count(s), 2);
    assert_true(cedar_schema_action_applies(s, act, id, cedar_str_c("F::Agent"), cedar_str_c("F::Resource")));
    assert_false(cedar_schema_action_applies(s, act, id, cedar_str_c("F::Resource"), cedar_str_c("F::Resource")));
    cedar_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdicts),
        cmocka_unit_test(callers_can_ask_for_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
