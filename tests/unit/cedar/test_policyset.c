/* Sets: ids, annotations, places, templates and links. */
#include "cedar_case.h"

static const char text[] = "@id(\"x\") @note permit(principal,action,resource);\n\n"
                           "// second\n  forbid(principal == ?principal,action,resource in ?resource) when {true};\n"
                           "permit(principal,action,resource in ?resource);";

static struct cedar_policy_set *load(void)
{
    struct cedar_policy_set *set;
    assert_int_equal(cedar_policy_set_parse(text, sizeof text - 1, &set, NULL), 0);
    return set;
}

static void policies_tell_about_themselves(void **state)
{
    (void)state;
    struct cedar_policy_set *set = load();
    struct cedar_str key, value;
    assert_int_equal(cedar_policy_set_count(set), 3);
    assert_true(cedar_str_eq(cedar_policy_id(set, 1), cedar_str_c("policy1")));
    assert_int_equal(cedar_policy_find(set, cedar_str_c("policy2")), 2);
    assert_true(cedar_policy_find(set, cedar_str_c("policy3")) == SIZE_MAX);
    assert_int_equal(cedar_policy_effect(set, 0), CEDAR_PERMIT);
    assert_int_equal(cedar_policy_effect(set, 1), CEDAR_FORBID);
    assert_int_equal(cedar_policy_line(set, 1), 4);
    assert_true(
        cedar_str_eq(cedar_policy_text(set, 0), cedar_str_c("@id(\"x\") @note permit(principal,action,resource);")));
    assert_int_equal(cedar_policy_annotation_count(set, 0), 2);
    assert_true(cedar_policy_annotation_at(set, 0, 1, &key, &value));
    assert_true(cedar_str_eq(key, cedar_str_c("note")) && value.len == 0);
    assert_true(cedar_policy_annotation(set, 0, "id", &value));
    assert_true(cedar_str_eq(value, cedar_str_c("x")));
    assert_false(cedar_policy_annotation(set, 0, "nosuch", NULL));
    assert_false(cedar_policy_annotation(set, 9, "id", NULL));
    assert_false(cedar_policy_is_template(set, 0));
    assert_true(cedar_policy_is_template(set, 1));
    cedar_policy_set_free(set);
}

static void links_fill_exactly_the_slots(void **state)
{
    (void)state;
    struct cedar_policy_set *set = load();
    struct cedar_scratch *s = cedar_scratch_new(0);
    struct cedar_error err;
    const struct cedar_value *u = cedar_value_entity(s, cedar_str_c("U"), cedar_str_c("a"));
    const struct cedar_value *r = cedar_value_entity(s, cedar_str_c("R"), cedar_str_c("r"));
    struct cedar_str t1 = cedar_str_c("policy1"), t2 = cedar_str_c("policy2"), id = cedar_str_c("link");
    assert_int_equal(cedar_policy_set_link(set, t1, id, u, NULL, &err), CEDAR_E_LINK);
    assert_string_equal(err.kind, "MissingSlot");
    assert_non_null(strstr(err.msg, "?resource"));
    assert_int_equal(cedar_policy_set_link(set, t2, id, u, r, &err), CEDAR_E_LINK);
    assert_string_equal(err.kind, "ExtraSlot");
    assert_int_equal(cedar_policy_set_link(set, cedar_str_c("policy0"), id, NULL, NULL, &err), CEDAR_E_LINK);
    assert_string_equal(err.kind, "NoSuchTemplate");
    assert_int_equal(cedar_policy_set_link(set, t2, cedar_str_c("policy0"), NULL, r, &err), CEDAR_E_LINK);
    assert_string_equal(err.kind, "DuplicatePolicyId");
    assert_int_equal(cedar_policy_set_link(set, t1, id, u, r, &err), 0);
    assert_int_equal(cedar_policy_set_count(set), 4);
    struct cedar_request req = { u, cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c("v")), r, NULL };
    struct cedar_answer a;
    assert_int_equal(cedar_authorize(set, &req, NULL, s, &a), 0);
    assert_int_equal(a.decision, CEDAR_DENY);
    assert_int_equal(a.n_reasons, 1);
    assert_int_equal(a.reasons[0], 3);
    cedar_scratch_free(s);
    cedar_policy_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_tell_about_themselves),
        cmocka_unit_test(links_fill_exactly_the_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
