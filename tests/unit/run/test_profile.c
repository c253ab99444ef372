/* Which profile is used, in which order its layers apply, and what no layer may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "base/toml.h"
#include "run/profile.h"

#include <math.h>
#include <string.h>

static struct run_profile profile;

static int resolve(const char *name, const char *text, struct fb_err *err)
{
    struct fb_toml_doc *doc = NULL;
    *err = (struct fb_err){ 0 };
    if (text != NULL)
        assert_int_equal(fb_toml_parse(fb_str_of(text), "firma.toml", &doc, err), 0);
    int r = run_profile_resolve(&profile, name, doc, err);
    assert_int_equal(r, err->code);
    fb_toml_free(doc);
    return r;
}

static void built_ins_are_closed_by_default(void **state)
{
    struct fb_err err;
    (void)state;
    assert_int_equal(resolve("generic", NULL, &err), 0);
    assert_string_equal(profile.id, "generic");
    assert_false(profile.workspace);
    assert_true(profile.fail_closed);
    assert_true(profile.enforce_network_namespace);
    assert_false(profile.allow_non_structural);
    assert_int_equal(profile.backend, RUN_BACKEND_BWRAP);
    assert_int_equal(profile.identity, RUN_IDENTITY_SANDBOX_USER);
    assert_null(profile.capability_path);
    assert_int_equal(profile.grace_s, 30);
    assert_int_equal(profile.n_mounts, 0);
    for (size_t i = 0; i < profile.env_passthrough.count; i++)
        assert_null(strstr(profile.env_passthrough.items[i], "KEY"));
    assert_int_equal(run_profile_check(&profile, &err), 0);
    run_profile_done(&profile);
    assert_int_equal(resolve("codex", NULL, &err), 0);
    assert_true(profile.workspace);
    run_profile_done(&profile);
}

static void an_unknown_profile_is_refused_with_the_list_of_known_ones(void **state)
{
    struct fb_err err;
    (void)state;
    assert_int_equal(resolve("nope", "[run.profiles.mine]\nworkspace = true\n", &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "'nope'"));
    assert_non_null(strstr(err.msg, "generic, codex, mine"));
    run_profile_done(&profile);
    assert_int_equal(resolve("", NULL, &err), FB_E_CONFIG_VALIDATION);
    run_profile_done(&profile);
}

static void a_profile_stands_over_the_defaults_over_the_built_in(void **state)
{
    struct fb_err err;
    (void)state;
    assert_int_equal(resolve("codex",
                             "[run.defaults]\nidentity_mode = \"host_user\"\nworkspace = false\n"
                             "env_set = { A = \"d\", B = \"d\" }\n"
                             "[run.profiles.codex]\nidentity_mode = \"sandbox_user\"\nenv_set = { B = \"p\" }\n"
                             "[run.profiles.generic]\nworkspace = true\nbackend = \"vz\"\n",
                             &err),
                     0);
    assert_int_equal(profile.identity, RUN_IDENTITY_SANDBOX_USER);
    assert_false(profile.workspace);
    assert_int_equal(profile.backend, RUN_BACKEND_BWRAP); /* another profile's table */
    const char *a = NULL;
    const char *b = NULL;
    for (size_t i = 0; i < profile.n_env_set; i++) {
        a = strcmp(profile.env_set[i].name, "A") == 0 ? profile.env_set[i].value : a;
        b = strcmp(profile.env_set[i].name, "B") == 0 ? profile.env_set[i].value : b;
    }
    assert_string_equal(a, "d");
    assert_string_equal(b, "p");
    run_profile_done(&profile);
}

static void tables_may_stand_at_the_top_of_a_file_of_their_own(void **state)
{
    struct fb_err err;
    (void)state;
    assert_int_equal(resolve("mine", "[profiles.mine]\nworkspace = true\n", &err), 0);
    assert_true(profile.workspace);
    assert_string_equal(profile.id, "mine");
    run_profile_done(&profile);
}

static void unknown_and_misplaced_keys_are_refused_with_their_place(void **state)
{
    static const char *const bad[] = {
        "[run]\nprofiel = \"x\"\n",
        "[runn]\n",
        "[run.defaults]\nworkspce = true\n",
        "run = 1\n",
        "[run]\ndefaults = 1\n",
        "[run]\nprofiles = []\n",
        "[profiles.x]\n[sidecar]\n",
    };
    struct fb_err err;
    (void)state;
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        assert_int_equal(resolve("generic", bad[i], &err), FB_E_CONFIG_VALIDATION);
        assert_non_null(strstr(err.msg, "firma.toml:"));
        run_profile_done(&profile);
    }
}

static void passed_names_are_a_sorted_set(void **state)
{
    struct fb_err err;
    (void)state;
    assert_int_equal(resolve("generic", "[run.defaults]\nenv_passthrough = [\"ZZ\", \"AA\", \"ZZ\", \" TERM \", \"\"]\n", &err), 0);
    assert_int_equal(profile.env_passthrough.count, 10); /* eight built in, two new */
    for (size_t i = 0; i + 1 < profile.env_passthrough.count; i++)
        assert_true(strcmp(profile.env_passthrough.items[i], profile.env_passthrough.items[i + 1]) < 0);
    run_profile_done(&profile);
}

static void what_weakens_the_network_is_refused(void **state)
{
    struct fb_err err = { 0 };
    (void)state;
    assert_int_equal(resolve("generic", "[run.defaults.network]\nfail_closed = false\nenforce_network_namespace = true\n", &err), 0);
    assert_int_equal(run_profile_check(&profile, &err), FB_E_CONFIG_VALIDATION);
    run_profile_done(&profile);
    assert_int_equal(resolve("generic", "[run.defaults.network]\nenforce_network_namespace = false\nfail_closed = true\n", &err), 0);
    assert_int_equal(run_profile_check(&profile, &err), FB_E_NON_STRUCTURAL);
    profile.allow_non_structural = true;
    assert_int_equal(run_profile_check(&profile, &err), FB_E_CONFIG_VALIDATION);
    run_profile_done(&profile);
}

static void renewal_values_keep_to_their_range(void **state)
{
    static const double bad[] = { 0.0, 1.0, -0.5, 1.5, (double)INFINITY, (double)NAN };
    struct fb_err err = { 0 };
    (void)state;
    assert_int_equal(resolve("generic", NULL, &err), 0);
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        profile.refresh_ratio = bad[i];
        assert_int_equal(run_profile_check(&profile, &err), FB_E_CONFIG_VALIDATION);
    }
    profile.refresh_ratio = 0.999;
    profile.grace_s = 1;
    assert_int_equal(run_profile_check(&profile, &err), 0);
    profile.grace_s = 0;
    assert_int_equal(run_profile_check(&profile, &err), FB_E_CONFIG_VALIDATION);
    profile.grace_s = -1;
    assert_int_equal(run_profile_check(&profile, &err), FB_E_CONFIG_VALIDATION);
    run_profile_done(&profile);
}

static void one_backend_runs_here(void **state)
{
    static const char *const names[] = { "bwrap", "vz", "wsl2", "firecracker" };
    (void)state;
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        enum run_backend b = RUN_BACKEND_BWRAP;
        struct fb_err err = { 0 };
        assert_true(run_backend_parse(names[i], &b));
        assert_string_equal(run_backend_name(b), names[i]);
        assert_int_equal(run_backend_check(b, &err), i == 0 ? 0 : FB_E_UNSUPPORTED_BACKEND);
    }
    enum run_backend untouched = RUN_BACKEND_VZ;
    assert_false(run_backend_parse("docker", &untouched));
    assert_false(run_backend_parse("", &untouched));
    assert_false(run_backend_parse("BWRAP", &untouched));
    assert_int_equal(untouched, RUN_BACKEND_VZ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_ins_are_closed_by_default),
        cmocka_unit_test(an_unknown_profile_is_refused_with_the_list_of_known_ones),
        cmocka_unit_test(a_profile_stands_over_the_defaults_over_the_built_in),
        cmocka_unit_test(tables_may_stand_at_the_top_of_a_file_of_their_own),
        cmocka_unit_test(unknown_and_misplaced_keys_are_refused_with_their_place),
        cmocka_unit_test(passed_names_are_a_sorted_set),
        cmocka_unit_test(what_weakens_the_network_is_refused),
        cmocka_unit_test(renewal_values_keep_to_their_range),
        cmocka_unit_test(one_backend_runs_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
