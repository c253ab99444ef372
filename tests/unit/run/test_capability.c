/* When a capability is renewed, and which seed files are never believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/capability.h"
#include "scratch.h"
#include "token/keyfile.h"
#include "token/seed.h"
#include "token/token.h"

#define SECOND_NS INT64_C(1000000000)

static void renewal_is_the_earlier_of_ratio_and_grace(void **state)
{
    (void)state;
    struct run_capability c = { .expiry_ns = 1000 * SECOND_NS };
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 30, 0), 500000);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 700, 0), 300000);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 30, 900 * SECOND_NS), 50000);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.75, 30, 900 * SECOND_NS), 70000); /* 100 s left, less the grace */
}

static void renewal_is_never_sooner_than_a_second(void **state)
{
    (void)state;
    struct run_capability c = { .expiry_ns = 100 * SECOND_NS };
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 30, 98 * SECOND_NS), 1000);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 30, 100 * SECOND_NS), 1000);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 30, 900 * SECOND_NS), 1000); /* long over */
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 1, 97 * SECOND_NS), 1500);
    assert_int_equal(run_capability_renew_in_ms(&c, 0.5, 1, 98 * SECOND_NS + 2000000), 1000); /* 998 and 999 ms */
}

static int judge(const char *seed, const char *key, struct tk_claims *ret)
{
    struct fb_err err = { 0 };
    *ret = (struct tk_claims){ 0 };
    int r = run_capability_read(seed, key, ret, &err);
    assert_int_equal(r, err.code);
    if (r < 0)
        assert_null(ret->block);
    return r;
}

static void a_key_is_needed_and_must_be_one(void **state)
{
    struct tk_claims claims;
    (void)state;
    scratch_file("short.pub", "abc");
    scratch_file("seed", "x");
    assert_int_equal(judge("seed", NULL, &claims), FB_E_CAPABILITY);
    assert_int_equal(judge("seed", "", &claims), FB_E_CAPABILITY);
    assert_int_equal(judge("seed", "none.pub", &claims), FB_E_CAPABILITY);
    assert_int_equal(judge("seed", "short.pub", &claims), FB_E_CAPABILITY);
}

static void absent_empty_and_strange_seeds_are_refused(void **state)
{
    struct tk_claims claims;
    (void)state;
    assert_int_equal(tk_keyfile_generate("a.key", NULL, NULL, NULL), 0);
    scratch_file("empty", "");
    scratch_file("strange", "raw_token = \"v4.public.AAAA\"\n");
    assert_int_equal(judge("none", "a.pub", &claims), FB_E_CAPABILITY);
    assert_int_equal(judge("empty", "a.pub", &claims), FB_E_CAPABILITY);
    assert_int_equal(judge("strange", "a.pub", &claims), FB_E_CAPABILITY);
}

static void the_copy_lives_in_a_private_place_until_done(void **state)
{
    struct run_capability c = { 0 };
    struct stat st;
    char dir[128];
    (void)snprintf(dir, sizeof dir, "%s/st", (const char *)*state);
    assert_int_equal(run_capability_open(&c, dir, "box", NULL), 0);
    assert_int_equal(stat("st/capabilities", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    scratch_file("seed", "anything");
    const struct tk_claims claims = { .issued_at_ns = 5, .expiry_ns = 9 };
    assert_int_equal(run_capability_copy(&c, "seed", &claims, NULL), 0);
    assert_int_equal(stat("st/capabilities/box.toml", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(c.issued_at_ns, 5);
    assert_int_equal(c.expiry_ns, 9);
    assert_int_equal(run_capability_copy(&c, "none", &claims, NULL), FB_E_CAPABILITY);
    run_capability_done(&c);
    assert_int_equal(stat("st/capabilities/box.toml", &st), -1);
    run_capability_done(&c);
    assert_int_equal(chmod("st", 0755), 0);
    assert_int_equal(run_capability_open(&c, dir, "box", NULL), FB_E_INSECURE);
    assert_null(c.path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renewal_is_the_earlier_of_ratio_and_grace),
        cmocka_unit_test(renewal_is_never_sooner_than_a_second),
        cmocka_unit_test_setup_teardown(a_key_is_needed_and_must_be_one, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(absent_empty_and_strange_seeds_are_refused, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(the_copy_lives_in_a_private_place_until_done, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
