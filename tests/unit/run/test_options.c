/* What the command line may not say, and what counts as yes in a variable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/macros.h"
#include "run/options.h"

#include <stdlib.h>

static char *command[] = { "true", NULL };

static int check(struct run_options o)
{
    struct fb_err err = { 0 };
    if (o.command == NULL) {
        o.command = command;
        o.n_command = 1;
    }
    int r = run_options_check(&o, &err);
    assert_int_equal(r, err.code);
    return r;
}

static void conflicts_and_lists(void **state)
{
    (void)state;
    unsetenv("FIRMA_RUN_SANDBOX_ID");
    assert_int_equal(check((struct run_options){ 0 }), 0);
    assert_int_equal(check((struct run_options){ .no_autostart = true, .sidecar = "local" }), FB_E_SIDECAR_LOCAL_NO_AUTOSTART);
    assert_int_equal(check((struct run_options){ .no_autostart = true, .authority = "local" }),
                     FB_E_AUTHORITY_LOCAL_NO_AUTOSTART);
    assert_int_equal(check((struct run_options){ .no_autostart = true, .sidecar = "unix:///x" }), 0);
    assert_int_equal(check((struct run_options){ .backend = "docker" }), FB_E_USAGE);
    assert_int_equal(check((struct run_options){ .identity_mode = "host_user" }), FB_E_USAGE);
    assert_int_equal(check((struct run_options){ .sandbox_id = ".." }), FB_E_CONFIG_VALIDATION);
    assert_int_equal(check((struct run_options){ .sandbox_id = "my-sandbox" }), 0);
    assert_int_equal(check((struct run_options){ .command = command + 1 }), FB_E_MISSING_COMMAND);
}

static void the_reserved_variable_counts_even_when_empty(void **state)
{
    (void)state;
    setenv("FIRMA_RUN_SANDBOX_ID", "", 1);
    assert_int_equal(check((struct run_options){ 0 }), FB_E_RESERVED_SANDBOX_ID);
    unsetenv("FIRMA_RUN_SANDBOX_ID");
}

static void what_counts_as_yes(void **state)
{
    static const char *const yes[] = { "1", "true", "YES", " on ", "\tTrue " };
    static const char *const no[] = { "", "0", "2", "no", "truee", "o n" };
    (void)state;
    unsetenv("FIRMA_TEST_FLAG");
    assert_false(run_options_env_is_set("FIRMA_TEST_FLAG"));
    for (size_t i = 0; i < FB_COUNT(yes); i++) {
        setenv("FIRMA_TEST_FLAG", yes[i], 1);
        assert_true(run_options_env_is_set("FIRMA_TEST_FLAG"));
    }
    for (size_t i = 0; i < FB_COUNT(no); i++) {
        setenv("FIRMA_TEST_FLAG", no[i], 1);
        assert_false(run_options_env_is_set("FIRMA_TEST_FLAG"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conflicts_and_lists),
        cmocka_unit_test(the_reserved_variable_counts_even_when_empty),
        cmocka_unit_test(what_counts_as_yes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
