/* Before anything starts: what a host must offer, said by name; and calls out of order. Real sandboxes are made by
 * tests/security. */
#include "run/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static struct run_sandbox_plan plan(void)
{
    struct run_sandbox_plan p = { .sandbox_id = "t", .init_path = "/bin/true", .bwrap_path = "/bin/true" };
    p.view.home = "/home/x";
    return p;
}

static void host(const char *name, const char *value)
{
    char path[128];
    scratch_dir("proc/sys/kernel");
    scratch_dir("proc/sys/user");
    (void)snprintf(path, sizeof(path), "proc/sys/%s", name);
    scratch_file(path, value);
}

static void refused(void **state, const char *remedy)
{
    const struct run_sandbox_plan p = plan();
    struct fb_err err = { 0 };
    assert_int_equal(run_sandbox_preflight(&p, *state, &err), FB_E_UNSUPPORTED_BACKEND);
    assert_non_null(strstr(err.remedy, remedy));
}

static void test_a_host_without_those_switches_is_fine(void **state)
{
    const struct run_sandbox_plan p = plan();
    assert_int_equal(run_sandbox_preflight(&p, *state, NULL), 0);
    host("user/max_user_namespaces", "15000\n");
    host("kernel/unprivileged_userns_clone", "1\n");
    host("kernel/osrelease", "5.15.0-microsoft-standard-WSL2\n");
    assert_int_equal(run_sandbox_preflight(&p, *state, NULL), 0);
}

static void test_disabled_namespaces_name_the_sysctl(void **state)
{
    host("user/max_user_namespaces", "0\n");
    refused(state, "user.max_user_namespaces=15000");
    host("user/max_user_namespaces", "1\n");
    host("user/max_net_namespaces", "0\n");
    refused(state, "user.max_net_namespaces");
    if (geteuid() == 0)
        return; /* root needs no leave for the next one */
    host("user/max_net_namespaces", "9\n");
    host("kernel/unprivileged_userns_clone", "0\n");
    refused(state, "kernel.unprivileged_userns_clone=1");
}

static void test_wsl_1_is_refused(void **state)
{
    host("kernel/osrelease", "4.4.0-19041-Microsoft\n");
    refused(state, "wsl --set-version");
}

static void test_missing_programs_are_named(void **state)
{
    struct run_sandbox_plan p = plan();
    struct fb_err err = { 0 };
    p.bwrap_path = "/no/such/bwrap";
    assert_int_equal(run_sandbox_preflight(&p, *state, &err), FB_E_UNSUPPORTED_BACKEND);
    assert_non_null(strstr(err.remedy, "apt install bubblewrap"));
    p = plan();
    p.init_path = "/no/such/init";
    assert_int_equal(run_sandbox_preflight(&p, *state, &err), FB_E_BACKEND);
    assert_non_null(strstr(err.msg, "firma-init"));
}

static void test_calls_out_of_order(void **state)
{
    (void)state;
    const struct run_sandbox_plan p = plan();
    struct run_sandbox sb;
    struct run_sandbox_event e;
    struct fb_err err;
    const char *const argv[] = { "x", NULL };
    const struct run_sandbox_go go = { .argv = argv, .envp = argv + 1 };
    assert_int_equal(run_sandbox_prepare(&p, &sb, &err), 0);
    assert_int_equal(run_sandbox_fd(&sb), -1);
    assert_int_equal(run_sandbox_read(&sb, &e, &err), FB_E_INTERNAL);
    assert_int_equal(run_sandbox_go(&sb, &go, &err), FB_E_INTERNAL);
    assert_int_equal(run_sandbox_signal(&sb, 15), 0);
    run_sandbox_kill(&sb);
    assert_int_equal(run_sandbox_wait(&sb, 0, &err), 0);
    run_sandbox_done(&sb);
    run_sandbox_done(&sb); /* twice is fine */
}

static void test_a_program_that_says_nothing_is_reported(void **state)
{
    (void)state;
    const struct run_sandbox_plan p = plan(); /* "bwrap" is /bin/true */
    struct run_sandbox sb;
    struct run_sandbox_event e;
    struct fb_err err = { 0 };
    assert_int_equal(run_sandbox_prepare(&p, &sb, &err), 0);
    assert_int_equal(run_sandbox_start(&sb, &err), 0);
    assert_int_equal(run_sandbox_wait(&sb, 10000, &err), 0);
    assert_int_equal(run_sandbox_read(&sb, &e, &err), FB_E_BACKEND);
    assert_non_null(strstr(err.msg, "said nothing"));
    run_sandbox_done(&sb);
}

#define T(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_a_host_without_those_switches_is_fine),
        T(test_disabled_namespaces_name_the_sysctl),
        T(test_wsl_1_is_refused),
        T(test_missing_programs_are_named),
        cmocka_unit_test(test_calls_out_of_order),
        cmocka_unit_test(test_a_program_that_says_nothing_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
