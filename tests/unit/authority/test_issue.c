/* Issuance without a server: versions, context from the schema in force, reasons, the context hash. */
#include "authority/issue.h"
#include "base/err.h"
#include "core/action.h"
#include "core/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OPEN "permit(principal, action, resource);"
#define NOW 1779091200000000000LL

static struct tk_secret_key secret;
static struct tk_public_key public_key;

static struct au_policy *policy(const char *text, const char *schema)
{
    struct au_policy *p = NULL;
    struct fb_err err = { 0 };
    struct fb_str s = schema == NULL ? fc_asset_get("schema/firma.cedarschema") : fb_str_of(schema);

    if (au_policy_from_text(fb_str_of(text), s, "test", &p, &err) != 0)
        fail_msg("%s", err.msg);
    return p;
}

/* Judges one action by @text; *@v is the caller's. */
static int judge(const char *text, const char *schema, const char *action, struct au_verdict *v)
{
    struct fb_str actions[] = { fb_str_of(action) };
    const struct rp_issue_request q = { FB_STR("agent_1"), FB_STR("sess_1"), actions, 1, FB_STR("*"), 60 };
    struct au_policy *p = policy(text, schema);
    const struct au_issuer issuer = { &secret, p, 3600 };
    int rc = au_issue(&issuer, &q, NOW, v, NULL);

    au_policy_free(p);
    return rc;
}

static void the_version_covers_policies_and_schema(void **state)
{
    (void)state;
    struct au_policy *p = policy("forbid(principal, action == Firma::Action::\"payment.transfer\", resource);\n\n"
                                 "permit(principal, action, resource);\n",
                                 NULL);
    struct au_policy *q = policy(OPEN, NULL);
    assert_int_equal(strlen(p->version), 64);
    assert_string_not_equal(p->version, q->version);
    au_policy_free(p);
    au_policy_free(q);
}

static void every_registered_class_is_granted_by_the_developer_profile(void **state)
{
    struct fb_str actions[128];
    size_t n = fc_action_count();
    struct fb_str text = fc_asset_get("issuance/developer.cedar");
    struct au_verdict v;

    (void)state;
    assert_non_null(text.p);
    assert_true(n <= FB_COUNT(actions));
    for (size_t i = 0; i < n; i++)
        actions[i] = fb_str_of(fc_action_at(i)->name);
    const struct rp_issue_request q = { FB_STR("agent_1"), FB_STR("sess_1"), actions, n, FB_STR("*"), 60 };
    struct au_policy *p = policy(text.p, NULL);
    const struct au_issuer issuer = { &secret, p, 3600 };
    assert_int_equal(au_issue(&issuer, &q, NOW, &v, NULL), 0);
    if (!v.granted)
        fail_msg("%s", v.message);
    struct tk_claims claims;
    assert_int_equal(tk_token_verify(&public_key, fb_buf_str(&v.token), NOW, 0, &claims, NULL, NULL), 0);
    assert_int_equal(claims.n_actions, n);
    tk_claims_done(&claims);
    au_verdict_done(&v);
    au_policy_free(p);
}

static void the_enforcement_bundle_of_the_developer_profile_is_sound(void **state)
{
    struct fb_str text = fc_asset_get("enforcement/developer.cedar");

    (void)state;
    assert_non_null(text.p);
    struct au_policy *p = policy(text.p, NULL);
    assert_int_equal(cedar_policy_set_count(p->set), 3);
    au_policy_free(p);
}

static void the_message_names_what_decided(void **state)
{
    struct au_verdict v;

    (void)state;
    assert_int_equal(judge(OPEN "forbid(principal, action, resource);", NULL, "code.read", &v), 0);
    assert_string_equal(v.reason, "POLICY_DENIED");
    assert_string_equal(v.message, "action 'code.read': denied by policy1");
    au_verdict_done(&v);
    assert_int_equal(judge("permit(principal == Firma::Agent::\"other\", action, resource);", NULL, "code.read", &v),
                     0);
    assert_string_equal(v.message, "action 'code.read': default, nothing permitted it");
    au_verdict_done(&v);
    assert_int_equal(
        judge("permit(principal, action, resource) when { context.action_count + 9223372036854775807 + 1 > 0 };", NULL,
              "code.read", &v),
        0);
    assert_non_null(strstr(v.message, "evaluation errors: policy0: "));
    assert_false(v.granted);
    assert_int_equal(v.token.n, 0);
    au_verdict_done(&v);
}

static void the_scope_is_an_id_and_no_pattern(void **state)
{
    struct au_verdict v;

    (void)state;
    assert_int_equal(judge("permit(principal, action, resource == Firma::Resource::\"*\");", NULL, "code.read", &v), 0);
    assert_true(v.granted);
    au_verdict_done(&v);
    assert_int_equal(judge("permit(principal, action, resource == Firma::Resource::\"x\");", NULL, "code.read", &v), 0);
    assert_false(v.granted);
    au_verdict_done(&v);
}

#define SCHEMA(attrs)                                                                                          \
    "namespace Firma { entity Agent; entity Resource; action \"a\" appliesTo { principal: [Agent], resource: " \
    "[Resource], context: { " attrs " } }; }"

static void the_context_follows_the_schema_in_force(void **state)
{
    struct au_verdict v;

    (void)state;
    assert_int_equal(judge("permit(principal, action, resource) when { context.deny_count == 0 && "
                           "!context.prior_action_classes.contains(\"x\") && context.last_resource == \"\" && "
                           "context.session_id == \"sess_1\" && context.timestamp_ms == 1779091200000 };",
                           SCHEMA("session_id: String, timestamp_ms: Long, deny_count: Long, prior_action_classes: "
                                  "Set<String>, last_resource: String, git_owner?: String"),
                           "a", &v),
                     0);
    if (!v.granted)
        fail_msg("%s", v.message);
    au_verdict_done(&v);
    assert_int_equal(judge(OPEN, SCHEMA("shoe_size: Long"), "a", &v), 0);
    assert_string_equal(v.reason, "CONTEXT_BUILD_FAILED");
    assert_non_null(strstr(v.message, "shoe_size"));
    au_verdict_done(&v);
    assert_int_equal(judge(OPEN, SCHEMA("action_count: String"), "a", &v), 0);
    assert_string_equal(v.reason, "CONTEXT_BUILD_FAILED");
    au_verdict_done(&v);
}

static void a_policy_that_does_not_parse_names_its_place(void **state)
{
    struct au_policy *p = NULL;
    struct fb_err err = { 0 };

    (void)state;
    assert_int_equal(
        au_policy_from_text(FB_STR("permit(principal,"), fc_asset_get("schema/firma.cedarschema"), "x.cedar", &p, &err),
        FB_E_POLICY_LOAD_FAILED);
    assert_non_null(strstr(err.msg, "x.cedar:1:"));
}

static int make_keys(void **state)
{
    static const uint8_t seed[32] = { 1, 2, 3 };

    (void)state;
    return tk_keyfile_from_seed(seed, &secret, &public_key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_version_covers_policies_and_schema),
        cmocka_unit_test(every_registered_class_is_granted_by_the_developer_profile),
        cmocka_unit_test(the_enforcement_bundle_of_the_developer_profile_is_sound),
        cmocka_unit_test(the_message_names_what_decided),
        cmocka_unit_test(the_scope_is_an_id_and_no_pattern),
        cmocka_unit_test(the_context_follows_the_schema_in_force),
        cmocka_unit_test(a_policy_that_does_not_parse_names_its_place),
    };
    return cmocka_run_group_tests_name("authority/issue", tests, make_keys, NULL);
}
