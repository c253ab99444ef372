/* ipaddr: what is an address, families, loopback, multicast, ranges. */
#include "cedar_case.h"

#define FAILS "!FailedExtensionFunctionExecution"

static void texts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "ip(\"1.2.3.4\") == ip(\"1.2.3.4/32\")", "true" },
        { "ip(\"1.2.3.4/24\") == ip(\"1.2.3.0/24\")", "false" },
        { "ip(\"::1\") == ip(\"0:0:0:0:0:0:0:1/128\")", "true" },
        { "ip(\"1:2:3:4:5:6:7::\").isIpv6()", "true" },
        { "ip(\"::\").isIpv6()", "true" },
        { "ip(\"::ffff:102:304\").isIpv4()", "false" },
        { "ip(\"ABCD::ef\") == ip(\"abcd::EF\")", "true" },
        { "ip(\"01.2.3.4\")", FAILS },
        { "ip(\"1.2.3\")", FAILS },
        { "ip(\"1.2.3.4.5\")", FAILS },
        { "ip(\"256.1.1.1\")", FAILS },
        { "ip(\"1.2.3.4/33\")", FAILS },
        { "ip(\"1.2.3.4/01\")", FAILS },
        { "ip(\"1.2.3.4/0\").isIpv4()", "true" },
        { "ip(\"1.2.3.4/\")", FAILS },
        { "ip(\"1.2.3.4/8/8\")", FAILS },
        { "ip(\"::1/129\")", FAILS },
        { "ip(\"::ffff:1.2.3.4\")", FAILS },
        { "ip(\"1::2::3\")", FAILS },
        { "ip(\"1:2:3:4:5:6:7:8::\")", FAILS },
        { "ip(\":1\")", FAILS },
        { "ip(\"1:\")", FAILS },
        { "ip(\"12345::\")", FAILS },
        { "ip(\"[::1]\")", FAILS },
        { "ip(\"fe80::1%eth0\")", FAILS },
        { "ip(\" 1.2.3.4\")", FAILS },
        { "ip(\"\")", FAILS },
        { "ip(\"0000:0000:0000:0000:0000:0000:0000:0001/128\").isIpv6()", "true" }, /* 43 bytes, the most */
        { "ip(\"0000:0000:0000:0000:0000:0000:0000:0001/64\").isIpv6()", "true" },
        { "ip(1)", "!TypeError" },
        { "ip()", "!WrongNumArguments" },
        { "ip(\"::1\", \"::1\")", "!WrongNumArguments" },
        { "ip(\"::1\") < ip(\"::2\")", "!TypeError" },
    };
    CHECK_ROWS(rows, NULL);
}

static void methods(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "ip(\"127.0.0.1\").isLoopback()", "true" },
        { "ip(\"127.0.0.0/8\").isLoopback()", "true" },
        { "ip(\"127.0.0.0/7\").isLoopback()", "false" },
        { "ip(\"::1\").isLoopback()", "true" },
        { "ip(\"::1/127\").isLoopback()", "false" },
        { "ip(\"224.0.0.0/4\").isMulticast()", "true" },
        { "ip(\"224.0.0.0/3\").isMulticast()", "false" },
        { "ip(\"ff00::/8\").isMulticast()", "true" },
        { "ip(\"ff00::/7\").isMulticast()", "false" },
        { "ip(\"10.1.2.3\").isInRange(ip(\"10.0.0.0/8\"))", "true" },
        { "ip(\"10.0.0.0/8\").isInRange(ip(\"10.1.0.0/16\"))", "false" },
        { "ip(\"10.0.0.0/9\").isInRange(ip(\"10.0.0.0/9\"))", "true" },
        { "ip(\"10.128.0.0/9\").isInRange(ip(\"10.0.0.0/9\"))", "false" },
        { "ip(\"::1\").isInRange(ip(\"0.0.0.0/0\"))", "false" },
        { "ip(\"2001:db8::1\").isInRange(ip(\"2001:db8::/33\"))", "true" },
        { "ip(\"1.2.3.4\").isInRange(ip(\"1.2.3.4\"), ip(\"1.2.3.4\"))", "!WrongNumArguments" },
        { "ip(\"1.2.3.4\").isInRange(1)", "!TypeError" },
        { "\"1.2.3.4\".isIpv4()", "!TypeError" },
    };
    CHECK_ROWS(rows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
