/* Where state lives, in which order the places are asked, and what is refused as hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "stack/statedir.h"
#include "scratch.h"

#include <limits.h>

static void resolves_to(const char *flag, const char *wanted)
{
    char *path = st_statedir_resolve(flag);
    assert_non_null(path);
    assert_string_equal(path, wanted);
    free(path);
}

static void flag_then_variable_then_xdg_then_tmp(void **state)
{
    char fallback[64];
    (void)state;
    (void)snprintf(fallback, sizeof fallback, "/tmp/firma-%u", (unsigned)geteuid());
    setenv("FIRMA_STATE_DIR", "/env", 1);
    setenv("XDG_RUNTIME_DIR", "/xdg", 1);
    resolves_to("/flag", "/flag");
    resolves_to(NULL, "/env");
    resolves_to("", "/env");
    setenv("FIRMA_STATE_DIR", "", 1);
    resolves_to(NULL, "/xdg/firma");
    unsetenv("FIRMA_STATE_DIR");
    resolves_to(NULL, "/xdg/firma");
    setenv("XDG_RUNTIME_DIR", "relative", 1); /* invalid, so as if unset */
    resolves_to(NULL, fallback);
    setenv("XDG_RUNTIME_DIR", "", 1);
    resolves_to(NULL, fallback);
    unsetenv("XDG_RUNTIME_DIR");
    resolves_to(NULL, fallback);
}

static void a_relative_place_starts_in_the_working_directory(void **state)
{
    char here[PATH_MAX];
    char wanted[PATH_MAX + 16];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    (void)snprintf(wanted, sizeof wanted, "%s%sst", here, strcmp(here, "/") == 0 ? "" : "/");
    char *path = st_statedir_resolve("st");
    assert_non_null(path);
    assert_int_equal(path[0], '/');
    assert_string_equal(path, wanted);
    free(path);
    setenv("FIRMA_STATE_DIR", "st", 1);
    path = st_statedir_resolve(NULL);
    assert_string_equal(path, wanted);
    free(path);
    unsetenv("FIRMA_STATE_DIR");
}

static void opening_makes_it_private_with_its_parents(void **state)
{
    struct scratch *s = *state;
    struct stat st;
    int fd = st_statedir_open(scratch_at(s, "a/b/c"), NULL);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    (void)close(fd);
    assert_int_equal(fstatat(s->fd, "a/b", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    fd = st_statedir_open(scratch_at(s, "a/b/c"), NULL); /* again, now existing */
    assert_true(fd >= 0);
    (void)close(fd);
}

static void refused(const char *path)
{
    struct fb_err err = { 0 };
    assert_int_equal(st_statedir_open(path, &err), FB_E_INSECURE);
    assert_int_equal(err.code, FB_E_INSECURE);
    assert_non_null(strstr(err.remedy, "FIRMA_STATE_DIR"));
    err = (struct fb_err){ 0 };
    assert_int_equal(st_statedir_open_existing(path, &err), FB_E_INSECURE);
    assert_int_equal(err.code, FB_E_INSECURE);
}

static void wider_than_0700_is_refused(void **state)
{
    static const mode_t modes[] = { 0701, 0710, 0720, 0755, 0777 };
    struct scratch *s = *state;
    assert_int_equal(mkdirat(s->fd, "d", 0700), 0);
    for (size_t i = 0; i < FB_COUNT(modes); i++) {
        assert_int_equal(fchmodat(s->fd, "d", modes[i], 0), 0);
        refused(scratch_at(s, "d"));
    }
    assert_int_equal(fchmodat(s->fd, "d", 0700, 0), 0);
    int fd = st_statedir_open_existing(scratch_at(s, "d"), NULL);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void a_link_and_a_file_are_refused(void **state)
{
    struct scratch *s = *state;
    struct fb_err err = { 0 };
    assert_int_equal(mkdirat(s->fd, "d", 0700), 0);
    assert_int_equal(symlinkat("d", s->fd, "link"), 0);
    assert_true(st_statedir_open(scratch_at(s, "link"), &err) < 0);
    assert_true(err.code != 0);
    scratch_file(s, "file", "x", 1);
    err = (struct fb_err){ 0 };
    assert_true(st_statedir_open(scratch_at(s, "file"), &err) < 0);
    assert_true(err.code != 0);
    err = (struct fb_err){ 0 };
    assert_int_equal(symlinkat("nowhere", s->fd, "dangling"), 0);
    assert_true(st_statedir_open_existing(scratch_at(s, "dangling"), &err) < 0);
    assert_true(err.code != 0); /* something is there: no "absent" */
}

static void looking_makes_nothing(void **state)
{
    struct scratch *s = *state;
    struct fb_err err = { 0 };
    assert_int_equal(st_statedir_open_existing(scratch_at(s, "none"), &err), -1);
    assert_int_equal(err.code, 0);
    assert_false(scratch_has(s, "none"));
    scratch_file(s, "file", "x", 1);
    assert_int_equal(st_statedir_open_existing(scratch_at(s, "file/below"), &err), -1);
    assert_int_equal(err.code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flag_then_variable_then_xdg_then_tmp),
        cmocka_unit_test(a_relative_place_starts_in_the_working_directory),
        cmocka_unit_test_setup_teardown(opening_makes_it_private_with_its_parents, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(wider_than_0700_is_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_link_and_a_file_are_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(looking_makes_nothing, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
