/* CMD is found where the sandbox will find it, or the missing mount is named. */
#include "run/mounts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

struct fixture {
    struct run_mounts m;
    char tools[128]; /* mounted at /opt/tools */
    char hidden[128]; /* not mounted */
};

static void build(void **state, struct fixture *f)
{
    scratch_dir("tools");
    scratch_dir("hidden");
    scratch_file("tools/agent", "#!/bin/sh\n");
    scratch_file("hidden/secret-agent", "#!/bin/sh\n");
    (void)snprintf(f->tools, sizeof(f->tools), "%s/tools", (const char *)*state);
    (void)snprintf(f->hidden, sizeof(f->hidden), "%s/hidden", (const char *)*state);
    const struct run_mount mount = { f->tools, "/opt/tools", true };
    const struct run_mounts_spec spec = { .home = "/home/x", .mounts = &mount, .n_mounts = 1 };
    assert_int_equal(run_mounts_plan(&spec, &f->m, NULL), 0);
}

static void found(const struct fixture *f, const char *command, const char *path, const char *cwd, const char *expected)
{
    char *at;
    assert_int_equal(run_mounts_find_command(&f->m, command, path, cwd, &at, NULL), 0);
    if (expected == NULL)
        assert_null(at);
    else
        assert_string_equal(at, expected);
    free(at);
}

static void test_found_by_path_and_by_name(void **state)
{
    struct fixture f;
    build(state, &f);
    found(&f, "agent", "/bin:/opt/tools", NULL, "/opt/tools/agent");
    found(&f, "/opt/tools/agent", NULL, NULL, "/opt/tools/agent");
    found(&f, "./agent", NULL, "/opt/tools", "/opt/tools/./agent");
    found(&f, "sh", "/usr/bin:/bin", NULL, "/usr/bin/sh");
    found(&f, "sh", "/bin", NULL, "/bin/sh"); /* through the link at the top */
    run_mounts_done(&f.m);
}

static void test_found_nowhere_is_no_error(void **state)
{
    struct fixture f;
    build(state, &f);
    found(&f, "no-such-agent", "/bin:/opt/tools", NULL, NULL);
    found(&f, "/no/such/agent", NULL, NULL, NULL);
    found(&f, "agent", ":relative:", NULL, NULL); /* not the current directory, by whatever spelling */
    run_mounts_done(&f.m);
}

static void test_on_the_host_only_names_the_mount(void **state)
{
    struct fixture f;
    char *at;
    struct fb_err err = { 0 };
    build(state, &f);
    assert_int_equal(run_mounts_find_command(&f.m, "secret-agent", f.hidden, NULL, &at, &err), FB_E_SPAWN);
    assert_non_null(strstr(err.msg, f.hidden));
    assert_non_null(strstr(err.remedy, f.hidden));
    assert_non_null(strstr(err.remedy, "mounts"));
    run_mounts_done(&f.m);
}

static void test_a_later_directory_wins_over_a_hidden_earlier_one(void **state)
{
    struct fixture f;
    char path[300];
    build(state, &f);
    scratch_file("hidden/agent", "#!/bin/sh\n");
    (void)snprintf(path, sizeof(path), "%s:/opt/tools", f.hidden);
    found(&f, "agent", path, NULL, "/opt/tools/agent");
    run_mounts_done(&f.m);
}

#define T(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_found_by_path_and_by_name),
        T(test_found_nowhere_is_no_error),
        T(test_on_the_host_only_names_the_mount),
        T(test_a_later_directory_wins_over_a_hidden_earlier_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
