/* Embedded files: found by name, NUL-terminated, listed in order; unknown names give nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/embed.h"

static void files_are_found_by_name(void **state)
{
    (void)state;
    struct fb_str s = fc_asset_get("postures/dev.cedar");
    assert_non_null(s.p);
    assert_true(s.n > 100);
    assert_int_equal(s.p[s.n], '\0');
    assert_true(fb_str_contains(s, FB_STR("Firma::Action::\"code.merge\"")));
}

static void unknown_names_give_nothing(void **state)
{
    (void)state;
    assert_null(fc_asset_get("postures/nowhere.cedar").p);
    assert_null(fc_asset_get("").p);
}

static void names_come_in_order(void **state)
{
    (void)state;
    size_t n = 0;
    for (; fc_asset_name(n) != NULL; n++) {
        assert_non_null(fc_asset_get(fc_asset_name(n)).p);
        if (n > 0)
            assert_true(fb_str_cmp(fb_str_of(fc_asset_name(n - 1)), fb_str_of(fc_asset_name(n))) < 0);
    }
    assert_true(n >= 17);
    assert_null(fc_asset_name(100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_found_by_name),
        cmocka_unit_test(unknown_names_give_nothing),
        cmocka_unit_test(names_come_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
