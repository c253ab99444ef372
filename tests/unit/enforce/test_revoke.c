/* Revoked ids: exact while they fit, no false denial; past the capacity the filter may deny too much but never forgets. */
#include "fixture.h"

#include "enforce/revoke.h"

static bool has(struct fe_revoke *r, const char *id)
{
    return fe_revoke_has(r, fb_str_of(id), fe_revoke_hash(fb_str_of(id)));
}

static void ids_are_kept_exactly(void **state)
{
    (void)state;
    struct fe_epoch epoch;
    struct fe_revoke r;
    assert_int_equal(fe_epoch_init(&epoch), 0);
    fe_revoke_init(&r, &epoch, 100000);
    assert_false(has(&r, "a"));
    assert_true(fe_revoke_add(&r, FB_STR("a")));
    assert_false(fe_revoke_add(&r, FB_STR("a")));
    assert_true(fe_revoke_add(&r, FB_STR("")));
    assert_true(has(&r, "a") && has(&r, "") && !has(&r, "b"));
    char id[32];
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        assert_true(fe_revoke_add(&r, fb_str_of(id)));
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        assert_true(has(&r, id));
        snprintf(id, sizeof id, "other-%d", i);
        assert_false(has(&r, id));
    }
    assert_int_equal(atomic_load(&r.count), 20002);
    fe_epoch_done(&epoch);
    fe_revoke_done(&r);
}

static void past_the_capacity_nothing_is_forgotten(void **state)
{
    (void)state;
    struct fe_epoch epoch;
    struct fe_revoke r;
    assert_int_equal(fe_epoch_init(&epoch), 0);
    fe_revoke_init(&r, &epoch, 10);
    char id[32];
    for (int i = 0; i < 10; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        fe_revoke_add(&r, fb_str_of(id));
    }
    assert_null((void *)atomic_load(&r.bloom)); /* at the limit all are exact */
    for (int i = 10; i < 5000; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        fe_revoke_add(&r, fb_str_of(id));
    }
    assert_non_null((void *)atomic_load(&r.bloom));
    int wrong = 0;
    for (int i = 0; i < 5000; i++) {
        snprintf(id, sizeof id, "token-%d", i);
        assert_true(has(&r, id));
        snprintf(id, sizeof id, "other-%d", i);
        wrong += has(&r, id);
    }
    assert_true(wrong < 5);
    assert_false(atomic_load(&r.broken));
    fe_epoch_done(&epoch);
    fe_revoke_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_kept_exactly),
        cmocka_unit_test(past_the_capacity_nothing_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
