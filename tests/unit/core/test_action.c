/* The registry holds exactly the 44 classes of the specification, well formed, with their risks; lookups are exact;
 * names of older generations and reserved names are not members; the shipped schema lists the same names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/action.h"
#include "core/embed.h"

static void holds_44_well_formed_distinct_names(void **state)
{
    (void)state;
    assert_int_equal(fc_action_count(), 44);
    for (size_t i = 0; i < fc_action_count(); i++) {
        const struct fc_action *a = fc_action_at(i);
        assert_true(fc_action_name_valid(fb_str_of(a->name)));
        assert_int_equal(fc_action_find(fb_str_of(a->name)), i);
        assert_true(a->meaning[0] != '\0');
    }
    assert_null(fc_action_at(44));
}

static void risks_are_those_of_the_specification(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum fc_risk risk;
    } expected[] = {
        { "account.permission.change", FC_RISK_CRITICAL },  { "browser.purchase", FC_RISK_HIGH },
        { "communication.external.send", FC_RISK_HIGH },    { "communication.internal.send", FC_RISK_MEDIUM },
        { "credential.read", FC_RISK_MEDIUM },              { "credential.write", FC_RISK_CRITICAL },
        { "filesystem.delete", FC_RISK_HIGH },              { "filesystem.read", FC_RISK_LOW },
        { "filesystem.write", FC_RISK_MEDIUM },             { "memory.cross_namespace.read", FC_RISK_MEDIUM },
        { "memory.cross_namespace.write", FC_RISK_HIGH },   { "payment.purchase", FC_RISK_HIGH },
        { "payment.transfer", FC_RISK_CRITICAL },           { "system.execute", FC_RISK_CRITICAL },
        { "system.install", FC_RISK_HIGH },                 { "code.read", FC_RISK_LOW },
        { "code.review.read", FC_RISK_LOW },                { "code.review.submit", FC_RISK_MEDIUM },
        { "code.write", FC_RISK_HIGH },                     { "code.destructive", FC_RISK_HIGH },
        { "code.merge", FC_RISK_CRITICAL },                 { "issue.read", FC_RISK_LOW },
        { "issue.write", FC_RISK_MEDIUM },                  { "notification.manage", FC_RISK_LOW },
        { "security.alert.read", FC_RISK_MEDIUM },          { "repo.lifecycle", FC_RISK_MEDIUM },
        { "repo.admin", FC_RISK_CRITICAL },                 { "payment.read", FC_RISK_LOW },
        { "payment.cancel", FC_RISK_HIGH },                 { "payment.refund", FC_RISK_HIGH },
        { "payment.payout", FC_RISK_CRITICAL },             { "payment.dispute", FC_RISK_HIGH },
        { "payment.subscription", FC_RISK_HIGH },           { "payment.method.setup", FC_RISK_MEDIUM },
        { "payment.method.manage", FC_RISK_MEDIUM },        { "payment.catalog.write", FC_RISK_MEDIUM },
        { "payment.tax", FC_RISK_MEDIUM },                  { "customer.read", FC_RISK_LOW },
        { "customer.write", FC_RISK_MEDIUM },               { "communication.external.read", FC_RISK_LOW },
        { "communication.external.draft", FC_RISK_MEDIUM }, { "communication.external.manage", FC_RISK_MEDIUM },
        { "communication.external.delete", FC_RISK_HIGH },  { "communication.external.filter", FC_RISK_CRITICAL },
    };
    assert_int_equal(FB_COUNT(expected), 44);
    for (size_t i = 0; i < FB_COUNT(expected); i++) {
        const struct fc_action *a = fc_action_at(fc_action_find(fb_str_of(expected[i].name)));
        assert_non_null(a);
        assert_int_equal(a->risk, expected[i].risk);
    }
    assert_string_equal(fc_action_risk_name(FC_RISK_LOW), "low");
    assert_string_equal(fc_action_risk_name(FC_RISK_CRITICAL), "critical");
}

static void older_foreign_and_reserved_names_are_not_members(void **state)
{
    (void)state;
    static const char *const out[] = {
        "http.get",       "http.post",     "http.put",      "http.delete",  "http.patch",      "db.query",
        "db.mutate",      "file.read",     "file.write",    "file.delete",  "code.execute",    "network.connect",
        "messaging.send", "llm.inference", "gmail.send",    "tool.email.send", "memory.read",  "memory.write",
        "browser.navigate", "secret.mediate", "*", "", "code", "code.read ", "Code.read", "code.rea", "code.readx",
    };
    for (size_t i = 0; i < FB_COUNT(out); i++)
        assert_int_equal(fc_action_find(fb_str_of(out[i])), fc_action_count());
    assert_true(fc_action_find(FB_STR("system.execute")) < fc_action_count());
}

static void naming_rule(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "code", "code.", ".code", "code..read", "a.b.c.d.e", "Code.read", "code.re-ad",
                                       "code.1", "co de.read" };
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_false(fc_action_name_valid(fb_str_of(bad[i])));
    assert_true(fc_action_name_valid(FB_STR("a.b.c.d")));
    char long_name[FC_ACTION_NAME_MAX_BYTES + 2];
    memset(long_name, 'a', sizeof long_name);
    long_name[1] = '.';
    assert_true(fc_action_name_valid(fb_str_n(long_name, FC_ACTION_NAME_MAX_BYTES)));
    assert_false(fc_action_name_valid(fb_str_n(long_name, FC_ACTION_NAME_MAX_BYTES + 1)));
}

static void a_misspelt_class_gets_a_suggestion(void **state)
{
    (void)state;
    assert_string_equal(fc_action_nearest(FB_STR("comunication.external.send")), "communication.external.send");
    assert_null(fc_action_nearest(FB_STR("zzzzzzzzzz")));
}

static void shipped_schema_lists_the_same_names(void **state)
{
    (void)state;
    struct fb_str rest = fc_asset_get("schema/firma.cedarschema");
    assert_non_null(rest.p);
    size_t found = 0;
    struct fb_str line;
    while (fb_str_split(&rest, '\n', &line)) {
        line = fb_str_trim(line);
        if (!fb_str_starts(line, FB_STR("action \"")))
            continue;
        struct fb_str name = fb_str_n(line.p + 8, line.n - 8);
        name.n = fb_str_index(name, '"');
        assert_true(fc_action_find(name) < fc_action_count());
        found++;
    }
    assert_int_equal(found, fc_action_count());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_44_well_formed_distinct_names),
        cmocka_unit_test(risks_are_those_of_the_specification),
        cmocka_unit_test(older_foreign_and_reserved_names_are_not_members),
        cmocka_unit_test(naming_rule),
        cmocka_unit_test(a_misspelt_class_gets_a_suggestion),
        cmocka_unit_test(shipped_schema_lists_the_same_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
