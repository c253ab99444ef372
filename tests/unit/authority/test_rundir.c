/* The directory of a per-run Authority: what is made and with which modes, what a persisted choice replaces, refusals.
 */
#include "loop_world.h"

#include "authority/dirwatch.h"
#include "authority/rundir.h"
#include "core/embed.h"
#include "token/keyfile.h"

enum { PAIRS_MAX = 8 };

static struct loop_world w;

/* START with @n pairs "key", "value", ... */
static struct st_msg start_of(const char *const *texts, size_t n)
{
    struct st_msg m = { .type = ST_MSG_START };

    assert_true(n / 2 <= PAIRS_MAX);
    for (size_t i = 0; i + 1 < n; i += 2)
        m.pairs[m.n_pairs++] = (struct st_pair){ fb_str_of(texts[i]), fb_str_of(texts[i + 1]) };
    return m;
}

static int make(const char *key, const char *value, struct au_config *c, struct fb_err *err)
{
    const char *const texts[] = { key, value };
    struct st_msg m = start_of(texts, key == NULL ? 0 : 2);

    *err = (struct fb_err){ 0 };
    *c = (struct au_config){ 0 };
    return au_rundir_make(world_path(&w, "run"), "developer", &m, c, err);
}

static void has_mode(const char *name, mode_t mode)
{
    struct stat st;

    if (lstat(world_path(&w, name), &st) != 0)
        fail_msg("%s is missing", name);
    if ((st.st_mode & 07777) != mode)
        fail_msg("%s has mode %o", name, (unsigned)st.st_mode);
}

static bool is_there(const char *name)
{
    struct stat st;

    return lstat(world_path(&w, name), &st) == 0;
}

static void read_all(const char *name, struct fb_buf *out)
{
    fb_buf_init(out, 1 << 20);
    assert_int_equal(fb_fs_read(world_path(&w, name), FB_FS_ANY, out, NULL), 0);
}

static void everything_is_made_private_whatever_the_umask(void **state)
{
    static const char *const dirs[] = { "run", "run/policy_dir", "run/issuance", "run/keys" };
    static const char *const files[] = { "run/policy_dir/developer.cedar", "run/issuance/developer.cedar",
                                         "run/keys/authority.key", "run/revocations.txt", "run/authority.toml" };
    struct au_config c;
    struct fb_err err;

    (void)state;
    mode_t before = umask(0);
    assert_int_equal(make(NULL, NULL, &c, &err), 0);
    umask(before);
    for (size_t i = 0; i < FB_COUNT(dirs); i++)
        has_mode(dirs[i], 0700);
    for (size_t i = 0; i < FB_COUNT(files); i++)
        has_mode(files[i], 0600);
    has_mode("run/keys/authority.pub", 0644);
    au_config_done(&c);
}

static void it_serves_from_there_on_a_free_loopback_port(void **state)
{
    struct au_config c;
    struct fb_err err;
    struct fb_buf text;
    struct tk_secret_key key;

    (void)state;
    assert_int_equal(make(NULL, NULL, &c, &err), 0);
    assert_string_equal(c.listen_addr, "[::1]:0");
    assert_string_equal(c.policy_dir, world_path(&w, "run/policy_dir"));
    assert_string_equal(c.issuance_policy_dir, world_path(&w, "run/issuance"));
    assert_string_equal(c.revocation_file, world_path(&w, "run/revocations.txt"));
    assert_string_equal(c.key_file, world_path(&w, "run/keys/authority.key"));
    assert_int_equal(c.max_ttl_s, 3600);
    assert_int_equal(c.bundle_ttl_s, 30);
    assert_true(c.loopback_fallback);
    assert_int_equal(c.watch_delay_ms, AU_DIRWATCH_DELAY_MS);
    assert_int_equal(tk_keyfile_read_secret(c.key_file, &key, &err), 0);
    tk_keyfile_wipe(&key);
    au_config_done(&c);
    read_all("run/policy_dir/developer.cedar", &text);
    assert_true(fb_str_eq(fb_buf_str(&text), fc_asset_get("enforcement/developer.cedar")));
    fb_buf_done(&text);
    read_all("run/issuance/developer.cedar", &text);
    assert_true(fb_str_eq(fb_buf_str(&text), fc_asset_get("issuance/developer.cedar")));
    fb_buf_done(&text);
    /* The file that is left beside it says the same to `firma authority -c`. */
    assert_int_equal(au_config_load(world_path(&w, "run/authority.toml"), &c, &err), 0);
    assert_string_equal(c.policy_dir, world_path(&w, "run/policy_dir"));
    assert_string_equal(c.issuance_policy_dir, world_path(&w, "run/issuance"));
    assert_int_equal(c.max_ttl_s, 3600);
    assert_int_equal(c.bundle_ttl_s, 30);
    assert_string_equal(c.log_level, "info");
    au_config_done(&c);
}

static void an_unknown_profile_makes_nothing(void **state)
{
    static const char *const names[] = { "production", "", "../issuance/developer", "developer.cedar",
                                         "a-name-that-is-much-longer-than-any-profile-of-ours-will-ever-be-called" };
    struct st_msg m = start_of(NULL, 0);
    struct au_config c = { 0 };

    (void)state;
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        struct fb_err err = { 0 };
        assert_int_equal(au_rundir_make(world_path(&w, "run"), names[i], &m, &c, &err), FB_E_AUTHORITY_UNKNOWN_PROFILE);
        assert_non_null(strstr(err.msg, "profile"));
        assert_false(is_there("run"));
    }
}

static void each_run_has_a_key_of_its_own(void **state)
{
    struct au_config c;
    struct fb_err err;
    struct fb_buf first;
    struct fb_buf second;

    (void)state;
    assert_int_equal(make(NULL, NULL, &c, &err), 0);
    au_config_done(&c);
    read_all("run/keys/authority.key", &first);
    assert_int_equal(tempdir_remove(world_path(&w, "run")), 0);
    assert_int_equal(make(NULL, NULL, &c, &err), 0);
    au_config_done(&c);
    read_all("run/keys/authority.key", &second);
    assert_int_equal(first.n, 64);
    assert_int_equal(second.n, 64);
    assert_memory_not_equal(first.p, second.p, 64);
    fb_buf_done(&first);
    fb_buf_done(&second);
}

static void a_configured_key_is_used_as_it_is_and_made_when_it_was_lost(void **state)
{
    struct au_config c;
    struct fb_err err;
    struct fb_buf first;
    struct fb_buf again;

    (void)state;
    assert_int_equal(make("key_file", world_path(&w, "mine.key"), &c, &err), 0);
    assert_string_equal(c.key_file, world_path(&w, "mine.key"));
    assert_false(is_there("run/keys"));
    has_mode("mine.key", 0600);
    has_mode("mine.pub", 0644);
    au_config_done(&c);
    read_all("mine.key", &first);
    assert_int_equal(make("key_file", world_path(&w, "mine.key"), &c, &err), 0);
    au_config_done(&c);
    read_all("mine.key", &again);
    assert_memory_equal(first.p, again.p, 64);
    fb_buf_done(&first);
    fb_buf_done(&again);
    assert_int_not_equal(make("key_file", world_path(&w, "nowhere/mine.key"), &c, &err), 0);
    assert_non_null(strstr(err.msg, "key_file"));
}

static void a_configured_revocation_file_takes_the_place_of_the_runs_own(void **state)
{
    struct au_config c;
    struct fb_err err;

    (void)state;
    assert_int_equal(make("revocation_file", world_path(&w, "gone.txt"), &c, &err), 0);
    assert_string_equal(c.revocation_file, world_path(&w, "gone.txt")); /* the server makes it */
    au_config_done(&c);
}

static void configured_policies_that_lead_nowhere_are_refused_by_name(void **state)
{
    static const char *const keys[] = { "policy_dir", "issuance_policy_dir", "schema_path" };
    struct au_config c;
    struct fb_err err;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(keys); i++) {
        assert_int_equal(make(keys[i], world_path(&w, "nowhere"), &c, &err), FB_E_CONFIG_VALIDATION);
        assert_non_null(strstr(err.msg, keys[i]));
        assert_non_null(strstr(err.msg, "nowhere"));
        assert_null(c.policy_dir);
        assert_int_equal(make(keys[i], "", &c, &err), 0); /* as good as not configured */
        au_config_done(&c);
    }
    world_mkdir(&w, "mine");
    assert_int_equal(make("policy_dir", world_path(&w, "mine"), &c, &err), 0);
    assert_string_equal(c.policy_dir, world_path(&w, "mine"));
    assert_string_equal(c.issuance_policy_dir, world_path(&w, "run/issuance"));
    au_config_done(&c);
}

static void a_directory_that_is_not_ours_alone_is_refused(void **state)
{
    struct au_config c;
    struct fb_err err;

    (void)state;
    world_mkdir(&w, "run");
    assert_int_equal(chmod(world_path(&w, "run"), 0755), 0);
    assert_int_equal(make(NULL, NULL, &c, &err), FB_E_INSECURE);
    assert_int_equal(rmdir(world_path(&w, "run")), 0);
    world_mkdir(&w, "real");
    assert_int_equal(symlink("real", world_path(&w, "run")), 0);
    assert_true(make(NULL, NULL, &c, &err) < 0);
    assert_false(is_there("real/keys"));
}

static void ready_is_noted_with_the_ids_of_the_run(void **state)
{
    static const char *const texts[] = { "sandbox_id", "box-1", "agent_id", "a\"b", "session_id", "sess_1" };
    struct st_msg m = start_of(texts, FB_COUNT(texts));
    struct fb_err err = { 0 };
    struct fb_buf text;
    char want[64];

    (void)state;
    assert_int_equal(au_rundir_note_ready(world_path(&w, "run"), "developer", &m, "[::1]:43127", &err), 0);
    has_mode("run/authority.pid", 0600);
    has_mode("run/metadata.toml", 0600);
    read_all("run/authority.pid", &text);
    snprintf(want, sizeof(want), "%d\n", (int)getpid());
    assert_string_equal(text.p, want);
    fb_buf_done(&text);
    read_all("run/metadata.toml", &text);
    assert_non_null(strstr(text.p, "sandbox_id = \"box-1\"\nagent_id = \"a\\\"b\"\nsession_id = \"sess_1\"\n"
                                   "profile = \"developer\"\nlisten_addr = \"[::1]:43127\"\npid = "));
    assert_non_null(strstr(text.p, "started_at = \"20"));
    fb_buf_done(&text);
}

static int set_up(void **state)
{
    (void)state;
    world_init(&w);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_done(&w);
    return 0;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(everything_is_made_private_whatever_the_umask),
        T(it_serves_from_there_on_a_free_loopback_port),
        T(an_unknown_profile_makes_nothing),
        T(each_run_has_a_key_of_its_own),
        T(a_configured_key_is_used_as_it_is_and_made_when_it_was_lost),
        T(a_configured_revocation_file_takes_the_place_of_the_runs_own),
        T(configured_policies_that_lead_nowhere_are_refused_by_name),
        T(a_directory_that_is_not_ours_alone_is_refused),
        T(ready_is_noted_with_the_ids_of_the_run),
    };
    return cmocka_run_group_tests_name("authority/rundir", tests, NULL, NULL);
}
