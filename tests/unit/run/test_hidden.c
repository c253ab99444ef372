/* Which paths of a configuration belong to the control plane. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run/hidden.h"

#include "scratch.h"

static bool lists(const struct run_hidden *h, const char *path)
{
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->paths[i], path) == 0)
            return true;
    return false;
}

static void everything_that_decides_or_records(void **state)
{
    struct fc_config c = { 0 };
    struct run_hidden h = { 0 };
    char at[512];
    scratch_file("firma.toml", "[authority]\npolicy_dir = \"policies\"\nkey_file = \"/abs/key\"\n"
                               "[sidecar.mapping]\nrules_paths = [\"a.toml\", \"b.toml\"]\n"
                               "[sidecar.audit]\nfile_path = \"audit.jsonl\"\n");
    (void)snprintf(at, sizeof at, "%s/firma.toml", (char *)*state);
    assert_int_equal(fc_config_load(at, &c, NULL), 0);
    assert_int_equal(run_hidden_add_config(&h, &c, NULL), 0);
    assert_true(lists(&h, at));
    assert_true(lists(&h, "/abs/key"));
    static const char *const names[] = { "policies", "a.toml", "b.toml", "audit.jsonl", "audit.jsonl.head" };
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        (void)snprintf(at, sizeof at, "%s/%s", (char *)*state, names[i]);
        assert_true(lists(&h, at));
    }
    size_t n = h.count;
    assert_int_equal(run_hidden_add_config(&h, &c, NULL), 0);
    assert_int_equal(h.count, n); /* nothing twice */
    run_hidden_done(&h);
    fc_config_done(&c);
}

static void relative_paths_and_the_limit(void **state)
{
    struct run_hidden h = { 0 };
    struct fb_err err = { 0 };
    char at[512];
    assert_int_equal(run_hidden_add(&h, NULL, "cap.toml", NULL), 0);
    (void)snprintf(at, sizeof at, "%s/cap.toml", (char *)*state);
    assert_true(lists(&h, at));
    assert_int_equal(run_hidden_add(&h, NULL, NULL, NULL), 0);
    assert_int_equal(run_hidden_add(&h, NULL, "", NULL), 0);
    assert_int_equal(h.count, 1);
    for (int i = 1; i < RUN_HIDDEN_MAX; i++) {
        (void)snprintf(at, sizeof at, "/x/%d", i);
        assert_int_equal(run_hidden_add(&h, NULL, at, NULL), 0);
    }
    assert_int_equal(run_hidden_add(&h, NULL, "/one/more", &err), FB_E_LIMIT);
    run_hidden_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_that_decides_or_records, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(relative_paths_and_the_limit, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
