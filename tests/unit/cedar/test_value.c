/* Values: builders and readers, equality as a total order, limits, the sticky error. */
#include "cedar_case.h"

#include "cedar/sort.h"

static void builders_and_readers(void **state)
{
    (void)state;
    struct cedar_scratch *s = cedar_scratch_new(0);
    const struct cedar_value *items[] = { cedar_value_long(s, 2), cedar_value_long(s, 1), cedar_value_long(s, 2) };
    const struct cedar_value *set = cedar_value_set(s, items, 3);
    struct cedar_field f[] = { { cedar_str_c("b"), set }, { cedar_str_c("a"), cedar_value_string(s, "x", 1) } };
    const struct cedar_value *rec = cedar_value_record(s, f, 2);
    assert_int_equal(cedar_value_get_count(set), 2);
    assert_int_equal(cedar_value_get_long(cedar_value_get_item(set, 0)), 1);
    assert_null(cedar_value_get_item(set, 2));
    assert_true(cedar_str_eq(cedar_value_get_key(rec, 0), cedar_str_c("a")));
    assert_true(cedar_value_equal(cedar_value_get_field(rec, cedar_str_c("b")), set));
    assert_null(cedar_value_get_field(rec, cedar_str_c("c")));
    const struct cedar_value *e = cedar_value_entity(s, cedar_str_c("A::B"), cedar_str_c("q\"\\u{41}"));
    assert_true(cedar_str_eq(cedar_value_get_entity_id(e), cedar_str_c("q\"\\u{41}"))); /* taken as it is */
    assert_true(cedar_str_eq(cedar_value_get_entity_type(e), cedar_str_c("A::B")));
    assert_int_equal(cedar_value_get_long(e), 0);
    assert_int_equal(cedar_value_get_string(set).len, 0);
    assert_int_equal(cedar_value_kind(cedar_value_extension(s, "ip", "::1", 3)), CEDAR_VALUE_IPADDR);
    assert_int_equal(cedar_scratch_status(s), 0);
    cedar_scratch_free(s);
}

static void the_first_failure_sticks(void **state)
{
    (void)state;
    struct cedar_scratch *s = cedar_scratch_new(0);
    assert_null(cedar_value_entity(s, cedar_str_c("not a name"), cedar_str_c("x")));
    assert_int_equal(cedar_scratch_status(s), CEDAR_E_VALUE);
    assert_null(cedar_value_string(s, "\xff", 1));
    assert_int_equal(cedar_scratch_status(s), CEDAR_E_VALUE);
    assert_string_equal(cedar_scratch_error(s)->msg, "entity type is not a name");
    cedar_scratch_reset(s);
    assert_int_equal(cedar_scratch_status(s), 0);
    const struct cedar_value *none = NULL;
    assert_null(cedar_value_set(s, &none, 1));
    cedar_scratch_reset(s);
    struct cedar_field f[] = { { cedar_str_c("a"), cedar_value_long(s, 1) },
                               { cedar_str_c("a"), cedar_value_long(s, 2) } };
    assert_null(cedar_value_record(s, f, 2));
    assert_int_equal(cedar_scratch_status(s), CEDAR_E_VALUE);
    assert_null(cedar_value_extension(s, "isIpv4", "::1", 3));
    cedar_scratch_free(s);
}

static void memory_and_depth_are_bounded(void **state)
{
    (void)state;
    struct cedar_scratch *s = cedar_scratch_new(100000);
    char big[60000];
    memset(big, 'a', sizeof big);
    assert_non_null(cedar_value_string(s, big, sizeof big));
    assert_null(cedar_value_string(s, big, sizeof big));
    assert_int_equal(cedar_scratch_status(s), CEDAR_E_NOMEM);
    assert_true(cedar_scratch_held(s) <= 100000);
    cedar_scratch_reset(s);
    assert_non_null(cedar_value_string(s, big, sizeof big));
    cedar_scratch_free(s);
    s = cedar_scratch_new(0);
    const struct cedar_value *v = cedar_value_long(s, 1);
    for (int i = 0; i < CEDAR_MAX_VALUE_DEPTH; i++)
        v = cedar_value_set(s, &v, 1);
    assert_non_null(v);
    assert_null(cedar_value_set(s, &v, 1));
    assert_int_equal(cedar_scratch_status(s), CEDAR_E_LIMIT);
    cedar_scratch_free(s);
}

static int by_long(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return x < y ? -1 : x > y;
}

static void sorting_sorts(void **state)
{
    (void)state;
    long v[1000];
    unsigned x = 1;
    for (size_t n = 0; n < 1000; n += 1 + n / 7) {
        for (size_t i = 0; i < n; i++)
            v[i] = (long)((x = x * 1103515245u + 12345u) >> 20);
        cedar_sort(v, n, sizeof v[0], by_long);
        for (size_t i = 1; i < n; i++)
            assert_true(v[i - 1] <= v[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builders_and_readers),
        cmocka_unit_test(the_first_failure_sticks),
        cmocka_unit_test(memory_and_depth_are_bounded),
        cmocka_unit_test(sorting_sorts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
