/* Shows that JSON comes in whole, once, and within its limits. The language itself is the conformance runner's. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int load(struct fb_str text, size_t max, struct fb_err *err)
{
    json_t *j = NULL;
    int rc = fb_json_load(text, "x", max, &j, err);
    if (rc == 0)
        json_decref(j);
    else
        assert_null(j);
    return rc;
}

static void values_of_every_kind(void **state)
{
    (void)state;
    static const char *const good[] = { "{}", "[]", "1", "\"a\"", "null", " {\"a\":[1,2,{\"b\":true}]} \n" };
    for (size_t i = 0; i < FB_COUNT(good); i++)
        assert_int_equal(load(fb_str_of(good[i]), 0, NULL), 0);
}

static void refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",      " ",           "{",       "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":1,\"b\":1}}",
        "[1] x", "[1,]",        "{'a':1}", "\"\\u0000\"",       "\"\xff\"",
        "01",    "\"\\ud800\"", "// c\n1",
    };
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        struct fb_err err = { 0 };
        if (load(fb_str_of(bad[i]), 0, &err) != FB_E_PARSE)
            fail_msg("'%s' accepted", bad[i]);
        assert_memory_equal(err.msg, "x:", 2);
    }
    assert_int_equal(load(FB_STR("1\0"), 0, NULL), FB_E_PARSE);
    assert_int_equal(load(FB_STR("{}\0{\"rest\":1}"), 0, NULL), FB_E_PARSE);
    assert_int_equal(load((struct fb_str){ 0 }, 0, NULL), FB_E_PARSE);
}

static void size_limit(void **state)
{
    (void)state;
    assert_int_equal(load(FB_STR("[1,2]"), 5, NULL), 0);
    assert_int_equal(load(FB_STR("[1,23]"), 5, NULL), FB_E_LIMIT);
    /* The ceiling holds whatever the caller says. */
    char *text = malloc(FB_JSON_MAX_BYTES + 1);
    memset(text, ' ', FB_JSON_MAX_BYTES + 1);
    text[0] = '1';
    assert_int_equal(load(fb_str_n(text, FB_JSON_MAX_BYTES), SIZE_MAX, NULL), 0);
    assert_int_equal(load(fb_str_n(text, FB_JSON_MAX_BYTES + 1), SIZE_MAX, NULL), FB_E_LIMIT);
    free(text);
}

static void depth_limit(void **state)
{
    (void)state;
    char text[2 * (FB_JSON_DEPTH_MAX + 1)];
    for (size_t depth = FB_JSON_DEPTH_MAX; depth <= FB_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(load(fb_str_n(text, 2 * depth), 0, NULL), depth == FB_JSON_DEPTH_MAX ? 0 : FB_E_LIMIT);
    }
    /* Brackets inside a string do not nest. */
    char string[200];
    memset(string, '[', sizeof string);
    string[0] = string[199] = '"';
    string[100] = '\\';
    string[101] = '"';
    assert_int_equal(load(fb_str_n(string, sizeof string), 0, NULL), 0);
}

static void value_limit(void **state)
{
    (void)state;
    size_t n = (FB_JSON_VALUES_MAX - 1) * 2;
    char *text = malloc(n + 8);
    text[0] = '[';
    for (size_t i = 0; i < n; i += 2)
        memcpy(text + 1 + i, "0,", 2);
    memcpy(text + 1 + n, "0]", 2);
    assert_int_equal(load(fb_str_n(text, n + 3), 0, NULL), 0);
    memcpy(text + 1 + n, "0,0]", 4);
    assert_int_equal(load(fb_str_n(text, n + 5), 0, NULL), FB_E_LIMIT);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_every_kind), cmocka_unit_test(refused),     cmocka_unit_test(size_limit),
        cmocka_unit_test(depth_limit),          cmocka_unit_test(value_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
