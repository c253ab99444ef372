/* The names the DNS stub answers for: replaced as a whole, kept on failure, never everything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "run/routes.h"

#include <stdlib.h>
#include <string.h>

static bool match(const struct run_routes *r, const char *name)
{
    return run_routes_match(r, fb_str_of(name));
}

static void lines_are_names_and_patterns(void **state)
{
    struct run_routes r = { 0 };
    (void)state;
    assert_int_equal(run_routes_set(&r, FB_STR("api.example.com\n\n \t \n  *.b.example  \nlast"), NULL), 0);
    assert_int_equal(r.count, 3);
    assert_true(match(&r, "api.example.com"));
    assert_true(match(&r, "x.b.example"));
    assert_true(match(&r, "last"));
    assert_false(match(&r, "b.example"));
    assert_false(match(&r, "example.com"));
    assert_false(match(&r, "xapi.example.com"));
    assert_false(match(&r, "api.example.com.evil"));
    assert_false(match(&r, ""));
    run_routes_done(&r);
    assert_false(match(&r, "last"));
    run_routes_done(&r);
}

static void a_bare_star_matches_nothing(void **state)
{
    struct run_routes r = { 0 };
    (void)state;
    assert_int_equal(run_routes_set(&r, FB_STR("*\n"), NULL), 0);
    assert_false(match(&r, "anything"));
    assert_false(match(&r, "*"));
    run_routes_done(&r);
}

static void an_empty_text_empties_the_list(void **state)
{
    struct run_routes r = { 0 };
    (void)state;
    assert_int_equal(run_routes_set(&r, FB_STR("a.example\n"), NULL), 0);
    assert_int_equal(run_routes_set(&r, FB_STR(""), NULL), 0);
    assert_int_equal(r.count, 0);
    assert_false(match(&r, "a.example"));
    run_routes_done(&r);
}

static void the_old_list_stays_after_a_bad_one(void **state)
{
    struct run_routes r = { 0 };
    struct fb_err err = { 0 };
    (void)state;
    assert_int_equal(run_routes_set(&r, FB_STR("old.example"), NULL), 0);
    assert_true(run_routes_set(&r, FB_STR("new.example\nx\0y"), &err) < 0);
    assert_true(match(&r, "old.example"));
    assert_false(match(&r, "new.example"));
    run_routes_done(&r);
}

/* Line feeds between lines: n - 1. */
static void the_limit_counts_lines(void **state)
{
    struct run_routes r = { 0 };
    struct fb_err err = { 0 };
    (void)state;
    char *text = malloc(2 * RUN_ROUTES_MAX + 1);
    assert_non_null(text);
    for (size_t i = 0; i < RUN_ROUTES_MAX; i++) {
        text[2 * i] = 'a';
        text[2 * i + 1] = '\n';
    }
    assert_int_equal(run_routes_set(&r, fb_str_n(text, 2 * RUN_ROUTES_MAX - 1), &err), 0);
    assert_int_equal(r.count, RUN_ROUTES_MAX);
    text[2 * RUN_ROUTES_MAX] = 'b';
    assert_int_equal(run_routes_set(&r, fb_str_n(text, 2 * RUN_ROUTES_MAX + 1), &err), FB_E_LIMIT);
    assert_int_equal(r.count, RUN_ROUTES_MAX);
    assert_true(match(&r, "a"));
    assert_false(match(&r, "b"));
    run_routes_done(&r);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_names_and_patterns),
        cmocka_unit_test(a_bare_star_matches_nothing),
        cmocka_unit_test(an_empty_text_empties_the_list),
        cmocka_unit_test(the_old_list_stays_after_a_bad_one),
        cmocka_unit_test(the_limit_counts_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
