/* Snapshots under fire: an object stays until the last reader that could see it has left and goes then; and while threads
 * decide, everything is swapped under them: only valid decisions come out. */
#include "fixture.h"

#include "enforce/epoch.h"

#include <pthread.h>

struct thing {
    struct fe_retired retired;
    int *freed;
};

static void free_thing(struct fe_retired *self)
{
    (*((struct thing *)self)->freed)++;
}

static void an_object_outlives_its_readers_and_no_longer(void **state)
{
    (void)state;
    struct fe_epoch e;
    struct fe_reader early;
    struct fe_reader late;
    int freed = 0;
    struct thing a = { .retired.free = free_thing, .freed = &freed };
    struct thing b = a;
    assert_int_equal(fe_epoch_init(&e), 0);
    fe_epoch_add_reader(&e, &early);
    fe_epoch_add_reader(&e, &late);
    fe_epoch_enter(&e, &early);
    fe_epoch_lock(&e);
    fe_epoch_retire(&e, &a.retired);
    fe_epoch_unlock(&e);
    assert_int_equal(freed, 0);
    fe_epoch_enter(&e, &late); /* came after: cannot see a */
    fe_epoch_leave(&e, &early);
    assert_int_equal(freed, 1);
    fe_epoch_leave(&e, &late);
    fe_epoch_lock(&e);
    fe_epoch_retire(&e, &b.retired); /* nobody reads */
    fe_epoch_retire(&e, NULL);
    fe_epoch_unlock(&e);
    assert_int_equal(freed, 2);
    fe_epoch_remove_reader(&e, &early);
    fe_epoch_remove_reader(&e, &late);
    fe_epoch_done(&e);
}

struct asker {
    struct fixture *f;
    pthread_t thread;
    int bad;
    int allowed;
};

static void *ask_on(void *arg)
{
    struct asker *a = arg;
    struct fe_scratch *scratch = fe_scratch_new(a->f->engine);
    struct fb_arena arena;
    fb_arena_init(&arena, 1 << 20);
    struct fe_envelope env = a->f->env;
    for (int i = 0; i < 20000; i++) {
        struct fe_verdict v;
        fb_arena_reset(&arena);
        fe_decide(a->f->engine, &env, scratch, &arena, &v);
        bool denied = v.decision == FE_DENY && (v.reason == FC_REASON_POLICY_DENIED || v.reason == FC_REASON_TOKEN_INVALID);
        a->allowed += v.decision == FE_ALLOW;
        a->bad += !(v.decision == FE_ALLOW || denied) || v.resource.n == 0;
    }
    fb_arena_done(&arena);
    fe_scratch_free(scratch);
    return NULL;
}

static void swapping_everything_yields_only_valid_decisions(void **state)
{
    (void)state;
    struct fixture f;
    fixture_init(&f, NULL);
    prepare(&f, "GET", "127.0.0.1:9100", "/allow", NULL);
    struct asker askers[4];
    for (size_t i = 0; i < FB_COUNT(askers); i++) {
        askers[i] = (struct asker){ .f = &f };
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_on, &askers[i]), 0);
    }
    char id[32];
    for (int i = 0; i < 300; i++) {
        give_bundle(&f, i % 2 == 0 ? "forbid(principal, action, resource);" : example_policies, example_schema);
        give_token(&f, i % 3 == 0 ? "code.read" : "communication.external.send", "*");
        give_mapping(&f, example_rules);
        snprintf(id, sizeof id, "other-%d", i);
        fe_engine_add_revocation(f.engine, fb_str_of(id));
    }
    give_bundle(&f, example_policies, example_schema);
    give_token(&f, "communication.external.send", "*");
    for (size_t i = 0; i < FB_COUNT(askers); i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].bad, 0);
    }
    decide(&f);
    assert_verdict(&f, FE_ALLOW, FC_REASON_NONE);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_outlives_its_readers_and_no_longer),
        cmocka_unit_test(swapping_everything_yields_only_valid_decisions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
