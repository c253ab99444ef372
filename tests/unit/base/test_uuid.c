/* UUIDs: form, version, and order within a process. */
#include "base/clock.h"
#include "base/uuid.h"

#include <pthread.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

enum { PER_THREAD = 20000, THREADS = 4 };

static void check_form(const char *u, char version)
{
    assert_int_equal(strlen(u), 36);
    for (int i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23)
            assert_int_equal(u[i], '-');
        else
            assert_non_null(strchr("0123456789abcdef", u[i]));
    }
    assert_int_equal(u[14], version);
    assert_non_null(strchr("89ab", u[19]));
}

static void the_text_has_the_right_form_and_version(void **state)
{
    (void)state;
    char a[FB_UUID_TEXT_BYTES], b[FB_UUID_TEXT_BYTES];
    fb_uuid_v7(a);
    check_form(a, '7');
    fb_uuid_v4(a);
    fb_uuid_v4(b);
    check_form(a, '4');
    assert_string_not_equal(a, b);
}

static void version_7_starts_with_the_time(void **state)
{
    (void)state;
    char u[FB_UUID_TEXT_BYTES];
    int64_t before = fb_clock_wall_ms();
    fb_uuid_v7(u);
    unsigned long high = 0, low = 0;
    assert_int_equal(sscanf(u, "%8lx-%4lx", &high, &low), 2);
    int64_t ms = (int64_t)(high << 16 | low);
    assert_true(ms >= before - 1 && ms <= fb_clock_wall_ms() + 1);
}

static void order_holds_even_when_the_clock_steps_back(void **state)
{
    (void)state;
    char before[FB_UUID_TEXT_BYTES], now[FB_UUID_TEXT_BYTES];
    fb_uuid_v7(before);
    for (int i = 0; i < PER_THREAD; i++) {
        if (i == PER_THREAD / 2)
            fb_clock_set_offset_ms(-3600000);
        fb_uuid_v7(now);
        assert_true(strcmp(before, now) < 0);
        memcpy(before, now, sizeof now);
    }
    fb_clock_set_offset_ms(0);
}

static void *make_many(void *arg)
{
    char(*out)[FB_UUID_TEXT_BYTES] = arg;
    for (int i = 0; i < PER_THREAD; i++)
        fb_uuid_v7(out[i]);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void threads_never_get_the_same_id_and_each_sees_them_rise(void **state)
{
    (void)state;
    char(*all)[FB_UUID_TEXT_BYTES] = malloc(sizeof *all * THREADS * PER_THREAD);
    assert_non_null(all);
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&threads[t], NULL, make_many, all + t * PER_THREAD), 0);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    for (int t = 0; t < THREADS; t++)
        for (int i = 1; i < PER_THREAD; i++)
            assert_true(strcmp(all[t * PER_THREAD + i - 1], all[t * PER_THREAD + i]) < 0);
    qsort(all, THREADS * PER_THREAD, sizeof *all, compare);
    for (int i = 1; i < THREADS * PER_THREAD; i++)
        assert_string_not_equal(all[i - 1], all[i]);
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_text_has_the_right_form_and_version),
        cmocka_unit_test(version_7_starts_with_the_time),
        cmocka_unit_test(order_holds_even_when_the_clock_steps_back),
        cmocka_unit_test(threads_never_get_the_same_id_and_each_sees_them_rise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
