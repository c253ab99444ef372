/* The alphabets and lengths of ids: what may become a file name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "stack/ids.h"

#include <string.h>

static bool sandbox(const char *text)
{
    return st_ids_sandbox_ok(fb_str_of(text));
}

static bool name(const char *text)
{
    return st_ids_name_ok(fb_str_of(text));
}

static void every_byte_is_judged(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
        const char text[3] = { 'a', (char)c, 'b' };
        assert_int_equal(st_ids_name_ok(fb_str_n(text, 3)), word);
        assert_int_equal(st_ids_sandbox_ok(fb_str_n(text, 3)), word || c == '.');
    }
}

static void lengths_end_at_64_and_128(void **state)
{
    char text[ST_IDS_NAME_MAX_BYTES + 1];
    (void)state;
    memset(text, 'a', sizeof text);
    assert_false(st_ids_sandbox_ok(fb_str_n(text, 0)));
    assert_true(st_ids_sandbox_ok(fb_str_n(text, 1)));
    assert_true(st_ids_sandbox_ok(fb_str_n(text, ST_IDS_SANDBOX_MAX_BYTES)));
    assert_false(st_ids_sandbox_ok(fb_str_n(text, ST_IDS_SANDBOX_MAX_BYTES + 1)));
    assert_false(st_ids_name_ok(fb_str_n(text, 0)));
    assert_true(st_ids_name_ok(fb_str_n(text, 1)));
    assert_true(st_ids_name_ok(fb_str_n(text, ST_IDS_NAME_MAX_BYTES)));
    assert_false(st_ids_name_ok(fb_str_n(text, ST_IDS_NAME_MAX_BYTES + 1)));
}

static void no_id_means_another_directory(void **state)
{
    (void)state;
    assert_false(sandbox("."));
    assert_false(sandbox(".."));
    assert_false(sandbox("../x"));
    assert_false(sandbox("/x"));
    assert_true(sandbox("..."));
    assert_true(sandbox(".hidden"));
    assert_false(sandbox(".new-"));
    assert_false(sandbox(".new-box"));
    assert_true(sandbox(".new"));
    assert_true(sandbox("x.new-box"));
    assert_false(name("."));
    assert_false(name("a b"));
    assert_false(name("a\n"));
    assert_true(name("_-0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_is_judged),
        cmocka_unit_test(lengths_end_at_64_and_128),
        cmocka_unit_test(no_id_means_another_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
