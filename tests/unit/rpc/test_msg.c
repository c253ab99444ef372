/* Messages: the bytes of the contract, and strict, bounded reading. */
#include "rpc_test.h"

#include "base/err.h"
#include "rpc/bounds.h"
#include "rpc/msg.h"
#include "rpc/wirecheck_priv.h"

static struct fb_arena arena;

static int set_up(void **state)
{
    (void)state;
    fb_arena_init(&arena, RP_DECODE_MAX_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fb_arena_done(&arena);
    return 0;
}

static const char vector[] = "\x0a\x07"
                             "agent_1"
                             "\x12\x0f"
                             "filesystem.read"
                             "\x1a\x01*"
                             "\x22\x06"
                             "sess_1"
                             "\x28\xd8\x04";

static void a_request_has_exactly_the_bytes_of_the_contract(void **state)
{
    struct fb_str actions[] = { FB_STR("filesystem.read") };
    const struct rp_issue_request q = { FB_STR("agent_1"), FB_STR("sess_1"), actions, 1, FB_STR("*"), 600 };
    struct rp_issue_request back;
    struct fb_buf out;

    (void)state;
    fb_buf_init(&out, 4096);
    assert_int_equal(rp_msg_put_issue_request(&out, &q), 0);
    assert_int_equal(out.n, sizeof(vector) - 1);
    assert_memory_equal(out.p, vector, sizeof(vector) - 1);
    assert_int_equal(rp_msg_get_issue_request(&arena, FB_STR(vector), &back), 0);
    assert_true(fb_str_eqz(back.agent_id, "agent_1"));
    assert_true(fb_str_eqz(back.session_id, "sess_1"));
    assert_int_equal(back.n_actions, 1);
    assert_true(fb_str_eqz(back.actions[0], "filesystem.read"));
    assert_int_equal(back.ttl_s, 600);
    fb_buf_done(&out);
}

static void unknown_fields_are_skipped(void **state)
{
    struct rp_issue_request back;
    static const char more[] = "\x0a\x01"
                               "a"
                               "\xa2\x06\x03xyz" /* field 100, bytes */
                               "\x98\x06\x2a" /* field 99, varint */;

    (void)state;
    assert_int_equal(rp_msg_get_issue_request(&arena, FB_STR(more), &back), 0);
    assert_true(fb_str_eqz(back.agent_id, "a"));
}

static void texts_with_nul_or_bad_utf8_and_cut_messages_are_refused(void **state)
{
    const struct fb_str bad[] = {
        FB_STR("\x0a\x03"
               "a\0b"),
        FB_STR("\x0a\x01\xff"),
        FB_STR("\x0a\x05"
               "abc"),
        FB_STR("\x0a"),
        FB_STR("\x00\x01"),
        FB_STR("\x0b\x0c"),                                     /* group */
        FB_STR("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), /* varint too long */
        FB_STR("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
        FB_STR("\x32\x03\x0a\x01\xff"), /* inside credentials */
    };
    struct rp_issue_request back;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_equal(rp_msg_get_issue_request(&arena, bad[i], &back), FB_E_PARSE);
}

static void actions_are_counted(void **state)
{
    struct rp_issue_request back;
    struct fb_buf in;

    (void)state;
    fb_buf_init(&in, 1 << 20);
    for (int i = 0; i < RP_ACTIONS_MAX; i++)
        assert_int_equal(fb_buf_add(&in, "\x12\x01x", 3), 0);
    assert_int_equal(rp_msg_get_issue_request(&arena, fb_buf_str(&in), &back), 0);
    assert_int_equal(back.n_actions, RP_ACTIONS_MAX);
    assert_int_equal(fb_buf_add(&in, "\x12\x01x", 3), 0);
    assert_int_equal(rp_msg_get_issue_request(&arena, fb_buf_str(&in), &back), FB_E_LIMIT);
    fb_buf_done(&in);
}

static void a_flood_of_fields_is_refused_before_it_takes_memory(void **state)
{
    struct rp_issue_request back;
    struct fb_buf in;

    (void)state;
    fb_buf_init(&in, 1 << 20);
    for (int i = 0; i < RP_WIRE_FIELDS_MAX; i++)
        assert_int_equal(fb_buf_add(&in, "\x98\x06\x00", 3), 0);
    assert_int_equal(rp_msg_get_issue_request(&arena, fb_buf_str(&in), &back), 0);
    size_t used = arena.used_bytes;
    assert_int_equal(fb_buf_add(&in, "\x98\x06\x00", 3), 0);
    assert_int_equal(rp_msg_get_issue_request(&arena, fb_buf_str(&in), &back), FB_E_LIMIT);
    assert_int_equal(arena.used_bytes, used);
    fb_buf_done(&in);
}

static void a_granted_reply_survives_both_ways_and_a_denied_one_holds_no_token(void **state)
{
    struct fb_str actions[] = { FB_STR("b"), FB_STR("a"), FB_STR("b") };
    const struct rp_issue_reply r = { .granted = true,
                                      .raw_token = FB_STR("v4.public.xyz"),
                                      .token_id = FB_STR("id"),
                                      .agent_id = FB_STR("ag"),
                                      .session_id = FB_STR("se"),
                                      .actions = actions,
                                      .n_actions = 3,
                                      .resource_scope = FB_STR("*"),
                                      .context_hash = FB_STR("00"),
                                      .issued_at_ns = 1500000001,
                                      .expiry_ns = -1 };
    const struct rp_issue_reply denied = { .deny_reason = FB_STR("NO_ACTIONS"), .deny_message = FB_STR("m") };
    struct rp_issue_reply back;
    struct fb_buf out;

    (void)state;
    fb_buf_init(&out, 4096);
    assert_int_equal(rp_msg_put_issue_reply(&out, &r), 0);
    assert_int_equal(rp_msg_get_issue_reply(&arena, fb_buf_str(&out), &back), 0);
    assert_true(back.granted);
    assert_true(fb_str_eqz(back.raw_token, "v4.public.xyz"));
    assert_int_equal(back.n_actions, 3);
    assert_true(fb_str_eqz(back.actions[2], "b"));
    assert_int_equal(back.issued_at_ns, 1500000001);
    assert_int_equal(back.expiry_ns, -1);
    fb_buf_reset(&out);
    assert_int_equal(rp_msg_put_issue_reply(&out, &denied), 0);
    assert_int_equal(rp_msg_get_issue_reply(&arena, fb_buf_str(&out), &back), 0);
    assert_false(back.granted);
    assert_int_equal(back.raw_token.n, 0);
    assert_true(fb_str_eqz(back.deny_reason, "NO_ACTIONS"));
    /* granted without a token is no grant */
    assert_int_equal(rp_msg_get_issue_reply(&arena, FB_STR("\x08\x01"), &back), FB_E_PARSE);
    assert_false(back.granted);
    fb_buf_done(&out);
}

static void a_bundle_survives_both_ways_and_one_without_a_version_is_refused(void **state)
{
    struct rp_bundle b = { FB_STR("v1"), FB_STR("permit(principal,action,resource);"), FB_STR("\0raw"), 30, 7 };
    struct rp_bundle back;
    struct fb_buf out;

    (void)state;
    fb_buf_init(&out, 4096);
    assert_int_equal(rp_msg_put_bundle(&out, &b), 0);
    assert_int_equal(rp_msg_get_bundle(&arena, fb_buf_str(&out), &back), 0);
    assert_true(fb_str_eq(back.policies, b.policies));
    assert_true(fb_str_eq(back.schema, b.schema));
    assert_int_equal(back.ttl_s, 30);
    assert_int_equal(back.updated_at_ns, 7);
    fb_buf_reset(&out);
    b.version = FB_STR("");
    assert_int_equal(rp_msg_put_bundle(&out, &b), 0);
    assert_int_equal(rp_msg_get_bundle(&arena, fb_buf_str(&out), &back), FB_E_PARSE);
    assert_int_equal(rp_msg_get_bundle(&arena, FB_STR(""), &back), FB_E_PARSE);
    fb_buf_done(&out);
}

static void times_outside_nanoseconds_are_told_apart_from_absent_ones(void **state)
{
    struct rp_time t = { true, true, 5 };

    (void)state;
    assert_int_equal(rp_msg_get_watch_revocations(&arena, FB_STR(""), &t), 0);
    assert_false(t.present);
    assert_int_equal(
        rp_msg_get_watch_revocations(&arena, FB_STR("\x0a\x0a\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), &t), 0);
    assert_true(t.present);
    assert_false(t.representable);
    assert_int_equal(rp_msg_get_watch_revocations(&arena, FB_STR("\x0a\x02\x08\x01"), &t), 0);
    assert_true(t.representable);
    assert_int_equal(t.ns, 1000000000);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_request_has_exactly_the_bytes_of_the_contract),
        T(unknown_fields_are_skipped),
        T(texts_with_nul_or_bad_utf8_and_cut_messages_are_refused),
        T(actions_are_counted),
        T(a_flood_of_fields_is_refused_before_it_takes_memory),
        T(a_granted_reply_survives_both_ways_and_a_denied_one_holds_no_token),
        T(a_bundle_survives_both_ways_and_one_without_a_version_is_refused),
        T(times_outside_nanoseconds_are_told_apart_from_absent_ones),
    };
    return cmocka_run_group_tests_name("rpc/msg", tests, NULL, NULL);
}
