/* context_hash: the published vectors. */
#include "fixture.h"

static void the_published_vectors_come_out(void **state)
{
    (void)state;
    char out[TK_CONTEXT_HASH_CHARS + 1];
    /* Given unsorted: sorting is the function's work, and the caller's order stays. */
    struct fb_str actions[2] = { FB_STR("filesystem.read"), FB_STR("communication.external.send") };
    assert_int_equal(
        tk_context_hash(FB_STR("agent_1"), actions, 2, FB_STR("api.example.com"), FB_STR("bundle_v1"), out), 0);
    assert_string_equal(out, "510fbbb70e418563a9e83d2cbcfb92560202493e7d8f12b486120d92ffca72cf");
    assert_true(fb_str_eqz(actions[0], "filesystem.read"));
    struct fb_str send[1] = { FB_STR("communication.external.send") };
    assert_int_equal(tk_context_hash(FB_STR("agent_1"), send, 1, FB_STR("127.0.0.1:9100"),
                                     FB_STR("de9e25107985212a6578b5e671aaea99179cc09a36f9cdc05eeee41ca47d40ef"), out),
                     0);
    assert_string_equal(out, "8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7");
}

static void a_repeated_action_counts_twice_and_none_is_allowed(void **state)
{
    (void)state;
    char once[TK_CONTEXT_HASH_CHARS + 1];
    char twice[TK_CONTEXT_HASH_CHARS + 1];
    char none[TK_CONTEXT_HASH_CHARS + 1];
    struct fb_str a[2] = { FB_STR("x"), FB_STR("x") };
    assert_int_equal(tk_context_hash(FB_STR("a"), a, 1, FB_STR("*"), FB_STR("v"), once), 0);
    assert_int_equal(tk_context_hash(FB_STR("a"), a, 2, FB_STR("*"), FB_STR("v"), twice), 0);
    assert_int_equal(tk_context_hash(FB_STR("a"), NULL, 0, FB_STR("*"), FB_STR("v"), none), 0);
    assert_string_not_equal(once, twice);
    assert_string_not_equal(once, none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_vectors_come_out),
        cmocka_unit_test(a_repeated_action_counts_twice_and_none_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
