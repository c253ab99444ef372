/* The kept answer: one table added, everything else in the file as it was, nothing touched when in doubt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/persist.h"
#include "scratch.h"

#define TABLE "[authority]\nlisten_addr = \"[::1]:0\"\n"

static void holds(const char *path, const char *wanted)
{
    struct fb_buf text;
    fb_buf_init(&text, 1 << 16);
    assert_int_equal(fb_fs_read(path, FB_FS_ANY, &text, NULL), 0);
    assert_int_equal(text.n, strlen(wanted));
    assert_memory_equal(text.p, wanted, text.n);
    fb_buf_done(&text);
}

static void a_file_is_made_or_extended(void **state)
{
    struct stat st;
    (void)state;
    assert_int_equal(run_persist_authority("new/dir/firma.toml", NULL), 0);
    holds("new/dir/firma.toml", TABLE);
    assert_int_equal(stat("new/dir/firma.toml", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(run_persist_authority("new/dir/firma.toml", NULL), 0); /* once is enough */
    holds("new/dir/firma.toml", TABLE);
    scratch_file("old.toml", "# mine\n[run]\nprofile = \"codex\""); /* no line feed at its end */
    assert_int_equal(run_persist_authority("old.toml", NULL), 0);
    holds("old.toml", "# mine\n[run]\nprofile = \"codex\"\n\n" TABLE);
    scratch_file("empty.toml", "");
    assert_int_equal(run_persist_authority("empty.toml", NULL), 0);
    holds("empty.toml", TABLE);
}

static void a_table_that_is_there_is_left_alone(void **state)
{
    static const char text[] = "authority = { listen_addr = \"x\" }\n";
    (void)state;
    scratch_file("f.toml", text);
    assert_int_equal(run_persist_authority("f.toml", NULL), 0);
    holds("f.toml", text);
}

static void a_malformed_or_foreign_file_is_refused_untouched(void **state)
{
    struct fb_err err = { 0 };
    (void)state;
    scratch_file("bad.toml", "[run\n");
    assert_int_equal(run_persist_authority("bad.toml", &err), FB_E_CONFIG_PARSE);
    assert_int_equal(err.code, FB_E_CONFIG_PARSE);
    holds("bad.toml", "[run\n");
    scratch_file("wide.toml", "a = 1\n");
    assert_int_equal(chmod("wide.toml", 0666), 0); /* others may write it */
    assert_int_equal(run_persist_authority("wide.toml", &err), FB_E_INSECURE);
    holds("wide.toml", "a = 1\n");
}

static void the_default_place_is_the_users(void **state)
{
    struct fb_err err = { 0 };
    char home[128];
    (void)snprintf(home, sizeof home, "%s/cfg", (const char *)*state);
    setenv("XDG_CONFIG_HOME", home, 1);
    assert_int_equal(run_persist_authority(NULL, NULL), 0);
    holds("cfg/firma/firma.toml", TABLE);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_int_equal(run_persist_authority(NULL, &err), FB_E_CONFIG_VALIDATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_is_made_or_extended, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_table_that_is_there_is_left_alone, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_malformed_or_foreign_file_is_refused_untouched, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(the_default_place_is_the_users, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
