/* Endpoints: both spellings, every refusal, the limit of a socket's path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "run/endpoint.h"

#include <string.h>

static void good_ones(void **state)
{
    struct run_endpoint e;
    (void)state;
    assert_int_equal(run_endpoint_parse("unix:///run/x.sock", &e, NULL), 0);
    assert_int_equal(e.kind, RUN_ENDPOINT_UNIX);
    assert_string_equal(e.path, "/run/x.sock");
    assert_int_equal(run_endpoint_parse("unix:/x", &e, NULL), 0);
    assert_string_equal(e.text, "unix:///x");
    assert_int_equal(run_endpoint_parse("tcp://[::1]:80", &e, NULL), 0);
    assert_string_equal(e.host, "::1");
    assert_string_equal(e.text, "tcp://[::1]:80");
    assert_int_equal(run_endpoint_parse("tcp:host.example:65535", &e, NULL), 0);
    assert_string_equal(e.host, "host.example");
    assert_string_equal(e.port, "65535");
}

static void bad_ones(void **state)
{
    static const char *const bad[] = { "",          "x",           "unix://",      "unix://relative", "tcp://host", "tcp://host:",
                                       "tcp://:1",  "tcp://h:0",   "tcp://h:65536", "tcp://h:1x",     "tcp://::1:1", "tcp://h h:1",
                                       "http://h:1", "tcp://[]:1" };
    (void)state;
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        struct run_endpoint e;
        struct fb_err err = { 0 };
        assert_int_equal(run_endpoint_parse(bad[i], &e, &err), FB_E_CONFIG_VALIDATION);
        assert_int_equal(err.code, FB_E_CONFIG_VALIDATION);
    }
}

static void a_path_of_107_bytes_fits_one_of_108_does_not(void **state)
{
    struct run_endpoint e;
    char text[160] = "unix://";
    (void)state;
    memset(text + 7, '/', 107);
    text[7 + 107] = '\0';
    assert_int_equal(run_endpoint_parse(text, &e, NULL), 0);
    memset(text + 7, '/', 108);
    text[7 + 108] = '\0';
    assert_int_equal(run_endpoint_parse(text, &e, NULL), FB_E_CONFIG_VALIDATION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_ones),
        cmocka_unit_test(bad_ones),
        cmocka_unit_test(a_path_of_107_bytes_fits_one_of_108_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
