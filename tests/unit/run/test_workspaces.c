/* The list of what agents could write to: kept privately, without repeats, and asked about found configurations. */
#include "run/workspaces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static char list_path[300];

static int record(void **state, const char *dir, bool read_only, struct fb_err *err)
{
    char at[200];
    (void)snprintf(at, sizeof(at), "%s/%s", (const char *)*state, dir);
    (void)snprintf(list_path, sizeof(list_path), "%s/data/firma/workspaces", (const char *)*state);
    const struct run_mount mount = { at, "/x", read_only };
    return run_workspaces_record(list_path, &mount, 1, err);
}

static size_t lines(void)
{
    struct fb_buf text;
    fb_buf_init(&text, 1 << 20);
    assert_int_equal(fb_fs_read(list_path, FB_FS_PRIVATE, &text, NULL), 0); /* 0600 */
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    fb_buf_done(&text);
    return n;
}

/* The verdict on the .firma/firma.toml of @dir. */
static int check(void **state, const char *dir, enum fc_config_source source, struct fb_err *err)
{
    char at[256];
    struct fc_config c;
    (void)snprintf(at, sizeof(at), "%s/%s/.firma", (const char *)*state, dir);
    scratch_dir(at);
    (void)snprintf(at, sizeof(at), "%s/%s/.firma/firma.toml", (const char *)*state, dir);
    scratch_file(at, "");
    assert_int_equal(fc_config_load(at, &c, NULL), 0);
    c.source = source;
    int r = run_workspaces_check(list_path, &c, err);
    fc_config_done(&c);
    return r;
}

static void test_writable_directories_are_kept_once(void **state)
{
    scratch_dir("ws/sub");
    scratch_dir("other");
    scratch_dir("seen");
    assert_int_equal(record(state, "ws", false, NULL), 0);
    assert_int_equal(record(state, "ws", false, NULL), 0);
    assert_int_equal(record(state, "ws/sub", false, NULL), 0); /* below: known already */
    assert_int_equal(record(state, "seen", true, NULL), 0);    /* read-only: nothing can be left there */
    assert_int_equal(lines(), 1);
    assert_int_equal(record(state, "other", false, NULL), 0);
    assert_int_equal(lines(), 2);
}

static void test_configuration_below_a_workspace_is_refused(void **state)
{
    struct fb_err err = { 0 };
    scratch_dir("ws");
    assert_int_equal(record(state, "ws", false, NULL), 0);
    assert_int_equal(check(state, "ws/src", FC_CONFIG_PROJECT, &err), FB_E_INSECURE);
    assert_non_null(strstr(err.msg, "/ws/src/.firma/firma.toml"));
    assert_int_equal(check(state, "ws/src", FC_CONFIG_FLAG, &err), 0); /* the person named it */
    assert_int_equal(check(state, "ws/src", FC_CONFIG_USER, &err), 0);
    assert_int_equal(check(state, "ws", FC_CONFIG_PROJECT, &err), 0); /* protected at the root */
    assert_int_equal(check(state, "ws2", FC_CONFIG_PROJECT, &err), 0);
    assert_int_equal(check(state, ".", FC_CONFIG_PROJECT, &err), 0); /* above */
}

static void test_a_workspace_below_another_makes_nothing_trusted(void **state)
{
    struct fb_err err;
    scratch_dir("ws/sub");
    assert_int_equal(record(state, "ws/sub", false, NULL), 0);
    assert_int_equal(check(state, "ws/sub", FC_CONFIG_PROJECT, &err), 0);
    assert_int_equal(record(state, "ws", false, NULL), 0);
    assert_int_equal(check(state, "ws/sub", FC_CONFIG_PROJECT, &err), FB_E_INSECURE);
}

static void test_a_list_that_others_can_write_is_not_believed(void **state)
{
    struct fb_err err = { 0 };
    scratch_dir("ws");
    assert_int_equal(record(state, "ws", false, NULL), 0);
    assert_int_equal(chmod(list_path, 0666), 0);
    assert_int_equal(check(state, "ws", FC_CONFIG_PROJECT, &err), FB_E_INSECURE);
    assert_int_equal(record(state, "ws", false, &err), FB_E_INSECURE);
    assert_int_equal(chmod(list_path, 0600), 0);
    assert_int_equal(chmod("data/firma", 0777), 0);
    assert_int_equal(record(state, "ws", false, &err), FB_E_INSECURE);
}

static void test_the_list_has_a_limit_and_drops_what_is_gone(void **state)
{
    struct fb_err err = { 0 };
    struct fb_buf text;
    scratch_dir("ws");
    scratch_dir("new");
    assert_int_equal(record(state, "ws", false, NULL), 0);
    fb_buf_init(&text, 1 << 20);
    for (int i = 0; i < RUN_WORKSPACES_MAX - 1; i++)
        fb_buf_addf(&text, "/gone/%d\n", i);
    assert_int_equal(fb_fs_write_atomic(list_path, 0600, text.p, text.n, NULL), 0); /* the limit */
    assert_int_equal(record(state, "new", false, &err), 0);
    assert_int_equal(lines(), 1);
    fb_buf_addf(&text, "/gone/more\n"); /* one past it */
    assert_int_equal(fb_fs_write_atomic(list_path, 0600, text.p, text.n, NULL), 0);
    assert_int_equal(record(state, "new", false, &err), FB_E_LIMIT);
    fb_buf_done(&text);
}

static void test_no_place_for_the_list(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(run_workspaces_record(NULL, NULL, 0, &err), FB_E_IO);
    assert_int_equal(setenv("XDG_DATA_HOME", "/d", 1), 0);
    char *path = run_workspaces_path();
    assert_string_equal(path, "/d/firma/workspaces");
    free(path);
    assert_int_equal(unsetenv("XDG_DATA_HOME"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, scratch_enter, scratch_leave)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_writable_directories_are_kept_once),
        T(test_configuration_below_a_workspace_is_refused),
        T(test_a_workspace_below_another_makes_nothing_trusted),
        T(test_a_list_that_others_can_write_is_not_believed),
        T(test_the_list_has_a_limit_and_drops_what_is_gone),
        T(test_no_place_for_the_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
