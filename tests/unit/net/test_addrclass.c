/* Shows that no spelling of an inside address passes for a public one. */
#include "net_test.h"

#include "net/addrclass.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static void is(const char *text, enum fn_addrclass want)
{
    struct fn_host h;
    assert_int_equal(fn_url_host(fb_str_of(text), &h, NULL), 0);
    enum fn_addrclass got = fn_addrclass_host(&h);
    if (got != want)
        fail_msg("%s is %s, want %s", text, fn_addrclass_text(got), fn_addrclass_text(want));
}

static void ipv4_ranges_at_their_edges(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        const char *last;
        enum fn_addrclass is;
    } rows[] = {
        { "0.0.0.0", "0.255.255.255", FN_ADDR_UNSPECIFIED },
        { "10.0.0.0", "10.255.255.255", FN_ADDR_PRIVATE },
        { "100.64.0.0", "100.127.255.255", FN_ADDR_PRIVATE },
        { "127.0.0.0", "127.255.255.255", FN_ADDR_LOOPBACK },
        { "169.254.0.0", "169.254.255.255", FN_ADDR_LINK_LOCAL },
        { "172.16.0.0", "172.31.255.255", FN_ADDR_PRIVATE },
        { "192.0.0.0", "192.0.0.255", FN_ADDR_RESERVED },
        { "192.0.2.0", "192.0.2.255", FN_ADDR_RESERVED },
        { "192.88.99.0", "192.88.99.255", FN_ADDR_RESERVED },
        { "192.168.0.0", "192.168.255.255", FN_ADDR_PRIVATE },
        { "198.18.0.0", "198.19.255.255", FN_ADDR_RESERVED },
        { "198.51.100.0", "198.51.100.255", FN_ADDR_RESERVED },
        { "203.0.113.0", "203.0.113.255", FN_ADDR_RESERVED },
        { "224.0.0.0", "239.255.255.255", FN_ADDR_MULTICAST },
        { "240.0.0.0", "255.255.255.254", FN_ADDR_RESERVED },
        { "1.0.0.0", "9.255.255.255", FN_ADDR_PUBLIC },
        { "11.0.0.0", "100.63.255.255", FN_ADDR_PUBLIC },
        { "100.128.0.0", "126.255.255.255", FN_ADDR_PUBLIC },
        { "128.0.0.0", "169.253.255.255", FN_ADDR_PUBLIC },
        { "169.255.0.0", "172.15.255.255", FN_ADDR_PUBLIC },
        { "172.32.0.0", "191.255.255.255", FN_ADDR_PUBLIC },
        { "192.0.1.0", "192.0.1.255", FN_ADDR_PUBLIC },
        { "192.169.0.0", "198.17.255.255", FN_ADDR_PUBLIC },
        { "198.20.0.0", "198.51.99.255", FN_ADDR_PUBLIC },
        { "203.0.114.0", "223.255.255.255", FN_ADDR_PUBLIC },
        { "255.255.255.255", "255.255.255.255", FN_ADDR_MULTICAST },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        is(rows[i].first, rows[i].is);
        is(rows[i].last, rows[i].is);
    }
}

static void metadata_services(void **state)
{
    (void)state;
    is("169.254.169.254", FN_ADDR_METADATA);
    is("169.254.170.2", FN_ADDR_METADATA);
    is("168.63.129.16", FN_ADDR_METADATA);
    is("100.100.100.200", FN_ADDR_METADATA);
    is("192.0.0.192", FN_ADDR_METADATA);
    is("[fd00:ec2::254]", FN_ADDR_METADATA);
    is("[fd20:ce::254]", FN_ADDR_METADATA);
    is("[::ffff:169.254.169.254]", FN_ADDR_METADATA);
    is("[64:ff9b::a9fe:a9fe]", FN_ADDR_METADATA);
    is("[2002:a9fe:a9fe::1]", FN_ADDR_METADATA);
}

static void ipv6_ranges(void **state)
{
    (void)state;
    is("[::]", FN_ADDR_UNSPECIFIED);
    is("[::1]", FN_ADDR_LOOPBACK);
    is("[fe80::1]", FN_ADDR_LINK_LOCAL);
    is("[febf:ffff::1]", FN_ADDR_LINK_LOCAL);
    is("[fec0::1]", FN_ADDR_PRIVATE);
    is("[fc00::1]", FN_ADDR_PRIVATE);
    is("[fdff:ffff::1]", FN_ADDR_PRIVATE);
    is("[ff02::1]", FN_ADDR_MULTICAST);
    is("[2001:db8::1]", FN_ADDR_RESERVED);
    is("[2001:2::1]", FN_ADDR_RESERVED);
    is("[2001:1ff::1]", FN_ADDR_RESERVED);
    is("[3fff:0fff::1]", FN_ADDR_RESERVED);
    is("[100::1]", FN_ADDR_RESERVED);
    is("[1fff::1]", FN_ADDR_RESERVED);
    is("[4000::1]", FN_ADDR_RESERVED);
    is("[fe00::1]", FN_ADDR_RESERVED);
    is("[2001:200::1]", FN_ADDR_PUBLIC);
    is("[2606:4700::1111]", FN_ADDR_PUBLIC);
    is("[2a00:1450:4001::200e]", FN_ADDR_PUBLIC);
}

static void ipv4_inside_ipv6(void **state)
{
    (void)state;
    is("[::ffff:127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[::ffff:10.0.0.1]", FN_ADDR_PRIVATE);
    is("[::ffff:0.0.0.0]", FN_ADDR_UNSPECIFIED);
    is("[::ffff:8.8.8.8]", FN_ADDR_PUBLIC);
    is("[::ffff:0:127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[::ffff:0:8.8.8.8]", FN_ADDR_RESERVED);
    is("[::127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[::2]", FN_ADDR_UNSPECIFIED);
    is("[::8.8.8.8]", FN_ADDR_RESERVED);
    is("[64:ff9b::127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[64:ff9b::8.8.8.8]", FN_ADDR_PUBLIC);
    is("[64:ff9b::1:7f00:1]", FN_ADDR_RESERVED);
    is("[64:ff9b:1::127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[64:ff9b:1::8.8.8.8]", FN_ADDR_RESERVED);
    is("[2002:7f00:1::]", FN_ADDR_LOOPBACK);
    is("[2002:0a00:1::1]", FN_ADDR_PRIVATE);
    is("[2002:0808:0808::1]", FN_ADDR_PUBLIC);
    /* Teredo: server 8.8.8.8, client 127.0.0.1 with its bits turned. */
    is("[2001:0:808:808::80ff:fffe]", FN_ADDR_LOOPBACK);
    is("[2001:0:7f00:1::f7f7:f7f7]", FN_ADDR_LOOPBACK);
    is("[2001:0:808:808::f7f7:f7f7]", FN_ADDR_PUBLIC);
    /* ISATAP below any prefix. */
    is("[2606:4700::5efe:10.0.0.1]", FN_ADDR_PRIVATE);
    is("[2606:4700::200:5efe:127.0.0.1]", FN_ADDR_LOOPBACK);
    is("[2606:4700::5efe:8.8.8.8]", FN_ADDR_PUBLIC);
}

static void other_doors(void **state)
{
    (void)state;
    struct fn_host h;
    assert_int_equal(fn_url_host(FB_STR("localhost"), &h, NULL), 0);
    assert_int_equal(fn_addrclass_host(&h), FN_ADDR_UNKNOWN);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(fn_addrclass_sockaddr((struct sockaddr *)&in), FN_ADDR_LOOPBACK);
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    assert_int_equal(fn_addrclass_sockaddr((struct sockaddr *)&in6), FN_ADDR_LOOPBACK);
    struct sockaddr un = { .sa_family = AF_UNIX };
    assert_int_equal(fn_addrclass_sockaddr(&un), FN_ADDR_UNKNOWN);
    assert_string_equal(fn_addrclass_text((enum fn_addrclass)99), "no IP address");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ipv4_ranges_at_their_edges),
        cmocka_unit_test(metadata_services),
        cmocka_unit_test(ipv6_ranges),
        cmocka_unit_test(ipv4_inside_ipv6),
        cmocka_unit_test(other_doors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
