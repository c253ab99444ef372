/* Marks are kept in order up to a limit, and cost nothing when nobody asked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/timings.h"

static void nothing_is_noted_unless_asked(void **state)
{
    struct run_timings t;
    (void)state;
    run_timings_init(&t, false);
    run_timings_mark(&t, "x");
    assert_int_equal(t.count, 0);
}

static void marks_keep_their_order_and_end_at_the_limit(void **state)
{
    struct run_timings t;
    (void)state;
    run_timings_init(&t, true);
    for (int i = 0; i < RUN_TIMINGS_MAX; i++)
        run_timings_mark(&t, i == 0 ? "first" : "later");
    assert_int_equal(t.count, RUN_TIMINGS_MAX);
    run_timings_mark(&t, "one too many");
    assert_int_equal(t.count, RUN_TIMINGS_MAX);
    assert_string_equal(t.marks[0].what, "first");
    assert_string_equal(t.marks[RUN_TIMINGS_MAX - 1].what, "later");
    assert_true(t.marks[0].at_ns >= t.start_ns);
    for (int i = 1; i < RUN_TIMINGS_MAX; i++)
        assert_true(t.marks[i].at_ns >= t.marks[i - 1].at_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_noted_unless_asked),
        cmocka_unit_test(marks_keep_their_order_and_end_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
