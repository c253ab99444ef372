/* Which addresses may be dialled, under each thing that an operator may have said. */
#include "sidecar/guard.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static const char *refused(const char *text, enum sc_exempt exempt)
{
    struct sc_ip ip;
    assert_true(sc_ip_parse(fb_str_of(text), &ip));
    return sc_guard_refuses(&ip, exempt);
}

static const char *const machine[] = { "127.0.0.1", "127.255.255.255", "169.254.169.254", "169.254.1.1", "0.0.0.0", "224.0.0.1",
                                       "255.255.255.255", "::1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:127.0.0.1",
                                       "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.2.1" };
static const char *const private_net[] = { "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd00::1", "::ffff:10.0.0.1" };
static const char *const outside[] = { "1.1.1.1", "93.184.215.14", "2606:4700::1111" };

static void test_without_a_word_only_public_ones_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < FB_COUNT(machine); i++)
        if (refused(machine[i], SC_EXEMPT_NONE) == NULL)
            fail_msg("%s passes", machine[i]);
    for (size_t i = 0; i < FB_COUNT(private_net); i++)
        if (refused(private_net[i], SC_EXEMPT_NONE) == NULL)
            fail_msg("%s passes", private_net[i]);
    for (size_t i = 0; i < FB_COUNT(outside); i++)
        assert_null(refused(outside[i], SC_EXEMPT_NONE));
}

static void test_a_named_host_may_be_private_but_not_the_machine(void **state)
{
    (void)state;
    for (size_t i = 0; i < FB_COUNT(machine); i++)
        if (refused(machine[i], SC_EXEMPT_PRIVATE) == NULL)
            fail_msg("%s passes", machine[i]);
    for (size_t i = 0; i < FB_COUNT(private_net); i++)
        if (refused(private_net[i], SC_EXEMPT_PRIVATE) != NULL)
            fail_msg("%s is refused", private_net[i]);
    for (size_t i = 0; i < FB_COUNT(outside); i++)
        assert_null(refused(outside[i], SC_EXEMPT_PRIVATE));
}

static void test_a_written_address_passes_whatever_it_is(void **state)
{
    (void)state;
    for (size_t i = 0; i < FB_COUNT(machine); i++)
        assert_null(refused(machine[i], SC_EXEMPT_ALL));
    struct sc_ip none = { 0 };
    assert_non_null(sc_guard_refuses(&none, SC_EXEMPT_ALL)); /* not an address at all */
}

static void test_a_rule_exempts_literals_wholly_and_names_in_part(void **state)
{
    (void)state;
    struct fn_host name;
    struct fn_host v4;
    struct fn_host v6;
    assert_int_equal(fn_url_host(FB_STR("a.example"), &name, NULL), 0);
    assert_int_equal(fn_url_host(FB_STR("127.0.0.1"), &v4, NULL), 0);
    assert_int_equal(fn_url_host(FB_STR("[::1]"), &v6, NULL), 0);
    assert_int_equal(sc_guard_exempt(&name, true), SC_EXEMPT_PRIVATE);
    assert_int_equal(sc_guard_exempt(&v4, true), SC_EXEMPT_ALL);
    assert_int_equal(sc_guard_exempt(&v6, true), SC_EXEMPT_ALL);
    assert_int_equal(sc_guard_exempt(&name, false), SC_EXEMPT_NONE);
    assert_int_equal(sc_guard_exempt(&v4, false), SC_EXEMPT_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_word_only_public_ones_pass),
        cmocka_unit_test(test_a_named_host_may_be_private_but_not_the_machine),
        cmocka_unit_test(test_a_written_address_passes_whatever_it_is),
        cmocka_unit_test(test_a_rule_exempts_literals_wholly_and_names_in_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
