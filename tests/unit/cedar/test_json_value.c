/* Values and contexts from JSON: escapes, what needs a schema, what is refused; requests against a schema. */
#include "cedar_case.h"

static const char schema_text[] =
    "entity U; entity C enum [\"red\"];\n"
    "action v appliesTo { principal: [U, C], resource: U, context: { n: Long, who?: U, ip?: ipaddr, at?: datetime,\n"
    "  in2?: { x: Long }, l?: Set<decimal>, c?: C } };";

/* "{...}" or "!Kind". */
static void check(const struct cedar_schema *schema, const struct row *rows, size_t n)
{
    char out[1024];
    for (size_t i = 0; i < n; i++) {
        struct cedar_scratch *s = cedar_scratch_new(0);
        const struct cedar_value *v;
        struct cedar_error err;
        out[0] = '\0';
        const struct cedar_value *a = cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c("v"));
        if (cedar_context_from_json(s, schema, a, rows[i].given, strlen(rows[i].given), &v, &err))
            snprintf(out, sizeof out, "!%s", err.kind);
        else
            put_value(v, out, sizeof out);
        if (strcmp(out, rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, out, rows[i].want);
        cedar_scratch_free(s);
    }
}

static void without_a_schema(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "{}", "{}" },
        { "{\"a\":1,\"b\":[2,1,2],\"c\":{\"d\":true}}", "{a:1,b:[1,2],c:{d:true}}" },
        { "{\"a\":{\"__entity\":{\"type\":\"A::B\",\"id\":\"x\"}}}", "{a:A::B::\"x\"}" },
        { "{\"a\":{\"__entity\":{\"type\":\"A\",\"id\":\"x\",\"more\":1}}}", "{a:A::\"x\"}" },
        { "{\"a\":{\"__entity\":{\"type\":\"A\",\"id\":\"x\"},\"b\":1}}", "{a:{b:1,__entity:{id:\"x\",type:\"A\"}}}" },
        { "{\"a\":{\"__entity\":{\"type\":\"A\"}}}", "{a:{__entity:{type:\"A\"}}}" },
        { "{\"a\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}}", "{a:decimal(1.5)}" },
        { "{\"a\":{\"__extn\":{\"fn\":\"decimal\",\"args\":[\"1.5\"]}}}", "{a:decimal(1.5)}" },
        { "{\"a\":{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-01-01\"}},"
          "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1s\"}}]}}}",
          "{a:datetime(1970-01-01T00:00:01.000Z)}" },
        { "{\"a\":{\"__extn\":{\"fn\":\"nope\",\"arg\":\"1.5\"}}}", "!UnknownFunction" },
        { "{\"a\":{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"x\"}}}", "!FailedExtensionFunctionExecution" },
        { "{\"a\":{\"__expr\":\"1\"}}", "!ExprEscape" },
        { "{\"a\":{\"__entity\":{\"type\":\"A ::B\",\"id\":\"x\"}}}", "!InvalidTypeName" },
        { "{\"a\":{\"__entity\":{\"type\":\"__cedar::B\",\"id\":\"x\"}}}", "!InvalidTypeName" },
        { "{\"a\":null}", "!InvalidValue" },
        { "{\"a\":1.0}", "!InvalidValue" },
        { "{\"a\":-0}", "!InvalidValue" },
        { "{\"a\":1e3}", "!InvalidValue" },
        { "{\"a\":9223372036854775808}", "!InvalidValue" },
        { "[]", "!NotARecord" },
        { "{\"__entity\":{\"type\":\"A\",\"id\":\"x\"}}", "!NotARecord" },
    };
    check(NULL, rows, sizeof rows / sizeof rows[0]);
}

static void with_a_schema(void **state)
{
    (void)state;
    struct cedar_schema *schema;
    static const struct row rows[] = {
        { "{\"n\":1}", "{n:1}" },
        { "{}", "!MissingAttribute" },
        { "{\"n\":1,\"x\":2}", "!UnexpectedAttribute" },
        { "{\"n\":\"1\"}", "!TypeMismatch" },
        { "{\"n\":1,\"who\":{\"type\":\"U\",\"id\":\"x\"}}", "{n:1,who:U::\"x\"}" },
        { "{\"n\":1,\"who\":{\"__entity\":{\"type\":\"U\",\"id\":\"x\"}}}", "{n:1,who:U::\"x\"}" },
        { "{\"n\":1,\"who\":\"U::x\"}", "!ExpectedEntity" },
        { "{\"n\":1,\"ip\":\"10.0.0.1\"}", "{n:1,ip:ipaddr(10.0.0.1)}" },
        { "{\"n\":1,\"ip\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}}", "{n:1,ip:ipaddr(10.0.0.1)}" },
        { "{\"n\":1,\"ip\":\"ten\"}", "!FailedExtensionFunctionExecution" },
        { "{\"n\":1,\"at\":\"2024-01-01\"}", "{n:1,at:datetime(2024-01-01T00:00:00.000Z)}" },
        { "{\"n\":1,\"l\":[\"1.0\",\"2.0\"]}", "{l:[decimal(1.0),decimal(2.0)],n:1}" },
        { "{\"n\":1,\"l\":\"1.0\"}", "!TypeMismatch" },
        { "{\"n\":1,\"in2\":{}}", "!MissingAttribute" },
        { "{\"n\":1,\"in2\":{\"x\":1,\"y\":2}}", "!UnexpectedAttribute" },
    };
    assert_int_equal(cedar_schema_parse(schema_text, sizeof schema_text - 1, &schema, NULL), 0);
    check(schema, rows, sizeof rows / sizeof rows[0]);
    cedar_schema_free(schema);
}

static void requests_must_fit_the_schema(void **state)
{
    (void)state;
    struct cedar_schema *schema;
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_error err;
    assert_int_equal(cedar_schema_parse(schema_text, sizeof schema_text - 1, &schema, NULL), 0);
#define ENT(t, i) cedar_value_entity(s, cedar_str_c(t), cedar_str_c(i))
    struct cedar_field one = { cedar_str_c("n"), cedar_value_long(s, 1) };
    struct cedar_field bad = { cedar_str_c("n"), cedar_value_string(s, "1", 1) };
    struct cedar_field two[] = { one, { cedar_str_c("c"), ENT("C", "green") } };
    const struct cedar_value *ok = cedar_value_record(s, &one, 1);
    const struct {
        const char *principal, *id, *action, *resource;
        const struct cedar_value *context;
        const char *want;
    } rows[] = { { "U", "a", "v", "U", ok, "" },
                 { "C", "red", "v", "U", ok, "" },
                 { "C", "green", "v", "U", ok, "InvalidEnumEntity" },
                 { "U", "a", "w", "U", ok, "UndeclaredAction" },
                 { "X", "a", "v", "U", ok, "UndeclaredEntityType" },
                 { "U", "a", "v", "C", ok, "InvalidEntityType" },
                 { "U", "a", "v", "U", NULL, "InvalidContext" },
                 { "U", "a", "v", "U", cedar_value_record(s, &bad, 1), "InvalidContext" },
                 { "U", "a", "v", "U", cedar_value_record(s, two, 2), "InvalidContext" } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cedar_request r = { ENT(rows[i].principal, rows[i].id), ENT("Action", rows[i].action),
                                   ENT(rows[i].resource, "r"), rows[i].context };
        err.kind[0] = '\0';
        int rc = cedar_request_validate(schema, &r, &err);
        assert_string_equal(rc ? err.kind : "", rows[i].want);
        assert_int_equal(rc, rows[i].want[0] ? CEDAR_E_REQUEST : 0);
    }
    cedar_scratch_free(s);
    cedar_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_schema),
        cmocka_unit_test(with_a_schema),
        cmocka_unit_test(requests_must_fit_the_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
