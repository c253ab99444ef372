/* Log lines: form, levels, and that no value can forge another line. */
#include "base/log.h"

#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int pipe_fds[2];
static char line[20000];

static const char *last_line(void)
{
    ssize_t n = read(pipe_fds[0], line, sizeof line - 1);
    assert_true(n > 0);
    line[n] = '\0';
    return line;
}

static int set_up(void **state)
{
    (void)state;
    if (pipe(pipe_fds) != 0)
        return -1;
    fb_log_set_fd(pipe_fds[1]);
    fb_log_set_level(FB_LOG_INFO);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fb_log_set_fd(2);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return 0;
}

static void a_line_has_time_level_message_and_fields(void **state)
{
    (void)state;
    FB_LOG(FB_LOG_INFO, "interceptor listening", FB_KZ("addr", "127.0.0.1:1"), FB_KI("n", -3), FB_KU("u", UINT64_MAX));
    const char *text = last_line();
    assert_int_equal(text[4], '-');
    assert_int_equal(text[26], 'Z');
    assert_string_equal(text + 27, "  INFO interceptor listening addr=\"127.0.0.1:1\" n=-3 u=18446744073709551615\n");
    FB_LOG(FB_LOG_ERROR, "plain");
    assert_string_equal(last_line() + 27, " ERROR plain\n");
}

static void values_are_quoted_and_escaped(void **state)
{
    (void)state;
    FB_LOG(FB_LOG_WARN, "m\nm", FB_KS("v", FB_STR("a\" b=\"c\n\x1b[31m\\")));
    assert_string_equal(last_line() + 27, "  WARN m\\x0am v=\"a\\\" b=\\\"c\\x0a\\x1b[31m\\\\\"\n");
    FB_LOG(FB_LOG_WARN, "e", FB_KZ("v", ""), FB_KZ("w", NULL));
    assert_string_equal(last_line() + 27, "  WARN e v=\"\" w=\"\"\n");
}

static void a_line_too_long_is_cut_and_still_one_line(void **state)
{
    (void)state;
    static char big[15000];
    memset(big, 'x', sizeof big - 1);
    FB_LOG(FB_LOG_INFO, "m", FB_KZ("v", big), FB_KI("n", 1));
    const char *text = last_line();
    assert_int_equal(strlen(text), 8192);
    assert_ptr_equal(strchr(text, '\n'), text + 8191);
}

static void levels_below_the_limit_stay_silent(void **state)
{
    (void)state;
    FB_LOG(FB_LOG_DEBUG, "hidden");
    fb_log_set_level(FB_LOG_OFF);
    FB_LOG(FB_LOG_ERROR, "hidden");
    fb_log_set_level(FB_LOG_TRACE);
    FB_LOG(FB_LOG_TRACE, "seen");
    assert_string_equal(last_line() + 27, " TRACE seen\n");
    assert_false(fb_log_enabled(FB_LOG_OFF));
}

static void filters_take_a_level_or_a_list(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(fb_log_set_filter("debug", &err), 0);
    assert_true(fb_log_enabled(FB_LOG_DEBUG) && !fb_log_enabled(FB_LOG_TRACE));
    assert_int_equal(fb_log_set_filter("firma_sidecar=debug, WARN", &err), 0);
    assert_true(fb_log_enabled(FB_LOG_DEBUG));
    assert_int_equal(fb_log_set_filter("firma::x=warn,error", &err), 0);
    assert_true(fb_log_enabled(FB_LOG_WARN) && !fb_log_enabled(FB_LOG_INFO));
    assert_int_equal(fb_log_set_filter("off", &err), 0);
    assert_false(fb_log_enabled(FB_LOG_ERROR));
    static const char *const bad[] = { "", "loud", "a=b", "=debug", "debug,", "a b=debug", "a=" };
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(fb_log_set_filter(bad[i], &err), FB_E_USAGE);
    assert_false(fb_log_enabled(FB_LOG_ERROR));
}

static void an_error_object_shows_name_and_text(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    (void)fb_err_set(&err, FB_E_IO, "no 'x'");
    fb_log_err(FB_LOG_ERROR, "reload failed", &err);
    assert_string_equal(last_line() + 27, " ERROR reload failed error=\"Io\" text=\"no 'x'\"\n");
}

int main(void)
{
#define WITH_PIPE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_PIPE(a_line_has_time_level_message_and_fields),
        WITH_PIPE(values_are_quoted_and_escaped),
        WITH_PIPE(a_line_too_long_is_cut_and_still_one_line),
        WITH_PIPE(levels_below_the_limit_stay_silent),
        WITH_PIPE(filters_take_a_level_or_a_list),
        WITH_PIPE(an_error_object_shows_name_and_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
