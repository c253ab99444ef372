/* Bundles: what is refused at load with the old one staying in force, remediation annotations and what they do to a
 * decision, advice in denials, and what a policy text is seen to read. */
#include "fixture.h"

#include "core/limits.h"
#include "enforce/reads.h"

static void refused(struct fixture *f, struct fb_str policies, struct fb_str schema, const char *says)
{
    struct fb_err err = { 0 };
    int rc = fe_engine_set_bundle(f->engine, policies, schema, FB_STR("v2"), 30, MONO_MS, &err);
    if (rc != FB_E_POLICY_LOAD_FAILED)
        fail_msg("expected '%s', got %d %s", says, rc, err.msg);
    if (strstr(err.msg, says) == NULL)
        fail_msg("expected '%s' in '%s'", says, err.msg);
    char version[100];
    assert_int_equal(fe_engine_bundle_info(f->engine, version, sizeof version), 2);
    assert_string_equal(version, EXAMPLE_VERSION);
    ask(f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(f, FE_ALLOW, FC_REASON_NONE);
}

static void bad_bundles_are_refused_and_the_old_one_stays(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    struct fb_str schema = fb_str_of(example_schema);
    struct fb_str good = fb_str_of(example_policies);
    refused(&f, FB_STR("permit(principal, action, resource); // \xff"), schema, "policy bundle is not UTF-8");
    refused(&f, good, FB_STR("\xff"), "policy bundle is not UTF-8");
    refused(&f, FB_STR(""), schema, "policy bundle contains no policy statements");
    refused(&f, FB_STR(" \n\t "), schema, "policy bundle contains no policy statements");
    refused(&f, FB_STR("// nothing but a comment"), schema, "policy bundle contains no policy statements");
    refused(&f, good, FB_STR(""), "policy bundle contains no entity schema; schema is required");
    refused(&f, FB_STR("permit(principal, action, resource)"), schema, "policies at 1:");
    refused(&f, good, FB_STR("namespace Firma { entity }"), "schema at 1:");
    refused(&f, FB_STR("forbid(principal, action, resource) when { resource.host == \"x\" };"), schema,
            "policies do not fit the schema at 1:");
    refused(&f, FB_STR("permit(principal, action == Firma::Action::\"code.reed\", resource);"), schema,
            "policies do not fit the schema at 1:");
    refused(&f, FB_STR("forbid(principal, action, resource) when { context.params == 1 };"), schema,
            "policies do not fit the schema at 1:");
    fixture_done(&f);
}

/* Headers and bodies are of use to a policy only when one asks for them; without knowing, they are. */
static void whether_params_are_read_is_told(void **state)
{
    (void)state;
    struct fixture f;
    fixture_bare(&f, NULL);
    assert_true(fe_engine_reads_params(f.engine));
    give_bundle(&f, example_policies, example_schema);
    assert_false(fe_engine_reads_params(f.engine));
    give_bundle(&f, "permit(principal, action, resource) when { context.params like \"*\" };", example_schema);
    assert_true(fe_engine_reads_params(f.engine));
    fixture_done(&f);
}

static void the_size_of_a_bundle_is_limited(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    char *text = malloc(FC_LIMIT_BUNDLE_BYTES + 1);
    assert_non_null(text);
    memset(text, ' ', FC_LIMIT_BUNDLE_BYTES + 1);
    memcpy(text, example_policies, sizeof example_policies - 1);
    refused(&f, fb_str_n(text, FC_LIMIT_BUNDLE_BYTES + 1), fb_str_of(example_schema), "larger than");
    assert_int_equal(fe_engine_set_bundle(f.engine, fb_str_n(text, FC_LIMIT_BUNDLE_BYTES), fb_str_of(example_schema),
                                          FB_STR("v2"), 30, MONO_MS, NULL), 0);
    free(text);
    fixture_done(&f);
}

#define FORBID "forbid(principal, action, resource);"
#define PERMIT "permit(principal, action, resource);"

static void bad_remediation_annotations_refuse_the_bundle(void **state)
{
    (void)state;
    static const struct {
        const char *policies;
        const char *says;
    } rows[] = {
        { "@step_up(\"x\") " PERMIT, "belong on a forbid" },
        { "@defer(\"5\") " PERMIT, "belong on a forbid" },
        { "@step_up(\"x\") @defer(\"5\") " FORBID, "only one of" },
        { "@modify(\"redact_header:a\") @step_up(\"x\") " FORBID, "only one of" },
        { "@step_up(\"\") " FORBID, "must have a value" },
        { "@step_up(\"  \") " FORBID, "must have a value" },
        { "@defer(\"\") " FORBID, "must have a value" },
        { "@defer(\"0\") " FORBID, "above 0" },
        { "@defer(\"-5\") " FORBID, "above 0" },
        { "@defer(\"5s\") " FORBID, "above 0" },
        { "@defer(\"99999999999999999999\") " FORBID, "above 0" },
        { "@modify(\"drop_body:x\") " FORBID, "redact_header:<name>" },
        { "@modify(\"redact_header:\") " FORBID, "no valid header" },
        { "@modify(\"redact_header:a b\") " FORBID, "no valid header" },
    };
    struct fixture f;
    fixture_init(&f, NULL);
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        char both[512];
        snprintf(both, sizeof both, PERMIT "\n%s", rows[i].policies);
        refused(&f, fb_str_of(both), fb_str_of(example_schema), rows[i].says);
        struct fb_err err;
        assert_true(fe_engine_set_bundle(f.engine, fb_str_of(both), fb_str_of(example_schema), FB_STR("v"), 1, 0, &err) < 0);
        assert_non_null(strstr(err.msg, "policy 'policy1' (line 2)"));
    }
    fixture_done(&f);
}

static void judge(struct fixture *f, const char *policies)
{
    give_bundle(f, policies, example_schema);
    ask(f, "GET", "127.0.0.1:9100", "/allow");
}

static void step_up_and_defer_block_with_their_own_texts(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    judge(&f, PERMIT "@step_up(\"ask a human\") " FORBID);
    assert_verdict(&f, FE_STEP_UP, FC_REASON_STEP_UP_REQUIRED);
    assert_text(f.v.detail, "ask a human");
    assert_text(f.v.deny_reason, "step up required: ask a human; retry_after_ms: 0");
    assert_text(f.v.bundle_version, "");
    assert_text(f.v.token_id, EXAMPLE_TOKEN);
    judge(&f, PERMIT "@defer(\"500\") " FORBID);
    assert_verdict(&f, FE_DEFER, FC_REASON_DEFERRED);
    assert_text(f.v.detail, "retry_after_ms: 500");
    assert_text(f.v.deny_reason, "deferred: retry_after_ms: 500");
    assert_int_equal(f.v.retry_after_ms, 500);
    fixture_done(&f);
}

static void modify_dispatches_without_the_header_if_the_rest_allows(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    judge(&f, PERMIT "@modify(\"redact_header:X-Trace\") " FORBID);
    assert_verdict(&f, FE_MODIFY, FC_REASON_NONE);
    assert_int_equal(f.v.n_redact_headers, 1);
    assert_text(f.v.redact_headers[0], "x-trace");
    assert_text(f.v.deny_reason, "redacted_header:x-trace");
    assert_text(f.v.bundle_version, EXAMPLE_VERSION);
    judge(&f, PERMIT "@modify(\"redact_header:a\") " FORBID "@modify(\"redact_header:b\") " FORBID);
    assert_verdict(&f, FE_MODIFY, FC_REASON_NONE);
    assert_int_equal(f.v.n_redact_headers, 2);
    assert_text(f.v.deny_reason, "redacted_header:a,b");
    /* Nothing permits the call: taking a header away does not make it allowed. */
    judge(&f, "@modify(\"redact_header:a\") " FORBID);
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    /* A tunnel has no header to take away. */
    give_mapping(&f, "[[rules]]\nmethod='CONNECT'\nhost='127.0.0.1:9100'\naction_class='communication.external.send'\n");
    give_bundle(&f, PERMIT "@modify(\"redact_header:a\") " FORBID, example_schema);
    ask(&f, "CONNECT", "127.0.0.1:9100", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    fixture_done(&f);
}

static void the_strongest_remedy_wins_and_a_plain_forbid_beats_all(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    judge(&f, PERMIT "@modify(\"redact_header:a\") " FORBID "@defer(\"5\") " FORBID "@step_up(\"x\") " FORBID);
    assert_verdict(&f, FE_STEP_UP, FC_REASON_STEP_UP_REQUIRED);
    judge(&f, PERMIT "@modify(\"redact_header:a\") " FORBID "@defer(\"5\") " FORBID);
    assert_verdict(&f, FE_DEFER, FC_REASON_DEFERRED);
    judge(&f, PERMIT "@step_up(\"x\") " FORBID FORBID);
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    fixture_done(&f);
}

static void a_policy_may_advise(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    judge(&f, PERMIT "@advice(\"ask ops\") " FORBID);
    assert_text(f.v.detail, "policy denied action 'communication.external.send' on resource '127.0.0.1:9100/allow'; ask ops");
    judge(&f, "@default_advice(\"add a permit\") permit(principal == Firma::Agent::\"x\", action, resource);");
    assert_text(f.v.detail, "policy denied action 'communication.external.send' on resource '127.0.0.1:9100/allow'; "
                            "add a permit");
    fixture_done(&f);
}

static void what_a_text_reads(void **state)
{
    (void)state;
    static const char *const names[] = { "params", "risk_score" };
    static const struct {
        const char *text;
        uint64_t context;
        bool resource;
        bool principal;
    } rows[] = {
        { PERMIT, 0, false, false },
        { "permit(principal == A::\"x\", action, resource in B::\"y\");", 0, false, false },
        { PERMIT "// context.params", 0, false, false },
        { "@a(\"context resource {\") " PERMIT, 0, false, false },
        { "permit(principal,action,resource) when { context.params like \"x\" };", 1, false, false },
        { "permit(principal,action,resource) when { context . risk_score > 1 };", 2, false, false },
        { "permit(principal,action,resource) when { context // c\n.params like \"x\" };", 1, false, false },
        { "permit(principal,action,resource) when { context has params && context.risk_score == 1 };", 3, false, false },
        { "permit(principal,action,resource) when { context.other == \"context\" };", 0, false, false },
        { "permit(principal,action,resource) when { context[\"params\"] == \"\" };", UINT64_MAX, false, false },
        { "permit(principal,action,resource) when { context has \"params\" };", UINT64_MAX, false, false },
        { "permit(principal,action,resource) when { context == {} };", UINT64_MAX, false, false },
        { "permit(principal,action,resource) when { resource.host == \"x\" };", 0, true, false },
        { "permit(principal,action,resource) when { (resource)[\"host\"] == \"x\" };", 0, true, false },
        { "permit(principal,action,resource) unless { principal has id };", 0, false, true },
        { "permit(principal,action,resource) when { \"\\\"} context\" == \"\" };", 0, false, false },
        { "permit(principal,action,resource) when { context", UINT64_MAX, false, false },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct fe_reads r = fe_reads_scan(fb_str_of(rows[i].text), names, 2);
        if (r.context != rows[i].context || r.resource_attrs != rows[i].resource || r.principal_attrs != rows[i].principal)
            fail_msg("%s", rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_bundles_are_refused_and_the_old_one_stays),
        cmocka_unit_test(whether_params_are_read_is_told),
        cmocka_unit_test(the_size_of_a_bundle_is_limited),
        cmocka_unit_test(bad_remediation_annotations_refuse_the_bundle),
        cmocka_unit_test(step_up_and_defer_block_with_their_own_texts),
        cmocka_unit_test(modify_dispatches_without_the_header_if_the_rest_allows),
        cmocka_unit_test(the_strongest_remedy_wins_and_a_plain_forbid_beats_all),
        cmocka_unit_test(a_policy_may_advise),
        cmocka_unit_test(what_a_text_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
