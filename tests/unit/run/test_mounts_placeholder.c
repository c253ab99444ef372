/* Mount points on the host: made for the run, gone after it, and never at the cost of anybody's file. */
#include "run/mounts_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static const struct run_identity plain = { 0 };

/* Absolute, in the test's directory. */
static void add(struct run_mounts *m, void **state, const char *name, bool is_dir)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", (const char *)*state, name);
    assert_int_equal(run_mounts_add_placeholder(m, path, is_dir, NULL), 0);
}

static void test_made_and_removed(void **state)
{
    struct run_mounts m = { 0 };
    struct stat st;
    scratch_dir(".git");
    add(&m, state, "d", true);
    add(&m, state, "f", false);
    add(&m, state, ".git/commondir", false);
    add(&m, state, "d", true); /* once */
    assert_int_equal(m.n_placeholders, 3);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, NULL), 0);
    assert_int_equal(stat("d", &st), 0);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(stat(".git/commondir", &st), 0);
    assert_int_equal(st.st_size, 2); /* ".\n": git means by it what it means without */
    run_mounts_let_go(&m);
    run_mounts_remove_placeholders(m.placeholders, m.n_placeholders);
    assert_int_not_equal(stat("d", &st), 0);
    assert_int_not_equal(stat("f", &st), 0);
    assert_int_not_equal(stat(".git/commondir", &st), 0);
    run_mounts_done(&m);
}

static void test_what_was_filled_meanwhile_stays(void **state)
{
    struct run_mounts m = { 0 };
    struct stat st;
    add(&m, state, "d", true);
    add(&m, state, "f", false);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, NULL), 0);
    assert_int_equal(chmod("d", 0755), 0);
    assert_int_equal(chmod("f", 0644), 0);
    scratch_file("d/x", "the user's");
    scratch_file("f", "the user's");
    run_mounts_let_go(&m);
    run_mounts_remove_placeholders(m.placeholders, m.n_placeholders);
    assert_int_equal(stat("d/x", &st), 0);
    assert_int_equal(stat("f", &st), 0);
    run_mounts_done(&m);
}

static void test_a_link_or_other_kind_is_no_placeholder(void **state)
{
    struct run_mounts m = { 0 };
    struct stat st;
    struct fb_err err;
    add(&m, state, "first", true);
    add(&m, state, "d", true);
    scratch_dir("elsewhere");
    assert_int_equal(symlink("elsewhere", "d"), 0);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, &err), FB_E_IO);
    assert_int_not_equal(stat("first", &st), 0); /* what was made before it is gone again */
    run_mounts_done(&m);
}

static void test_the_last_run_in_a_workspace_removes(void **state)
{
    struct run_mounts a = { 0 };
    struct run_mounts b = { 0 };
    struct stat st;
    char path[256];
    scratch_dir(".git");
    add(&a, state, "d", true);
    add(&a, state, ".git/commondir", false);
    assert_int_equal(run_mounts_make_placeholders(&a, &plain, NULL), 0);
    (void)snprintf(path, sizeof(path), "%s/d", (const char *)*state);
    assert_true(run_mounts_is_placeholder(path, true)); /* the second run sees whose it is */
    add(&b, state, "d", true);
    add(&b, state, ".git/commondir", false);
    assert_int_equal(run_mounts_make_placeholders(&b, &plain, NULL), 0);
    run_mounts_let_go(&a);
    run_mounts_remove_placeholders(a.placeholders, a.n_placeholders);
    assert_int_equal(stat("d", &st), 0); /* removing it would uncover the other */
    assert_int_equal(stat(".git/commondir", &st), 0);
    run_mounts_let_go(&b);
    run_mounts_remove_placeholders(b.placeholders, b.n_placeholders);
    assert_int_not_equal(stat("d", &st), 0);
    assert_int_not_equal(stat(".git/commondir", &st), 0);
    run_mounts_done(&a);
    run_mounts_done(&b);
}

static void test_what_a_person_made_is_no_placeholder(void **state)
{
    char path[256];
    scratch_dir("mine");
    (void)snprintf(path, sizeof(path), "%s/mine", (const char *)*state);
    assert_false(run_mounts_is_placeholder(path, true)); /* empty, but of an ordinary mode */
    assert_int_equal(chmod("mine", 0700), 0);
    scratch_file("mine/x", "");
    assert_int_equal(chmod("mine", 0500), 0);
    assert_false(run_mounts_is_placeholder(path, true)); /* of that mode, but not empty */
    assert_int_equal(chmod("mine", 0700), 0);
}

static void test_no_link_is_followed_on_the_way(void **state)
{
    struct run_mounts m = { 0 };
    struct fb_err err;
    struct stat st;
    scratch_dir("elsewhere");
    assert_int_equal(symlink("elsewhere", "way"), 0);
    add(&m, state, "way/d", true);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, &err), FB_E_IO);
    assert_int_not_equal(stat("elsewhere/d", &st), 0);
    assert_int_equal(mkdir("elsewhere/d", 0500), 0);
    run_mounts_remove_placeholders(m.placeholders, m.n_placeholders);
    assert_int_equal(stat("elsewhere/d", &st), 0);
    run_mounts_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_and_removed, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_what_was_filled_meanwhile_stays, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_a_link_or_other_kind_is_no_placeholder, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_the_last_run_in_a_workspace_removes, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_what_a_person_made_is_no_placeholder, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_no_link_is_followed_on_the_way, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
