/* Shows that every spelling of a host ends in one canonical text, and that everything that two programs could read
 * differently is refused. */
#include "net_test.h"

#include "net/url.h"

static void good(const char *raw, enum fn_host_kind kind, const char *text)
{
    struct fn_host h;
    struct fb_err err = { 0 };
    if (fn_url_host(fb_str_of(raw), &h, &err) != 0)
        fail_msg("'%s' refused: %s", raw, err.msg);
    assert_int_equal(h.kind, kind);
    assert_text(fn_host_str(&h), text);
    assert_int_equal(h.text[h.n], 0);
}

static void bad_n(struct fb_str raw)
{
    struct fn_host h;
    struct fb_err err = { 0 };
    int rc = fn_url_host(raw, &h, &err);
    if (rc == 0)
        fail_msg("'%.*s' accepted as '%s'", FB_STR_ARG(raw), h.text);
    assert_int_equal(h.kind, FN_HOST_NONE);
    assert_int_equal(rc, err.code);
    assert_true(err.msg[0] != '\0');
}

static void bad(const char *raw)
{
    bad_n(fb_str_of(raw));
}

static void names(void **state)
{
    (void)state;
    good("example.com", FN_HOST_NAME, "example.com");
    good("EXAMPLE.Com", FN_HOST_NAME, "example.com");
    good("example.com.", FN_HOST_NAME, "example.com");
    good(" \texample.com\t ", FN_HOST_NAME, "example.com");
    good("localhost", FN_HOST_NAME, "localhost");
    good("xn--bcher-kva.example", FN_HOST_NAME, "xn--bcher-kva.example");
    good("r3---sn-a.example", FN_HOST_NAME, "r3---sn-a.example");
    good("0xg.example", FN_HOST_NAME, "0xg.example");
    good("1.2.3.4.example", FN_HOST_NAME, "1.2.3.4.example");
    good("a.0x1g", FN_HOST_NAME, "a.0x1g");
}

static void names_refused(void **state)
{
    (void)state;
    bad("");
    bad(" ");
    bad(".");
    bad("..");
    bad("a..b");
    bad(".a");
    bad("a.b..");
    bad("-a.example");
    bad("a-.example");
    bad("a.-b");
    bad("a_b.example");
    bad("a b");
    bad("a/b");
    bad("a\\b");
    bad("a%2eb");
    bad("a@b");
    bad("a#b");
    bad("a?b");
    bad("*.example");
    bad("b\xc3\xbc"
        "cher.example");
    bad("example\xe3\x80\x82"
        "com");
    bad("a\r\nb");
    bad("a\x7f");
    bad_n(FB_STR("allowed.example\0.evil.example"));
    bad_n(FB_STR("a\0"));
}

static void name_lengths(void **state)
{
    (void)state;
    char label[65];
    memset(label, 'a', 64);
    label[64] = '\0';
    bad(label);
    label[63] = '\0';
    good(label, FN_HOST_NAME, label);
    char name[260];
    for (size_t i = 0; i < 254; i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    name[253] = '\0';
    good(name, FN_HOST_NAME, name);
    name[253] = '.';
    name[254] = '\0';
    struct fn_host h;
    assert_int_equal(fn_url_host(fb_str_of(name), &h, NULL), 0);
    assert_int_equal(h.n, FN_HOST_MAX_BYTES);
    name[254] = 'a';
    name[255] = '\0';
    struct fb_err err = { 0 };
    assert_int_equal(fn_url_host(fb_str_of(name), &h, &err), FB_E_LIMIT);
}

static void ipv4(void **state)
{
    (void)state;
    good("127.0.0.1", FN_HOST_IPV4, "127.0.0.1");
    good("255.255.255.255", FN_HOST_IPV4, "255.255.255.255");
    good("0.0.0.0", FN_HOST_IPV4, "0.0.0.0");
    good("127.0.0.1.", FN_HOST_IPV4, "127.0.0.1");
    static const char *const odd[] = {
        "127.1",         "127.0.1",      "2130706433",   "0x7f000001",  "0x7f.0.0.1",
        "0x7f.1",        "0177.0.0.1",   "017700000001", "127.0.0.01",  "127.0.0.256",
        "127.0.0.1.1",   "1.2.3",        "example.1",    "example.0x1", "example.0x",
        "0X7F.1",        "127.0.0.0x1",  "00.0.0.0",     "1",           "0",
        "127.0.0.1..",   "999999999999", "127.0.0.-1",   "127.0.0.1-",  "+127.0.0.1",
        "127.0.0.1e0.1", "4294967296",
    };
    for (size_t i = 0; i < FB_COUNT(odd); i++)
        bad(odd[i]);
}

static void ipv6(void **state)
{
    (void)state;
    good("[::1]", FN_HOST_IPV6, "::1");
    good("::1", FN_HOST_IPV6, "::1");
    good("[0:0:0:0:0:0:0:1]", FN_HOST_IPV6, "::1");
    good("[2001:DB8::00A0]", FN_HOST_IPV6, "2001:db8::a0");
    good("[::ffff:127.0.0.1]", FN_HOST_IPV6, "::ffff:127.0.0.1");
    good("[::ffff:7f00:1]", FN_HOST_IPV6, "::ffff:127.0.0.1");
    good("[1:2:3:4:5:6:7:8]", FN_HOST_IPV6, "1:2:3:4:5:6:7:8");
    static const char *const odd[] = {
        "[]",         "[::1",       "::1]",        "[::1]x",
        "[::1%eth0]", "[::1%25lo]", "[fe80::1%1]", "[1.2.3.4]",
        "[::g]",      ":",          "[:]",         "[1:2:3:4:5:6:7:8:9]",
        "[::1::2]",   "[::1 ]",     "[ ::1]",      "[::ffff:0177.0.0.1]",
        "[::1].",     "[[::1]]",    "[v1.a]",      "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
    };
    for (size_t i = 0; i < FB_COUNT(odd); i++)
        bad(odd[i]);
    bad_n(FB_STR("[::1\0]"));
}

static void authority(const char *raw, const char *host, unsigned port)
{
    struct fn_authority a;
    struct fb_err err = { 0 };
    if (fn_url_authority(fb_str_of(raw), &a, &err) != 0)
        fail_msg("'%s' refused: %s", raw, err.msg);
    assert_text(fn_host_str(&a.host), host);
    assert_int_equal(a.port, port);
}

static void authorities(void **state)
{
    (void)state;
    authority("Example.com", "example.com", 0);
    authority("example.com.:8080", "example.com", 8080);
    authority(" example.com:1 ", "example.com", 1);
    authority("example.com:65535", "example.com", 65535);
    authority("[::1]", "::1", 0);
    authority("[::1]:443", "::1", 443);
    authority("10.0.0.1:80", "10.0.0.1", 80);
    static const char *const odd[] = {
        "",
        "a:",
        "a:0",
        "a:65536",
        "a:080",
        "a:+80",
        "a:8 0",
        "a:80:80",
        ":80",
        "a:80x",
        "u@a",
        "u:p@a:80",
        "a@",
        "::1",
        "[::1]80",
        "[::1",
        "[::1]:",
        "a :80",
        "a\t:80",
        "a:-1",
        "a:0x50",
        "a: 80",
        "a:99999999999999999999",
        "[::1]x:80",
        "a:80/",
    };
    for (size_t i = 0; i < FB_COUNT(odd); i++) {
        struct fn_authority a;
        if (fn_url_authority(fb_str_of(odd[i]), &a, NULL) == 0)
            fail_msg("'%s' accepted", odd[i]);
    }
}

static void comparing_and_writing(void **state)
{
    (void)state;
    struct fn_authority a;
    struct fn_authority b;
    assert_int_equal(fn_url_authority(FB_STR("EXAMPLE.com."), &a, NULL), 0);
    assert_int_equal(fn_url_authority(FB_STR("example.com:443"), &b, NULL), 0);
    assert_true(fn_url_authority_eq(&a, &b, 443));
    assert_false(fn_url_authority_eq(&a, &b, 80));
    char text[FN_AUTHORITY_TEXT_BYTES];
    assert_int_equal(fn_url_authority_text(&b, 443, text), 11);
    assert_string_equal(text, "example.com");
    fn_url_authority_text(&b, 80, text);
    assert_string_equal(text, "example.com:443");
    assert_int_equal(fn_url_authority(FB_STR("[0::1]:8443"), &b, NULL), 0);
    assert_int_equal(fn_url_authority_text(&b, 443, text), strlen("[::1]:8443"));
    assert_string_equal(text, "[::1]:8443");
    assert_false(fn_url_authority_eq(&a, &b, 443));
    /* Two refused hosts are not the same host. */
    struct fn_host x = { 0 };
    struct fn_host y = { 0 };
    assert_false(fn_url_host_eq(&x, &y));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(names_refused),
        cmocka_unit_test(name_lengths),
        cmocka_unit_test(ipv4),
        cmocka_unit_test(ipv6),
        cmocka_unit_test(authorities),
        cmocka_unit_test(comparing_and_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
