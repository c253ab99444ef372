/* What a policy is told: each context attribute with its value, both generations of schemas, the resource entity, and the
 * exact `params` text. A value is shown by a permit that asks for exactly it. */
#include "fixture.h"

#define NEWEST_CONTEXT \
    "session_id: String, timestamp_ms: Long, params: String, risk_score: Long, session_duration_s: Long,\n" \
    "action_count: Long, raw_transport: String, deny_count: Long, prior_action_classes: Set<String>,\n" \
    "last_resource: String, transfer_amount: Long, daily_cumulative_amount: Long, transfers_last_10m: Long,\n" \
    "same_payee_count_30m: Long, session_transfer_count: Long, git_provider?: String, git_owner?: String\n"

/* Is the condition true for the call in f->env? */
static void holds(struct fixture *f, const char *schema, const char *condition)
{
    char policy[4096];
    snprintf(policy, sizeof policy, "permit(principal, action, resource) when { %s };", condition);
    give_bundle(f, policy, schema);
    decide(f);
    if (f->v.decision != FE_ALLOW)
        fail_msg("not so: %s (%.*s)", condition, FB_STR_ARG(f->v.detail));
}

static void the_thirteen_attributes_of_the_worked_example(void **state)
{
    (void)state;
    static const char *const conditions[] = {
        "context.session_id == \"sess_1\"",
        "context.timestamp_ms == 1779091205123",
        "context.risk_score == 0",
        "context.budget_remaining == 9223372036854775807",
        "context.session_duration_s == 5",
        "context.raw_transport == \"http\"",
        "context.transfer_amount == 0",
        "context.daily_cumulative_amount == 0",
        "context.transfers_last_10m == 0",
        "context.same_payee_count_30m == 0",
        "context.session_transfer_count == 0",
        "context.params like \"{\\\"Http\\\":{\\\"method\\\":\\\"GET\\\",\\\"headers\\\":*\"",
        "principal == Firma::Agent::\"agent_1\"",
        "action == Firma::Action::\"communication.external.send\"",
        "resource == Firma::Resource::\"127.0.0.1:9100/allow\"",
    };
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    for (size_t i = 0; i < FB_COUNT(conditions); i++)
        holds(&f, example_schema, conditions[i]);
    char count[64];
    snprintf(count, sizeof count, "context.action_count == %zu", FB_COUNT(conditions) + 1);
    holds(&f, example_schema, count);
    fixture_done(&f);
}

/* A policy that takes the context as a whole gets all attributes of the schema and no other. */
static void the_context_is_exactly_the_schemas(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.body = FB_STR("");
    holds(&f, SCHEMA_WITH("risk_score: Long, session_id: String"), "context == {risk_score: 0, session_id: \"sess_1\"}");
    holds(&f, SCHEMA_WITH("params: String"),
          "context == {params: \"{\\\"Http\\\":{\\\"method\\\":\\\"GET\\\",\\\"headers\\\":{},\\\"body\\\":null,"
          "\\\"query\\\":{}}}\"}");
    holds(&f, SCHEMA_WITH(""), "context == {}");
    fixture_done(&f);
}

static void the_newer_generation_of_the_schema(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_bundle(&f, "permit(principal, action, resource) when { context.deny_count == 0 && context.last_resource == \"\" && "
                    "context.prior_action_classes.isEmpty() && !(context has git_owner) && context.action_count == 1 };",
                SCHEMA_WITH(NEWEST_CONTEXT));
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", "a=1");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    give_bundle(&f, "forbid(principal, action, resource);", SCHEMA_WITH(NEWEST_CONTEXT));
    prepare(&f, "POST", "127.0.0.1:9100", "/deny", NULL);
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    holds(&f, SCHEMA_WITH(NEWEST_CONTEXT), "context.deny_count == 1 && context.last_resource == \"127.0.0.1:9100/deny\" && "
                                           "context.prior_action_classes == [\"communication.external.send\"]");
    fixture_done(&f);
}

static void a_budget_ceiling_is_what_remains(void **state)
{
    (void)state;
    static const struct {
        double ceiling;
        const char *condition;
    } rows[] = {
        { 12.9, "context.budget_remaining == 12" },
        { -1, "context.budget_remaining == 0" },
        { 1e300, "context.budget_remaining == 9223372036854775807" },
    };
    struct fixture f;
    fixture_init(&f, NULL);
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct fb_str actions[] = { FB_STR("communication.external.send") };
        struct tk_claims c = claims_of("t", "sess_1", actions, 1, "*");
        c.has_budget_ceiling = true;
        c.budget_ceiling = rows[i].ceiling;
        give_claims(&f, &c);
        prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
        holds(&f, example_schema, rows[i].condition);
    }
    fixture_done(&f);
}

static void the_resource_tells_host_port_path_method_scheme_provider(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nhost='*'\naction_class='communication.external.send'\n");
    give_token(&f, "communication.external.send", "*");
    struct fb_str shipped = fc_asset_get("schema/firma.cedarschema");
    prepare(&f, "GET", "api.github.com", "/user", "x=1");
    f.env.is_https = true;
    holds(&f, shipped.p, "resource has host && resource.host == \"api.github.com\" && resource has port && resource.port == 443 "
                         "&& resource has path && resource.path == \"/user\" && resource has method && "
                         "resource.method == \"GET\" && resource has scheme && resource.scheme == \"https\" && "
                         "resource has provider && resource.provider == \"github\" && "
                         "resource == Firma::Resource::\"api.github.com/user?x=1\"");
    prepare(&f, "GET", "[::1]:8080", "/", NULL);
    holds(&f, shipped.p, "resource has host && resource.host == \"::1\" && resource has port && resource.port == 8080 && "
                         "resource has scheme && resource.scheme == \"http\" && !(resource has provider)");
    /* Also when the schema says nothing of attributes, and `id` for policies of the later kind. */
    prepare(&f, "GET", "169.254.169.254", "/latest", NULL);
    holds(&f, example_schema, "resource has id && resource.id like \"169.254.169.254*\" && resource has host && resource.host == \"169.254.169.254\"");
    holds(&f, example_schema, "principal has id && principal.id == \"agent_1\"");
    fixture_done(&f);
}

static void ids_are_values_and_not_text(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nhost='*'\naction_class='communication.external.send'\n");
    give_token(&f, "communication.external.send", "*");
    prepare(&f, "GET", "x", "/a\"b\\u{41}", NULL);
    holds(&f, example_schema, "resource == Firma::Resource::\"x/a\\\"b\\\\u{41}\"");
    fixture_done(&f);
}

static void params_of_the_worked_example(void **state)
{
    (void)state;
    static const struct fe_header headers[] = {
        { { "Host", 4 }, { "127.0.0.1:9100", 14 } },       { { "User-Agent", 10 }, { "curl/7.88.1", 11 } },
        { { "Accept", 6 }, { "*/*", 3 } },                 { { "Proxy-Connection", 16 }, { "Keep-Alive", 10 } },
        { { "Authorization", 13 }, { "Bearer s3cret", 13 } }, { { "X-Api-Key", 9 }, { "s3cret", 6 } },
        { { "Cookie", 6 }, { "s3cret", 6 } },              { { "x-firma-session-id", 18 }, { "sess_1", 6 } },
        { { "Proxy-Authorization", 19 }, { "s3cret", 6 } }, { { "Set-Cookie", 10 }, { "s3cret", 6 } },
    };
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.headers = headers;
    f.env.n_headers = FB_COUNT(headers);
    holds(&f, example_schema,
          "context.params == \"{\\\"Http\\\":{\\\"method\\\":\\\"GET\\\",\\\"headers\\\":{\\\"accept\\\":\\\"*/*\\\","
          "\\\"host\\\":\\\"127.0.0.1:9100\\\",\\\"proxy-connection\\\":\\\"Keep-Alive\\\","
          "\\\"user-agent\\\":\\\"curl/7.88.1\\\"},\\\"body\\\":null,\\\"query\\\":{}}}\"");
    prepare(&f, "POST", "127.0.0.1:9100", "/deny", NULL);
    f.env.has_body = true;
    f.env.body = FB_STR("leak");
    holds(&f, example_schema,
          "context.params == \"{\\\"Http\\\":{\\\"method\\\":\\\"POST\\\",\\\"headers\\\":{},"
          "\\\"body\\\":[108,101,97,107],\\\"query\\\":{}}}\"");
    fixture_done(&f);
}

static void repeated_headers_are_joined_and_bad_bytes_replaced(void **state)
{
    (void)state;
    static const struct fe_header headers[] = {
        { { "B", 1 }, { "2", 1 } }, { { "a", 1 }, { "1", 1 } }, { { "b", 1 }, { "3", 1 } }, { { "c", 1 }, { "x\xff\"", 3 } },
    };
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.headers = headers;
    f.env.n_headers = FB_COUNT(headers);
    holds(&f, example_schema, "context.params like \"*\\\"headers\\\":{\\\"a\\\":\\\"1\\\",\\\"b\\\":\\\"2, 3\\\","
                              "\\\"c\\\":\\\"x\\u{fffd}\\\\\\\"\\\"}*\"");
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_thirteen_attributes_of_the_worked_example),
        cmocka_unit_test(the_context_is_exactly_the_schemas),
        cmocka_unit_test(the_newer_generation_of_the_schema),
        cmocka_unit_test(a_budget_ceiling_is_what_remains),
        cmocka_unit_test(the_resource_tells_host_port_path_method_scheme_provider),
        cmocka_unit_test(ids_are_values_and_not_text),
        cmocka_unit_test(params_of_the_worked_example),
        cmocka_unit_test(repeated_headers_are_joined_and_bad_bytes_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
