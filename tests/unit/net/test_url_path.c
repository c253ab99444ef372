/* Shows that a path is brought to one form before it is matched, that what is matched is what is sent, and that
 * nothing that another parser could read as a separator gets through. */
#include "net_test.h"

#include "net/url.h"

static void good(const char *raw, const char *wire, const char *match, const char *query)
{
    char *out = malloc(strlen(raw) + 1);
    struct fn_path p;
    struct fb_err err = { 0 };
    if (fn_url_path(fb_str_of(raw), 0, out, strlen(raw) + 1, &p, &err) != 0)
        fail_msg("'%s' refused: %s", raw, err.msg);
    assert_text(p.wire, wire);
    assert_text(p.match, match);
    assert_int_equal(p.has_query, query != NULL);
    assert_text(p.query, query == NULL ? "" : query);
    assert_false(p.has_encoded_separator);
    /* Canonical is a fixed point. */
    char again[512];
    struct fn_path q;
    assert_int_equal(fn_url_path(p.wire, 0, again, sizeof again, &q, NULL), 0);
    assert_text(q.wire, wire);
    free(out);
}

static void bad_n(struct fb_str raw)
{
    char out[512];
    struct fn_path p;
    struct fb_err err = { 0 };
    if (fn_url_path(raw, 0, out, sizeof out, &p, &err) == 0)
        fail_msg("'%.*s' accepted as '%.*s'", FB_STR_ARG(raw), FB_STR_ARG(p.wire));
    assert_true(err.msg[0] != '\0');
}

static void bad(const char *raw)
{
    bad_n(fb_str_of(raw));
}

static void plain(void **state)
{
    (void)state;
    good("/", "/", "/", NULL);
    good("", "/", "/", NULL);
    good("/a", "/a", "/a", NULL);
    good("/a/", "/a/", "/a", NULL);
    good("/A/b%20c", "/A/b%20c", "/A/b%20c", NULL);
    good("/a;p=1/b", "/a;p=1/b", "/a;p=1/b", NULL);
    good("/a:b@c", "/a:b@c", "/a:b@c", NULL);
}

static void slashes_and_dots(void **state)
{
    (void)state;
    good("//", "/", "/", NULL);
    good("///a//b///", "/a/b/", "/a/b", NULL);
    good("/a/./b", "/a/b", "/a/b", NULL);
    good("/a/../b", "/b", "/b", NULL);
    good("/a/..", "/", "/", NULL);
    good("/a/b/..", "/a/", "/a", NULL);
    good("/a/.", "/a/", "/a", NULL);
    good("/..", "/", "/", NULL);
    good("/../../..", "/", "/", NULL);
    good("/../a/../../b", "/b", "/b", NULL);
    good("/.", "/", "/", NULL);
    good("/...", "/...", "/...", NULL);
    good("/..a/.b", "/..a/.b", "/..a/.b", NULL);
    good("/%2e%2e/a", "/a", "/a", NULL);
    good("/x/%2E./a", "/a", "/a", NULL);
    good("/x/.%2e/a", "/a", "/a", NULL);
    good("/x/%2e/a", "/x/a", "/x/a", NULL);
    good("/x/%2e%2e%2e/a", "/x/.../a", "/x/.../a", NULL);
    good("/a%2eb", "/a.b", "/a.b", NULL);
    good("/allow//../deny", "/deny", "/deny", NULL);
    good("/a/..//../b", "/b", "/b", NULL);
    good("/..;/a", "/..;/a", "/..;/a", NULL);
}

/* What is written with an escape but need not be is the same path for every server, so it is the same for rules. */
static void escapes_have_one_spelling(void **state)
{
    (void)state;
    good("/%64eny", "/deny", "/deny", NULL);
    good("/%64%65%6e%79", "/deny", "/deny", NULL);
    good("/%44%2D%5F%7e%30", "/D-_~0", "/D-_~0", NULL);
    good("/a%7Eb%7eb", "/a~b~b", "/a~b~b", NULL);
    good("/a%c3%a9%3b%25", "/a%C3%A9%3B%25", "/a%C3%A9%3B%25", NULL);
    good("/x/%2e%2E/%64eny/%2e", "/deny/", "/deny", NULL);
    good("/100%25/a", "/100%25/a", "/100%25/a", NULL);
    good("/%25%25", "/%25%25", "/%25%25", NULL);
    good("/%25g0", "/%25g0", "/%25g0", NULL);
    good("/%20%7d%80", "/%20%7D%80", "/%20%7D%80", NULL);
    good("/a?%64eny%252e", "/a", "/a", "%64eny%252e"); /* the query stays as sent */
    bad("/%2564eny");
    bad("/%252e%252e/a");
    bad("/%25%32%65");
    bad("/a%2525");
    bad("/a%01");
    bad("/a%1F");
    bad("/a%0d%0a");
    bad("/a%7f");
}

static void queries_and_fragments(void **state)
{
    (void)state;
    good("/a?x=1", "/a", "/a", "x=1");
    good("/a/?", "/a/", "/a", "");
    good("?x", "/", "/", "x");
    good("/a?x?y", "/a", "/a", "x?y");
    good("/a?../..", "/a", "/a", "../..");
    good("/a?b%2fc%00\\d", "/a", "/a", "b%2fc%00\\d");
    good("/a#x", "/a", "/a", NULL);
    good("/a?b#c", "/a", "/a", "b");
    good("/a#b?c", "/a", "/a", NULL);
    good("#", "/", "/", NULL);
}

static void refused(void **state)
{
    (void)state;
    bad("a");
    bad("a/b");
    bad("*");
    bad("/a b");
    bad("/a\tb");
    bad("/a\r\nb");
    bad("/a\x7f");
    bad("/a\x01");
    bad("/caf\xc3\xa9");
    bad("/a?caf\xc3\xa9");
    bad("/a?b c");
    bad("/a\\b");
    bad("/..\\..\\a");
    bad("/a%2fb");
    bad("/a%2Fb");
    bad("/a%5cb");
    bad("/a%5Cb");
    bad("/a%00b");
    bad("/..%2fa");
    bad("/a%");
    bad("/a%2");
    bad("/a%zz");
    bad("/a%2g");
    bad("/a%%32");
    bad("/a%u002e");
    bad_n(FB_STR("/a\0b"));
}

static void encoded_separators_on_request(void **state)
{
    (void)state;
    char out[64];
    struct fn_path p;
    assert_int_equal(fn_url_path(FB_STR("/@types%2fnode"), FN_PATH_ENCODED_SEPARATORS, out, sizeof out, &p, NULL), 0);
    assert_true(p.has_encoded_separator);
    assert_text(p.wire, "/@types%2Fnode");
    assert_int_equal(fn_url_path(FB_STR("/a%5Cb"), FN_PATH_ENCODED_SEPARATORS, out, sizeof out, &p, NULL), 0);
    assert_true(p.has_encoded_separator);
    assert_int_equal(fn_url_path(FB_STR("/a"), FN_PATH_ENCODED_SEPARATORS, out, sizeof out, &p, NULL), 0);
    assert_false(p.has_encoded_separator);
    assert_true(fn_url_path(FB_STR("/a%00"), FN_PATH_ENCODED_SEPARATORS, out, sizeof out, &p, NULL) < 0);
}

static void no_room(void **state)
{
    (void)state;
    char out[4];
    struct fn_path p;
    assert_int_equal(fn_url_path(FB_STR("/abc"), 0, out, 4, &p, NULL), 0);
    assert_int_equal(fn_url_path(FB_STR("/abcd"), 0, out, 4, &p, NULL), FB_E_LIMIT);
    assert_int_equal(fn_url_path(FB_STR("/abc?defghi"), 0, out, 4, &p, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(slashes_and_dots),
        cmocka_unit_test(escapes_have_one_spelling),
        cmocka_unit_test(queries_and_fragments),
        cmocka_unit_test(refused),
        cmocka_unit_test(encoded_separators_on_request),
        cmocka_unit_test(no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
