/* Decisions: forbid overrides, errors count as absent, answers name policies, the index changes nothing. */
#include "cedar_case.h"

#include "cedar/eval.h"
#include "cedar/policyset.h"

#include <stdlib.h>

static struct cedar_policy_set *policies(const char *text)
{
    struct cedar_policy_set *set;
    struct cedar_error err;
    if (cedar_policy_set_parse(text, strlen(text), &set, &err))
        fail_msg("%s: %s", err.kind, err.msg);
    return set;
}

static struct cedar_request request(struct cedar_scratch *s)
{
    return (struct cedar_request){ cedar_value_entity(s, cedar_str_c("U"), cedar_str_c("a")),
                                   cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c("v")),
                                   cedar_value_entity(s, cedar_str_c("R"), cedar_str_c("r")), NULL };
}

/* "allow 0 2 !1": decision, reasons, errors. */
static void decide(const char *text, const char *want)
{
    struct cedar_policy_set *set = policies(text);
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_request req = request(s);
    struct cedar_answer a;
    char out[512];
    assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), 0);
    int n = snprintf(out, sizeof out, "%s", a.decision == CEDAR_ALLOW ? "allow" : "deny");
    for (size_t i = 0; i < a.n_reasons; i++)
        n += snprintf(out + n, sizeof out - (size_t)n, " %zu", a.reasons[i]);
    for (size_t i = 0; i < a.n_errors; i++)
        n += snprintf(out + n, sizeof out - (size_t)n, " !%zu", a.errors[i].policy);
    if (strcmp(out, want) != 0)
        fail_msg("%s\n  gives %s\n  not   %s", text, out, want);
    cedar_scratch_free(s);
    cedar_policy_set_free(set);
}

#define ALL "(principal,action,resource)"

static void forbid_overrides_and_errors_are_absent(void **state)
{
    (void)state;
    decide("", "deny");
    decide("permit" ALL ";", "allow 0");
    decide("permit" ALL ";forbid" ALL ";permit" ALL ";", "deny 1");
    decide("permit" ALL ";permit" ALL ";", "allow 0 1");
    decide("permit" ALL " when {false};", "deny");
    decide("permit" ALL " unless {false};", "allow 0");
    decide("permit" ALL " when {1};", "deny !0");
    decide("permit" ALL ";forbid" ALL " when {1 + true == 1};", "allow 0 !1");
    decide("permit" ALL " when {false} when {1};", "deny");
    decide("permit" ALL " when {true} unless {1};", "deny !0");
    decide("permit(principal == U::\"b\",action,resource) when {1};", "deny"); /* the scope is false: no error */
    decide("permit(principal == ?principal,action,resource);", "deny");
}

static void scopes_select(void **state)
{
    (void)state;
    decide("permit(principal == U::\"a\",action == Action::\"v\",resource == R::\"r\");", "allow 0");
    decide("permit(principal is U,action in Action::\"v\",resource is R in R::\"r\");", "allow 0");
    decide("permit(principal in U::\"a\",action in [Action::\"x\",Action::\"v\"],resource in R::\"r\");", "allow 0");
    decide("permit(principal,action in [Action::\"v\",Action::\"v\"],resource);", "allow 0");
    decide("permit(principal,action in [],resource);", "deny");
    decide("permit(principal is V,action,resource);", "deny");
    decide("permit(principal,action,resource is U in R::\"r\");", "deny");
    decide("permit(principal,action == Action::\"w\",resource);forbid(principal,action,resource == R::\"q\");", "deny");
}

/* Groups on both sides, so that every class of the index is used; the answer must be that of trying all policies. */
static void the_index_finds_what_a_scan_finds(void **state)
{
    (void)state;
    static const char json[] =
        "[{\"uid\":{\"type\":\"U\",\"id\":\"a\"},\"attrs\":{},\"parents\":[{\"type\":\"G\",\"id\":\"g1\"},"
        "{\"type\":\"G\",\"id\":\"g2\"}]},{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{},"
        "\"parents\":[{\"type\":\"F\",\"id\":\"f1\"}]},{\"uid\":{\"type\":\"Action\",\"id\":\"v\"},"
        "\"attrs\":{},\"parents\":[{\"type\":\"Action\",\"id\":\"all\"}]}]";
    static const char *const p[] = { "principal",
                                     "principal == U::\"a\"",
                                     "principal == U::\"b\"",
                                     "principal in G::\"g1\"",
                                     "principal in G::\"g9\"",
                                     "principal is U",
                                     "principal is V",
                                     "principal is U in G::\"g2\"",
                                     "principal is V in G::\"g2\"" };
    static const char *const a[] = { "action", "action == Action::\"v\"", "action in Action::\"all\"",
                                     "action in [Action::\"w\",Action::\"all\",Action::\"v\"]",
                                     "action == Action::\"w\"" };
    static const char *const r[] = {
        "resource",      "resource == R::\"r\"",       "resource in F::\"f1\"",     "resource in F::\"f2\"",
        "resource is R", "resource is R in F::\"f1\"", "resource is Q in F::\"f1\""
    };
    static const bool p_ok[] = { 1, 1, 0, 1, 0, 1, 0, 1, 0 }, a_ok[] = { 1, 1, 1, 1, 0 },
                      r_ok[] = { 1, 1, 1, 0, 1, 1, 0 };
    char *text = malloc(1 << 20), *at = text;
    size_t want = 0;
    for (int i = 0; i < 9; i++) {
        for (int k = 0; k < 5; k++) {
            for (int m = 0; m < 7; m++) {
                at += sprintf(at, "permit(%s,%s,%s);\n", p[i], a[k], r[m]);
                want += p_ok[i] && a_ok[k] && r_ok[m];
            }
        }
    }
    struct cedar_policy_set *set = policies(text);
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_entities *ents;
    struct cedar_answer ans;
    assert_int_equal(cedar_entities_from_json(json, sizeof json - 1, NULL, &ents, NULL), 0);
    struct cedar_request req = request(s);
    assert_int_equal(cedar_authorize(set, &req, ents, s, &ans), 0);
    assert_int_equal(ans.n_reasons, want);
    for (size_t i = 0; i < ans.n_reasons; i++) {
        size_t x = ans.reasons[i];
        assert_true(p_ok[x / 35] && a_ok[x / 7 % 5] && r_ok[x % 7]);
        assert_true(i == 0 || ans.reasons[i - 1] < x);
    }
    cedar_entities_free(ents);
    cedar_scratch_free(s);
    cedar_policy_set_free(set);
    free(text);
}

static void a_request_needs_no_heap_after_the_first(void **state)
{
    (void)state;
    struct cedar_policy_set *set = policies("permit" ALL " when {[1,2].contains(context.n) && principal has x};");
    struct cedar_scratch *s = cedar_scratch_new(0);
    size_t held = 0;
    for (int i = 0; i < 100; i++) {
        struct cedar_answer a;
        cedar_scratch_reset(s);
        struct cedar_request req = request(s);
        struct cedar_field f = { cedar_str_c("n"), cedar_value_long(s, 2) };
        req.context = cedar_value_record(s, &f, 1);
        assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), 0);
        assert_true(i < 1 || cedar_scratch_held(s) == held);
        held = cedar_scratch_held(s);
    }
    cedar_scratch_free(s);
    cedar_policy_set_free(set);
}

static void doubts_are_denials(void **state)
{
    (void)state;
    struct cedar_policy_set *set = policies("permit" ALL " when {1+1+1 == 3 || true};");
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_answer a = { .decision = CEDAR_ALLOW, .n_reasons = 7 };
    struct cedar_request req = request(s);
    req.principal = cedar_value_long(s, 1);
    assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), CEDAR_E_ARG);
    assert_int_equal(a.decision, CEDAR_DENY);
    assert_int_equal(a.n_reasons, 0);
    req = request(s);
    req.context = cedar_value_long(s, 1);
    a.decision = CEDAR_ALLOW;
    assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), CEDAR_E_ARG);
    assert_int_equal(a.decision, CEDAR_DENY);
    cedar_policy_set_free(set);
    set = policies("permit" ALL " when {context has a && context has b && context has c || true};");
    req = request(s);
    cedar_scratch_set_steps(s, 3);
    a.decision = CEDAR_ALLOW;
    assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), CEDAR_E_LIMIT);
    assert_int_equal(a.decision, CEDAR_DENY);
    cedar_scratch_free(s);
    cedar_policy_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forbid_overrides_and_errors_are_absent),
        cmocka_unit_test(scopes_select),
        cmocka_unit_test(the_index_finds_what_a_scan_finds),
        cmocka_unit_test(a_request_needs_no_heap_after_the_first),
        cmocka_unit_test(doubts_are_denials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
