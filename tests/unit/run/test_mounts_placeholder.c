/* Mount points on the host: made for the run, gone after it, and never at the cost of anybody's file. */
#include "run/mounts_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "scratch.h"

static const struct run_identity plain = { 0 };

static void test_made_and_removed(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    struct stat st;
    scratch_dir(".git");
    assert_int_equal(run_mounts_add_placeholder(&m, "d", true, NULL), 0);
    assert_int_equal(run_mounts_add_placeholder(&m, "f", false, NULL), 0);
    assert_int_equal(run_mounts_add_placeholder(&m, ".git/commondir", false, NULL), 0);
    assert_int_equal(run_mounts_add_placeholder(&m, "d", true, NULL), 0); /* once */
    assert_int_equal(m.n_placeholders, 3);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, NULL), 0);
    assert_int_equal(stat("d", &st), 0);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(stat(".git/commondir", &st), 0);
    assert_int_equal(st.st_size, 2); /* ".\n": git means by it what it means without */
    run_mounts_remove_placeholders(m.placeholders, m.n_placeholders);
    assert_int_not_equal(stat("d", &st), 0);
    assert_int_not_equal(stat("f", &st), 0);
    assert_int_not_equal(stat(".git/commondir", &st), 0);
    run_mounts_done(&m);
}

static void test_what_was_filled_meanwhile_stays(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    struct stat st;
    assert_int_equal(run_mounts_add_placeholder(&m, "d", true, NULL), 0);
    assert_int_equal(run_mounts_add_placeholder(&m, "f", false, NULL), 0);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, NULL), 0);
    scratch_file("d/x", "the user's");
    scratch_file("f", "the user's");
    run_mounts_remove_placeholders(m.placeholders, m.n_placeholders);
    assert_int_equal(stat("d/x", &st), 0);
    assert_int_equal(stat("f", &st), 0);
    run_mounts_done(&m);
}

static void test_a_link_or_other_kind_is_no_placeholder(void **state)
{
    (void)state;
    struct run_mounts m = { 0 };
    struct stat st;
    struct fb_err err;
    assert_int_equal(run_mounts_add_placeholder(&m, "first", true, NULL), 0);
    assert_int_equal(run_mounts_add_placeholder(&m, "d", true, NULL), 0);
    scratch_dir("elsewhere");
    assert_int_equal(symlink("elsewhere", "d"), 0);
    assert_int_equal(run_mounts_make_placeholders(&m, &plain, &err), FB_E_IO);
    assert_int_not_equal(stat("first", &st), 0); /* what was made before it is gone again */
    run_mounts_done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_made_and_removed, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_what_was_filled_meanwhile_stays, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(test_a_link_or_other_kind_is_no_placeholder, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
