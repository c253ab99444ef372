/* The postures that come with the program: exactly the documented classes are permitted, and the forbids on metadata
 * addresses and inside names really fire, although the same call to another host is allowed. */
#include "fixture.h"

/* A bundle is loaded only when it validates strictly, so what we ship must. */
static void what_is_shipped_validates(void **state)
{
    (void)state;
    static const char *const all[] = { "postures/dev.cedar", "postures/strict.cedar", "postures/dev-with-delete-watch.cedar",
                                       "enforcement/developer.cedar" };
    struct fixture f;
    fixture_bare(&f, NULL);
    for (size_t i = 0; i < FB_COUNT(all); i++) {
        struct fb_str policies = fc_asset_get(all[i]);
        if (policies.p == NULL)
            fail_msg("%s is not embedded", all[i]);
        give_bundle(&f, policies.p, fc_asset_get("schema/firma.cedarschema").p);
    }
    fixture_done(&f);
}

static void start(struct fixture *f, const char *posture)
{
    fixture_bare(f, NULL);
    fe_engine_set_revocations_ready(f->engine, true);
    struct fb_str policies = fc_asset_get(posture);
    assert_non_null(policies.p);
    give_bundle(f, policies.p, fc_asset_get("schema/firma.cedarschema").p);
    struct fb_str any[] = { FB_STR("*") };
    struct tk_claims c = claims_of("t", "s", any, 1, "*");
    give_claims(f, &c);
}

static void ask_class(struct fixture *f, const char *class, const char *host)
{
    char rules[200];
    snprintf(rules, sizeof rules, "[[rules]]\nhost='*'\naction_class='%s'\n", class);
    give_mapping(f, rules);
    ask(f, "GET", host, "/");
}

static bool listed(const char *const *list, const char *name)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        if (strcmp(list[i], name) == 0)
            return true;
    }
    return false;
}

static void permits_exactly(const char *posture, const char *const *permitted)
{
    struct fixture f;
    start(&f, posture);
    for (size_t i = 0; i < fc_action_count(); i++) {
        const char *class = fc_action_at(i)->name;
        ask_class(&f, class, "api.example.com");
        if ((f.v.decision == FE_ALLOW) != listed(permitted, class))
            fail_msg("%s: %s: %.*s", posture, class, FB_STR_ARG(f.v.detail));
        if (f.v.decision != FE_ALLOW)
            assert_int_equal(f.v.reason, FC_REASON_POLICY_DENIED);
    }
    fixture_done(&f);
}

#define DEV_CLASSES \
    "system.install", "credential.read", "code.read", "code.review.read", "code.review.submit", "code.write", "code.merge", \
        "issue.read", "issue.write", "security.alert.read", "notification.manage", "communication.external.send", \
        "communication.internal.send"

static void the_permitted_classes(void **state)
{
    (void)state;
    static const char *const strict[] = { "credential.read", "communication.external.send", "communication.internal.send",
                                          NULL };
    static const char *const dev[] = { DEV_CLASSES, NULL };
    static const char *const watch[] = { DEV_CLASSES, "code.destructive", NULL };
    permits_exactly("postures/strict.cedar", strict);
    permits_exactly("postures/dev.cedar", dev);
    permits_exactly("postures/dev-with-delete-watch.cedar", watch);
}

static void forbidden_hosts(const char *posture, const char *const *hosts)
{
    struct fixture f;
    start(&f, posture);
    ask_class(&f, "communication.external.send", "api.example.com");
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    for (size_t i = 0; hosts[i] != NULL; i++) {
        ask_class(&f, "communication.external.send", hosts[i]);
        if (f.v.reason != FC_REASON_POLICY_DENIED)
            fail_msg("%s: %s: %.*s", posture, hosts[i], FB_STR_ARG(f.v.detail));
    }
    fixture_done(&f);
}

#define METADATA_HOSTS \
    "169.254.169.254", "169.254.169.254:8080", "169.254.170.2", "100.100.100.200", "[fd00:ec2::254]", \
        "metadata.google.internal", "metadata"

static void metadata_and_inside_names_are_refused(void **state)
{
    (void)state;
    static const char *const metadata[] = { METADATA_HOSTS, NULL };
    static const char *const both[] = { METADATA_HOSTS, "db.internal", "wiki.intranet", "a.corp", "printer.lan:631", NULL };
    forbidden_hosts("postures/dev.cedar", metadata);
    forbidden_hosts("postures/dev-with-delete-watch.cedar", both);
    forbidden_hosts("postures/strict.cedar", both);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shipped_validates),
        cmocka_unit_test(the_permitted_classes),
        cmocka_unit_test(metadata_and_inside_names_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
