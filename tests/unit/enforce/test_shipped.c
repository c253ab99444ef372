/* The mapping files that come with the program: they load alone and together, hold the documented numbers of rules a
 * class, every one of the 207 rules is reached by a request made for it, and paths that imitate another endpoint keep
 * their own class. */
#include "fixture.h"

static const char *const together[] = { "github", "stripe", "gmail", "anthropic", "openai", "npm", "pypi", "cargo" };

static struct fe_mapping *load_files(const char *const *names, size_t n)
{
    struct fe_mapping_file files[FE_MAPPING_FILES_MAX];
    char paths[FE_MAPPING_FILES_MAX][64];
    for (size_t i = 0; i < n; i++) {
        snprintf(paths[i], sizeof paths[i], "mappings/%s.toml", names[i]);
        files[i] = (struct fe_mapping_file){ paths[i], fc_asset_get(paths[i]) };
        assert_non_null(files[i].text.p);
    }
    struct fe_mapping *m = NULL;
    struct fb_err err;
    if (fe_mapping_load(files, n, &m, &err) < 0)
        fail_msg("%s", err.msg);
    return m;
}

static size_t count_class(const struct fe_mapping *m, const char *class, bool connect)
{
    size_t n = 0;
    for (size_t i = 0; i < fe_mapping_count(m); i++) {
        const struct fe_rule *r = fe_mapping_rule(m, i);
        bool is_connect = r->method_id == FE_METHOD_CONNECT;
        bool api = fb_str_starts(r->host, FB_STR("api.")) || fb_str_starts(r->host, FB_STR("gmail."));
        n += is_connect == connect && api && fb_str_eqz(fb_str_of(fc_action_at(r->action)->name), class);
    }
    return n;
}

struct expected {
    const char *class;
    size_t n;
};

static void check_classes(const char *file, const struct expected *rows, size_t n_rows, size_t api_rules)
{
    struct fe_mapping *m = load_files(&file, 1);
    size_t total = 0;
    for (size_t i = 0; i < n_rows; i++) {
        if (count_class(m, rows[i].class, false) != rows[i].n)
            fail_msg("%s %s: %zu", file, rows[i].class, count_class(m, rows[i].class, false));
        total += rows[i].n;
    }
    assert_int_equal(total, api_rules);
    fe_mapping_free(m);
}

static void api_rules_a_class_are_the_documented_ones(void **state)
{
    (void)state;
    static const struct expected github[] = {
        { "code.read", 8 },    { "code.review.read", 7 }, { "issue.read", 3 },      { "issue.write", 3 },
        { "code.review.submit", 4 }, { "code.write", 6 }, { "code.destructive", 2 }, { "code.merge", 1 },
        { "repo.lifecycle", 3 }, { "repo.admin", 5 },     { "security.alert.read", 2 }, { "notification.manage", 2 },
    };
    check_classes("github", github, FB_COUNT(github), 46);
    static const struct expected stripe[] = {
        { "payment.read", 14 },         { "payment.transfer", 6 },      { "payment.cancel", 1 },
        { "payment.refund", 3 },        { "payment.payout", 4 },        { "payment.dispute", 2 },
        { "payment.subscription", 10 }, { "payment.method.setup", 6 },  { "payment.method.manage", 6 },
        { "payment.catalog.write", 12 }, { "payment.tax", 8 },          { "customer.read", 4 },
        { "customer.write", 3 },        { "account.permission.change", 9 },
    };
    check_classes("stripe", stripe, FB_COUNT(stripe), 88);
    static const struct expected gmail[] = {
        { "communication.external.read", 13 },  { "communication.external.send", 2 },
        { "communication.external.draft", 3 },  { "communication.external.manage", 11 },
        { "communication.external.delete", 3 }, { "communication.external.filter", 2 },
        { "account.permission.change", 7 },
    };
    check_classes("gmail", gmail, FB_COUNT(gmail), 41);
}

static void every_file_loads_alone(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 0; fc_asset_name(i) != NULL; i++) {
        if (strncmp(fc_asset_name(i), "mappings/", 9) != 0)
            continue;
        struct fe_mapping_file file = { fc_asset_name(i), fc_asset_get(fc_asset_name(i)) };
        struct fe_mapping *m = NULL;
        struct fb_err err;
        if (fe_mapping_load(&file, 1, &m, &err) < 0)
            fail_msg("%s", err.msg);
        fe_mapping_free(m);
        n++;
    }
    assert_true(n >= 13);
}

/* A request that the rule describes: stars become something of their kind. */
static void sample(struct fb_str pattern, char *out, size_t cap)
{
    size_t n = 0;
    if (fb_str_eqz(pattern, "*"))
        pattern = FB_STR("/some/path");
    for (size_t i = 0; i < pattern.n && n + 8 < cap; i++) {
        if (pattern.p[i] != '*') {
            out[n++] = pattern.p[i];
        } else if (i + 1 < pattern.n && pattern.p[i + 1] == '*') {
            bool glued = i > 0 && pattern.p[i - 1] != '/';
            n += (size_t)snprintf(out + n, cap - n, "%s", glued ? "" : "q/w.e");
            i++;
        } else {
            n += (size_t)snprintf(out + n, cap - n, "q7");
        }
    }
    out[n] = '\0';
}

static void each_of_the_207_rules_decides_a_request_of_its_own(void **state)
{
    (void)state;
    struct fe_mapping *m = load_files(together, FB_COUNT(together));
    assert_int_equal(fe_mapping_count(m), 207);
    for (size_t i = 0; i < fe_mapping_count(m); i++) {
        const struct fe_rule *r = fe_mapping_rule(m, i);
        char host[256];
        char path[256];
        sample(r->host, host, sizeof host);
        sample(r->has_path ? r->path : FB_STR("/"), path, sizeof path);
        struct fe_mapping_query q = { r->method_id == FE_METHOD_ANY ? FE_METHOD_POST : (enum fe_method)r->method_id, true,
                                      fb_str_of(host), fb_str_of(path) };
        const struct fe_rule *found = NULL;
        assert_int_equal(fe_mapping_match(m, &q, &found), 1);
        if (found->action != r->action)
            fail_msg("rule %zu, %s%s: %s instead of %s", i, host, path, fc_action_at(found->action)->name,
                     fc_action_at(r->action)->name);
    }
    fe_mapping_free(m);
}

static void imitations_and_unlisted_endpoints(void **state)
{
    (void)state;
    static const struct {
        const char *method;
        const char *host;
        const char *path;
        const char *class; /* "-": unclassified */
    } rows[] = {
        { "DELETE", "api.github.com", "/repos/o/r/contents/pulls/1/reviews/2", "code.destructive" },
        { "PUT", "api.github.com", "/repos/o/r/contents/a/pulls/1/merge", "code.write" },
        { "GET", "api.github.com", "/repos/o/r/actions/secrets", "-" },
        { "GET", "api.github.com", "/repos/o/r/collaborators", "-" },
        { "PATCH", "api.github.com", "/repos/o/r/hooks/1", "-" },
        { "GET", "api.github.com", "/repos/o/r/branches/main/protection/required_reviews", "repo.admin" },
        { "GET", "api.github.com", "/repos/o/r/code-scanning/alerts/7", "security.alert.read" },
        { "DELETE", "api.github.com", "/repos/o/r/git/refs/heads/feature/x", "code.destructive" },
        { "GET", "evil.api.github.com", "/user/repos", "-" },
        { "POST", "api.stripe.com", "/v1/charges/ch_1", "-" },
        { "POST", "api.stripe.com", "/v1/payment_intents/pi_1/confirm", "payment.transfer" },
        { "GET", "api.stripe.com", "/v1/customers/search", "customer.read" },
        { "GET", "api.dev.anthropic.com", "/", "-" },
        { "CONNECT", "api.anthropic.com", "/", "communication.external.send" },
        { "CONNECT", "claude.ai", "/", "-" },
        { "CONNECT", "www.npmjs.org", "/", "system.install" },
        { "GET", "www.npmjs.org", "/@types%2Fnode", "system.install" },
        { "POST", "gmail.googleapis.com", "/gmail/v1/users/me/messages/send", "communication.external.send" },
        { "POST", "www.googleapis.com", "/gmail/v1/users/me/messages/send", "-" },
        { "POST", "github.com", "/o/r.git/git-receive-pack", "code.write" },
        { "GET", "github.com", "/o/r/info/refs", "code.read" },
    };
    struct fe_mapping *m = load_files(together, FB_COUNT(together));
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct fe_mapping_query q = { fe_method_of(fb_str_of(rows[i].method)), true, fb_str_of(rows[i].host),
                                      fb_str_of(rows[i].path) };
        const struct fe_rule *r = NULL;
        int rc = fe_mapping_match(m, &q, &r);
        const char *found = rc == 1 ? fc_action_at(r->action)->name : "-";
        if (strcmp(found, rows[i].class) != 0)
            fail_msg("%s %s%s: %s instead of %s", rows[i].method, rows[i].host, rows[i].path, found, rows[i].class);
    }
    fe_mapping_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_rules_a_class_are_the_documented_ones),
        cmocka_unit_test(every_file_loads_alone),
        cmocka_unit_test(each_of_the_207_rules_decides_a_request_of_its_own),
        cmocka_unit_test(imitations_and_unlisted_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
