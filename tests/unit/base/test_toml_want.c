/* Shows the typed readers of configuration values and their one form of message. */
#include "base/buf.h"
#include "base/toml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct fb_toml_doc *doc;

static const struct fb_toml *at(const char *path)
{
    return fb_toml_path(fb_toml_root(doc), path);
}

static int set_up(void **state)
{
    (void)state;
    return fb_toml_parse(
        FB_STR("s = \"x\"\ni = 5\nf = 1.5\nb = true\nl = [\"a\", \"b\"]\nm = [\"a\", 1]\n[t]\nlisten_adr = 1\n"), "f",
        &doc, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    fb_toml_free(doc);
    return 0;
}

static void right_kinds(void **state)
{
    (void)state;
    struct fb_str s;
    bool b = false;
    int64_t i = 0;
    double f = 0;
    assert_int_equal(fb_toml_want_str(doc, at("s"), &s, NULL), 0);
    assert_true(fb_str_eqz(s, "x"));
    assert_int_equal(fb_toml_want_bool(doc, at("b"), &b, NULL), 0);
    assert_true(b);
    assert_int_equal(fb_toml_want_i64(doc, at("i"), 5, 5, &i, NULL), 0);
    assert_int_equal(i, 5);
    assert_int_equal(fb_toml_want_f64(doc, at("f"), &f, NULL), 0);
    assert_true(f == 1.5);
    assert_int_equal(fb_toml_want_f64(doc, at("i"), &f, NULL), 0);
    assert_true(f == 5);
    assert_int_equal(fb_toml_want_table(doc, at("t"), NULL), 0);
    assert_int_equal(fb_toml_want_str_array(doc, at("l"), NULL), 0);
}

static void absent_is_left_alone(void **state)
{
    (void)state;
    int64_t i = 7;
    bool b = true;
    double f = 1;
    struct fb_str s = FB_STR("d");
    assert_int_equal(fb_toml_want_i64(doc, NULL, 0, 1, &i, NULL), 0);
    assert_int_equal(fb_toml_want_bool(doc, NULL, &b, NULL), 0);
    assert_int_equal(fb_toml_want_f64(doc, NULL, &f, NULL), 0);
    assert_int_equal(fb_toml_want_str(doc, NULL, &s, NULL), 0);
    assert_int_equal(fb_toml_want_table(doc, NULL, NULL), 0);
    assert_int_equal(fb_toml_want_str_array(doc, NULL, NULL), 0);
    assert_int_equal(i, 7);
    assert_true(b && f == 1 && fb_str_eqz(s, "d"));
}

static void said(int rc, const struct fb_err *err, const char *msg)
{
    assert_int_equal(rc, FB_E_CONFIG_VALIDATION);
    assert_string_equal(err->msg, msg);
}

static void wrong_kinds_and_ranges(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_str s;
    bool b;
    int64_t i;
    double f;
    said(fb_toml_want_str(doc, at("i"), &s, &err), &err, "f:2:5: key 'i' must be a string, found an integer");
    said(fb_toml_want_bool(doc, at("s"), &b, &err), &err, "f:1:5: key 's' must be true or false, found a string");
    said(fb_toml_want_i64(doc, at("f"), 0, 9, &i, &err), &err, "f:3:5: key 'f' must be an integer, found a float");
    said(fb_toml_want_i64(doc, at("i"), 6, 9, &i, &err), &err, "f:2:5: key 'i' must be from 6 to 9, found 5");
    said(fb_toml_want_i64(doc, at("i"), 0, 4, &i, &err), &err, "f:2:5: key 'i' must be from 0 to 4, found 5");
    said(fb_toml_want_f64(doc, at("b"), &f, &err), &err, "f:4:5: key 'b' must be a number, found a boolean");
    said(fb_toml_want_table(doc, at("l"), &err), &err, "f:5:5: key 'l' must be a table, found an array");
    said(fb_toml_want_str_array(doc, at("s"), &err), &err,
         "f:1:5: key 's' must be an array of strings, found a string");
    said(fb_toml_want_str_array(doc, at("m"), &err), &err, "f:6:11: the item must be a string, found an integer");
}

static void unknown_keys(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    static const char *const all[] = { "s", "i", "f", "b", "l", "m", "t", NULL };
    static const char *const in_t[] = { "listen_addr", "mode", NULL };
    static const char *const far[] = { "zzz", NULL };
    assert_int_equal(fb_toml_only_keys(doc, fb_toml_root(doc), "", all, &err), 0);
    assert_int_equal(fb_toml_only_keys(doc, NULL, "", all, &err), 0);
    said(fb_toml_only_keys(doc, at("t"), "t", in_t, &err), &err,
         "f:8:14: unknown key 'listen_adr' in [t], did you mean 'listen_addr'?");
    said(fb_toml_only_keys(doc, fb_toml_root(doc), "", far, &err), &err, "f:1:5: unknown key 's'");
}

static void quoting(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 256);
    assert_int_equal(fb_toml_quote(&b, FB_STR("a\"b\\c\n\x01\x7f\303\251\xff\0")), 0);
    assert_true(fb_str_eqz(fb_buf_str(&b), "\"a\\\"b\\\\c\\u000A\\u0001\\u007F\303\251\\uFFFD\\u0000\""));
    fb_buf_done(&b);
    fb_buf_init(&b, 3);
    assert_true(fb_toml_quote(&b, FB_STR("abcd")) < 0);
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_kinds),
        cmocka_unit_test(absent_is_left_alone),
        cmocka_unit_test(wrong_kinds_and_ranges),
        cmocka_unit_test(unknown_keys),
        cmocka_unit_test(quoting),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
