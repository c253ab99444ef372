/* Session counters: counted by id, the last eight classes each once, and the session longest unused is forgotten at one past
 * the capacity, not before. */
#include "fixture.h"

#include "enforce/session.h"

static uint64_t count(struct fe_sessions *s, const char *id)
{
    struct fe_session_view v;
    assert_true(fe_sessions_begin(s, fb_str_of(id), NULL, &v));
    return v.action_count;
}

static void sessions_count_apart(void **state)
{
    (void)state;
    struct fe_sessions s;
    assert_int_equal(fe_sessions_init(&s, 4), 0);
    assert_int_equal(count(&s, "a"), 1);
    assert_int_equal(count(&s, "a"), 2);
    assert_int_equal(count(&s, "b"), 1);
    assert_int_equal(count(&s, ""), 1);
    assert_int_equal(count(&s, "a"), 3);
    fe_sessions_done(&s);
}

static void the_longest_unused_is_forgotten_first(void **state)
{
    (void)state;
    struct fe_sessions s;
    assert_int_equal(fe_sessions_init(&s, 3), 0);
    count(&s, "a");
    count(&s, "b");
    count(&s, "c");
    assert_int_equal(count(&s, "a"), 2); /* at the limit nothing is lost */
    count(&s, "d");                      /* one past: b goes */
    assert_int_equal(count(&s, "a"), 3);
    assert_int_equal(count(&s, "c"), 2);
    assert_int_equal(count(&s, "b"), 1);
    fe_sessions_done(&s);
}

static void many_sessions_in_a_small_table(void **state)
{
    (void)state;
    struct fe_sessions s;
    assert_int_equal(fe_sessions_init(&s, 100), 0);
    char id[32];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++) {
            snprintf(id, sizeof id, "session-%d", i);
            assert_int_equal(count(&s, id), 1);
            fe_sessions_end(&s, fb_str_of(id), 1, true, FB_STR("some/resource"));
        }
    }
    fe_sessions_done(&s);
}

static void the_past_is_bounded_and_each_class_stands_once(void **state)
{
    (void)state;
    struct fe_sessions s;
    struct fb_arena arena;
    fb_arena_init(&arena, 1 << 20);
    assert_int_equal(fe_sessions_init(&s, 4), 0);
    struct fe_session_view v;
    static const unsigned char classes[] = { 9, 1, 2, 1, 3, 2, 4, 5, 6, 6 };
    for (size_t i = 0; i < sizeof classes; i++) {
        assert_true(fe_sessions_begin(&s, FB_STR("a"), &arena, &v));
        fe_sessions_end(&s, FB_STR("a"), classes[i], i % 2 == 0, i == 9 ? FB_STR("last") : FB_STR("a-longer-one"));
    }
    assert_true(fe_sessions_begin(&s, FB_STR("a"), &arena, &v));
    static const unsigned char expected[] = { 2, 1, 3, 4, 5, 6 }; /* the first two have left */
    assert_int_equal(v.n_prior, sizeof expected);
    assert_memory_equal(v.prior, expected, sizeof expected);
    assert_int_equal(v.deny_count, 5);
    assert_int_equal(v.action_count, 11);
    assert_text(v.last_resource, "last");
    assert_true(fe_sessions_begin(&s, FB_STR("fresh"), &arena, &v));
    assert_int_equal(v.n_prior, 0);
    assert_text(v.last_resource, "");
    fe_sessions_done(&s);
    fb_arena_done(&arena);
}

static void ids_have_a_limit(void **state)
{
    (void)state;
    struct fe_sessions s;
    assert_int_equal(fe_sessions_init(&s, 1), 0);
    char id[FE_SESSION_ID_MAX_BYTES + 1];
    memset(id, 'x', sizeof id);
    struct fe_session_view v;
    assert_true(fe_sessions_begin(&s, fb_str_n(id, FE_SESSION_ID_MAX_BYTES), NULL, &v));
    assert_false(fe_sessions_begin(&s, fb_str_n(id, FE_SESSION_ID_MAX_BYTES + 1), NULL, &v));
    fe_sessions_done(&s);
    assert_true(fe_sessions_init(&s, 0) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_count_apart),
        cmocka_unit_test(the_longest_unused_is_forgotten_first),
        cmocka_unit_test(many_sessions_in_a_small_table),
        cmocka_unit_test(the_past_is_bounded_and_each_class_stands_once),
        cmocka_unit_test(ids_have_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
