/* The store: JSON form, ancestors, cycles, duplicates, the schema's actions, checks against a schema. */
#include "cedar_case.h"

#include "cedar/entities.h"

#include <stdlib.h>

#define E(type, id, attrs, parents) \
    "{\"uid\":{\"type\":\"" type "\",\"id\":\"" id "\"},\"attrs\":" attrs ",\"parents\":[" parents "]}"
#define U(type, id) "{\"type\":\"" type "\",\"id\":\"" id "\"}"

static void check(const struct cedar_schema *schema, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct cedar_entities *e;
        struct cedar_error err;
        const char *got = "ok";
        if (cedar_entities_from_json(rows[i].given, strlen(rows[i].given), schema, &e, &err))
            got = err.kind;
        else
            cedar_entities_free(e);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\n  gives %s (%s)\n  not   %s", rows[i].given, got, err.msg, rows[i].want);
    }
}

static void forms(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "[]", "ok" },
        { "{}", "NotAnArray" },
        { "[" E("A", "a", "{}", "") "]", "ok" },
        { "[{\"uid\":{\"__entity\":{\"type\":\"A\",\"id\":\"a\"}},\"attrs\":{},\"parents\":[],\"extra\":1}]", "ok" },
        { "[{\"uid\":\"A::a\",\"attrs\":{},\"parents\":[]}]", "ExpectedEntity" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"parents\":[]}]", "MissingField" },
        { "[{\"uid\":{\"type\":\"A\",\"id\":\"a\"},\"attrs\":{}}]", "MissingField" },
        { "[{\"attrs\":{},\"parents\":[]}]", "MissingField" },
        { "[" E("A", "a", "[]", "") "]", "WrongField" },
        { "[" E("A", "a", "{\"x\":null}", "") "]", "InvalidValue" },
        { "[" E("A", "a", "{}", "\"x\"") "]", "ExpectedEntity" },
        { "[" E("A", "a", "{}", "") "," E("A", "a", "{}", "") "]", "ok" }, /* the same twice */
        { "[" E("A", "a", "{}", "") "," E("A", "a", "{\"x\":1}", "") "]", "Duplicate" },
        { "[" E("A", "a", "{}", U("A", "a")) "]", "Cycle" },
        { "[" E("A", "a", "{}", U("A", "b")) "," E("A", "b", "{}", U("A", "a")) "]", "Cycle" },
        { "[" E("Action", "a", "{}", U("A", "b")) "]", "ActionParentIsNotAction" },
        { "[" E("A", "a", "{\"__entity\":1}", "") "]", "ok" },
    };
    check(NULL, rows, sizeof rows / sizeof rows[0]);
}

static void against_a_schema(void **state)
{
    (void)state;
    static const char text[] =
        "entity G in [T]; entity T; entity U in [G] { n: Long, o?: ipaddr }; entity K tags String;\n"
        "entity C enum [\"red\"]; action all; action v in [all];";
    static const struct row rows[] = {
        { "[" E("U", "a", "{\"n\":1,\"o\":\"::1\"}", "") "]", "ok" },
        { "[" E("U", "a", "{\"n\":1}", U("G", "g") "," U("T", "t")) "]", "ok" },
        { "[" E("U", "a", "{\"n\":1}", U("U", "g")) "]", "InvalidAncestorType" },
        { "[" E("U", "a", "{}", "") "]", "MissingAttribute" },
        { "[" E("U", "a", "{\"n\":1,\"x\":2}", "") "]", "UnexpectedAttribute" },
        { "[" E("U", "a", "{\"n\":\"1\"}", "") "]", "TypeMismatch" },
        { "[" E("X", "a", "{}", "") "]", "UnexpectedEntityType" },
        { "[" E("C", "red", "{}", "") "]", "ok" },
        { "[" E("C", "green", "{}", "") "]", "InvalidEnumEntity" },
        { "[{\"uid\":" U("K", "k") ",\"attrs\":{},\"parents\":[],\"tags\":{\"a\":\"b\"}}]", "ok" },
        { "[{\"uid\":" U("K", "k") ",\"attrs\":{},\"parents\":[],\"tags\":{\"a\":1}}]", "TypeMismatch" },
        { "[{\"uid\":" U("T", "k") ",\"attrs\":{},\"parents\":[],\"tags\":{\"a\":1}}]", "UnexpectedTag" },
        { "[" E("Action", "v", "{}", U("Action", "all")) "]", "ok" },
        { "[" E("Action", "v", "{}", "") "]", "ActionDeclarationMismatch" },
        { "[" E("Action", "nope", "{}", "") "]", "UnexpectedEntityType" },
    };
    struct cedar_schema *s;
    assert_int_equal(cedar_schema_parse(text, sizeof text - 1, &s, NULL), 0);
    check(s, rows, sizeof rows / sizeof rows[0]);
    /* the schema's actions are in every store made with it */
    struct cedar_entities *e = cedar_entities_new(s);
    struct cedar_uid v = cedar_uid_make(cedar_str_c("Action"), cedar_str_c("v"));
    struct cedar_uid all = cedar_uid_make(cedar_str_c("Action"), cedar_str_c("all"));
    assert_true(cedar_entities_in_relation(e, &v, &all));
    assert_false(cedar_entities_in_relation(e, &all, &v));
    assert_int_equal(cedar_entities_count(e), 0);
    cedar_entities_free(e);
    cedar_schema_free(s);
}

/* A chain so long that recursion would not survive it. */
static void long_chains_close(void **state)
{
    (void)state;
    enum { N = 2000 };
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_entities *e = cedar_entities_new(NULL);
    char id[16];
    for (int i = 0; i < N; i++) {
        snprintf(id, sizeof id, "%d", i);
        const struct cedar_value *u = cedar_value_entity(s, cedar_str_c("A"), cedar_str_c(id));
        snprintf(id, sizeof id, "%d", i + 1);
        const struct cedar_value *p = cedar_value_entity(s, cedar_str_c("A"), cedar_str_c(id));
        assert_int_equal(cedar_entities_add(e, u, NULL, NULL, &p, 1, NULL), 0);
    }
    assert_int_equal(cedar_entities_finish(e, NULL), 0);
    struct cedar_uid first = cedar_uid_make(cedar_str_c("A"), cedar_str_c("0"));
    snprintf(id, sizeof id, "%d", N);
    struct cedar_uid last = cedar_uid_make(cedar_str_c("A"), cedar_str_c(id));
    assert_true(cedar_entities_in_relation(e, &first, &last));
    assert_false(cedar_entities_in_relation(e, &last, &first));
    cedar_entities_free(e);
    cedar_scratch_free(s);
}

static void a_store_in_a_scratch(void **state)
{
    (void)state;
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_entities *e = cedar_entities_in(s, NULL, 1);
    struct cedar_field f = { cedar_str_c("host"), cedar_value_string(s, "h", 1) };
    const struct cedar_value *u = cedar_value_entity(s, cedar_str_c("R"), cedar_str_c("r"));
    const struct cedar_value *v = cedar_value_entity(s, cedar_str_c("R"), cedar_str_c("q"));
    assert_int_equal(cedar_entities_add(e, u, cedar_value_record(s, &f, 1), NULL, NULL, 0, NULL), 0);
    assert_int_equal(cedar_entities_add(e, v, NULL, NULL, NULL, 0, NULL), CEDAR_E_LIMIT);
    assert_int_equal(cedar_entities_add(e, cedar_value_long(s, 1), NULL, NULL, NULL, 0, NULL), CEDAR_E_ARG);
    assert_int_equal(cedar_entities_finish(e, NULL), 0);
    assert_int_equal(cedar_entities_count(e), 1);
    cedar_entities_free(e); /* nothing to do, and harmless */
    cedar_scratch_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(against_a_schema),
        cmocka_unit_test(long_chains_close),
        cmocka_unit_test(a_store_in_a_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
