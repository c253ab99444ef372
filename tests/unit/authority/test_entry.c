/* The per-run Authority as its launcher sees it: START, READY, a capability over gRPC, the end of the socket. */
#include "fixture.h"
#include "rpc/client.h"
#include "token/token.h"

#include <string.h>
#include <sys/stat.h>

static int issue(const struct run_authority_fixture *f, const char *action, int32_t ttl_s, struct rp_issue_reply *reply,
                 struct fb_err *err)
{
    struct fb_str actions[] = { fb_str_of(action) };
    const struct rp_issue_request q = { .agent_id = FB_STR("agent_1"),
                                        .session_id = FB_STR("sess_1"),
                                        .actions = actions,
                                        .n_actions = 1,
                                        .resource_scope = FB_STR("*"),
                                        .ttl_s = ttl_s };
    return rp_issue_capability(f->url, &q, 2000, reply, err);
}

static void a_launcher_gets_a_token_that_verifies(void **state)
{
    struct run_authority_fixture f;
    struct rp_issue_reply reply;
    struct tk_public_key key;
    struct tk_claims claims;
    struct fb_err err = { 0 };

    (void)state;
    int64_t t0 = fb_clock_mono_ns();
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    int64_t t1 = fb_clock_mono_ns();
    int rc = issue(&f, "communication.external.send", 900, &reply, &err);
    int64_t t2 = fb_clock_mono_ns();
    if (rc != 0)
        fail_msg("%s", err.msg);
    print_message("ready after %lld us, issued in %lld us\n", (long long)(t1 - t0) / 1000, (long long)(t2 - t1) / 1000);
    assert_true(reply.granted);
    assert_int_equal(tk_keyfile_read_public(f.public_key, &key, &err), 0);
    assert_int_equal(tk_token_verify(&key, reply.raw_token, fb_clock_wall_ns(), 0, &claims, NULL, &err), 0);
    assert_true(fb_str_eqz(claims.agent_id, "agent_1"));
    assert_true(fb_str_eq(claims.token_id, reply.token_id));
    assert_true(fb_str_eq(claims.context_hash, reply.context_hash));
    assert_int_equal(claims.expiry_ns - claims.issued_at_ns, 900000000000);
    tk_claims_done(&claims);
    rp_issue_reply_done(&reply);
    assert_int_equal(fixture_stop(&f), 0);
}

static void a_wish_for_too_long_a_life_is_cut_to_the_maximum(void **state)
{
    struct run_authority_fixture f;
    struct rp_issue_reply reply;
    struct fb_err err = { 0 };
    static const int32_t wishes[] = { 0, -1, 3600, 3601, INT32_MAX };

    (void)state;
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    for (size_t i = 0; i < FB_COUNT(wishes); i++) {
        assert_int_equal(issue(&f, "code.read", wishes[i], &reply, &err), 0);
        assert_int_equal(reply.expiry_ns - reply.issued_at_ns, 3600000000000);
        rp_issue_reply_done(&reply);
    }
    assert_int_equal(fixture_stop(&f), 0);
}

static void an_action_that_is_not_registered_is_denied(void **state)
{
    struct run_authority_fixture f;
    struct rp_issue_reply reply;
    struct fb_err err = { 0 };

    (void)state;
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    assert_int_equal(issue(&f, "system.launch_rockets", 60, &reply, &err), 0);
    assert_false(reply.granted);
    assert_true(fb_str_eqz(reply.deny_reason, "CONTEXT_BUILD_FAILED"));
    assert_true(reply.raw_token.n == 0);
    rp_issue_reply_done(&reply);
    assert_int_equal(fixture_stop(&f), 0);
}

static void an_unknown_profile_fails_before_anything_is_made(void **state)
{
    struct run_authority_fixture f;
    struct st_msg m = { 0 };
    struct fb_err err = { 0 };
    struct stat st;

    (void)state;
    fixture_start(&f, "production");
    assert_int_equal(st_child_recv(f.ctl, &m, &err), 0);
    assert_int_equal(m.type, ST_MSG_FAILED);
    assert_true(fb_str_eqz(st_msg_get(&m, "name"), "AuthorityUnknownProfile"));
    st_msg_done(&m);
    assert_int_not_equal(stat(f.run_dir, &st), 0);
    assert_int_equal(fixture_stop(&f), 1);
}

static void the_log_holds_the_four_ready_lines_in_order(void **state)
{
    static const char *const lines[] = { "config loaded", "policy bundle loaded", "listening", "authority ready\n" };
    struct run_authority_fixture f;
    struct fb_buf log;
    struct fb_err err = { 0 };

    (void)state;
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    fb_buf_init(&log, 1 << 20);
    assert_int_equal(fb_fs_read(f.log, FB_FS_PRIVATE, &log, &err), 0);
    const char *at = log.p;
    for (size_t i = 0; i < FB_COUNT(lines); i++) {
        at = strstr(at, lines[i]);
        assert_non_null(at);
    }
    fb_buf_done(&log);
    assert_int_equal(fixture_stop(&f), 0);
}

static void everything_in_the_run_directory_is_private(void **state)
{
    static const char *const files[] = { "keys/authority.key",         "revocations.txt", "authority.toml",
                                         "policy_dir/developer.cedar", "authority.pid",   "metadata.toml" };
    static const char *const dirs[] = { "", "keys", "policy_dir", "issuance" };
    struct run_authority_fixture f;
    char path[256];
    struct stat st;

    (void)state;
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    for (size_t i = 0; i < FB_COUNT(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", f.run_dir, files[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    for (size_t i = 0; i < FB_COUNT(dirs); i++) {
        snprintf(path, sizeof(path), "%s/%s", f.run_dir, dirs[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0700);
    }
    assert_int_equal(fixture_stop(&f), 0);
}

static void bad_ids_are_refused_by_name(void **state)
{
    struct run_authority_fixture f;
    struct rp_issue_reply reply;
    struct fb_err err = { 0 };
    struct fb_str actions[] = { FB_STR("code.read") };
    struct rp_issue_request q = { .agent_id = FB_STR("a\"; permit(principal"),
                                  .session_id = FB_STR("sess_1"),
                                  .actions = actions,
                                  .n_actions = 1,
                                  .resource_scope = FB_STR("*") };

    (void)state;
    fixture_start(&f, "developer");
    fixture_wait_ready(&f);
    assert_int_equal(rp_issue_capability(f.url, &q, 2000, &reply, &err), FB_E_CAPABILITY);
    assert_non_null(strstr(err.msg, "agent_id"));
    q.agent_id = FB_STR("agent_1");
    q.session_id = FB_STR("");
    assert_int_equal(rp_issue_capability(f.url, &q, 2000, &reply, &err), FB_E_CAPABILITY);
    assert_non_null(strstr(err.msg, "session_id"));
    q.session_id = FB_STR("sess_1");
    q.n_actions = 0;
    assert_int_equal(rp_issue_capability(f.url, &q, 2000, &reply, &err), 0);
    assert_true(fb_str_eqz(reply.deny_reason, "NO_ACTIONS"));
    rp_issue_reply_done(&reply);
    assert_int_equal(fixture_stop(&f), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launcher_gets_a_token_that_verifies),
        cmocka_unit_test(a_wish_for_too_long_a_life_is_cut_to_the_maximum),
        cmocka_unit_test(an_action_that_is_not_registered_is_denied),
        cmocka_unit_test(an_unknown_profile_fails_before_anything_is_made),
        cmocka_unit_test(the_log_holds_the_four_ready_lines_in_order),
        cmocka_unit_test(everything_in_the_run_directory_is_private),
        cmocka_unit_test(bad_ids_are_refused_by_name),
    };
    return cmocka_run_group_tests_name("authority/entry", tests, NULL, NULL);
}
