/* The option table: how words become values, what is refused, and the help page made from the same rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>

static bool flag;
static const char *text;
static struct cli_list list;
static uint64_t number;

static const struct cli_opt opts[] = {
    { CLI_OPT_HEAD, NULL, 0, NULL, NULL, "Heading" },
    { CLI_OPT_FLAG, "verbose", 'v', NULL, &flag, "say more" },
    { CLI_OPT_TEXT, "config", 'c', "FILE", &text, "read FILE" },
    { CLI_OPT_LIST, "item", 0, "X", &list, "may repeat" },
    { CLI_OPT_U64, "count", 'n', "N", &number, "how many" },
    { CLI_OPT_TEXT, "a-name-that-is-long-enough-to-wrap", 0, "VALUE", &text, "wrapped" },
    { CLI_OPT_FLAG, "secret-switch", 0, NULL, &flag, NULL },
};

static int rest;
static struct fb_err err;

static int parse(const char *const *words)
{
    char *argv[600] = { (char[]){ "firma" } };
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    flag = false;
    text = NULL;
    list.count = 0;
    number = 0;
    rest = -1;
    err = (struct fb_err){ 0 };
    return cli_args_parse(opts, FB_COUNT(opts), argc, argv, &rest, &err);
}

#define PARSE(...) parse((const char *const[]){ __VA_ARGS__, NULL })

static void every_spelling_of_a_value(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--config", "f", "--count=7", "-v", "cmd", "--verbose"), 0);
    assert_string_equal(text, "f");
    assert_int_equal(number, 7);
    assert_true(flag);
    assert_int_equal(rest, 5); /* the first word that is no option ends them */
    assert_int_equal(PARSE("-cf", "-n", "8"), 0);
    assert_string_equal(text, "f");
    assert_int_equal(number, 8);
    assert_int_equal(rest, 4);
    assert_int_equal(PARSE("--config=a=b", "--config="), 0);
    assert_string_equal(text, ""); /* the last one wins */
    assert_int_equal(PARSE("--config", "-v"), 0);
    assert_string_equal(text, "-v");
    assert_false(flag);
    assert_int_equal(PARSE("--secret-switch"), 0);
    assert_true(flag);
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    assert_int_equal(PARSE("-v", "--", "--config", "x"), 0);
    assert_int_equal(rest, 3);
    assert_null(text);
    assert_int_equal(PARSE("--"), 0);
    assert_int_equal(rest, 2);
    assert_int_equal(PARSE("-", "-v"), 0); /* a lone dash is a word */
    assert_int_equal(rest, 1);
    assert_false(flag);
    assert_int_equal(parse((const char *const[]){ NULL }), 0);
    assert_int_equal(rest, 1);
}

static void help_ends_the_reading(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--help", "--no-such"), 1);
    assert_int_equal(PARSE("-h"), 1);
    assert_int_equal(PARSE("cmd", "--help"), 0);
    assert_int_equal(PARSE("--", "-h"), 0);
}

static void refusals(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--no-such-thing-at-all"), FB_E_USAGE);
    assert_int_equal(err.code, FB_E_USAGE);
    assert_int_equal(PARSE("-x"), FB_E_USAGE);
    assert_int_equal(PARSE("-vc"), FB_E_USAGE);
    assert_int_equal(PARSE("--verbose=yes"), FB_E_USAGE);
    assert_int_equal(PARSE("--verbose="), FB_E_USAGE);
    assert_int_equal(PARSE("--config"), FB_E_USAGE);
    assert_int_equal(PARSE("--config", "--"), FB_E_USAGE);
    assert_int_equal(PARSE("--=x"), FB_E_USAGE);
    assert_int_equal(PARSE("--conf", "x"), FB_E_USAGE); /* no abbreviations */
    assert_int_equal(PARSE("--Config", "x"), FB_E_USAGE);
}

static void a_near_name_is_suggested_but_no_hidden_one(void **state)
{
    (void)state;
    assert_int_equal(PARSE("--confg=x"), FB_E_USAGE);
    assert_non_null(strstr(err.msg, "--confg"));
    assert_non_null(strstr(err.remedy, "--config?"));
    assert_int_equal(PARSE("--secret-switc"), FB_E_USAGE);
    assert_null(strstr(err.remedy, "secret"));
}

static void numbers_end_at_the_greatest(void **state)
{
    static const char *const bad[] = { "", "-1", "+1", "1x", " 1", "0x10", "9223372036854775808", "99999999999999999999" };
    (void)state;
    assert_int_equal(PARSE("--count", "9223372036854775807"), 0);
    assert_int_equal(number, INT64_MAX);
    assert_int_equal(PARSE("--count", "0"), 0);
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        assert_int_equal(PARSE("--count", bad[i]), FB_E_USAGE);
        assert_int_equal(number, 0);
    }
}

static void a_list_holds_256_and_not_257(void **state)
{
    const char *words[2 * CLI_LIST_MAX + 3];
    (void)state;
    for (size_t i = 0; i <= CLI_LIST_MAX; i++) {
        words[2 * i] = "--item";
        words[2 * i + 1] = i == 0 ? "first" : "x";
    }
    words[2 * CLI_LIST_MAX] = NULL;
    assert_int_equal(parse(words), 0);
    assert_int_equal(list.count, CLI_LIST_MAX);
    assert_string_equal(list.items[0], "first");
    words[2 * CLI_LIST_MAX] = "--item";
    words[2 * CLI_LIST_MAX + 2] = NULL;
    assert_int_equal(parse(words), FB_E_USAGE);
    assert_int_equal(list.count, CLI_LIST_MAX);
}

static void the_help_page_shows_what_is_not_hidden(void **state)
{
    char *page = NULL;
    size_t n = 0;
    (void)state;
    FILE *out = open_memstream(&page, &n);
    assert_non_null(out);
    cli_args_help(out, "firma x", "Does x.", opts, FB_COUNT(opts), "  firma x y\n");
    assert_int_equal(fclose(out), 0);
    assert_int_equal(strncmp(page, "Usage: firma x\n\nDoes x.\n\nHeading:\n", 34), 0);
    assert_non_null(strstr(page, "\n  -v, --verbose                   say more\n"));
    assert_non_null(strstr(page, "\n      --item X                    may repeat\n"));
    assert_non_null(strstr(page, "to-wrap VALUE\n                                  wrapped\n"));
    assert_null(strstr(page, "secret"));
    assert_non_null(strstr(page, "\nExamples:\n  firma x y\n"));
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_a_value),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(help_ends_the_reading),
        cmocka_unit_test(refusals),
        cmocka_unit_test(a_near_name_is_suggested_but_no_hidden_one),
        cmocka_unit_test(numbers_end_at_the_greatest),
        cmocka_unit_test(a_list_holds_256_and_not_257),
        cmocka_unit_test(the_help_page_shows_what_is_not_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
