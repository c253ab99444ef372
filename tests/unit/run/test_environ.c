/* The agent's environment is made from nothing: only named host variables come in, and nobody overrides identity or proxy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "run/environ.h"
#include "run/profile.h"

#include <stdlib.h>
#include <string.h>

static const struct run_environ_ids ids = { .sandbox_id = "box", .session_id = "sess", .agent_id = "agent", .home = "/home/a" };

static struct run_profile *fresh_profile(void)
{
    struct run_profile *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->id = "generic";
    return p;
}

static void pass(struct run_profile *p, const char *name)
{
    p->env_passthrough.items[p->env_passthrough.count++] = name;
}

static void fix(struct run_profile *p, const char *name, const char *value)
{
    p->env_set[p->n_env_set++] = (struct run_env_pair){ name, value };
}

static bool is_from_host(const struct run_environ *e, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < e->count; i++)
        if (strncmp(e->list[i], name, n) == 0 && e->list[i][n] == '=')
            return e->from_host[i];
    fail_msg("no %s", name);
    return false;
}

static void only_named_host_variables_come_in(void **state)
{
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    setenv("FIRMA_TEST_SECRET", "s3cret", 1);
    setenv("FIRMA_TEST_NAMED", "named", 1);
    unsetenv("FIRMA_TEST_ABSENT");
    pass(p, "FIRMA_TEST_NAMED");
    pass(p, "FIRMA_TEST_ABSENT");
    assert_int_equal(run_environ_build(&e, p, &ids, NULL), 0);
    assert_string_equal(run_environ_get(&e, "FIRMA_TEST_NAMED"), "named");
    assert_null(run_environ_get(&e, "FIRMA_TEST_SECRET"));
    assert_null(run_environ_get(&e, "FIRMA_TEST_ABSENT"));
    assert_null(run_environ_get(&e, "FIRMA_TEST_NAME")); /* a prefix is another name */
    assert_null(run_environ_get(&e, "USER"));
    assert_null(run_environ_get(&e, "LOGNAME"));
    assert_string_equal(run_environ_get(&e, "PATH"), "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin");
    run_environ_done(&e);
    assert_null(run_environ_list(&e)[0]);
    unsetenv("FIRMA_TEST_SECRET");
    unsetenv("FIRMA_TEST_NAMED");
    free(p);
}

static void identity_and_proxy_win_over_profile_and_host(void **state)
{
    static const char *const proxies[] = { "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy" };
    static const char *const forced[] = { "FIRMA_RUN_SANDBOX_ID", "FIRMA_RUN_SESSION_ID", "FIRMA_AGENT_ID",
                                          "FIRMA_RUN_PROFILE",    "HOME",                 "TMPDIR",
                                          "SHELL",                "NO_PROXY",             "no_proxy" };
    static const char *const wanted[] = { "box", "sess", "agent", "generic", "/home/a", "/tmp", "/bin/sh", "", "" };
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    for (size_t i = 0; i < FB_COUNT(proxies); i++)
        fix(p, proxies[i], "http://evil.example");
    for (size_t i = 0; i < FB_COUNT(forced); i++)
        fix(p, forced[i], "evil");
    setenv("HTTPS_PROXY", "http://host.example", 1);
    pass(p, "HTTPS_PROXY");
    assert_int_equal(run_environ_build(&e, p, &ids, NULL), 0);
    for (size_t i = 0; i < FB_COUNT(proxies); i++)
        assert_string_equal(run_environ_get(&e, proxies[i]), "http://127.0.0.1:18080");
    for (size_t i = 0; i < FB_COUNT(forced); i++)
        assert_string_equal(run_environ_get(&e, forced[i]), wanted[i]);
    assert_false(is_from_host(&e, "HTTPS_PROXY")); /* replaced, so no longer the host's */
    run_environ_done(&e);
    unsetenv("HTTPS_PROXY");
    free(p);
}

static void the_profile_wins_over_the_host(void **state)
{
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    setenv("FIRMA_TEST_NAMED", "host", 1);
    pass(p, "FIRMA_TEST_NAMED");
    fix(p, "FIRMA_TEST_NAMED", "profile");
    fix(p, "PATH", "/only");
    assert_int_equal(run_environ_build(&e, p, &ids, NULL), 0);
    assert_string_equal(run_environ_get(&e, "FIRMA_TEST_NAMED"), "profile");
    assert_string_equal(run_environ_get(&e, "PATH"), "/only");
    assert_false(is_from_host(&e, "FIRMA_TEST_NAMED"));
    run_environ_done(&e);
    unsetenv("FIRMA_TEST_NAMED");
    free(p);
}

static void host_values_are_flagged_but_not_the_harmless_ones(void **state)
{
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    setenv("FIRMA_TEST_KEY", "k", 1);
    setenv("LC_TEST", "x", 1);
    setenv("TERM", "dumb", 1);
    pass(p, "TERM");
    pass(p, "FIRMA_TEST_KEY");
    pass(p, "LC_TEST");
    assert_int_equal(run_environ_build(&e, p, &ids, NULL), 0);
    assert_true(is_from_host(&e, "FIRMA_TEST_KEY"));
    assert_false(is_from_host(&e, "LC_TEST"));
    assert_false(is_from_host(&e, "TERM"));
    assert_false(is_from_host(&e, "FIRMA_AGENT_ID"));
    run_environ_done(&e);
    unsetenv("FIRMA_TEST_KEY");
    unsetenv("LC_TEST");
    free(p);
}

static void the_list_is_sorted_without_repetitions_and_ends_with_null(void **state)
{
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    struct run_environ_ids named = ids;
    named.user_name = "agent";
    fix(p, "ZZZ", "1");
    fix(p, "AAA", "1");
    assert_int_equal(run_environ_build(&e, p, &named, NULL), 0);
    const char *const *list = run_environ_list(&e);
    assert_null(list[e.count]);
    for (size_t i = 0; i + 1 < e.count; i++) {
        assert_true(strcmp(list[i], list[i + 1]) < 0);
        size_t n = (size_t)(strchr(list[i], '=') - list[i]) + 1;
        assert_true(strncmp(list[i], list[i + 1], n) != 0);
    }
    assert_string_equal(run_environ_get(&e, "USER"), "agent");
    assert_string_equal(run_environ_get(&e, "LOGNAME"), "agent");
    run_environ_done(&e);
    free(p);
}

static void every_variable_a_profile_can_hold_fits(void **state)
{
    static char names[RUN_PROFILE_ENV_MAX + RUN_PROFILE_NAMES_MAX][24];
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    for (size_t i = 0; i < RUN_PROFILE_ENV_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "FIRMA_T_SET_%zu", i);
        fix(p, names[i], "v");
    }
    for (size_t i = 0; i < RUN_PROFILE_NAMES_MAX; i++) {
        char *name = names[RUN_PROFILE_ENV_MAX + i];
        (void)snprintf(name, sizeof names[0], "FIRMA_T_HOST_%zu", i);
        setenv(name, "h", 1);
        pass(p, name);
    }
    assert_int_equal(run_environ_build(&e, p, &ids, NULL), 0);
    assert_int_equal(e.count, 1 + RUN_PROFILE_ENV_MAX + RUN_PROFILE_NAMES_MAX + 15);
    assert_string_equal(run_environ_get(&e, "FIRMA_T_HOST_255"), "h");
    assert_string_equal(run_environ_get(&e, "FIRMA_T_SET_511"), "v");
    run_environ_done(&e);
    for (size_t i = 0; i < RUN_PROFILE_NAMES_MAX; i++)
        unsetenv(names[RUN_PROFILE_ENV_MAX + i]);
    free(p);
}

static void more_than_the_memory_is_refused(void **state)
{
    (void)state;
    struct run_profile *p = fresh_profile();
    struct run_environ e;
    struct fb_err err = { 0 };
    char *big = malloc(RUN_ENVIRON_MEMORY_MAX_BYTES + 1);
    assert_non_null(big);
    memset(big, 'x', RUN_ENVIRON_MEMORY_MAX_BYTES);
    big[RUN_ENVIRON_MEMORY_MAX_BYTES] = '\0';
    fix(p, "BIG", big);
    assert_int_equal(run_environ_build(&e, p, &ids, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(err.code, FB_E_CONFIG_VALIDATION);
    run_environ_done(&e);
    big[RUN_ENVIRON_MEMORY_MAX_BYTES / 2] = '\0';
    assert_int_equal(run_environ_build(&e, p, &ids, &err), 0);
    assert_int_equal(strlen(run_environ_get(&e, "BIG")), RUN_ENVIRON_MEMORY_MAX_BYTES / 2);
    run_environ_done(&e);
    free(big);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_named_host_variables_come_in),
        cmocka_unit_test(identity_and_proxy_win_over_profile_and_host),
        cmocka_unit_test(the_profile_wins_over_the_host),
        cmocka_unit_test(host_values_are_flagged_but_not_the_harmless_ones),
        cmocka_unit_test(the_list_is_sorted_without_repetitions_and_ends_with_null),
        cmocka_unit_test(every_variable_a_profile_can_hold_fits),
        cmocka_unit_test(more_than_the_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
