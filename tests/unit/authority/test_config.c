/* [authority] of firma.toml: every key, its default, its variable, and every refusal by name. */
#include "loop_world.h"

#include "authority/config.h"

#include <netinet/in.h>

struct text_row {
    const char *key;
    const char *fallback;
    bool rebased; /* relative paths of the file start at the file's directory */
    size_t offset;
};

#define ROW(key, fallback, rebased)                              \
    {                                                            \
#key, fallback, rebased, offsetof(struct au_config, key) \
    }
static const struct text_row rows[] = {
    ROW(listen_addr, "[::1]:50051", false),
    ROW(policy_dir, "policies/", true),
    ROW(issuance_policy_dir, "issuance-policies/", true),
    ROW(schema_path, "", true),
    ROW(revocation_file, "revocations.txt", false),
    ROW(key_file, "firma-authority.key", true),
    ROW(log_level, "info", false),
    ROW(tls_cert_path, "", true),
    ROW(tls_key_path, "", true),
    ROW(mtls_client_ca_cert_path, "", true),
    ROW(mtls_client_ca_key_path, "", true),
    ROW(authorized_clients_path, "", true),
};

static const char *text_of(const struct au_config *c, const struct text_row *r)
{
    return *(char *const *)(const void *)((const char *)c + r->offset);
}

static struct loop_world w;

/* Loads "[authority]" with @body; *@err is cleared first. */
static int load(const char *body, struct au_config *c, struct fb_err *err)
{
    char text[2048];

    *err = (struct fb_err){ 0 };
    snprintf(text, sizeof(text), "[authority]\n%s\n", body);
    world_write(&w, "firma.toml", text);
    return au_config_load(world_path(&w, "firma.toml"), c, err);
}

static void refused(const char *body, const char *words)
{
    struct au_config c;
    struct fb_err err;
    int rc = load(body, &c, &err);

    if (rc != FB_E_CONFIG_VALIDATION || strstr(err.msg, words) == NULL)
        fail_msg("%s: %d '%s', not '%s'", body, rc, err.msg, words);
    assert_null(c.policy_dir); /* left empty */
}

static void an_empty_table_gives_every_default(void **state)
{
    struct au_config c;
    struct fb_err err;
    char want[256];

    (void)state;
    assert_int_equal(load("", &c, &err), 0);
    for (size_t i = 0; i < FB_COUNT(rows); i++) { /* a default is a path of the working directory */
        snprintf(want, sizeof(want), "%s%s%s", rows[i].rebased && rows[i].fallback[0] != '\0' ? w.dir : "",
                 rows[i].rebased && rows[i].fallback[0] != '\0' ? "/" : "", rows[i].fallback);
        assert_string_equal(text_of(&c, &rows[i]), want);
    }
    assert_int_equal(c.max_ttl_s, 3600);
    assert_int_equal(c.bundle_ttl_s, 30);
    assert_false(c.allow_insecure_remote_listen);
    assert_false(c.loopback_fallback);
    assert_int_equal(c.watch_delay_ms, 0);
    assert_string_equal(c.path, world_path(&w, "firma.toml"));
    assert_string_equal(c.source, "flag");
    au_config_done(&c);
    au_config_done(&c); /* an empty one is fine */
}

static void relative_paths_start_at_the_file_but_the_revocation_file_does_not(void **state)
{
    struct au_config c;
    struct fb_err err;

    (void)state;
    assert_int_equal(load("policy_dir = \"p\"\nissuance_policy_dir = \"/abs\"\nschema_path = \"s/x\"\nkey_file = "
                          "\"k\"\nrevocation_file = \"r\"\nlog_level = \"debug\"",
                          &c, &err),
                     0);
    assert_string_equal(c.policy_dir, world_path(&w, "p"));
    assert_string_equal(c.issuance_policy_dir, "/abs");
    assert_string_equal(c.schema_path, world_path(&w, "s/x"));
    assert_string_equal(c.key_file, world_path(&w, "k"));
    assert_string_equal(c.revocation_file, "r");
    assert_string_equal(c.log_level, "debug");
    au_config_done(&c);
}

static void each_text_key_has_a_variable_that_wins_and_stays_as_it_stands(void **state)
{
    struct au_config c;
    struct fb_err err;
    char name[64];

    (void)state;
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        size_t n = (size_t)snprintf(name, sizeof(name), "FIRMA_AUTHORITY_%s", rows[i].key);
        for (size_t at = 0; at < n; at++)
            name[at] = (char)(name[at] >= 'a' && name[at] <= 'z' ? name[at] - 'a' + 'A' : name[at]);
        bool is_addr = strcmp(rows[i].key, "listen_addr") == 0;
        bool is_tls = strstr(rows[i].key, "tls") != NULL || strstr(rows[i].key, "clients") != NULL;
        setenv(name, is_addr ? "127.0.0.2:7" : "from/env", 1);
        int rc = load("policy_dir = \"p\"", &c, &err);
        unsetenv(name);
        if (is_tls) { /* reserved: seen, and refused */
            assert_int_equal(rc, FB_E_CONFIG_VALIDATION);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_string_equal(text_of(&c, &rows[i]), is_addr ? "127.0.0.2:7" : "from/env");
        au_config_done(&c);
    }
}

static void lifetimes_are_whole_seconds_up_to_a_year(void **state)
{
    static const char *const bad[] = {
        "max_ttl_seconds = 0",           "max_ttl_seconds = -1",  "max_ttl_seconds = 31536001",
        "max_ttl_seconds = \"1\"",       "max_ttl_seconds = 1.0", "bundle_ttl_seconds = 0",
        "bundle_ttl_seconds = 31536001", "max_ttl = \"0s\"",      "max_ttl = \"500ms\"",
        "max_ttl = \"8761h\"",           "max_ttl = \"soon\"",    "max_ttl = 5",
        "bundle_ttl = \"0s\"",           "bundle_ttl = \"\""
    };
    struct au_config c;
    struct fb_err err;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        char key[32];
        snprintf(key, sizeof(key), "%.*s", (int)strcspn(bad[i], " "), bad[i]);
        refused(bad[i], key);
    }
    assert_int_equal(load("max_ttl_seconds = 31536000\nbundle_ttl_seconds = 31536000", &c, &err), 0);
    assert_int_equal(c.max_ttl_s, AU_TTL_MAX_S);
    assert_int_equal(c.bundle_ttl_s, AU_TTL_MAX_S);
    au_config_done(&c);
    assert_int_equal(load("max_ttl_seconds = 1\nbundle_ttl_seconds = 1", &c, &err), 0);
    au_config_done(&c);
    assert_int_equal(load("max_ttl = \"2h\"\nbundle_ttl = \"45s\"", &c, &err), 0);
    assert_int_equal(c.max_ttl_s, 7200);
    assert_int_equal(c.bundle_ttl_s, 45);
    au_config_done(&c);
}

static void lifetimes_of_the_environment_win_and_are_checked_alike(void **state)
{
    static const struct {
        const char *name, *good, *bad;
        int64_t want;
    } vars[] = { { "FIRMA_AUTHORITY_MAX_TTL_SECONDS", "7", "0", 7 },
                 { "FIRMA_AUTHORITY_MAX_TTL_SECONDS", "31536000", "31536001", 31536000 },
                 { "FIRMA_AUTHORITY_BUNDLE_TTL_SECONDS", "9", "soon", 9 },
                 { "FIRMA_AUTHORITY_MAX_TTL", "3m", "3", 180 },
                 { "FIRMA_AUTHORITY_BUNDLE_TTL", "365d", "", -1 } };
    struct au_config c;
    struct fb_err err;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(vars); i++) {
        bool is_max = strstr(vars[i].name, "MAX_TTL") != NULL;
        if (vars[i].want > 0) {
            setenv(vars[i].name, vars[i].good, 1);
            assert_int_equal(load("max_ttl_seconds = 100\nbundle_ttl_seconds = 100", &c, &err), 0);
            assert_int_equal(is_max ? c.max_ttl_s : (int64_t)c.bundle_ttl_s, vars[i].want);
            assert_int_equal(is_max ? (int64_t)c.bundle_ttl_s : c.max_ttl_s, 100);
            au_config_done(&c);
        }
        setenv(vars[i].name, vars[i].bad, 1);
        refused("", "FIRMA_AUTHORITY_*");
        unsetenv(vars[i].name);
    }
}

static void an_address_is_numbers_and_loopback_unless_said_otherwise(void **state)
{
    static const char *const bad[] = { "localhost:1",   "127.0.0.1",   "[::1]",   ":1",   "127.0.0.1:65536",
                                       "127.0.0.1:",    "127.0.0.1:x", "::1:5",   "",     "[::1:5",
                                       "[127.0.0.1]:5", "1.2.3:5",     "127.1:5", "[]:5", "0x7f.0.0.1:5",
                                       "[::1%lo]:5" };
    static const char *const good[] = { "127.0.0.1:0", "127.255.255.254:65535", "[::1]:0", "[0:0:0:0:0:0:0:1]:5" };
    static const char *const remote[] = { "0.0.0.0:0", "[::]:0", "10.0.0.1:5", "[::2]:5", "[::ffff:127.0.0.1]:5" };
    struct au_config c;
    struct fb_err err;
    char body[128];

    (void)state;
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        snprintf(body, sizeof(body), "listen_addr = \"%s\"", bad[i]);
        refused(body, "listen_addr");
    }
    for (size_t i = 0; i < FB_COUNT(good); i++) {
        snprintf(body, sizeof(body), "listen_addr = \"%s\"", good[i]);
        assert_int_equal(load(body, &c, &err), 0);
        assert_int_equal(c.addr_len, good[i][0] == '[' ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
        au_config_done(&c);
    }
    for (size_t i = 0; i < FB_COUNT(remote); i++) {
        snprintf(body, sizeof(body), "listen_addr = \"%s\"", remote[i]);
        refused(body, "allow_insecure_remote_listen");
        snprintf(body, sizeof(body), "listen_addr = \"%s\"\nallow_insecure_remote_listen = true", remote[i]);
        assert_int_equal(load(body, &c, &err), 0);
        au_config_done(&c);
    }
}

static void tls_pairs_are_checked_in_their_order_and_then_refused(void **state)
{
    (void)state;
    refused("tls_cert_path = \"c\"\nmtls_client_ca_cert_path = \"d\"", "TlsPairMismatch");
    refused("tls_key_path = \"k\"", "TlsPairMismatch");
    refused("mtls_client_ca_cert_path = \"d\"", "MtlsPairMismatch");
    refused("authorized_clients_path = \"d\"", "MtlsPairMismatch");
    refused("mtls_client_ca_cert_path = \"d\"\nauthorized_clients_path = \"a\"", "MtlsRequiresServerTls");
    refused("tls_cert_path = \"c\"\ntls_key_path = \"k\"", "does not speak TLS");
    refused("mtls_client_ca_key_path = \"k\"", "does not speak TLS");
}

static void what_must_be_there_is_asked_for_by_name(void **state)
{
    struct au_config c;
    struct fb_err err = { 0 };

    (void)state;
    refused("policy_dir = \"\"", "policy_dir must not be empty");
    refused("issuance_policy_dir = \"\"", "issuance_policy_dir must not be empty");
    refused("key_file = \"\"", "key_file must not be empty");
    refused("revocation_file = \"\"", "revocation_file must not be empty");
    refused("policy_dirs = \"x\"", "policy_dirs");
    refused("policy_dir = 5", "policy_dir");
    refused("policy_dir = \"a\\u0000b\"", "NUL");
    refused("allow_insecure_remote_listen = \"yes\"", "allow_insecure_remote_listen");
    world_write(&w, "firma.toml", "[sidecar]\n");
    assert_int_equal(au_config_load(world_path(&w, "firma.toml"), &c, &err), FB_E_CONFIG_VALIDATION);
    assert_non_null(strstr(err.msg, "authority"));
    world_write(&w, "firma.toml", "[authority\n");
    assert_int_equal(au_config_load(world_path(&w, "firma.toml"), &c, &err), FB_E_CONFIG_PARSE);
    assert_non_null(strstr(err.msg, "firma.toml:1:"));
    assert_int_equal(au_config_load(world_path(&w, "nowhere.toml"), &c, &err), FB_E_CONFIG_PARSE);
    assert_non_null(strstr(err.msg, "nowhere.toml"));
}

static void a_file_that_others_may_write_is_not_believed(void **state)
{
    struct au_config c;
    struct fb_err err = { 0 };

    (void)state;
    world_write(&w, "firma.toml", "[authority]\n");
    assert_int_equal(chmod(world_path(&w, "firma.toml"), 0666), 0);
    assert_int_equal(au_config_load(world_path(&w, "firma.toml"), &c, &err), FB_E_INSECURE);
    assert_int_equal(unlink(world_path(&w, "firma.toml")), 0);
    world_write(&w, "real.toml", "[authority]\n");
    assert_int_equal(symlink("real.toml", world_path(&w, "firma.toml")), 0);
    assert_int_equal(au_config_load(world_path(&w, "firma.toml"), &c, &err), FB_E_INSECURE);
    assert_int_equal(unlink(world_path(&w, "firma.toml")), 0);
}

static int set_up(void **state)
{
    (void)state;
    for (size_t i = 0; environ[i] != NULL;) { /* whoever runs the tests may have some set */
        char name[128];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(environ[i], "="), environ[i]);
        if (strncmp(name, "FIRMA_", 6) == 0)
            unsetenv(name);
        else
            i++;
    }
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_gives_every_default),
        cmocka_unit_test(relative_paths_start_at_the_file_but_the_revocation_file_does_not),
        cmocka_unit_test(each_text_key_has_a_variable_that_wins_and_stays_as_it_stands),
        cmocka_unit_test(lifetimes_are_whole_seconds_up_to_a_year),
        cmocka_unit_test(lifetimes_of_the_environment_win_and_are_checked_alike),
        cmocka_unit_test(an_address_is_numbers_and_loopback_unless_said_otherwise),
        cmocka_unit_test(tls_pairs_are_checked_in_their_order_and_then_refused),
        cmocka_unit_test(what_must_be_there_is_asked_for_by_name),
        cmocka_unit_test(a_file_that_others_may_write_is_not_believed),
    };
    return cmocka_run_group_tests_name("authority/config", tests, set_up, tear_down);
}
