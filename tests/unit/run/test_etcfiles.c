/* The generated /etc: what it says, and what may not get into it. */
#include "run/etcfiles.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct run_identity firma_user = {
    .uid_inside = RUN_IDENTITY_SANDBOX_ID, .gid_inside = RUN_IDENTITY_SANDBOX_ID, .name = "firma-user"
};

static void made(const char *target, const struct run_identity *id, const char *expected)
{
    size_t n;
    const struct run_etcfile *table = run_etcfiles_table(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].target, target) != 0)
            continue;
        struct fb_buf out;
        fb_buf_init(&out, 4096);
        assert_int_equal(table[i].write(&out, id, "/home/x", "box"), 0);
        assert_string_equal(out.p, expected);
        fb_buf_done(&out);
        return;
    }
    fail_msg("no %s", target);
}

static void test_users_are_root_and_the_agent(void **state)
{
    (void)state;
    made("/etc/passwd", &firma_user, "root:x:0:0:root:/:/bin/sh\nfirma-user:x:10001:10001::/home/x:/bin/sh\n");
    made("/etc/group", &firma_user, "root:x:0:\nfirma-user:x:10001:\nnogroup:x:65534:\n");
}

static void test_nogroup_stands_once_when_it_is_the_agents(void **state)
{
    (void)state;
    const struct run_identity nobody = { .uid_inside = 65534, .gid_inside = 65534, .name = "nobody" };
    made("/etc/group", &nobody, "root:x:0:\nnogroup:x:65534:\n");
}

static void test_names_are_resolved_by_files_and_the_stub(void **state)
{
    (void)state;
    made("/etc/resolv.conf", &firma_user, "nameserver 127.0.0.1\noptions ndots:0 timeout:1 attempts:1\n");
    made("/etc/hosts", &firma_user, "127.0.0.1\tlocalhost box\n::1\tlocalhost ip6-localhost\n");
    made("/etc/hostname", &firma_user, "box\n");
}

static void test_home_must_be_a_plain_absolute_path(void **state)
{
    (void)state;
    struct fb_err err;
    static const char *const bad[] = { "", "home", "/a:b", "/a\nroot::0:0::/:/bin/sh", "/a/../b", "/a/.", "/\x7f" };
    assert_int_equal(run_etcfiles_check("/home/a b", "firma", &err), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(run_etcfiles_check(bad[i], "firma", &err), FB_E_CONFIG_VALIDATION);
}

static void test_host_name_has_a_length_and_an_alphabet(void **state)
{
    (void)state;
    struct fb_err err;
    char name[65];
    memset(name, 'a', sizeof(name) - 1);
    name[64] = '\0';
    assert_int_equal(run_etcfiles_check("/h", name, &err), FB_E_CONFIG_VALIDATION); /* 64 */
    name[63] = '\0';
    assert_int_equal(run_etcfiles_check("/h", name, &err), 0); /* 63, the limit */
    assert_int_equal(run_etcfiles_check("/h", "", &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(run_etcfiles_check("/h", "a b", &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(run_etcfiles_check("/h", "a\n", &err), FB_E_CONFIG_VALIDATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_users_are_root_and_the_agent),
        cmocka_unit_test(test_nogroup_stands_once_when_it_is_the_agents),
        cmocka_unit_test(test_names_are_resolved_by_files_and_the_stub),
        cmocka_unit_test(test_home_must_be_a_plain_absolute_path),
        cmocka_unit_test(test_host_name_has_a_length_and_an_alphabet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
