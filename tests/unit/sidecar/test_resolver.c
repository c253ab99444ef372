/* Literals, the operator's table, and which addresses the guard lets pass. */
#include "sidecar/listener.h"
#include "sidecar/resolver.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_literals(void **state)
{
    (void)state;
    struct sc_ip ip;
    char text[INET6_ADDRSTRLEN];
    assert_true(sc_ip_parse(FB_STR("127.0.0.1"), &ip) && ip.family == AF_INET);
    assert_true(sc_ip_parse(FB_STR("[::1]"), &ip) && ip.family == AF_INET6);
    sc_ip_format(&ip, text);
    assert_string_equal(text, "::1");
    assert_false(sc_ip_parse(FB_STR("127.1"), &ip));
    assert_false(sc_ip_parse(FB_STR("localhost"), &ip));
    assert_false(sc_ip_parse(FB_STR(""), &ip));
}

static void test_table(void **state)
{
    (void)state;
    struct fb_loop *loop;
    struct sc_resolver *r = NULL;
    struct fb_err err = { 0 };
    struct sc_ip ip;
    assert_int_equal(fb_loop_new(&loop, NULL), 0);
    const struct sc_host_row rows[] = { { "svc.example", "10.0.0.7" } };
    assert_int_equal(sc_resolver_new(loop, rows, 1, NULL, &r, &err), 0);
    assert_true(sc_resolver_table(r, FB_STR("SVC.example"), &ip));
    assert_false(sc_resolver_table(r, FB_STR("x.svc.example"), &ip));
    sc_resolver_free(r);
    const struct sc_host_row bad[] = { { "svc.example", "elsewhere" } };
    assert_int_equal(sc_resolver_new(loop, bad, 1, NULL, &r, &err), FB_E_CONFIG_VALIDATION);
    fb_loop_free(loop);
}

static void test_listen_addresses(void **state)
{
    (void)state;
    struct sc_ip ip;
    unsigned port;
    assert_int_equal(sc_listener_parse("127.0.0.1:0", &ip, &port), 0);
    assert_int_equal(port, 0);
    assert_int_equal(sc_listener_parse("[::1]:65535", &ip, &port), 0);
    assert_int_equal(port, 65535);
    assert_true(sc_listener_parse("127.0.0.1:65536", &ip, &port) < 0);
    assert_true(sc_listener_parse("127.0.0.1", &ip, &port) < 0);
    assert_true(sc_listener_parse("localhost:80", &ip, &port) < 0);
    assert_true(sc_listener_parse("127.0.0.1:+1", &ip, &port) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals),
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_listen_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
