/* Both readings of a pattern: the loose one lets every star run across separators, the strict one keeps a star inside its
 * label or segment; neither can be made to work for long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "enforce/glob.h"

struct row {
    const char *pattern;
    const char *text;
    bool match;
};

static void loose_stars_cross_separators(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "*", "", true },
        { "*", "a/b.c", true },
        { "a*a", "a", false },
        { "a*a", "aa", true },
        { "a*a", "aba", true },
        { "*.openai.com", "a.b.openai.com", true },
        { "*.openai.com", "openai.com", false },
        { "/v1/*/completions", "/v1/a/b/completions", true },
        { "/v1/*/completions", "/v1/completions", false },
        { "/repos/*/*", "/repos/o/r/actions/secrets", true },
        { "ab*bc", "abc", false },
        { "*a*b*", "xxaxxbxx", true },
        { "*a*b*", "xxbxxaxx", false },
        { "abc", "abc", true },
        { "abc", "abcd", false },
        { "abc*", "abc", true },
        { "**", "anything/at.all", true },
        { "a**b", "a/x/b", true },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        if (fe_glob_loose(fb_str_of(rows[i].pattern), fb_str_of(rows[i].text)) != rows[i].match)
            fail_msg("%s against %s", rows[i].pattern, rows[i].text);
    }
}

static void strict_stars_stay_inside(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "*", "", true },
        { "*", "/a/b", true },
        { "/*", "/a", true },
        { "/*", "/a/b", false },
        { "/*", "/", false },
        { "/repos/*/*", "/repos/o/r", true },
        { "/repos/*/*", "/repos/o/r/x", false },
        { "/repos/*/*", "/repos/o/", false },
        { "/a/*/c", "/a//c", false },
        { "/contents/**", "/contents/a/b/c", true },
        { "/contents/**", "/contents/", true },
        { "/contents/**", "/contents", false },
        { "/protection**", "/protection", true },
        { "/protection**", "/protection/a/b", true },
        { "/x*", "/x", true },
        { "/x*", "/xyz", true },
        { "/x*", "/x/y", false },
        { "/*/*.git/info/refs", "/o/r.git/info/refs", true },
        { "/*/*.git/info/refs", "/o/x/r.git/info/refs", false },
        { "/**/z", "/a/b/z", true },
        { "/**/z", "/z", false },
        { "/**/a/*b", "/x/a/c/a/xb", true },
        { "/**/a/*b", "/x/a/c/a/x", false },
        { "/**a*b", "/aa/ab", true },
        { "/**a*b", "/aa/a/b", false },
        { "***", "a/b", true },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        uint64_t steps = 10000;
        enum fe_glob_result r = fe_glob_segment(fb_str_of(rows[i].pattern), fb_str_of(rows[i].text), "/", &steps);
        if (r != (rows[i].match ? FE_GLOB_YES : FE_GLOB_NO))
            fail_msg("%s against %s", rows[i].pattern, rows[i].text);
    }
}

static void strict_hosts_divide_at_dots_and_port(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "*.acme.com", "api.acme.com", true },        { "*.acme.com", "api.dev.acme.com", false },
        { "*.acme.com", "acme.com", false },           { "**.acme.com", "api.dev.acme.com", true },
        { "localhost:*", "localhost:8080", true },     { "localhost:*", "localhost", false },
        { "api-*.acme.com", "api-eu.acme.com", true }, { "api-*.acme.com", "api-eu.x.acme.com", false },
        { "*", "a.b.c:1", true },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        uint64_t steps = 10000;
        enum fe_glob_result r = fe_glob_segment(fb_str_of(rows[i].pattern), fb_str_of(rows[i].text), ".:", &steps);
        if (r != (rows[i].match ? FE_GLOB_YES : FE_GLOB_NO))
            fail_msg("%s against %s", rows[i].pattern, rows[i].text);
    }
}

/* The same question asked the slow, obvious way. */
static bool slow_strict(const char *p, const char *t, const char *p0)
{
    if (*p == '\0')
        return *t == '\0';
    if (p[0] == '*' && p[1] == '*') {
        const char *next = p + 2;
        while (*next == '*')
            next++;
        for (const char *s = t;; s++) {
            if (slow_strict(next, s, p0))
                return true;
            if (*s == '\0')
                return false;
        }
    }
    if (p[0] == '*') {
        bool whole = (p == p0 || p[-1] == '/') && (p[1] == '\0' || p[1] == '/');
        const char *s = t;
        if (whole) {
            if (*s == '\0' || *s == '/')
                return false;
            s++;
        }
        for (;; s++) {
            if (slow_strict(p + 1, s, p0))
                return true;
            if (*s == '\0' || *s == '/')
                return false;
        }
    }
    return *p == *t && slow_strict(p + 1, t + 1, p0);
}

static void random_small_cases_agree_with_the_slow_answer(void **state)
{
    (void)state;
    uint32_t seed = 12345;
    for (int round = 0; round < 200000; round++) {
        char p[9] = { 0 };
        char t[9] = { 0 };
        seed = seed * 1664525u + 1013904223u;
        uint32_t bits = seed;
        for (size_t i = 0; i < (bits >> 4) % 9; i++) {
            seed = seed * 1664525u + 1013904223u;
            p[i] = "a/b**"[(seed >> 16) % 5];
        }
        for (size_t i = 0; i < (bits >> 12) % 9; i++) {
            seed = seed * 1664525u + 1013904223u;
            t[i] = "ab/"[(seed >> 16) % 3];
        }
        bool expected = strcmp(p, "*") == 0 || slow_strict(p, t, p);
        uint64_t steps = 100000;
        enum fe_glob_result r = fe_glob_segment(fb_str_of(p), fb_str_of(t), "/", &steps);
        if (r != (expected ? FE_GLOB_YES : FE_GLOB_NO))
            fail_msg("'%s' against '%s': %d, expected %d", p, t, (int)r, (int)expected);
    }
}

static void work_is_bounded_and_running_out_is_told(void **state)
{
    (void)state;
    enum { N = 40000 };
    char *text = malloc(N);
    assert_non_null(text);
    memset(text, 'a', N);
    uint64_t steps = 1000000;
    assert_int_equal(fe_glob_segment(FB_STR("**a*b"), fb_str_n(text, N), "/", &steps), FE_GLOB_TOO_MUCH);
    assert_int_equal(steps, 0);
    assert_false(fe_glob_loose(FB_STR("*a*a*a*b"), fb_str_n(text, N)));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loose_stars_cross_separators),
        cmocka_unit_test(strict_stars_stay_inside),
        cmocka_unit_test(strict_hosts_divide_at_dots_and_port),
        cmocka_unit_test(random_small_cases_agree_with_the_slow_answer),
        cmocka_unit_test(work_is_bounded_and_running_out_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
