/* Strict validation: one row a rule, with the error class. */
#include "cedar_case.h"

static const char schema_text[] =
    "entity Group in [Group]; entity User in [Group] { age: Long, nick?: String, addr?: { zip?: String } } tags Long;\n"
    "entity Doc { owner: User, ids: Set<Long>, d: decimal, at: datetime, dur: duration, ip: ipaddr };\n"
    "entity Color enum [\"red\", \"blue\"]; entity Plain;\n"
    "action rw; action view, edit in [rw] appliesTo { principal: [User, Plain], resource: Doc, context: { n?: Long, s: "
    "String } };\n"
    "action other appliesTo { principal: User, resource: User };";

static struct cedar_schema *schema(void)
{
    struct cedar_schema *s;
    struct cedar_error err;
    if (cedar_schema_parse(schema_text, sizeof schema_text - 1, &s, &err))
        fail_msg("%s: %s", err.kind, err.msg);
    return s;
}

/* "ok", "warning Kind" or "Kind" of the first error. */
static const char *verdict(const struct cedar_schema *s, const char *text, char *out, size_t cap)
{
    struct cedar_policy_set *set;
    struct cedar_report *report;
    struct cedar_error err;
    if (cedar_policy_set_parse(text, strlen(text), &set, &err))
        fail_msg("%s: %s", text, err.msg);
    int rc = cedar_validate(set, s, NULL, &report, &err);
    if (rc == 0 && cedar_report_count(report))
        snprintf(out, cap, "warning %s", cedar_report_at(report, 0)->error.kind);
    else
        snprintf(out, cap, "%s", rc ? err.kind : "ok");
    assert_null(cedar_report_at(report, cedar_report_count(report)));
    cedar_report_free(report);
    cedar_policy_set_free(set);
    return out;
}

static void check(const struct row *rows, size_t n, bool whole)
{
    struct cedar_schema *s = schema();
    char out[96], text[1024];
    for (size_t i = 0; i < n; i++) {
        snprintf(text, sizeof text,
                 whole ? "%s" : "permit(principal is User,action == Action::\"view\",resource) when {%s};",
                 rows[i].given);
        if (strcmp(verdict(s, text, out, sizeof out), rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, out, rows[i].want);
    }
    cedar_schema_free(s);
}
#define CHECK(rows, whole) check(rows, sizeof(rows) / sizeof(rows)[0], whole)

static void scopes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "permit(principal,action,resource);", "ok" },
        { "permit(principal == Usr::\"a\",action,resource);", "UnrecognizedEntityType" },
        { "permit(principal is Usr,action,resource);", "UnrecognizedEntityType" },
        { "permit(principal,action == Action::\"nope\",resource);", "UnrecognizedActionId" },
        { "permit(principal is Doc,action,resource);", "InvalidActionApplication" },
        { "permit(principal,action == Action::\"rw\",resource);", "InvalidActionApplication" },
        { "permit(principal,action in Action::\"rw\",resource);", "ok" },
        { "permit(principal in Group::\"g\",action,resource);", "ok" },
        { "permit(principal in Doc::\"g\",action,resource);", "InvalidActionApplication" },
        { "permit(principal is Plain in Group::\"g\",action,resource);", "InvalidActionApplication" },
        { "permit(principal == Color::\"green\",action,resource);", "InvalidEnumEntity" },
        { "permit(principal == ?principal,action,resource in ?resource);", "ok" },
        { "permit(principal,action,resource) when {false};", "warning ImpossiblePolicy" },
        { "permit(principal,action,resource) when {1};", "UnexpectedType" },
        { "permit(principal,action,resource) when {context.s == \"x\"};",
          "UnsafeAttributeAccess" }, /* other has no s */
        { "permit(principal,action in [Action::\"view\",Action::\"edit\"],resource) when {context.s == \"x\"};", "ok" },
    };
    CHECK(rows, true);
}

static void capabilities(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "principal.nick == \"x\"", "UnsafeOptionalAttributeAccess" },
        { "principal has nick && principal.nick == \"x\"", "ok" },
        { "principal has nick || principal.nick == \"x\"", "UnsafeOptionalAttributeAccess" },
        { "!(principal has nick) || principal.nick == \"x\"", "UnsafeOptionalAttributeAccess" },
        { "if principal has nick then principal.nick == \"x\" else false", "ok" },
        { "(principal has nick && true) && principal.nick == \"x\"", "ok" },
        { "(principal has nick || principal has nick) && principal.nick == \"x\"", "ok" },
        { "(principal has nick || false) && principal.nick == \"x\"", "ok" },
        { "principal has addr.zip && principal.addr.zip == \"x\"", "ok" },
        { "principal has addr && principal.addr.zip == \"x\"", "UnsafeOptionalAttributeAccess" },
        { "context has n && context.n > 0", "ok" },
        { "context.n > 0", "UnsafeOptionalAttributeAccess" },
        { "resource.owner has nick && resource.owner.nick == \"x\"", "ok" },
        { "principal has nosuch && principal.nosuch", "warning ImpossiblePolicy" },
        { "context has s && context.s == \"\"", "ok" },
        { "principal.hasTag(\"t\") && principal.getTag(\"t\") == 1", "ok" },
        { "principal.hasTag(\"u\") && principal.getTag(\"t\") == 1", "UnsafeTagAccess" },
        { "principal.getTag(\"t\") == 1", "UnsafeTagAccess" },
        { "principal.hasTag(context.s) && principal.getTag(context.s) == 1", "ok" },
        { "resource.getTag(\"t\") == 1", "NoTagsAllowed" },
        { "resource.hasTag(\"t\") && resource.getTag(\"t\") == 1", "warning ImpossiblePolicy" },
    };
    CHECK(rows, false);
}

static void operators(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "principal.age + 1 < 3", "ok" },
        { "principal.age + \"a\" < 3", "UnexpectedType" },
        { "principal.age == \"a\"", "IncompatibleTypes" },
        { "principal == resource", "warning ImpossiblePolicy" },
        { "1 == 2 || 1 == 1", "ok" },
        { "\"a\" == 1", "warning ImpossiblePolicy" },
        { "false && (1 + \"a\" == 2)", "warning ImpossiblePolicy" },
        { "true || (1 + \"a\" == 2)", "ok" },
        { "principal is User", "ok" },
        { "principal is Nope || true", "UnrecognizedEntityType" },
        { "principal in resource", "warning ImpossiblePolicy" },
        { "principal in Group::\"g\"", "ok" },
        { "principal in [Group::\"g\", Group::\"h\"]", "ok" },
        { "principal in [Group::\"g\", User::\"h\"]", "IncompatibleTypes" },
        { "action in Action::\"rw\"", "ok" },
        { "action in [Action::\"edit\"]", "warning ImpossiblePolicy" },
        { "action in [Action::\"edit\", Action::\"rw\"]", "ok" },
        { "action == Action::\"edit\"", "warning ImpossiblePolicy" },
        { "[] == []", "EmptySetForbidden" },
        { "[1, \"a\"].contains(1)", "IncompatibleTypes" },
        { "[true, false].contains(1 == 1)", "ok" },
        { "resource.ids.contains(1)", "ok" },
        { "resource.ids.contains(\"a\")", "IncompatibleTypes" },
        { "resource.ids.containsAll([1]) && resource.ids.isEmpty()", "ok" },
        { "resource.ids.containsAny(1)", "UnexpectedType" },
        { "resource.d.lessThan(decimal(\"1.0\"))", "ok" },
        { "resource.d.lessThan(decimal(\"1.00000\"))", "FunctionArgumentValidation" },
        { "resource.d.lessThan(decimal(context.s))", "NonLitExtConstructor" },
        { "resource.d.lessThan(1)", "UnexpectedType" },
        { "resource.ip.isInRange(ip(\"10.0.0.0/8\"), ip(\"::/0\"))", "WrongNumberArguments" },
        { "resource.at < datetime(\"2024-01-01\") && resource.dur >= duration(\"1h\")", "ok" },
        { "resource.at < resource.dur", "UnexpectedType" },
        { "resource.at.offset(resource.dur).toTime() < duration(\"1h\")", "ok" },
        { "context.s like \"a*\"", "ok" },
        { "principal.age like \"a*\"", "UnexpectedType" },
        { "if principal.age > 1 then 1 == 1 else \"a\" == context.s", "ok" },
        { "(if principal.age > 1 then 1 else \"a\") == 1", "IncompatibleTypes" },
        { "{a: 1} == {a: principal.age}", "ok" },
        { "{a: 1} == {b: 1}", "IncompatibleTypes" },
        { "{a: 1}.b == 1", "UnsafeAttributeAccess" },
        { "Color::\"red\" == Color::\"red\"", "ok" },
        { "false && Color::\"green\" == Color::\"red\"", "InvalidEnumEntity" },
        { "action.x == 1", "UnsafeAttributeAccess" },
        { "action has x", "warning ImpossiblePolicy" },
        { "-principal.age < 0", "ok" },
        { "!principal.age", "UnexpectedType" },
    };
    CHECK(rows, false);
}

static void the_inapplicable_switch(void **state)
{
    (void)state;
    static const char text[] = "permit(principal is Doc,action,resource);";
    struct cedar_schema *s = schema();
    struct cedar_policy_set *set;
    struct cedar_validate_options opt = { .inapplicable_is_warning = true, .level = -1 };
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, NULL), 0);
    assert_int_equal(cedar_validate(set, s, NULL, NULL, NULL), CEDAR_E_POLICY);
    assert_int_equal(cedar_validate(set, s, &opt, NULL, NULL), 0);
    cedar_policy_set_free(set);
    cedar_schema_free(s);
}

static void errors_point_into_the_text(void **state)
{
    (void)state;
    static const char text[] =
        "permit(principal is User,action == Action::\"view\",resource)\nwhen { principal.agee == 1 };";
    struct cedar_schema *s = schema();
    struct cedar_policy_set *set;
    struct cedar_error err;
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, NULL), 0);
    assert_int_equal(cedar_validate(set, s, NULL, NULL, &err), CEDAR_E_POLICY);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.col, 8);
    assert_string_equal(err.hint, "did you mean `age`?");
    cedar_policy_set_free(set);
    cedar_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scopes),
        cmocka_unit_test(capabilities),
        cmocka_unit_test(operators),
        cmocka_unit_test(the_inapplicable_switch),
        cmocka_unit_test(errors_point_into_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
