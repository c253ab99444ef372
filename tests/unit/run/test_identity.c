/* Who the agent becomes: never root, and the workspace's owner before anybody else. */
#include "run/identity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

enum { OWNER = 54321 };

static void need_root(void)
{
    if (geteuid() != 0)
        skip();
}

static void test_sandbox_user_is_10001_inside(void **state)
{
    (void)state;
    struct run_identity id;
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, NULL, &id, NULL), 0);
    assert_int_equal(id.uid_inside, 10001);
    assert_int_equal(id.gid_inside, 10001);
    assert_string_equal(id.name, "firma-user");
    assert_int_not_equal(id.uid_outside, 0);
}

static void test_host_user_keeps_its_number(void **state)
{
    (void)state;
    struct run_identity id;
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_HOST_USER, NULL, &id, NULL), 0);
    assert_int_equal(id.uid_inside, id.uid_outside);
    assert_int_not_equal(id.uid_inside, 0);
}

static void test_ordinary_user_stays_who_it_is(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip();
    struct run_identity id;
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, "/", &id, NULL), 0);
    assert_int_equal(id.uid_outside, geteuid());
    assert_false(id.drop);
}

static void test_root_becomes_the_owner_of_the_workspace(void **state)
{
    need_root();
    struct run_identity id;
    assert_int_equal(chown(*state, OWNER, OWNER), 0);
    assert_int_equal(setenv("SUDO_UID", "777", 1), 0);
    assert_int_equal(setenv("SUDO_GID", "777", 1), 0);
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, *state, &id, NULL), 0);
    assert_true(id.drop);
    assert_int_equal(id.uid_outside, OWNER);
    assert_false(id.workspace_is_root_owned);
}

static void test_else_the_user_behind_sudo(void **state)
{
    need_root();
    struct run_identity id;
    assert_int_equal(setenv("SUDO_UID", "777", 1), 0);
    assert_int_equal(setenv("SUDO_GID", "778", 1), 0);
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, *state, &id, NULL), 0);
    assert_int_equal(id.uid_outside, 777);
    assert_int_equal(id.gid_outside, 778);
    assert_true(id.workspace_is_root_owned);
}

static void test_else_nobody(void **state)
{
    (void)state;
    need_root();
    struct run_identity id;
    assert_int_equal(unsetenv("SUDO_UID"), 0);
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, NULL, &id, NULL), 0);
    assert_int_equal(id.uid_outside, RUN_IDENTITY_NOBODY_ID);
    assert_int_equal(setenv("SUDO_UID", "0", 1), 0); /* root behind sudo is still root */
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, NULL, &id, NULL), 0);
    assert_int_equal(id.uid_outside, RUN_IDENTITY_NOBODY_ID);
}

static void test_odd_sudo_numbers_are_refused(void **state)
{
    (void)state;
    need_root();
    static const char *const bad[] = { "-1", "1000 ", "0x10", "4294967295", "99999999999", "" };
    struct run_identity id;
    struct fb_err err;
    assert_int_equal(setenv("SUDO_GID", "1", 1), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(setenv("SUDO_UID", bad[i], 1), 0);
        assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, NULL, &id, &err), FB_E_BACKEND);
    }
    assert_int_equal(unsetenv("SUDO_UID"), 0);
}

static void test_missing_workspace_is_named(void **state)
{
    (void)state;
    need_root();
    struct run_identity id;
    struct fb_err err = { 0 };
    assert_int_equal(run_identity_resolve(RUN_IDENTITY_SANDBOX_USER, "/no/such", &id, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "/no/such"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox_user_is_10001_inside),
        cmocka_unit_test(test_host_user_keeps_its_number),
        cmocka_unit_test(test_ordinary_user_stays_who_it_is),
        cmocka_unit_test_setup_teardown(test_root_becomes_the_owner_of_the_workspace, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_else_the_user_behind_sudo, scratch_enter, scratch_leave),
        cmocka_unit_test(test_else_nobody),
        cmocka_unit_test(test_odd_sudo_numbers_are_refused),
        cmocka_unit_test(test_missing_workspace_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
