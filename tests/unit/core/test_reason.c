/* Denial reasons: exact wire names and display texts; an unknown value reads as "fail closed". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "core/reason.h"

static void texts_are_those_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        enum fc_reason r;
        const char *wire;
        const char *display;
    } rows[] = {
        { FC_REASON_TOKEN_INVALID, "TokenInvalid", "token invalid" },
        { FC_REASON_TOKEN_EXPIRED, "TokenExpired", "token expired" },
        { FC_REASON_TOKEN_REVOKED, "TokenRevoked", "token revoked" },
        { FC_REASON_POLICY_DENIED, "PolicyDenied", "policy denied" },
        { FC_REASON_SCOPE_VIOLATION, "ScopeViolation", "scope violation" },
        { FC_REASON_TOOL_NOT_IN_SCOPE, "ToolNotInScope", "tool not in scope" },
        { FC_REASON_MALFORMED_REQUEST, "MalformedRequest", "malformed request" },
        { FC_REASON_AUTHORITY_UNAVAILABLE, "AuthorityUnavailable", "authority unavailable" },
        { FC_REASON_POLICY_BUNDLE_STALE, "PolicyBundleStale", "policy bundle stale" },
        { FC_REASON_POLICY_BUNDLE_NOT_READY, "PolicyBundleNotReady", "policy bundle not ready" },
        { FC_REASON_REVOCATION_CACHE_NOT_READY, "RevocationCacheNotReady", "revocation cache not ready" },
        { FC_REASON_FAIL_CLOSED, "FailClosed", "fail closed" },
        { FC_REASON_ENFORCEMENT_TIMEOUT, "EnforcementTimeout", "enforcement timeout" },
        { FC_REASON_CREDENTIAL_INJECTION_FAILED, "CredentialInjectionFailed", "credential injection failed" },
        { FC_REASON_CONNECTOR_TIMEOUT, "ConnectorTimeout", "connector timeout" },
        { FC_REASON_CONNECTOR_NETWORK_ERROR, "ConnectorNetworkError", "connector network error" },
        { FC_REASON_CONNECTOR_INVALID_REQUEST, "ConnectorInvalidRequest", "connector invalid request" },
        { FC_REASON_UNCLASSIFIED_INTENT, "UnclassifiedIntent", "unclassified intent" },
        { FC_REASON_TENANT_MISMATCH, "TenantMismatch", "tenant mismatch" },
        { FC_REASON_LOOPBACK_BLOCKED, "LoopbackBlocked", "loopback blocked" },
        { FC_REASON_STEP_UP_REQUIRED, "StepUpRequired", "step up required" },
        { FC_REASON_DEFERRED, "Deferred", "deferred" },
        { FC_REASON_CAPABILITY_SCOPE_MISMATCH, "CapabilityScopeMismatch", "capability scope mismatch" },
    };
    assert_int_equal(FB_COUNT(rows), FC_REASON_COUNT);
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        assert_string_equal(fc_reason_wire(rows[i].r), rows[i].wire);
        assert_string_equal(fc_reason_display(rows[i].r), rows[i].display);
        assert_true(fc_reason_raised_by(rows[i].r)[0] != '\0');
        enum fc_reason back = FC_REASON_NONE;
        assert_true(fc_reason_find(fb_str_of(rows[i].wire), &back));
        assert_int_equal(back, rows[i].r);
    }
}

static void zero_and_unknown_values_read_as_a_refusal(void **state)
{
    (void)state;
    enum fc_reason zero = (enum fc_reason)0;
    assert_string_equal(fc_reason_wire(zero), "FailClosed");
    assert_string_equal(fc_reason_wire((enum fc_reason)4711), "FailClosed");
    assert_string_equal(fc_reason_wire(FC_REASON_NONE), "");
    enum fc_reason r;
    assert_false(fc_reason_find(FB_STR(""), &r));
    assert_false(fc_reason_find(FB_STR("policydenied"), &r));
}

static void every_reason_is_in_the_reference_page(void **state)
{
    (void)state;
    const char *src = getenv("FIRMA_SRC");
    if (src == NULL) {
        print_message("skipped: FIRMA_SRC is not set\n");
        skip();
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/reference/denials.md", src);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    static char page[65536];
    size_t n = fread(page, 1, sizeof page - 1, f);
    fclose(f);
    page[n] = '\0';
    for (size_t i = 0; i < FC_REASON_COUNT; i++) {
        char row[128];
        snprintf(row, sizeof row, "| `%s` | %s |", fc_reason_wire((enum fc_reason)i), fc_reason_display((enum fc_reason)i));
        if (strstr(page, row) == NULL)
            fail_msg("not in denials.md: %s", row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_those_of_the_contract),
        cmocka_unit_test(zero_and_unknown_values_read_as_a_refusal),
        cmocka_unit_test(every_reason_is_in_the_reference_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
