/* The byte buffer: its ceiling, its sticky failure, its NUL. */
#include "base/buf.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void content_up_to_the_ceiling_fits_and_one_more_byte_fails(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 4);
    assert_int_equal(fb_buf_add(&b, "abcd", 4), 0);
    assert_int_equal(fb_buf_addc(&b, 'e'), FB_E_LIMIT);
    assert_string_equal(b.p, "abcd");
    assert_true(fb_buf_failed(&b));
    fb_buf_done(&b);
}

static void a_failure_sticks_until_reset(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 3);
    fb_buf_addz(&b, "long text");
    assert_int_not_equal(fb_buf_addc(&b, 'x'), 0);
    assert_int_not_equal(fb_buf_addf(&b, "%d", 1), 0);
    assert_int_equal(b.n, 0);
    fb_buf_reset(&b);
    assert_int_equal(fb_buf_addz(&b, "abc"), 0);
    assert_string_equal(b.p, "abc");
    fb_buf_done(&b);
}

static void numbers_are_written_to_their_extremes(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 200);
    fb_buf_add_u64(&b, 0);
    fb_buf_addc(&b, ' ');
    fb_buf_add_u64(&b, UINT64_MAX);
    fb_buf_addc(&b, ' ');
    fb_buf_add_i64(&b, INT64_MIN);
    fb_buf_addc(&b, ' ');
    fb_buf_add_i64(&b, -1);
    fb_buf_addf(&b, "|%s%d", "x", 7);
    assert_string_equal(b.p, "0 18446744073709551615 -9223372036854775808 -1|x7");
    fb_buf_done(&b);
}

static void it_grows_over_many_appends_and_consumes_from_the_front(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init_secret(&b, 1 << 20);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(fb_buf_add(&b, "0123456789", 10), 0);
    assert_int_equal(b.n, 100000);
    fb_buf_consume(&b, 99995);
    assert_string_equal(b.p, "56789");
    fb_buf_consume(&b, 99);
    assert_int_equal(b.n, 0);
    fb_buf_done(&b);
    fb_buf_done(&b);
    fb_buf_done(NULL);
}

static void huge_reservations_fail_instead_of_wrapping(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, SIZE_MAX);
    assert_int_equal(fb_buf_addc(&b, 'x'), 0);
    assert_int_equal(fb_buf_reserve(&b, SIZE_MAX), FB_E_LIMIT);
    fb_buf_done(&b);
    fb_buf_init(&b, 0);
    assert_int_equal(fb_buf_add(&b, NULL, 0), 0);
    assert_int_equal(fb_buf_addc(&b, 'x'), FB_E_LIMIT);
    assert_int_equal(fb_buf_str(&b).n, 0);
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(content_up_to_the_ceiling_fits_and_one_more_byte_fails),
        cmocka_unit_test(a_failure_sticks_until_reset),
        cmocka_unit_test(numbers_are_written_to_their_extremes),
        cmocka_unit_test(it_grows_over_many_appends_and_consumes_from_the_front),
        cmocka_unit_test(huge_reservations_fail_instead_of_wrapping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
