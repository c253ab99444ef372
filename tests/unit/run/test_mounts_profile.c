/* The profile's mounts: canonical, never the control plane, which is hidden where a mount would show it. */
#include "run/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static int plan(const char *source, const char *target, bool ro, const char *state_dir, const char *const *hidden,
                struct run_mounts *m, struct fb_err *err)
{
    const struct run_mount mount = { source, target, ro };
    const struct run_mounts_spec spec = { .home = "/home/x",
                                          .mounts = &mount,
                                          .n_mounts = 1,
                                          .state_dir = state_dir,
                                          .hidden = hidden,
                                          .n_hidden = hidden == NULL ? 0 : 1 };
    *err = (struct fb_err){ 0 };
    return run_mounts_plan(&spec, m, err);
}

static const struct run_step *last(const struct run_mounts *m, const char *target)
{
    for (size_t i = m->n_steps; i-- > 0;)
        if (strcmp(m->steps[i].target, target) == 0)
            return &m->steps[i];
    return NULL;
}

static void test_source_is_canonicalised(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char expected[128];
    scratch_dir("real");
    assert_int_equal(symlink("real", "alias"), 0);
    (void)snprintf(expected, sizeof(expected), "%s/alias", (const char *)*state);
    assert_int_equal(plan(expected, "/ws", true, NULL, NULL, &m, &err), 0);
    (void)snprintf(expected, sizeof(expected), "%s/real", (const char *)*state);
    assert_string_equal(last(&m, "/ws")->source, expected);
    assert_int_equal(last(&m, "/ws")->kind, RUN_STEP_BIND_RO);
    assert_true(last(&m, "/ws")->from_profile);
    run_mounts_done(&m);
}

static void test_state_directory_is_neither_source_nor_visible(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char dir[128];
    char inner[160];
    char link[160];
    (void)snprintf(dir, sizeof(dir), "%s/state", (const char *)*state);
    (void)snprintf(inner, sizeof(inner), "%s/run", dir);
    (void)snprintf(link, sizeof(link), "%s/link", (const char *)*state);
    scratch_dir("state/run");
    assert_int_equal(symlink("state/run", "link"), 0);
    assert_int_equal(plan(inner, "/x", true, dir, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan(dir, "/x", true, dir, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan(link, "/x", true, dir, NULL, &m, &err), FB_E_CONFIG_VALIDATION); /* by another name */
    assert_int_equal(plan(*state, "/x", true, dir, NULL, &m, &err), 0);
    assert_int_equal(last(&m, "/x/state")->kind, RUN_STEP_COVER);
    run_mounts_done(&m);
}

static void test_hidden_files_are_empty_where_a_mount_shows_them(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char key[128];
    scratch_dir("etc");
    scratch_file("etc/audit-key.pem", "secret");
    (void)snprintf(key, sizeof(key), "%s/etc/audit-key.pem", (const char *)*state);
    const char *const hidden[] = { key };
    assert_int_equal(plan(*state, "/x", true, NULL, hidden, &m, &err), 0);
    assert_int_equal(last(&m, "/x/etc/audit-key.pem")->kind, RUN_STEP_DATA_RO);
    assert_int_equal(last(&m, "/x/etc/audit-key.pem")->data_bytes, 0);
    run_mounts_done(&m);
    assert_int_equal(plan(key, "/x", true, NULL, hidden, &m, &err), FB_E_CONFIG_VALIDATION);
}

static void test_sources_and_targets_that_cannot_be(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    static const char *const targets[] = { "x",     "/",      "/etc/x", "/proc", "/dev/shm", "/run/firma/init", "/run",
                                           "/usr", "/a/../b", "/a/./b", "/a//b", "/a/..", "/a/." };
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
        assert_int_equal(plan(*state, targets[i], true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan("relative", "/x", true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan("/no/such", "/x", true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan("/dev/null", "/x", true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    char pipe_path[128];
    (void)snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", (const char *)*state);
    assert_int_equal(plan(pipe_path, "/x", true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
}

static void test_a_firma_directory_is_no_source(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char dir[128];
    scratch_dir(".firma/policies");
    (void)snprintf(dir, sizeof(dir), "%s/.firma/policies", (const char *)*state);
    assert_int_equal(plan(dir, "/x", true, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
}

static void test_writable_places_that_are_refused(void **state)
{
    static const char *const places[] = { "/", "/home", "/root", "/tmp", "/var", "/usr", "/usr/share", "/etc", "/boot", "/run",
                                          "/proc", "/dev", "/sys", "/opt" };
    struct run_mounts m;
    struct fb_err err;
    char home[128];
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (access(places[i], F_OK) == 0) {
            assert_int_equal(plan(places[i], "/x", false, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
            assert_non_null(strstr(err.msg, "for writing"));
        }
    const char *old = getenv("HOME");
    char *kept = old == NULL ? NULL : strdup(old);
    (void)snprintf(home, sizeof(home), "%s/people/me", (const char *)*state);
    scratch_dir("people/me/project");
    assert_int_equal(setenv("HOME", home, 1), 0);
    assert_int_equal(plan(home, "/x", false, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan(*state, "/x", false, NULL, NULL, &m, &err), FB_E_CONFIG_VALIDATION); /* above it */
    assert_int_equal(plan(home, "/x", true, NULL, NULL, &m, &err), 0);
    run_mounts_done(&m);
    (void)snprintf(home, sizeof(home), "%s/people/me/project", (const char *)*state);
    assert_int_equal(plan(home, "/x", false, NULL, NULL, &m, &err), 0);
    run_mounts_done(&m);
    assert_int_equal(kept == NULL ? unsetenv("HOME") : setenv("HOME", kept, 1), 0);
    free(kept);
}

static void test_control_plane_that_a_cover_could_not_hold_is_refused(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char path[128];
    const bool replaced = true;
    const char *const hidden[] = { path };
    const struct run_mount mount = { *state, "/x", false };
    const struct run_mounts_spec spec = { .home = "/home/x", .mounts = &mount, .n_mounts = 1, .hidden = hidden, .n_hidden = 1,
                                          .hidden_replaced = &replaced };
    (void)snprintf(path, sizeof(path), "%s/audit.jsonl", (const char *)*state);
    assert_int_equal(plan(*state, "/x", false, NULL, hidden, &m, &err), FB_E_CONFIG_VALIDATION); /* absent */
    assert_non_null(strstr(err.msg, "does not exist yet"));
    scratch_file("audit.jsonl", "");
    assert_int_equal(plan(*state, "/x", false, NULL, hidden, &m, &err), 0); /* there, and stays */
    assert_int_equal(last(&m, "/x/audit.jsonl")->kind, RUN_STEP_DATA_RO);
    run_mounts_done(&m);
    assert_int_equal(run_mounts_plan(&spec, &m, &err), FB_E_CONFIG_VALIDATION); /* there, and is renamed over */
    assert_non_null(strstr(err.msg, "is replaced"));
    (void)snprintf(path, sizeof(path), "%s/.firma/audit.jsonl", (const char *)*state);
    assert_int_equal(run_mounts_plan(&spec, &m, &err), 0); /* inside a cover: all the same */
    run_mounts_done(&m);
    assert_int_equal(symlink("/etc", "policies"), 0);
    (void)snprintf(path, sizeof(path), "%s/policies", (const char *)*state);
    assert_int_equal(plan(*state, "/x", false, NULL, hidden, &m, &err), FB_E_CONFIG_VALIDATION); /* by the agent's link */
    assert_non_null(strstr(err.msg, "link"));
}

static void test_what_is_hidden_in_a_writable_mount_cannot_be_renamed_away(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    char dir[128];
    scratch_dir("var/state");
    (void)snprintf(dir, sizeof(dir), "%s/var/state", (const char *)*state);
    assert_int_equal(plan(*state, "/x", false, dir, NULL, &m, &err), 0);
    assert_int_equal(last(&m, "/x/var")->kind, RUN_STEP_BIND);
    assert_int_equal(last(&m, "/x/var/state")->kind, RUN_STEP_COVER);
    run_mounts_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_source_is_canonicalised, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_state_directory_is_neither_source_nor_visible, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_hidden_files_are_empty_where_a_mount_shows_them, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_sources_and_targets_that_cannot_be, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_a_firma_directory_is_no_source, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_writable_places_that_are_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_control_plane_that_a_cover_could_not_hold_is_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_what_is_hidden_in_a_writable_mount_cannot_be_renamed_away, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
