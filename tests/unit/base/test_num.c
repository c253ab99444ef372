/* Numbers: the whole text, in range, or nothing. */
#include "base/err.h"
#include "base/num.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int u64(const char *z, uint64_t *v)
{
    return fb_num_u64(fb_str_of(z), 0, UINT64_MAX, v);
}

static void unsigned_numbers_reach_the_limit_and_not_past_it(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_int_equal(u64("18446744073709551615", &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(u64("18446744073709551616", &v), FB_E_PARSE);
    assert_int_equal(u64("0", &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(fb_num_u64(FB_STR("10"), 1, 10, &v), 0);
    assert_int_equal(fb_num_u64(FB_STR("11"), 1, 10, &v), FB_E_PARSE);
    assert_int_equal(fb_num_u64(FB_STR("0"), 1, 10, &v), FB_E_PARSE);
    assert_int_equal(v, 10);
}

static void signs_blanks_zeros_and_letters_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "+1", "-1", " 1", "1 ", "00", "01", "0x1", "1e3", "1.0", "1_0", "99999999999999999999999" };
    uint64_t v;
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(u64(bad[i], &v), FB_E_PARSE);
    assert_int_equal(fb_num_u64(fb_str_n("1\0", 2), 0, 9, &v), FB_E_PARSE);
}

static void signed_numbers_reach_both_limits(void **state)
{
    (void)state;
    int64_t v;
    assert_int_equal(fb_num_i64(FB_STR("-9223372036854775808"), INT64_MIN, INT64_MAX, &v), 0);
    assert_true(v == INT64_MIN);
    assert_int_equal(fb_num_i64(FB_STR("9223372036854775807"), INT64_MIN, INT64_MAX, &v), 0);
    assert_true(v == INT64_MAX);
    assert_int_equal(fb_num_i64(FB_STR("9223372036854775808"), INT64_MIN, INT64_MAX, &v), FB_E_PARSE);
    assert_int_equal(fb_num_i64(FB_STR("-9223372036854775809"), INT64_MIN, INT64_MAX, &v), FB_E_PARSE);
    assert_int_equal(fb_num_i64(FB_STR("-"), INT64_MIN, INT64_MAX, &v), FB_E_PARSE);
    assert_int_equal(fb_num_i64(FB_STR("-0"), INT64_MIN, INT64_MAX, &v), FB_E_PARSE);
    assert_int_equal(fb_num_i64(FB_STR("--1"), INT64_MIN, INT64_MAX, &v), FB_E_PARSE);
    assert_int_equal(fb_num_i64(FB_STR("-5"), -4, 4, &v), FB_E_PARSE);
}

static void durations_and_sizes_carry_their_unit(void **state)
{
    (void)state;
    uint64_t v;
    assert_int_equal(fb_num_duration_ms(FB_STR("250ms"), &v), 0);
    assert_int_equal(v, 250);
    assert_int_equal(fb_num_duration_ms(FB_STR("10s"), &v), 0);
    assert_int_equal(v, 10000);
    assert_int_equal(fb_num_duration_ms(FB_STR("10m"), &v), 0);
    assert_int_equal(v, 600000);
    assert_int_equal(fb_num_duration_ms(FB_STR("24h"), &v), 0);
    assert_int_equal(v, 86400000);
    static const char *const bad[] = { "", "s", "10", "10 s", "-1s", "1.5s", "10S", "1d", "99999999999999999999h" , "18446744073709551615s" };
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(fb_num_duration_ms(fb_str_of(bad[i]), &v), FB_E_PARSE);
    assert_int_equal(fb_num_size_bytes(FB_STR("4096"), &v), 0);
    assert_int_equal(v, 4096);
    assert_int_equal(fb_num_size_bytes(FB_STR("4MiB"), &v), 0);
    assert_int_equal(v, 4 << 20);
    assert_int_equal(fb_num_size_bytes(FB_STR("10MB"), &v), 0);
    assert_int_equal(v, 10000000);
    assert_int_equal(fb_num_size_bytes(FB_STR("64KiB"), &v), 0);
    assert_int_equal(v, 65536);
    static const char *const bad_sizes[] = { "", "MiB", "4 MiB", "4mib", "-4", "17179869184GiB", "1TB" };
    for (size_t i = 0; i < FB_COUNT(bad_sizes); i++)
        assert_int_equal(fb_num_size_bytes(fb_str_of(bad_sizes[i]), &v), FB_E_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers_reach_the_limit_and_not_past_it),
        cmocka_unit_test(signs_blanks_zeros_and_letters_are_refused),
        cmocka_unit_test(signed_numbers_reach_both_limits),
        cmocka_unit_test(durations_and_sizes_carry_their_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
