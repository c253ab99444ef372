/* Claims: grammar of the ids, limits, copies, expiry arithmetic. */
#include "fixture.h"

static void ids_follow_their_grammar(void **state)
{
    (void)state;
    struct fb_err err;
    char long_id[TK_ID_MAX_BYTES + 1];
    memset(long_id, 'a', sizeof long_id);
    assert_int_equal(tk_claims_check_agent_id(FB_STR("agent_1-X"), NULL), 0);
    assert_int_equal(tk_claims_check_agent_id(fb_str_n(long_id, TK_ID_MAX_BYTES), NULL), 0);
    assert_int_equal(tk_claims_check_agent_id(fb_str_n(long_id, TK_ID_MAX_BYTES + 1), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_agent_id(FB_STR("a\"; permit(principal,action,resource);//"), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_session_id(FB_STR(""), &err), FB_E_PARSE);
    assert_non_null(strstr(err.msg, "empty"));
    assert_int_equal(tk_claims_check_session_id(FB_STR("a b"), &err), FB_E_PARSE);
    assert_null(strstr(err.msg, "empty"));
    assert_int_equal(tk_claims_check_token_id(FB_STR("79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"), NULL), 0);
    assert_int_equal(tk_claims_check_token_id(FB_STR("ctok_01h455vb4pex5vsknk084sn02q"), NULL), 0);
    assert_int_equal(tk_claims_check_token_id(FB_STR("ctok_81h455vb4pex5vsknk084sn02q"), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_token_id(FB_STR("ctok_01h455vb4pex5vsknk084sn02u"), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_token_id(FB_STR("79DD9FFB-ebc8-4883-8f1e-72eb74a26e33"), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_token_id(FB_STR("79dd9ffbeebc8-4883-8f1e-72eb74a26e33"), NULL), FB_E_PARSE);
    assert_int_equal(tk_claims_check_token_id(FB_STR(""), NULL), FB_E_PARSE);
}

static void a_copy_is_deep_and_can_be_taken(void **state)
{
    (void)state;
    struct tk_claims from = example_claims();
    struct tk_claims copy;
    assert_int_equal(tk_claims_copy(&copy, &from, NULL), 0);
    assert_true(fb_str_eq(copy.agent_id, from.agent_id));
    assert_ptr_not_equal(copy.agent_id.p, from.agent_id.p);
    assert_true(tk_claims_has_action(&copy, FB_STR("communication.external.send")));
    assert_false(tk_claims_has_action(&copy, FB_STR("communication.external")));
    struct tk_claims taken = tk_claims_take(&copy);
    tk_claims_done(&copy);
    assert_true(fb_str_eq(taken.context_hash, from.context_hash));
    tk_claims_done(&taken);
    tk_claims_done(&taken);
    tk_claims_done(NULL);
}

static void limits_hold_and_one_past_them_is_refused(void **state)
{
    (void)state;
    struct tk_claims c = example_claims();
    struct tk_claims copy;
    struct fb_str *actions = calloc(TK_ACTIONS_MAX + 1, sizeof *actions);
    char *text = calloc(1, TK_SCOPE_MAX_BYTES + 1);
    assert_non_null(actions);
    assert_non_null(text);
    memset(text, 'a', TK_SCOPE_MAX_BYTES + 1);
    for (size_t i = 0; i <= TK_ACTIONS_MAX; i++)
        actions[i] = FB_STR("a.b");
    c.action_set = actions;
    c.n_actions = TK_ACTIONS_MAX;
    assert_int_equal(tk_claims_check(&c, NULL), 0);
    c.n_actions++;
    assert_int_equal(tk_claims_check(&c, NULL), FB_E_LIMIT);
    assert_int_equal(tk_claims_copy(&copy, &c, NULL), FB_E_LIMIT);
    assert_null(copy.block);
    c.n_actions = 1;
    actions[0] = fb_str_n(text, TK_ACTION_MAX_BYTES);
    assert_int_equal(tk_claims_check(&c, NULL), 0);
    actions[0].n++;
    assert_int_equal(tk_claims_check(&c, NULL), FB_E_LIMIT);
    actions[0].n = 1;
    c.resource_scope = fb_str_n(text, TK_SCOPE_MAX_BYTES);
    assert_int_equal(tk_claims_check(&c, NULL), 0);
    c.resource_scope.n++;
    assert_int_equal(tk_claims_check(&c, NULL), FB_E_LIMIT);
    c.resource_scope.n = 1;
    c.context_hash = FB_STR("8D70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7");
    assert_int_equal(tk_claims_check(&c, NULL), FB_E_PARSE);
    c.context_hash = FB_STR("8d70");
    assert_int_equal(tk_claims_check(&c, NULL), FB_E_PARSE);
    free(actions);
    free(text);
}

static void expiry_is_exact_and_does_not_overflow(void **state)
{
    (void)state;
    struct tk_claims c = example_claims();
    assert_false(tk_claims_expired(&c, EXPIRY_NS - 1, 0));
    assert_true(tk_claims_expired(&c, EXPIRY_NS, 0));
    assert_false(tk_claims_expired(&c, EXPIRY_NS, 1));
    assert_true(tk_claims_expired(&c, EXPIRY_NS + 5, 5));
    assert_true(tk_claims_expired(&c, EXPIRY_NS, -10));
    c.expiry_ns = INT64_MAX - 1;
    assert_false(tk_claims_expired(&c, INT64_MAX - 1, INT64_MAX));
    c.expiry_ns = INT64_MIN;
    assert_true(tk_claims_expired(&c, 0, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_follow_their_grammar),
        cmocka_unit_test(a_copy_is_deep_and_can_be_taken),
        cmocka_unit_test(limits_hold_and_one_past_them_is_refused),
        cmocka_unit_test(expiry_is_exact_and_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
