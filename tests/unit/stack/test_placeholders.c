/* Mount points made for a run go away when it is over, and nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "stack/placeholders.h"
#include "scratch.h"

#include <sys/file.h>

/* Saves one list entry for every name, as a file unless it ends in '/', and clears. */
static void save_and_clear(const struct scratch *s, const char *const *names, size_t n)
{
    struct st_placeholder list[16];
    char paths[16][600];
    for (size_t i = 0; i < n; i++) {
        size_t used = (size_t)snprintf(paths[i], sizeof paths[i], "%s/%s", s->path, names[i]);
        list[i] = (struct st_placeholder){ paths[i], paths[i][used - 1] == '/' };
        if (list[i].is_dir)
            paths[i][used - 1] = '\0';
    }
    assert_int_equal(st_placeholders_save(s->fd, list, n, NULL), 0);
    st_placeholders_clear(s->fd);
}

static void empty_ones_go_full_ones_stay(void **state)
{
    static const char *const names[] = { "empty", "full", "dir/", "kept/", "sub/deep", "absent", "gone/", "no/such/parent" };
    struct scratch *s = *state;
    scratch_file(s, "empty", "", 0);
    scratch_file(s, "full", "x", 1);
    assert_int_equal(mkdirat(s->fd, "dir", 0700), 0);
    assert_int_equal(mkdirat(s->fd, "kept", 0700), 0);
    scratch_file(s, "kept/x", "", 0);
    assert_int_equal(mkdirat(s->fd, "sub", 0700), 0);
    scratch_file(s, "sub/deep", "", 0);
    scratch_file(s, "other", "", 0); /* not in the list */
    save_and_clear(s, names, FB_COUNT(names));
    assert_false(scratch_has(s, "empty"));
    assert_true(scratch_has(s, "full"));
    assert_false(scratch_has(s, "dir"));
    assert_true(scratch_has(s, "kept/x"));
    assert_false(scratch_has(s, "sub/deep"));
    assert_true(scratch_has(s, "other"));
}

static void what_changed_its_kind_stays(void **state)
{
    static const char *const names[] = { "was_file", "was_dir/", "fifo" };
    struct scratch *s = *state;
    assert_int_equal(mkdirat(s->fd, "was_file", 0700), 0);
    scratch_file(s, "was_dir", "", 0);
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    save_and_clear(s, names, FB_COUNT(names));
    assert_true(scratch_has(s, "was_file"));
    assert_true(scratch_has(s, "was_dir"));
    assert_true(scratch_has(s, "fifo"));
}

static void a_git_commondir_counts_as_empty_only_as_it_was_made(void **state)
{
    static const char *const names[] = { "a/commondir", "b/commondir", "c/commondir", "d/other" };
    struct scratch *s = *state;
    for (const char *dir = "a\0b\0c\0d\0"; *dir != '\0'; dir += 2)
        assert_int_equal(mkdirat(s->fd, dir, 0700), 0);
    scratch_file(s, "a/commondir", ".\n", 2);
    scratch_file(s, "b/commondir", "..", 2);
    scratch_file(s, "c/commondir", ".\n\n", 3);
    scratch_file(s, "d/other", ".\n", 2);
    save_and_clear(s, names, FB_COUNT(names));
    assert_false(scratch_has(s, "a/commondir"));
    assert_true(scratch_has(s, "b/commondir"));
    assert_true(scratch_has(s, "c/commondir"));
    assert_true(scratch_has(s, "d/other"));
}

static void no_link_is_followed(void **state)
{
    static const char *const names[] = { "link/victim", "to_file", "to_dir/" };
    struct scratch *s = *state;
    assert_int_equal(mkdirat(s->fd, "real", 0700), 0);
    scratch_file(s, "real/victim", "", 0);
    assert_int_equal(mkdirat(s->fd, "emptydir", 0700), 0);
    assert_int_equal(symlinkat("real", s->fd, "link"), 0);
    assert_int_equal(symlinkat("real/victim", s->fd, "to_file"), 0);
    assert_int_equal(symlinkat("emptydir", s->fd, "to_dir"), 0);
    save_and_clear(s, names, FB_COUNT(names));
    assert_true(scratch_has(s, "real/victim"));
    assert_true(scratch_has(s, "emptydir"));
    assert_true(scratch_has(s, "to_file"));
    assert_true(scratch_has(s, "to_dir"));
}

static void one_that_a_living_run_holds_is_left_to_it(void **state)
{
    static const char *const names[] = { "held" };
    struct scratch *s = *state;
    scratch_file(s, "held", "", 0);
    int fd = openat(s->fd, "held", O_RDONLY | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_SH), 0);
    save_and_clear(s, names, 1);
    assert_true(scratch_has(s, "held"));
    (void)close(fd);
    st_placeholders_clear(s->fd);
    assert_false(scratch_has(s, "held"));
}

static void a_list_that_cannot_be_kept_whole_is_refused(void **state)
{
    struct scratch *s = *state;
    struct fb_err err = { 0 };
    const struct st_placeholder bad = { "/a\nd /etc", false };
    assert_int_equal(st_placeholders_save(s->fd, NULL, 0, &err), 0);
    assert_false(scratch_has(s, "placeholders"));
    assert_int_equal(st_placeholders_save(s->fd, &bad, 1, &err), FB_E_CONFIG_VALIDATION);
    assert_false(scratch_has(s, "placeholders"));
    char *path = malloc(ST_PLACEHOLDERS_MAX_BYTES);
    assert_non_null(path);
    memset(path, '/', ST_PLACEHOLDERS_MAX_BYTES);
    path[ST_PLACEHOLDERS_MAX_BYTES - 3] = '\0'; /* with "f " and the line feed: the limit */
    const struct st_placeholder big = { path, false };
    assert_int_equal(st_placeholders_save(s->fd, &big, 1, &err), 0);
    st_placeholders_clear(s->fd);
    path[ST_PLACEHOLDERS_MAX_BYTES - 3] = '/';
    path[ST_PLACEHOLDERS_MAX_BYTES - 2] = '\0';
    assert_int_equal(st_placeholders_save(s->fd, &big, 1, &err), FB_E_LIMIT);
    free(path);
}

static void a_foreign_or_broken_list_removes_nothing(void **state)
{
    struct scratch *s = *state;
    char text[256];
    scratch_file(s, "victim", "", 0);
    int n = snprintf(text, sizeof text, "\nf\nf relative\nx\nfx%s/victim\n/", s->path);
    scratch_file(s, "placeholders", text, (size_t)n);
    st_placeholders_clear(s->fd);
    assert_true(scratch_has(s, "victim"));
    n = snprintf(text, sizeof text, "f %s/victim\n", s->path);
    scratch_file(s, "placeholders", text, (size_t)n);
    assert_int_equal(fchmodat(s->fd, "placeholders", 0644, 0), 0); /* not private */
    st_placeholders_clear(s->fd);
    assert_true(scratch_has(s, "victim"));
    assert_int_equal(fchmodat(s->fd, "placeholders", 0600, 0), 0);
    st_placeholders_clear(s->fd);
    assert_false(scratch_has(s, "victim"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_ones_go_full_ones_stay, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(what_changed_its_kind_stays, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_git_commondir_counts_as_empty_only_as_it_was_made, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(no_link_is_followed, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(one_that_a_living_run_holds_is_left_to_it, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_list_that_cannot_be_kept_whole_is_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_foreign_or_broken_list_removes_nothing, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
