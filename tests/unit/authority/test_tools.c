/* The command line's work without a server: keys, offline issuance, the revocation file of the configuration. */
#include "loop_world.h"

#include "authority/authority.h"
#include "base/clock.h"
#include "token/keyfile.h"
#include "token/seed.h"
#include "token/token.h"

#define ID1 "79dd9ffb-ebc8-4883-8f1e-72eb74a26e31"

static struct loop_world w;

static int set_up(void **state)
{
    char text[512];

    (void)state;
    world_init(&w);
    world_mkdir(&w, "issuance-policies");
    world_write(&w, "issuance-policies/a.cedar", "permit(principal, action, resource);\n");
    snprintf(text, sizeof(text), "[authority]\nmax_ttl_seconds = 100\nrevocation_file = \"%s/r.txt\"\n", w.dir);
    world_write(&w, "firma.toml", text);
    assert_int_equal(au_generate_key(world_path(&w, "firma-authority.key"), NULL, NULL), 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_done(&w);
    return 0;
}

static int issue(const char *action, int32_t ttl_s, struct fb_err *err)
{
    const char *const actions[] = { action };
    struct au_issue_args args = { .agent_id = "agent_1",
                                  .session_id = "sess_1",
                                  .actions = actions,
                                  .n_actions = 1,
                                  .ttl_s = ttl_s,
                                  .output = world_path(&w, "seed.toml") };

    *err = (struct fb_err){ 0 };
    return au_issue_offline(world_path(&w, "firma.toml"), &args, err);
}

static void a_pair_is_made_once_and_the_public_path_follows(void **state)
{
    char *public_path = NULL;
    struct fb_err err = { 0 };

    (void)state;
    assert_int_equal(au_generate_key(world_path(&w, "a.b.key"), &public_path, &err), 0);
    assert_string_equal(public_path, world_path(&w, "a.b.pub"));
    free(public_path);
    assert_int_equal(au_generate_key(world_path(&w, "a.b.key"), NULL, &err), FB_E_EXISTS);
    assert_int_equal(unlink(world_path(&w, "a.b.key")), 0);
    assert_int_equal(au_generate_key(world_path(&w, "a.b.key"), NULL, &err),
                     FB_E_EXISTS); /* the public file is there */
    assert_int_equal(access(world_path(&w, "a.b.key"), F_OK), -1);
}

static void a_granted_capability_verifies_and_its_life_is_cut(void **state)
{
    static const struct {
        int32_t wish;
        int64_t got;
    } lives[] = { { 1, 1 }, { 99, 99 }, { 100, 100 }, { 101, 100 }, { 0, 100 }, { -1, 100 }, { INT32_MIN, 100 } };
    struct tk_public_key key;
    struct fb_err err;

    (void)state;
    assert_int_equal(tk_keyfile_read_public(world_path(&w, "firma-authority.pub"), &key, NULL), 0);
    for (size_t i = 0; i < FB_COUNT(lives); i++) {
        struct tk_seed seed;
        if (issue("code.read", lives[i].wish, &err) != 0)
            fail_msg("%s", err.msg);
        assert_int_equal(tk_seed_read(world_path(&w, "seed.toml"), &key, fb_clock_wall_ns(), 0, &seed, NULL, &err), 0);
        assert_int_equal(seed.claims.expiry_ns - seed.claims.issued_at_ns, lives[i].got * 1000000000);
        assert_true(fb_str_eqz(seed.claims.resource_scope, "*"));
        tk_seed_done(&seed);
    }
}

static void a_denial_leaves_no_file_and_keeps_one_that_is_there(void **state)
{
    struct fb_err err;

    (void)state;
    assert_int_equal(issue("no.such", 10, &err), FB_E_DENIED);
    assert_non_null(strstr(err.msg, "CONTEXT_BUILD_FAILED"));
    assert_int_equal(access(world_path(&w, "seed.toml"), F_OK), -1);
    world_write(&w, "issuance-policies/a.cedar", "forbid(principal, action, resource);\n");
    world_write(&w, "seed.toml", "kept");
    assert_int_equal(issue("code.read", 10, &err), FB_E_DENIED);
    assert_non_null(strstr(err.msg, "POLICY_DENIED"));
    struct fb_buf text;
    fb_buf_init(&text, 4096);
    assert_int_equal(fb_fs_read(world_path(&w, "seed.toml"), FB_FS_ANY, &text, NULL), 0);
    assert_string_equal(text.p, "kept");
    fb_buf_done(&text);
}

static void a_missing_key_is_named(void **state)
{
    struct fb_err err;

    (void)state;
    assert_int_equal(unlink(world_path(&w, "firma-authority.key")), 0);
    assert_true(issue("code.read", 10, &err) < 0);
    assert_non_null(strstr(err.msg, "firma-authority.key"));
}

static void revocations_go_into_the_configured_file(void **state)
{
    struct fb_err err = { 0 };
    char *path = NULL;

    (void)state;
    assert_int_equal(au_revoke(world_path(&w, "firma.toml"), ID1, NULL, &err), 0);
    assert_int_equal(au_revoke(world_path(&w, "firma.toml"), ID1, "again", &err), 1);
    assert_int_equal(au_revoke(world_path(&w, "firma.toml"), "nonsense!", NULL, &err), FB_E_CONFIG_VALIDATION);
    assert_int_equal(au_compact(world_path(&w, "firma.toml"), &path, &err), 0);
    assert_string_equal(path, world_path(&w, "r.txt"));
    free(path);
    struct fb_buf text;
    fb_buf_init(&text, 4096);
    assert_int_equal(fb_fs_read(world_path(&w, "r.txt"), FB_FS_PRIVATE, &text, NULL), 0);
    assert_non_null(strstr(text.p, ID1 "\t20"));
    assert_non_null(strstr(text.p, "\toperator-revoked\n"));
    fb_buf_done(&text);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(a_pair_is_made_once_and_the_public_path_follows),
        T(a_granted_capability_verifies_and_its_life_is_cut),
        T(a_denial_leaves_no_file_and_keeps_one_that_is_there),
        T(a_missing_key_is_named),
        T(revocations_go_into_the_configured_file),
    };
    return cmocka_run_group_tests_name("authority/tools", tests, NULL, NULL);
}
