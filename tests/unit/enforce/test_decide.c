/* The whole way through fe_decide: the two calls of the specification's worked example with their exact texts, its
 * variations, the gate, and every row of the tables of Stage 1 and Stage 2. */
#include "fixture.h"

static void the_allowed_get_of_the_worked_example(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_text(f.v.action, "communication.external.send");
    assert_text(f.v.resource, "127.0.0.1:9100/allow");
    assert_text(f.v.path_shown, "/allow");
    assert_text(f.v.token_id, EXAMPLE_TOKEN);
    assert_text(f.v.agent_id, "agent_1");
    assert_text(f.v.session_id, "sess_1");
    assert_text(f.v.context_hash, EXAMPLE_HASH);
    assert_text(f.v.bundle_version, EXAMPLE_VERSION);
    assert_text(f.v.deny_reason, "");
    assert_int_equal(f.v.action_count, 1);
    assert_true(f.v.rule_matched && f.v.rule_names_host && !f.v.rule_opaque);
    assert_int_equal(f.v.rule_index, 0);
    assert_int_equal(fe_decision_audit_number(f.v.decision), 1);
    fixture_done(&f);
}

static void the_denied_post_of_the_worked_example(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    ask(&f, "POST", "127.0.0.1:9100", "/deny");
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    assert_text(f.v.detail, "policy denied action 'communication.external.send' on resource '127.0.0.1:9100/deny'");
    assert_text(f.v.deny_reason, "policy denied: policy denied action 'communication.external.send' on resource "
                                 "'127.0.0.1:9100/deny'");
    assert_string_equal(fc_reason_wire(f.v.reason), "PolicyDenied");
    assert_text(f.v.token_id, EXAMPLE_TOKEN);
    assert_text(f.v.context_hash, EXAMPLE_HASH);
    assert_text(f.v.bundle_version, "");
    assert_int_equal(f.v.action_count, 2);
    assert_int_equal(fe_decision_audit_number(f.v.decision), 2);
    fixture_done(&f);
}

static void an_unlisted_path_is_unclassified(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask(&f, "GET", "127.0.0.1:9100", "/other");
    assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    assert_text(f.v.action, "raw.http.GET");
    assert_text(f.v.resource, "127.0.0.1:9100/other");
    assert_text(f.v.deny_reason, "unclassified intent: protected action could not be classified: GET /other (host: "
                                 "127.0.0.1:9100)");
    assert_text(f.v.token_id, "");
    assert_text(f.v.agent_id, "");
    assert_text(f.v.context_hash, "");
    assert_false(f.v.classified);
    fixture_done(&f);
}

static void the_query_does_not_change_the_rule_and_secrets_in_it_are_not_shown(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", "x=1");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_text(f.v.resource, "127.0.0.1:9100/allow?x=1");
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", "token=abc");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_text(f.v.resource, "127.0.0.1:9100/allow?token=<redacted>");
    assert_text(f.v.path_shown, "/allow?token=<redacted>");
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", "");
    decide(&f);
    assert_text(f.v.resource, "127.0.0.1:9100/allow"); /* or "/deny?" would not be the "/deny" of a policy */
    assert_text(f.v.path_shown, "/allow");
    fixture_done(&f);
}

static void scopes_narrow_what_a_token_covers(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_token(&f, "communication.external.send", "127.0.0.1:9100/allow");
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask(&f, "POST", "127.0.0.1:9100", "/deny");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    assert_text(f.v.detail, "no capability token covers action 'communication.external.send' on resource "
                            "'127.0.0.1:9100/deny'");
    assert_text(f.v.token_id, "");
    give_token(&f, "communication.external.send", "127.0.0.1:91");
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    give_claims(&f, NULL);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
}

static void a_token_ends_at_its_second_exactly(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.now_wall_ms = ISSUED_MS + HOUR_MS - 1000;
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.now_wall_ms = ISSUED_MS + HOUR_MS;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    fixture_done(&f);

    struct fe_engine_options skewed = { .clock_skew_s = 10 };
    fixture_init(&f, &skewed);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.now_wall_ms = ISSUED_MS + HOUR_MS + 9999;
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.now_wall_ms = ISSUED_MS + HOUR_MS + 10000;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    fixture_done(&f);
}

static void a_revoked_token_is_refused_from_the_next_call_on(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_true(fe_engine_add_revocation(f.engine, FB_STR(EXAMPLE_TOKEN)));
    assert_false(fe_engine_add_revocation(f.engine, FB_STR(EXAMPLE_TOKEN)));
    assert_true(fe_engine_is_revoked(f.engine, FB_STR(EXAMPLE_TOKEN)));
    assert_int_equal(fe_engine_revocation_count(f.engine), 1);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_REVOKED);
    fixture_done(&f);
}

static void another_tenants_token_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options mine = { .tenant_agent_id = FB_STR("agent_1") };
    fixture_init(&f, &mine);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
    struct fe_engine_options other = { .tenant_agent_id = FB_STR("agent_2") };
    fixture_init(&f, &other);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_TENANT_MISMATCH);
    fixture_done(&f);
}

static void the_gate_comes_before_everything(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options open = { .default_unprotected = true };
    fixture_bare(&f, &open);
    ask(&f, "GET", "unmapped.example", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_BUNDLE_NOT_READY);
    assert_text(f.v.detail, "policy bundle has not been loaded");
    give_bundle(&f, example_policies, example_schema);
    assert_false(fe_engine_is_ready(f.engine));
    ask(&f, "GET", "unmapped.example", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_REVOCATION_CACHE_NOT_READY);
    assert_text(f.v.detail, "revocation cache has not completed initial sync");
    fe_engine_set_revocations_ready(f.engine, true);
    assert_true(fe_engine_is_ready(f.engine));
    ask(&f, "GET", "unmapped.example", "/");
    assert_verdict(&f, FE_PASSTHROUGH, FC_REASON_NONE);
    fe_engine_set_revocations_ready(f.engine, false);
    ask(&f, "GET", "unmapped.example", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_REVOCATION_CACHE_NOT_READY);
    fixture_done(&f);
}

static void unmapped_hosts_pass_only_when_told_so(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options open = { .default_unprotected = true };
    fixture_init(&f, &open);
    ask(&f, "GET", "other.example", "/x");
    assert_verdict(&f, FE_PASSTHROUGH, FC_REASON_NONE);
    assert_text(f.v.detail, "non-protected host: other.example (not enforced)");
    assert_text(f.v.action, "raw.http.GET");
    assert_text(f.v.token_id, "");
    assert_text(f.v.deny_reason, "");
    assert_int_equal(fe_decision_audit_number(f.v.decision), 1);
    fixture_done(&f);
    fixture_init(&f, NULL);
    ask(&f, "CONNECT", "x", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    assert_text(f.v.action, "network.connect");
    assert_text(f.v.resource, "x/");
    fixture_done(&f);
}

static void the_first_worked_example_wttr_and_paste(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nmethod='GET'\nhost='wttr.in'\npath='*'\naction_class='communication.external.send'\n"
                     "[[rules]]\nmethod='POST'\nhost='paste.rs'\npath='*'\naction_class='communication.external.send'\n");
    give_bundle(&f, "permit (principal, action == Firma::Action::\"communication.external.send\", resource)\n"
                    "when { context.risk_score < 80 };\n"
                    "forbid (principal, action, resource == Firma::Resource::\"paste.rs/\");", example_schema);
    static const char *const fitting[] = { "*", "wttr.in", "wttr.in/*", "wttr.in*" };
    for (size_t i = 0; i < FB_COUNT(fitting); i++) {
        give_token(&f, "communication.external.send", fitting[i]);
        prepare(&f, "GET", "wttr.in", "/london", "format=3");
        decide(&f);
        assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
        assert_text(f.v.resource, "wttr.in/london?format=3");
    }
    give_token(&f, "communication.external.send", "*");
    ask(&f, "POST", "paste.rs", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    assert_text(f.v.resource, "paste.rs/");
    give_claims(&f, NULL);
    ask(&f, "POST", "paste.rs", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
}

static void a_bundle_is_stale_when_its_seconds_are_over(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.now_mono_ms = MONO_MS + 29999;
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.now_mono_ms = MONO_MS + 30000;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_BUNDLE_STALE);
    assert_text(f.v.detail, "policy bundle unavailable or stale");
    assert_text(f.v.bundle_version, "");
    assert_true(fe_engine_touch_bundle(f.engine, FB_STR(EXAMPLE_VERSION), MONO_MS + 20000));
    assert_false(fe_engine_touch_bundle(f.engine, FB_STR("another"), MONO_MS + 90000));
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    assert_int_equal(fe_engine_set_bundle(f.engine, fb_str_of(example_policies), fb_str_of(example_schema), FB_STR("v0"),
                                          0, MONO_MS + 30000, NULL), 0);
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_BUNDLE_STALE);
    fixture_done(&f);
}

static void without_a_bundle_protected_calls_fail_closed(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options dev = { .dev_ready = true };
    fixture_bare(&f, &dev);
    give_mapping(&f, example_rules);
    give_token(&f, "communication.external.send", "*");
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    assert_text(f.v.detail, "policy bundle unavailable; failing closed");
    fixture_done(&f);
}

static void a_class_that_the_schema_lacks_fails_closed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nhost='x'\naction_class='code.read'\n");
    give_token(&f, "code.read", "*");
    ask(&f, "GET", "x", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    assert_text(f.v.detail, "policy evaluation failed; failing closed: action 'code.read': the action is not in the schema");
    fixture_done(&f);
}

static void a_required_attribute_nobody_knows_fails_closed(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_bundle(&f, "permit(principal, action, resource);", SCHEMA_WITH("moon_phase: String"));
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    give_bundle(&f, "permit(principal, action, resource);", SCHEMA_WITH("risk_score: String"));
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    give_bundle(&f, "permit(principal, action, resource) unless { context has moon_phase };",
                SCHEMA_WITH("moon_phase?: String"));
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
}

static void a_forbid_that_errs_does_not_let_the_call_through(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_bundle(&f, "permit(principal, action, resource);\n"
                    "forbid(principal, action, resource) when { context.risk_score + 9223372036854775807 + 1 > 0 };",
                example_schema);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    assert_true(fb_str_starts(f.v.detail, FB_STR("policy evaluation failed; failing closed: policy1: ")));
    give_bundle(&f, "permit(principal, action, resource);\n"
                    "permit(principal, action, resource) when { context.risk_score + 9223372036854775807 + 1 > 0 };",
                example_schema);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
}

static void too_many_steps_is_a_timeout(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options hasty = { .timeout_ms = 1 };
    fixture_init(&f, &hasty);
    char *text = malloc(1 << 20);
    assert_non_null(text);
    size_t n = (size_t)snprintf(text, 200, "permit(principal, action, resource);");
    for (int i = 0; i < 5000; i++)
        n += (size_t)snprintf(text + n, 200, "forbid(principal, action, resource) when { context.timestamp_ms == %d || "
                                             "context.timestamp_ms == 1 || context.timestamp_ms == 2 };\n", i);
    give_bundle(&f, text, example_schema);
    free(text);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_ENFORCEMENT_TIMEOUT);
    assert_text(f.v.detail, "stage 2 policy evaluation timed out after 1 ms");
    fixture_done(&f);
}

/* A body that a policy reads counts towards the limit of Stage 2; one that nobody reads does not. */
static void writing_down_a_long_body_counts(void **state)
{
    (void)state;
    struct fixture f;
    struct fe_engine_options opt = { .timeout_ms = 1 }; /* 160000 bytes */
    fixture_init(&f, &opt);
    char *body = calloc(1, 160000);
    assert_non_null(body);
    for (int reads = 0; reads <= 1; reads++) {
        give_bundle(&f, reads ? "permit(principal, action, resource) unless { context.params == \"x\" };"
                              : "permit(principal, action, resource);", example_schema);
        for (size_t n = 150000; n <= 160000; n += 10000) {
            prepare(&f, "POST", "127.0.0.1:9100", "/deny", NULL);
            f.env.has_body = true;
            f.env.body = fb_str_n(body, n);
            decide(&f);
            if (reads == 1 && n == 160000)
                assert_verdict(&f, FE_DENY, FC_REASON_ENFORCEMENT_TIMEOUT);
            else
                assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
        }
    }
    free(body);
    fixture_done(&f);
}

static void a_count_gate_says_that_the_count_is_the_reason(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_bundle(&f, "permit(principal, action, resource) when { context.action_count <= 2 };\n"
                    "forbid(principal, action, resource == Firma::Resource::\"127.0.0.1:9100/deny\");", example_schema);
    for (int i = 0; i < 2; i++) {
        ask(&f, "GET", "127.0.0.1:9100", "/allow");
        assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    }
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_verdict(&f, FE_DENY, FC_REASON_CAPABILITY_SCOPE_MISMATCH);
    assert_text(f.v.detail, "policy denied action 'communication.external.send' on resource '127.0.0.1:9100/allow' because of "
                            "action_count 3: the same call would be allowed at action_count 1");
    /* Denied whatever the count: the policy is the reason. */
    ask(&f, "POST", "127.0.0.1:9100", "/deny");
    assert_verdict(&f, FE_DENY, FC_REASON_POLICY_DENIED);
    fixture_done(&f);
}

static void stage_one_denials_do_not_count_and_stage_two_denials_do(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_token(&f, "communication.external.send", "127.0.0.1:9100/allow");
    ask(&f, "POST", "127.0.0.1:9100", "/deny");
    assert_int_equal(f.v.action_count, 0);
    give_token(&f, "communication.external.send", "*");
    ask(&f, "POST", "127.0.0.1:9100", "/deny");
    assert_int_equal(f.v.action_count, 1);
    ask(&f, "GET", "127.0.0.1:9100", "/allow");
    assert_int_equal(f.v.action_count, 2);
    fixture_done(&f);
}

/* A connection that says nothing gets the only session; one that says a session gets that one or nothing. */
static void a_session_that_is_said_must_have_the_capability(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    for (unsigned i = 1; i <= 2; i++) {
        prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
        f.env.session_hint = i == 1 ? FB_STR("") : FB_STR("sess_1");
        decide(&f);
        assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
        assert_text(f.v.session_id, "sess_1");
        assert_int_equal(f.v.action_count, i);
    }
    f.env.session_hint = FB_STR("some_other_session");
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    assert_text(f.v.session_id, "some_other_session");
    assert_text(f.v.token_id, "");
    fixture_done(&f);
}

static void an_agent_that_is_said_must_be_the_tokens(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f.env.session_hint = FB_STR("sess_1");
    f.env.agent_hint = FB_STR("agent_1");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.agent_hint = FB_STR("agent_2");
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TENANT_MISMATCH);
    f.env.session_hint = FB_STR("");
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_TENANT_MISMATCH);
    fixture_done(&f);
}

static void ask_at(struct fixture *f, int64_t wall_ms, int64_t mono_ms)
{
    prepare(f, "GET", "127.0.0.1:9100", "/allow", NULL);
    f->env.now_wall_ms = wall_ms;
    f->env.now_mono_ms = mono_ms;
    decide(f);
}

static void an_expired_token_stays_dead_when_the_clock_is_set_back(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask_at(&f, ISSUED_MS + 5000, MONO_MS);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS + HOUR_MS, MONO_MS + 10);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    ask_at(&f, ISSUED_MS + 5000, MONO_MS + 20);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    fixture_done(&f);
    /* Nor does one live longer: what passes behind a step back counts. */
    fixture_init(&f, NULL);
    ask_at(&f, ISSUED_MS + HOUR_MS - 1000, MONO_MS);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS + 5000, MONO_MS + 999);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS + 5001, MONO_MS + 1000);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_EXPIRED);
    fixture_done(&f);
}

static void odd_times_are_no_trouble(void **state)
{
    (void)state;
    static const int64_t times[] = { INT64_MIN, -1, 0, 1, INT64_MAX };
    for (size_t i = 0; i < FB_COUNT(times) * FB_COUNT(times); i++) {
        struct fixture f;
        fixture_init(&f, NULL);
        ask_at(&f, times[i / FB_COUNT(times)], times[i % FB_COUNT(times)]);
        assert_int_equal(f.v.decision, FE_DENY);
        fixture_done(&f);
    }
}

static void a_token_from_the_future_is_not_yet_valid(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    ask_at(&f, ISSUED_MS - 60000, MONO_MS); /* the slack, exactly */
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS - 60001, MONO_MS);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    assert_true(fb_str_contains(f.v.detail, FB_STR("not yet valid")));
    ask_at(&f, ISSUED_MS, MONO_MS);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS - 60001, MONO_MS + 1); /* the clock was right and is wrong now: in doubt, no */
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
    struct fe_engine_options opt = { .clock_skew_s = 120 };
    fixture_init(&f, &opt);
    ask_at(&f, ISSUED_MS - 120000, MONO_MS);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    ask_at(&f, ISSUED_MS - 120001, MONO_MS);
    assert_verdict(&f, FE_DENY, FC_REASON_TOKEN_INVALID);
    fixture_done(&f);
}

static void an_unknown_method_and_an_encoded_separator_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nhost='x'\naction_class='communication.external.send'\n"
                     "[[rules]]\nhost='y'\nencoded_separators=true\naction_class='communication.external.send'\n");
    give_token(&f, "communication.external.send", "*");
    ask(&f, "BREW", "x", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    assert_text(f.v.detail, "unrecognized HTTP method: BREW");
    assert_text(f.v.action, "raw.http.BREW");
    prepare(&f, "GET", "x", "/a%2fb", NULL);
    f.env.has_encoded_separator = true;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_MALFORMED_REQUEST);
    f.env.host = FB_STR("y");
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
}

/* Methods are their bytes; only rule files are read without regard to case. */
static void a_method_in_other_case_is_no_method(void **state)
{
    (void)state;
    static const char *const methods[] = { "get", "Get", "gEt", "delete", "connect", "CoNNECT" };
    struct fe_engine_options open = { .default_unprotected = true };
    struct fixture f;
    fixture_init(&f, &open);
    give_mapping(&f, "[[rules]]\nmethod='get'\nhost='x'\naction_class='communication.external.send'\n"
                     "[[rules]]\nhost='y'\naction_class='communication.external.send'\n");
    give_token(&f, "communication.external.send", "*");
    ask(&f, "GET", "x", "/");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    static const char *const hosts[] = { "x", "y", "unmapped" };
    for (size_t i = 0; i < FB_COUNT(methods) * FB_COUNT(hosts); i++) {
        ask(&f, methods[i / FB_COUNT(hosts)], hosts[i % FB_COUNT(hosts)], "/");
        assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    }
    fixture_done(&f);
}

static void connect_and_a_tunnel_are_one_thing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nmethod='connect'\nhost='x'\naction_class='communication.external.send'\n");
    give_token(&f, "communication.external.send", "*");
    ask(&f, "CONNECT", "x", "/");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.is_connect = false;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_MALFORMED_REQUEST);
    ask(&f, "GET", "x", "/");
    assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    f.env.is_connect = true;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_MALFORMED_REQUEST);
    fixture_done(&f);
}

static void secrets_do_not_reach_the_audit_text(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_token(&f, "communication.external.send", "127.0.0.1:9100/allow");
    prepare(&f, "POST", "127.0.0.1:9100", "/deny", "password=hunter2&x=1");
    decide(&f);
    assert_false(fb_str_contains(f.v.deny_reason, FB_STR("hunter2")));
    assert_false(fb_str_contains(f.v.detail, FB_STR("hunter2")));
    assert_true(fb_str_contains(f.v.deny_reason, FB_STR("x=1")));
    prepare(&f, "POST", "127.0.0.1:9100", "/deny", "%2570assword=hunter2");
    decide(&f);
    assert_false(fb_str_contains(f.v.deny_reason, FB_STR("hunter2")));
    assert_false(fb_str_contains(f.v.detail, FB_STR("hunter2")));
    /* Where nothing but the path is named, too. */
    ask(&f, "POST", "127.0.0.1:9100", "/other/token=hunter2");
    assert_verdict(&f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
    assert_false(fb_str_contains(f.v.detail, FB_STR("hunter2")));
    fe_verdict_deny(&f.v, &f.arena, &f.env, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: /?key=%s", "hunter2");
    assert_text(f.v.detail, "MALFORMED_REQUEST: /?key=<redacted>");
    fixture_done(&f);
}

static void limits_are_denials_and_the_limit_itself_passes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    give_mapping(&f, "[[rules]]\nhost='127.0.0.1:9100'\naction_class='communication.external.send'\n");
    char *path = malloc(FE_TARGET_MAX_BYTES + 1);
    assert_non_null(path);
    memset(path, 'a', FE_TARGET_MAX_BYTES + 1);
    path[0] = '/';
    prepare(&f, "GET", "127.0.0.1:9100", "/", NULL);
    f.env.path = fb_str_n(path, FE_TARGET_MAX_BYTES);
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.path.n++;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    free(path);
    struct fe_header headers[FE_HEADERS_MAX + 1];
    for (size_t i = 0; i <= FE_HEADERS_MAX; i++)
        headers[i] = (struct fe_header){ FB_STR("a"), FB_STR("b") };
    prepare(&f, "GET", "127.0.0.1:9100", "/", NULL);
    f.env.headers = headers;
    f.env.n_headers = FE_HEADERS_MAX;
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    f.env.n_headers++;
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
    prepare(&f, "GET", "", "/", NULL);
    decide(&f);
    assert_verdict(&f, FE_DENY, FC_REASON_MALFORMED_REQUEST);
    fixture_done(&f);
}

static void a_full_arena_denies(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    for (size_t cap = 0; cap < 1200; cap += 16) {
        struct fb_arena tiny;
        fb_arena_init(&tiny, cap);
        prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
        fe_decide(f.engine, &f.env, f.scratch, &tiny, &f.v);
        if (f.v.decision != FE_ALLOW)
            assert_verdict(&f, FE_DENY, FC_REASON_FAIL_CLOSED);
        if (cap == 0)
            assert_int_equal(f.v.decision, FE_DENY);
        fb_arena_done(&tiny);
    }
    fixture_done(&f);
}

static void a_denial_can_be_made_without_the_engine(void **state)
{
    (void)state;
    struct fb_arena arena;
    fb_arena_init(&arena, 1 << 16);
    struct fe_verdict v;
    struct fe_envelope env = { .method = FB_STR("CONNECT"), .is_connect = true, .host = FB_STR("h"),
                               .session_hint = FB_STR("s1") };
    fe_verdict_deny(&v, &arena, &env, FC_REASON_FAIL_CLOSED, "AUDIT_%s", "UNAVAILABLE");
    assert_int_equal(v.decision, FE_DENY);
    assert_text(v.detail, "AUDIT_UNAVAILABLE");
    assert_text(v.deny_reason, "fail closed: AUDIT_UNAVAILABLE");
    assert_text(v.action, "network.connect");
    assert_text(v.resource, "h/");
    assert_text(v.session_id, "s1");
    env = (struct fe_envelope){ .method = FB_STR("GET") };
    fe_verdict_deny(&v, &arena, &env, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: missing host");
    assert_text(v.action, "raw.http.GET");
    assert_text(v.resource, "?");
    env.method = FB_STR("");
    fe_verdict_deny(&v, &arena, &env, FC_REASON_MALFORMED_REQUEST, "x");
    assert_text(v.action, "raw.http");
    fe_verdict_deny(&v, &arena, NULL, FC_REASON_MALFORMED_REQUEST, "x");
    assert_text(v.resource, "?");
    fb_arena_done(&arena);
}

static void zero_is_a_denial_and_only_three_decisions_dispatch(void **state)
{
    (void)state;
    struct fe_verdict v;
    memset(&v, 0, sizeof v);
    assert_int_equal(v.decision, FE_DENY);
    assert_int_equal(v.reason, FC_REASON_FAIL_CLOSED);
    for (int d = -1; d < 20; d++) {
        bool sends = d == FE_ALLOW || d == FE_PASSTHROUGH || d == FE_MODIFY;
        assert_int_equal(fe_decision_dispatches((enum fe_decision)d), sends);
    }
    assert_int_equal(fe_decision_audit_number(FE_ABORT), 3);
    assert_int_equal(fe_decision_audit_number(FE_MODIFY), 4);
    assert_int_equal(fe_decision_audit_number(FE_STEP_UP), 5);
    assert_int_equal(fe_decision_audit_number(FE_DEFER), 6);
    assert_int_equal(fe_decision_audit_number((enum fe_decision)99), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_allowed_get_of_the_worked_example),
        cmocka_unit_test(the_denied_post_of_the_worked_example),
        cmocka_unit_test(an_unlisted_path_is_unclassified),
        cmocka_unit_test(the_query_does_not_change_the_rule_and_secrets_in_it_are_not_shown),
        cmocka_unit_test(scopes_narrow_what_a_token_covers),
        cmocka_unit_test(a_token_ends_at_its_second_exactly),
        cmocka_unit_test(a_revoked_token_is_refused_from_the_next_call_on),
        cmocka_unit_test(another_tenants_token_is_refused),
        cmocka_unit_test(the_gate_comes_before_everything),
        cmocka_unit_test(unmapped_hosts_pass_only_when_told_so),
        cmocka_unit_test(the_first_worked_example_wttr_and_paste),
        cmocka_unit_test(a_bundle_is_stale_when_its_seconds_are_over),
        cmocka_unit_test(without_a_bundle_protected_calls_fail_closed),
        cmocka_unit_test(a_class_that_the_schema_lacks_fails_closed),
        cmocka_unit_test(a_required_attribute_nobody_knows_fails_closed),
        cmocka_unit_test(a_forbid_that_errs_does_not_let_the_call_through),
        cmocka_unit_test(too_many_steps_is_a_timeout),
        cmocka_unit_test(writing_down_a_long_body_counts),
        cmocka_unit_test(a_count_gate_says_that_the_count_is_the_reason),
        cmocka_unit_test(stage_one_denials_do_not_count_and_stage_two_denials_do),
        cmocka_unit_test(a_session_that_is_said_must_have_the_capability),
        cmocka_unit_test(an_agent_that_is_said_must_be_the_tokens),
        cmocka_unit_test(an_expired_token_stays_dead_when_the_clock_is_set_back),
        cmocka_unit_test(odd_times_are_no_trouble),
        cmocka_unit_test(a_token_from_the_future_is_not_yet_valid),
        cmocka_unit_test(an_unknown_method_and_an_encoded_separator_are_refused),
        cmocka_unit_test(a_method_in_other_case_is_no_method),
        cmocka_unit_test(connect_and_a_tunnel_are_one_thing),
        cmocka_unit_test(secrets_do_not_reach_the_audit_text),
        cmocka_unit_test(limits_are_denials_and_the_limit_itself_passes),
        cmocka_unit_test(a_full_arena_denies),
        cmocka_unit_test(a_denial_can_be_made_without_the_engine),
        cmocka_unit_test(zero_is_a_denial_and_only_three_decisions_dispatch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
