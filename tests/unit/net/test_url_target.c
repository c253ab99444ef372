/* Shows that a request has one authority, whichever form it came in, and that disagreement is refused. */
#include "net_test.h"

#include "net/url.h"

static struct fn_target target(const char *method, const char *raw)
{
    struct fn_target t;
    struct fb_err err = { 0 };
    if (fn_url_target(fb_str_of(method), fb_str_of(raw), false, &t, &err) != 0)
        fail_msg("%s %s refused: %s", method, raw, err.msg);
    return t;
}

static void refused(const char *method, const char *raw)
{
    struct fn_target t;
    struct fb_err err = { 0 };
    if (fn_url_target(fb_str_of(method), fb_str_of(raw), false, &t, &err) == 0)
        fail_msg("%s %s accepted", method, raw);
    assert_true(err.msg[0] != '\0');
}

static void the_four_forms(void **state)
{
    (void)state;
    struct fn_target t = target("GET", "/a/b?c=d");
    assert_int_equal(t.form, FN_TARGET_ORIGIN);
    assert_int_equal(t.authority.host.kind, FN_HOST_NONE);
    assert_text(t.path_query, "/a/b?c=d");
    t = target("GET", "HTTP://Example.com:8080/x?y");
    assert_int_equal(t.form, FN_TARGET_ABSOLUTE);
    assert_false(t.https);
    assert_text(fn_host_str(&t.authority.host), "example.com");
    assert_int_equal(t.authority.port, 8080);
    assert_text(t.path_query, "/x?y");
    t = target("GET", "https://example.com");
    assert_true(t.https);
    assert_text(t.path_query, "");
    t = target("GET", "http://example.com?q");
    assert_text(t.path_query, "?q");
    t = target("GET", "http://[::1]:80/");
    assert_text(fn_host_str(&t.authority.host), "::1");
    t = target("CONNECT", "example.com:443");
    assert_int_equal(t.form, FN_TARGET_AUTHORITY);
    assert_true(t.https);
    assert_int_equal(t.authority.port, 443);
    t = target("CONNECT", "example.com");
    assert_int_equal(t.authority.port, 0);
    t = target("OPTIONS", "*");
    assert_int_equal(t.form, FN_TARGET_ASTERISK);
}

static void refused_targets(void **state)
{
    (void)state;
    refused("GET", "");
    refused("GET", "*");
    refused("GET", "example.com:443");
    refused("GET", "a/b");
    refused("GET", "ftp://example.com/");
    refused("GET", "file:///etc/passwd");
    refused("GET", "http:/example.com/");
    refused("GET", "http:example.com");
    refused("GET", "http:///x");
    refused("GET", "http://user@example.com/");
    refused("GET", "http://user:pw@example.com/");
    refused("GET", "http://a\\b/");
    refused("GET", "http://a:80:80/");
    refused("GET", "http:// a/");
    refused("GET", "http://a /");
    refused("GET", "\\x");
    refused("GET", "?x");
    refused("CONNECT", "/");
    refused("CONNECT", "http://example.com/");
    refused("CONNECT", "example.com:443/");
    refused("CONNECT", "u@example.com:443");
    refused("CONNECT", "*");
    refused("CONNECT", "");
    refused("CONNECT", " a:1");
    /* Methods are case-sensitive: this is no CONNECT. */
    refused("connect", "example.com:443");
}

static int request(const char *method, const char *raw, const char *host, bool tls, struct fn_target *t)
{
    struct fb_err err = { 0 };
    return fn_url_request(fb_str_of(method), fb_str_of(raw), fb_str_of(host), tls, t, &err);
}

static void one_authority(void **state)
{
    (void)state;
    struct fn_target t;
    assert_int_equal(request("GET", "/", "Example.com", false, &t), 0);
    assert_text(fn_host_str(&t.authority.host), "example.com");
    assert_int_equal(t.authority.port, 80);
    assert_int_equal(request("GET", "/", "example.com", true, &t), 0);
    assert_int_equal(t.authority.port, 443);
    assert_int_equal(request("GET", "http://example.com/", NULL, false, &t), 0);
    assert_int_equal(request("GET", "http://example.com:80/", "EXAMPLE.com.", false, &t), 0);
    assert_int_equal(request("GET", "https://example.com/", "example.com:443", false, &t), 0);
    assert_int_equal(t.authority.port, 443);
    assert_int_equal(request("CONNECT", "example.com:443", "example.com", false, &t), 0);
    assert_int_equal(request("CONNECT", "example.com", "example.com:443", false, &t), 0);
    assert_int_equal(t.authority.port, 443);
    assert_int_equal(request("OPTIONS", "*", "example.com", false, &t), 0);
    assert_int_equal(request("GET", "http://[::1]/", "[0:0::1]", false, &t), 0);
}

static void disagreement_and_absence(void **state)
{
    (void)state;
    struct fn_target t;
    assert_int_equal(request("GET", "/", NULL, false, &t), FB_E_NOT_FOUND);
    assert_int_equal(request("OPTIONS", "*", NULL, false, &t), FB_E_NOT_FOUND);
    assert_int_equal(request("GET", "/", "", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "http://a.example/", "b.example", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "http://a.example/", "a.example:8080", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "https://a.example/", "a.example:80", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "http://a.example/", "", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "http://a.example/", "a.example, b.example", false, &t), FB_E_PARSE);
    assert_int_equal(request("CONNECT", "a.example:443", "a.example:8443", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "/", "a.example/x", false, &t), FB_E_PARSE);
    assert_int_equal(request("GET", "/", "u@a.example", false, &t), FB_E_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_four_forms),
        cmocka_unit_test(refused_targets),
        cmocka_unit_test(one_authority),
        cmocka_unit_test(disagreement_and_absence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
