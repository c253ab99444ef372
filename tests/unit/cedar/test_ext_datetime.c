/* datetime and duration: every text form, every method, both ends of the range. */
#include "cedar_case.h"

#define FAILS "!FailedExtensionFunctionExecution"
#define EPOCH "datetime(\"1970-01-01\")"

static void datetime_texts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "datetime(\"2024-02-29\")", "datetime(2024-02-29T00:00:00.000Z)" },
        { "datetime(\"2024-10-15T11:35:00Z\")", "datetime(2024-10-15T11:35:00.000Z)" },
        { "datetime(\"2024-10-15T11:35:00.123Z\")", "datetime(2024-10-15T11:35:00.123Z)" },
        { "datetime(\"2024-10-15T11:35:00+0530\")", "datetime(2024-10-15T06:05:00.000Z)" },
        { "datetime(\"2024-10-15T11:35:00.001-0800\")", "datetime(2024-10-15T19:35:00.001Z)" },
        { "datetime(\"0000-01-01\") < datetime(\"9999-12-31T23:59:59.999Z\")", "true" },
        { "datetime(\"2023-02-29\")", FAILS },
        { "datetime(\"1900-02-29\")", FAILS },
        { "datetime(\"2000-02-29\") == datetime(\"2000-02-29T00:00:00Z\")", "true" },
        { "datetime(\"2024-13-01\")", FAILS },
        { "datetime(\"2024-00-01\")", FAILS },
        { "datetime(\"2024-04-31\")", FAILS },
        { "datetime(\"2024-1-01\")", FAILS },
        { "datetime(\"2024-01-01T24:00:00Z\")", FAILS },
        { "datetime(\"2024-01-01T00:60:00Z\")", FAILS },
        { "datetime(\"2024-01-01T00:00:60Z\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00\")", FAILS },
        { "datetime(\"2024-01-01t00:00:00Z\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00z\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00.1Z\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00+05:30\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00+2400\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00+0060\")", FAILS },
        { "datetime(\"2024-01-01T00:00:00+2359\") == datetime(\"2023-12-31T00:01:00Z\")", "true" },
        { "datetime(\"2024-01-01 \")", FAILS },
        { "datetime(\"\")", FAILS },
    };
    CHECK_ROWS(rows, NULL);
}

static void duration_texts(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { "duration(\"1d2h3m4s5ms\")", "duration(93784005ms)" },
        { "duration(\"-1d\")", "duration(-86400000ms)" },
        { "duration(\"1m1ms\")", "duration(60001ms)" },
        { "duration(\"0ms\") == duration(\"0d\")", "true" },
        { "duration(\"-9223372036854775808ms\").toMilliseconds()", "-9223372036854775808" },
        { "duration(\"9223372036854775807ms\").toMilliseconds()", "9223372036854775807" },
        { "duration(\"9223372036854775808ms\")", FAILS },
        { "duration(\"9223372036854775807d\")", FAILS },
        { "duration(\"106751991168d\")", FAILS },
        { "duration(\"\")", FAILS },
        { "duration(\"-\")", FAILS },
        { "duration(\"0\")", FAILS },
        { "duration(\"1h1d\")", FAILS },
        { "duration(\"1s1s\")", FAILS },
        { "duration(\"1ms1s\")", FAILS },
        { "duration(\"1.5h\")", FAILS },
        { "duration(\"+1h\")", FAILS },
        { "duration(\"1 h\")", FAILS },
        { "duration(\"h\")", FAILS },
        { "duration(\"1H\")", FAILS },
    };
    CHECK_ROWS(rows, NULL);
}

static void methods(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { EPOCH ".offset(duration(\"1d\"))", "datetime(1970-01-02T00:00:00.000Z)" },
        { EPOCH ".offset(duration(\"-1ms\")).toDate()", "datetime(1969-12-31T00:00:00.000Z)" },
        { EPOCH ".offset(duration(\"-1ms\")).toTime()", "duration(86399999ms)" },
        { EPOCH ".durationSince(" EPOCH ".offset(duration(\"5ms\")))", "duration(-5ms)" },
        { "datetime(\"2024-01-01\").offset(duration(\"9223372036854775807ms\"))", FAILS },
        { EPOCH ".offset(duration(\"-9223372036854775808ms\")).toDate()", FAILS },
        { EPOCH ".offset(duration(\"-9223372036854775808ms\")).toTime() == duration(\"60424192ms\")", "true" },
        { "duration(\"-1d23h\").toDays()", "-1" },
        { "duration(\"-23h59m\").toDays()", "0" },
        { "duration(\"1d1h1m1s1ms\").toHours()", "25" },
        { "duration(\"90s\").toMinutes()", "1" },
        { "duration(\"-1999ms\").toSeconds()", "-1" },
        { EPOCH " < datetime(\"1970-01-02\")", "true" },
        { "duration(\"1h\") >= duration(\"60m\")", "true" },
        { EPOCH " < duration(\"1h\")", "!TypeError" },
        { EPOCH " + duration(\"1h\")", "!TypeError" },
        { "duration(\"1h\") == 3600000", "false" },
        { EPOCH ".offset(1)", "!TypeError" },
    };
    CHECK_ROWS(rows, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(datetime_texts),
        cmocka_unit_test(duration_texts),
        cmocka_unit_test(methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
