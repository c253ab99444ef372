/* The context of an issuance question: whatever generation of schema is in force gets exactly what it requires. */
#include "authority/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THIRTEEN                                                                                         \
    "session_id: String, timestamp_ms: Long, params: String, risk_score: Long, budget_remaining: Long, " \
    "session_duration_s: Long, action_count: Long, raw_transport: String, transfer_amount: Long, "       \
    "daily_cumulative_amount: Long, transfers_last_10m: Long, same_payee_count_30m: Long, "              \
    "session_transfer_count: Long"
#define SIXTEEN THIRTEEN ", deny_count: Long, prior_action_classes: Set<String>, last_resource: String"

static const struct au_context_input input = { { "sess_1", 6 }, 1779091200123 };

struct question {
    struct cedar_schema *schema;
    struct cedar_scratch *scratch;
    const struct cedar_value *context;
    struct fb_err err;
    int rc;
};

/* Builds the context for one action whose context type is { @attrs }. */
static struct question ask(const char *attrs)
{
    struct question q = { .scratch = cedar_scratch_new(0) };
    struct cedar_error ce = { 0 };
    char text[8192];

    snprintf(text, sizeof(text),
             "namespace Firma { entity Agent; entity Resource; action \"a\" appliesTo { principal: [Agent], resource: "
             "[Resource], context: { %s } }; }",
             attrs);
    if (cedar_schema_parse(text, strlen(text), &q.schema, &ce) != 0)
        fail_msg("%s", ce.msg);
    const struct cedar_type *type =
        cedar_schema_action_context(q.schema, cedar_str_c("Firma::Action"), cedar_str_c("a"));
    assert_non_null(type);
    q.rc = au_context_build(q.scratch, type, &input, &q.context, &q.err);
    return q;
}

static void drop(struct question *q)
{
    cedar_scratch_free(q->scratch);
    cedar_schema_free(q->schema);
}

/* Does the schema accept the context, and does @condition hold in it? */
static bool holds(struct question *q, const char *condition)
{
    struct cedar_policy_set *set = NULL;
    struct cedar_error ce = { 0 };
    struct cedar_answer answer = { 0 };
    char text[4096];
    struct cedar_request r = {
        .principal = cedar_value_entity(q->scratch, cedar_str_c("Firma::Agent"), cedar_str_c("x")),
        .action = cedar_value_entity(q->scratch, cedar_str_c("Firma::Action"), cedar_str_c("a")),
        .resource = cedar_value_entity(q->scratch, cedar_str_c("Firma::Resource"), cedar_str_c("*")),
        .context = q->context,
    };

    snprintf(text, sizeof(text), "permit(principal, action, resource) when { %s };", condition);
    if (cedar_request_validate(q->schema, &r, &ce) != 0 || cedar_policy_set_parse(text, strlen(text), &set, &ce) != 0)
        fail_msg("%s", ce.msg);
    assert_int_equal(cedar_authorize(set, &r, NULL, q->scratch, &answer), 0);
    bool allowed = answer.decision == CEDAR_ALLOW;
    cedar_policy_set_free(set);
    return allowed;
}

static const char neutral[] =
    "context.session_id == \"sess_1\" && context.timestamp_ms == 1779091200123 && context.params == \"{}\" && "
    "context.risk_score == 0 && context.budget_remaining == 9223372036854775807 && context.session_duration_s == 0 && "
    "context.action_count == 0 && context.raw_transport == \"https\" && context.transfer_amount == 0 && "
    "context.daily_cumulative_amount == 0 && context.transfers_last_10m == 0 && context.same_payee_count_30m == 0 && "
    "context.session_transfer_count == 0";

static void the_thirteen_have_the_values_of_a_session_that_did_nothing(void **state)
{
    (void)state;
    struct question q = ask(THIRTEEN);
    assert_int_equal(q.rc, 0);
    assert_true(holds(&q, neutral));
    assert_false(holds(&q, "context has deny_count || context has last_resource"));
    drop(&q);
}

static void the_sixteen_add_what_was_done_before(void **state)
{
    (void)state;
    struct question q = ask(SIXTEEN);
    assert_int_equal(q.rc, 0);
    assert_true(holds(&q, neutral));
    assert_true(holds(&q, "context.deny_count == 0 && context.prior_action_classes == [] && context.last_resource == "
                          "\"\""));
    drop(&q);
}

static void a_schema_without_the_budget_gets_no_budget(void **state)
{
    (void)state;
    struct question q = ask("session_id: String, risk_score: Long");
    assert_int_equal(q.rc, 0);
    assert_true(holds(&q, "!(context has budget_remaining) && context.risk_score == 0"));
    drop(&q);
    q = ask("");
    assert_int_equal(q.rc, 0);
    assert_true(holds(&q, "true"));
    drop(&q);
}

static void what_is_optional_is_left_out_even_when_it_is_known_or_strange(void **state)
{
    (void)state;
    struct question q = ask("session_id: String, git_owner?: String, risk_score?: Long, shoe_size?: Long");
    assert_int_equal(q.rc, 0);
    assert_true(holds(&q, "!(context has git_owner) && !(context has risk_score) && !(context has shoe_size)"));
    drop(&q);
}

static void an_unknown_requirement_is_refused_by_name(void **state)
{
    (void)state;
    struct question q = ask(THIRTEEN ", shoe_size: Long");
    assert_int_equal(q.rc, FB_E_POLICY_LOAD_FAILED);
    assert_non_null(strstr(q.err.msg, "'shoe_size'"));
    drop(&q);
}

static void a_known_name_of_another_type_is_refused_by_name(void **state)
{
    static const char *const attrs[] = { "session_id: Long",   "timestamp_ms: String",         "params: Set<String>",
                                         "risk_score: Bool",   "prior_action_classes: String", "raw_transport: Long",
                                         "deny_count: String", "last_resource: { x: Long }" };

    (void)state;
    for (size_t i = 0; i < FB_COUNT(attrs); i++) {
        struct question q = ask(attrs[i]);
        assert_int_equal(q.rc, FB_E_POLICY_LOAD_FAILED);
        assert_non_null(strstr(q.err.msg, "another type"));
        drop(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thirteen_have_the_values_of_a_session_that_did_nothing),
        cmocka_unit_test(the_sixteen_add_what_was_done_before),
        cmocka_unit_test(a_schema_without_the_budget_gets_no_budget),
        cmocka_unit_test(what_is_optional_is_left_out_even_when_it_is_known_or_strange),
        cmocka_unit_test(an_unknown_requirement_is_refused_by_name),
        cmocka_unit_test(a_known_name_of_another_type_is_refused_by_name),
    };
    return cmocka_run_group_tests_name("authority/context", tests, NULL, NULL);
}
