/* The frame of the view: an allow list, in order, with nothing of the host's that was not asked for. */
#include "run/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "run/mounts_priv.h"
#include "scratch.h"

static const struct run_mounts_spec plain = { .home = "/home/firma-user" };

static const struct run_step *at(const struct run_mounts *m, const char *target)
{
    for (size_t i = m->n_steps; i-- > 0;)
        if (strcmp(m->steps[i].target, target) == 0)
            return &m->steps[i];
    return NULL;
}

static void test_frame_has_what_programs_need_and_no_more(void **state)
{
    (void)state;
    struct run_mounts m;
    assert_int_equal(run_mounts_plan(&plain, &m, NULL), 0);
    assert_int_equal(at(&m, "/usr")->kind, RUN_STEP_BIND_RO);
    assert_int_equal(at(&m, "/proc")->kind, RUN_STEP_PROC);
    assert_int_equal(at(&m, "/tmp")->kind, RUN_STEP_TMPFS);
    assert_int_equal(at(&m, "/home/firma-user")->kind, RUN_STEP_TMPFS);
    assert_int_equal(at(&m, "/dev/null")->kind, RUN_STEP_DEV);
    assert_null(at(&m, "/dev/tty"));
    assert_null(at(&m, "/sys"));
    assert_null(at(&m, "/etc/shadow"));
    for (size_t i = 0; i < m.n_steps; i++)
        assert_int_not_equal(m.steps[i].kind, RUN_STEP_BIND); /* nothing writable is the host's */
    assert_int_equal(m.n_placeholders, 0);
    run_mounts_done(&m);
}

static void test_generated_files_come_after_the_hosts(void **state)
{
    (void)state;
    struct run_mounts m;
    struct run_mounts_spec spec = plain;
    scratch_dir("etc");
    scratch_file("etc/nsswitch.conf", "hosts: ldap\n");
    scratch_file("etc/services", "x 1/tcp\n");
    scratch_file("etc/protocols", "secret\n");
    assert_int_equal(chmod("etc/protocols", 0600), 0);
    char etc[64];
    (void)snprintf(etc, sizeof(etc), "%s/etc", (const char *)*state);
    spec.etc_dir = etc;
    assert_int_equal(run_mounts_plan(&spec, &m, NULL), 0);
    assert_string_equal(at(&m, "/etc/services")->data, "x 1/tcp\n");
    assert_null(at(&m, "/etc/protocols")); /* not for everybody to read: root must not copy it */
    assert_non_null(strstr(at(&m, "/etc/nsswitch.conf")->data, "files dns"));
    run_mounts_done(&m);
}

static int plan_with(const struct run_mount *mount, const char *state_dir, const char *cwd, struct run_mounts *m,
                     struct fb_err *err)
{
    struct run_mounts_spec spec = plain;
    spec.mounts = mount;
    spec.n_mounts = 1;
    spec.state_dir = state_dir;
    spec.cwd = cwd;
    *err = (struct fb_err){ 0 };
    return run_mounts_plan(&spec, m, err);
}

static void test_working_directory_must_be_shown(void **state)
{
    struct run_mounts m;
    struct fb_err err;
    const struct run_mount mount = { *state, "/ws", false };
    assert_int_equal(plan_with(&mount, NULL, "/ws/x", &m, &err), 0);
    run_mounts_done(&m);
    assert_int_equal(plan_with(&mount, NULL, "/elsewhere", &m, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.remedy, "mounts"));
    assert_int_equal(plan_with(&mount, NULL, "work", &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(plan_with(&mount, "/ws/state", "/ws/state/run", &m, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(m.n_steps, 0); /* empty after a failure */
}

static void test_home_in_a_system_directory_is_refused(void **state)
{
    (void)state;
    struct run_mounts m;
    struct fb_err err;
    struct run_mounts_spec spec = plain;
    spec.home = "/usr/sbin";
    assert_int_equal(run_mounts_plan(&spec, &m, &err), FB_E_CONFIG_VALIDATION);
}

static void test_number_of_steps_is_limited(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    struct fb_err err;
    for (int i = 0; i < RUN_MOUNTS_STEPS_MAX; i++)
        assert_int_equal(run_mounts_add(&m, RUN_STEP_DIR, NULL, "/x", 0755, false, &err), 0);
    assert_int_equal(run_mounts_add(&m, RUN_STEP_DIR, NULL, "/x", 0755, false, &err), FB_E_LIMIT);
    run_mounts_done(&m);
}

static void test_within_compares_whole_parts(void **state)
{
    (void)state;
    assert_true(run_mounts_within("/a/b", "/a"));
    assert_true(run_mounts_within("/a", "/a"));
    assert_true(run_mounts_within("/a", "/"));
    assert_false(run_mounts_within("/ab", "/a"));
    assert_false(run_mounts_within("/", "/a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frame_has_what_programs_need_and_no_more),
        cmocka_unit_test_setup_teardown(test_generated_files_come_after_the_hosts, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_working_directory_must_be_shown, scratch_enter, scratch_leave),
        cmocka_unit_test(test_home_in_a_system_directory_is_refused),
        cmocka_unit_test(test_number_of_steps_is_limited),
        cmocka_unit_test(test_within_compares_whole_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
