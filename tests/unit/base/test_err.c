/* Errors: names, statuses, wrapping, and printing that no message can abuse. */
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void the_table_gives_name_status_and_remedy(void **state)
{
    (void)state;
    assert_string_equal(fb_err_name(FB_E_CONFIG_PARSE), "ConfigParse");
    assert_int_equal(fb_err_status(FB_E_USAGE), 2);
    assert_string_equal(fb_err_name(0), "Internal");
    assert_string_equal(fb_err_name(-100000), "Internal");
    for (int i = 0; i < FB_IDX_COUNT; i++) {
        assert_true(strlen(fb_err_default_remedy(-(i + 1))) > 0);
        assert_true(fb_err_status(-(i + 1)) > 0);
    }
}

static void an_error_is_set_wrapped_and_recoded(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    assert_int_equal(fb_err_sys(&err, FB_E_IO, ENOENT, "cannot open '%s'", "x"), FB_E_IO);
    assert_string_equal(err.msg, "cannot open 'x': No such file or directory");
    assert_int_equal(err.os_errno, ENOENT);
    assert_int_equal(fb_err_wrap(&err, "reading %d", 7), FB_E_IO);
    assert_string_equal(err.msg, "reading 7: cannot open 'x': No such file or directory");
    assert_int_equal(fb_err_recode(&err, FB_E_CONFIG_PARSE), FB_E_CONFIG_PARSE);
    assert_int_equal(err.code, FB_E_CONFIG_PARSE);
    assert_int_equal(fb_err_set(NULL, FB_E_IO, "x"), FB_E_IO);
    assert_int_equal(fb_err_wrap(NULL, "x"), FB_E_INTERNAL);
    fb_err_remedy(NULL, "x");
}

static void a_text_too_long_is_cut_not_overrun(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    (void)fb_err_sys(&err, FB_E_IO, EACCES, "%*d", 5000, 1);
    assert_int_equal(strlen(err.msg), FB_ERR_MSG_BYTES - 1);
    (void)fb_err_wrap(&err, "%*d", 5000, 1);
    assert_int_equal(strlen(err.msg), FB_ERR_MSG_BYTES - 1);
    fb_err_remedy(&err, "%*d", 5000, 1);
    assert_int_equal(strlen(err.remedy), FB_ERR_REMEDY_BYTES - 1);
}

static void printing_escapes_and_gives_the_hint(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    struct fb_err err = { 0 };
    (void)fb_err_set(&err, FB_E_SPAWN, "no \x1b[2J\nerror: forged");
    fb_err_remedy(&err, "do\x07 this");
    fb_err_print(out, &err);
    fclose(out);
    assert_string_equal(text, "error: Spawn: no \\x1b[2J\\x0aerror: forged\n  hint: do\\x07 this\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_gives_name_status_and_remedy),
        cmocka_unit_test(an_error_is_set_wrapped_and_recoded),
        cmocka_unit_test(a_text_too_long_is_cut_not_overrun),
        cmocka_unit_test(printing_escapes_and_gives_the_hint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
