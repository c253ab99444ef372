/* decimal: four places in 64 bits. */
#include "cedar_case.h"

#define FAILS "!FailedExtensionFunctionExecution"

static void texts_and_methods(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "decimal(\"1.5\")", "decimal(1.5)" },
        { "decimal(\"00001.5\") == decimal(\"1.5000\")", "true" },
        { "decimal(\"-0.0\") == decimal(\"0.0\")", "true" },
        { "decimal(\"922337203685477.5807\")", "decimal(922337203685477.5807)" },
        { "decimal(\"-922337203685477.5808\")", "decimal(-922337203685477.5808)" },
        { "decimal(\"922337203685477.5808\")", FAILS },
        { "decimal(\"-922337203685477.5809\")", FAILS },
        { "decimal(\"9223372036854775808.0\")", FAILS },
        { "decimal(\"1.23456\")", FAILS },
        { "decimal(\"1\")", FAILS },
        { "decimal(\"1.\")", FAILS },
        { "decimal(\".1\")", FAILS },
        { "decimal(\"+1.0\")", FAILS },
        { "decimal(\"1e3\")", FAILS },
        { "decimal(\" 1.0\")", FAILS },
        { "decimal(\"--1.0\")", FAILS },
        { "decimal(\"\")", FAILS },
        { "decimal(\"1.0\").lessThan(decimal(\"1.1\"))", "true" },
        { "decimal(\"1.1\").lessThanOrEqual(decimal(\"1.1\"))", "true" },
        { "decimal(\"-1.1\").greaterThan(decimal(\"1.1\"))", "false" },
        { "decimal(\"1.1\").greaterThanOrEqual(decimal(\"1.1\"))", "true" },
        { "decimal(\"1.0\") < decimal(\"2.0\")", "!TypeError" },
        { "decimal(\"1.0\").lessThan(1)", "!TypeError" },
        { "decimal(\"1.0\").lessThan()", "!WrongNumArguments" },
        { "decimal(1.0)", "!UnexpectedToken" },
    };
    CHECK_ROWS(rows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts_and_methods) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
