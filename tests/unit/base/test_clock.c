/* Time text: both directions, the edges of the calendar, and what is refused. */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int64_t parse(const char *z)
{
    int64_t ns = -1;
    assert_int_equal(fb_clock_parse(fb_str_of(z), &ns, NULL), 0);
    return ns;
}

static void known_times_are_read(void **state)
{
    (void)state;
    assert_true(parse("1970-01-01T00:00:00Z") == 0);
    assert_true(parse("2026-05-18T08:00:00Z") == 1779091200LL * 1000000000);
    assert_true(parse("2026-05-18T10:00:00.123456789+02:00") == 1779091200123456789LL);
    assert_true(parse("2026-05-18T07:30:00.5-00:30") == 1779091200500000000LL);
    assert_true(parse("1969-12-31T23:59:59.9Z") == -100000000);
    assert_true(parse("2000-02-29T00:00:00Z") == 951782400LL * 1000000000);
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "2026", "2026-05-18", "2026-05-18T08:00:00", "2026-05-18T08:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-05-18T24:00:00Z", "2026-05-18T08:60:00Z",
        "2026-05-18T08:00:60Z", "2026-05-18T08:00:00.Z", "2026-05-18T08:00:00.1234567890Z", "2026-05-18T08:00:00+24:00",
        "2026-05-18T08:00:00+0200", "2026-05-18T08:00:00Zx", " 2026-05-18T08:00:00Z", "1677-12-31T23:59:59Z", "2262-01-01T00:00:00Z",
        "+2026-05-18T08:00:00Z", "2026-5-18T08:00:00Z",
    };
    struct fb_err err = { 0 };
    int64_t ns = 5;
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(fb_clock_parse(fb_str_of(bad[i]), &ns, &err), FB_E_PARSE);
    assert_int_equal(ns, 5);
    assert_int_equal(fb_clock_parse(fb_str_n("2026-05-18T08:00:00\0", 20), &ns, &err), FB_E_PARSE);
}

static void times_are_written_with_the_digits_asked_for(void **state)
{
    (void)state;
    char out[FB_CLOCK_TEXT_BYTES];
    int64_t t = 1779091200123456789LL;
    fb_clock_format(out, t, 0, true);
    assert_string_equal(out, "2026-05-18T08:00:00Z");
    fb_clock_format(out, t, 3, true);
    assert_string_equal(out, "2026-05-18T08:00:00.123Z");
    fb_clock_format(out, t, 6, false);
    assert_string_equal(out, "2026-05-18T08:00:00.123456+00:00");
    fb_clock_format(out, t, 9, true);
    assert_string_equal(out, "2026-05-18T08:00:00.123456789Z");
    fb_clock_format(out, -1, 9, true);
    assert_string_equal(out, "1969-12-31T23:59:59.999999999Z");
    fb_clock_format(out, INT64_MIN, 9, true);
    assert_string_equal(out, "1677-09-21T00:12:43.145224192Z");
    fb_clock_format(out, INT64_MAX, 9, true);
    assert_string_equal(out, "2262-04-11T23:47:16.854775807Z");
    fb_clock_format_min(out, 1779091200000000000LL);
    assert_string_equal(out, "2026-05-18T08:00:00+00:00");
    fb_clock_format_min(out, 1779091200120000000LL);
    assert_string_equal(out, "2026-05-18T08:00:00.120+00:00");
    fb_clock_format_min(out, 1779091200000001000LL);
    assert_string_equal(out, "2026-05-18T08:00:00.000001+00:00");
    fb_clock_format_min(out, 1779091200000000001LL);
    assert_string_equal(out, "2026-05-18T08:00:00.000000001+00:00");
}

static void every_day_of_the_range_survives_a_round_trip(void **state)
{
    (void)state;
    int64_t first = parse("1678-01-01T00:00:00Z");
    int64_t last = parse("2261-12-31T00:00:00Z");
    for (int64_t t = first; t <= last; t += 86400LL * 1000000000) {
        char out[FB_CLOCK_TEXT_BYTES];
        fb_clock_format(out, t, 0, true);
        assert_true(parse(out) == t);
    }
}

static void the_wall_clock_can_be_shifted_and_the_monotonic_one_never_goes_back(void **state)
{
    (void)state;
    int64_t before = fb_clock_wall_ms();
    fb_clock_set_offset_ms(3600000);
    assert_true(fb_clock_wall_ms() - before >= 3600000);
    fb_clock_set_offset_ms(0);
    assert_true(fb_clock_wall_s() >= 1700000000);
    int64_t a = fb_clock_mono_ns();
    int64_t b = fb_clock_mono_ns();
    assert_true(b >= a && fb_clock_mono_ms() >= b / 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(times_are_written_with_the_digits_asked_for),
        cmocka_unit_test(every_day_of_the_range_survives_a_round_trip),
        cmocka_unit_test(the_wall_clock_can_be_shifted_and_the_monotonic_one_never_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
