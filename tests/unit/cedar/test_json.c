/* The JSON reader: RFC 8259, exact integers, no repeated keys, bounded nesting. */
#include "cedar_case.h"

#include "cedar/json.h"

#include <stdlib.h>

static int parse(const char *text, size_t len, struct cedar_error *err)
{
    struct cedar_arena a;
    struct cedar_json j;
    struct cedar_source src = { text, len, err };
    cedar_arena_init(&a, 64 << 20);
    int rc = cedar_json_parse(&a, &a, &src, CEDAR_MAX_NESTING, &j);
    cedar_arena_done(&a);
    return rc;
}

static void texts(void **state)
{
    (void)state;
    static const char *const good[] = { "null",
                                        " [1, -0, 2.5e-3, true, \"\\ud83d\\ude00\\u0000/\\/\"] ",
                                        "{\"a\":{\"a\":1}}",
                                        "[]",
                                        "{}",
                                        "\"\"",
                                        "123456789012345678901234567890" };
    static const char *const bad[] = { "",
                                       " ",
                                       "[1,]",
                                       "{\"a\":1,}",
                                       "{a:1}",
                                       "{'a':1}",
                                       "01",
                                       "-",
                                       "1.",
                                       ".5",
                                       "1e",
                                       "+1",
                                       "nul",
                                       "tru",
                                       "\"",
                                       "\"\\x41\"",
                                       "\"\\ud800\"",
                                       "\"\\udc00\"",
                                       "\"\\ud800\\u0041\"",
                                       "\"\t\"",
                                       "[1 2]",
                                       "1 2",
                                       "[",
                                       "{\"a\"",
                                       "{\"a\":",
                                       "{\"a\":1,\"a\":2}",
                                       "NaN",
                                       "// x\n1",
                                       "{\"a\":1,\"\\u0061\":2}" };
    struct cedar_error err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(parse(good[i], strlen(good[i]), &err), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (parse(bad[i], strlen(bad[i]), &err) != CEDAR_E_JSON)
            fail_msg("accepted: %s", bad[i]);
    }
    assert_int_equal(parse("\"\xc0\x80\"", 4, &err), CEDAR_E_UTF8);
}

static void integers_are_exact_or_no_integers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int kind;
    } rows[] = { { "9223372036854775807", CEDAR_JSON_INT },
                 { "9223372036854775808", CEDAR_JSON_NUMBER },
                 { "-9223372036854775808", CEDAR_JSON_INT },
                 { "-9223372036854775809", CEDAR_JSON_NUMBER },
                 { "1.0", CEDAR_JSON_NUMBER },
                 { "1e3", CEDAR_JSON_NUMBER },
                 { "-0", CEDAR_JSON_NUMBER },
                 { "0", CEDAR_JSON_INT } };
    struct cedar_error err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cedar_arena a;
        struct cedar_json j;
        struct cedar_source src = { rows[i].text, strlen(rows[i].text), &err };
        cedar_arena_init(&a, 1 << 20);
        assert_int_equal(cedar_json_parse(&a, &a, &src, CEDAR_MAX_NESTING, &j), 0);
        assert_int_equal(j.kind, rows[i].kind);
        cedar_arena_done(&a);
    }
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    char text[2 * CEDAR_MAX_NESTING + 8];
    struct cedar_error err;
    for (int extra = 0; extra < 2; extra++) {
        size_t n = (size_t)(CEDAR_MAX_NESTING + extra);
        memset(text, '[', n);
        memset(text + n, ']', n);
        assert_int_equal(parse(text, 2 * n, &err), extra ? CEDAR_E_LIMIT : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts),
        cmocka_unit_test(integers_are_exact_or_no_integers),
        cmocka_unit_test(nesting_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
