/* The Sidecar's configuration: defaults, every spelling, every range, and one message for the first bad key. */
#include "sidecar/config.h"

#include "base/fs.h"
#include "sidecar/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char top[64];
static struct fb_err err;

static int enter(void **state)
{
    (void)state;
    snprintf(top, sizeof top, "/tmp/firma-test-sidecar.XXXXXX");
    return mkdtemp(top) == NULL || chdir(top) != 0 ? -1 : 0;
}

static int leave(void **state)
{
    (void)state;
    int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = chdir("/") == 0 ? fb_fs_remove_tree_at(dir, top + strlen("/tmp/"), NULL) : -1;
    close(dir);
    return r;
}

static int load(const char *text, struct sc_config *c)
{
    struct fc_config file;
    err = (struct fb_err){ 0 };
    assert_int_equal(fb_fs_write_atomic("firma.toml", 0600, text, strlen(text), NULL), 0);
    int r = fc_config_load("firma.toml", &file, &err);
    if (r == 0)
        r = sc_config_load(&file, c, &err);
    fc_config_done(&file);
    return r;
}

static void good(const char *text, struct sc_config *c)
{
    if (load(text, c) != 0)
        fail_msg("%s\nrefused: %s", text, err.msg);
}

/* The text is refused and the message holds @part. */
static void bad(const char *text, const char *part)
{
    struct sc_config c;
    int r = load(text, &c);
    sc_config_done(&c);
    if (r != FB_E_CONFIG_VALIDATION)
        fail_msg("%s\nexpected ConfigValidation, got %d %s", text, r, err.msg);
    if (strstr(err.msg, part) == NULL)
        fail_msg("%s\nmessage: %s\nexpected: %s", text, err.msg, part);
}

static void in_top(const char *path, const char *name)
{
    char text[256];
    snprintf(text, sizeof text, "%s/%s", top, name);
    assert_string_equal(path, text);
}

static void an_empty_section_gives_every_default(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar]\n", &c);
    assert_string_equal(c.path, "firma.toml");
    assert_string_equal(c.dir, top);
    assert_int_equal(c.mode, SC_ENFORCE);
    assert_int_equal(c.interceptor.mode, SC_HTTP_PROXY);
    assert_string_equal(c.interceptor.listen_addr, "127.0.0.1:8080");
    assert_int_equal(c.interceptor.listen.ss_family, AF_INET);
    assert_null(c.interceptor.socket_path);
    assert_int_equal(c.interceptor.drain_timeout_ms, 30000);
    assert_int_equal(c.interceptor.max_request_body_bytes, 4194304);
    assert_int_equal(c.interceptor.total_body_budget_bytes, 67108864);
    assert_int_equal(c.interceptor.setup_timeout_ms, 10000);
    assert_int_equal(c.interceptor.session_max_ms, 600000);
    assert_true(c.mitm.enabled);
    assert_string_equal(c.mitm.ca_key_path, "./firma-ca/firma-ca.key");
    assert_true(c.mitm.intercept_hosts.n > 25 && c.mitm.strict_hosts.n == c.mitm.intercept_hosts.n);
    assert_int_equal(c.mitm.cert_ttl_ms, 86400000);
    in_top(c.policy_dir, "policies/");
    assert_string_equal(c.ca_dir, "./firma-ca/");
    assert_null(c.log_level);
    assert_int_equal(c.rules.n, 1);
    in_top(c.rules.items[0], "mapping-rules.toml");
    assert_true(c.default_protected);
    assert_int_equal(c.clock_skew_s, 0);
    assert_int_equal(c.bundle_ttl_s, 30);
    assert_int_equal(c.enforcement_timeout_ms, 50);
    assert_int_equal(c.session_state_capacity, 8192);
    assert_int_equal(c.connector_timeout_ms, 30000);
    assert_null(c.authority.url);
    assert_int_equal(c.authority.connect_timeout_ms, 10000);
    assert_int_equal(c.authority.reconnect_min_backoff_ms, 250);
    assert_int_equal(c.authority.reconnect_max_backoff_ms, 30000);
    assert_int_equal(c.authority.revocation_readiness_grace_ms, 500);
    assert_false(c.authority.revocation_fail_closed_on_disconnect);
    assert_int_equal(c.revocation_capacity, 1000000);
    assert_true(c.revocation_fpr > 0.00009 && c.revocation_fpr < 0.00011);
    assert_int_equal(c.audit.sink, SC_AUDIT_STDOUT);
    assert_int_equal(c.audit.durability, SC_DURABLE_BATCH);
    assert_int_equal(c.seeds.n, 0);
    assert_true(c.seeds_hot_reload);
    assert_int_equal(c.limits.clients, 1024);
    assert_int_equal(c.limits.response_buffer_bytes, 64 << 20);
    assert_false(c.local_exec.present || c.preflight.present || c.secret_gateway);
    sc_config_done(&c);
    sc_config_done(&c);
    sc_config_done(NULL);
}

static void the_worked_example_is_read(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.interceptor]\nmode = \"http_proxy\"\nlisten_addr = \"127.0.0.1:7474\"\n"
         "[sidecar.interceptor.https_mitm]\nenabled = false\n"
         "[sidecar.policy]\ndir = \"policies\"\n"
         "[sidecar.mapping]\nrules_path = \"mapping-rules.toml\"\ndefault_protected = true\n"
         "[sidecar.authority]\nurl = \"http://127.0.0.1:50051\"\npublic_key_path = \"firma-authority.pub\"\n"
         "[sidecar.capability_seed]\npaths = [\"capability-agent_1.toml\", \"/abs/seed.toml\"]\n"
         "[sidecar.audit]\nsink = \"file\"\nfile_path = \"audit.jsonl\"\nsigning_key_path = \"audit.key\"\n",
         &c);
    assert_string_equal(c.interceptor.listen_addr, "127.0.0.1:7474");
    const struct sockaddr_in *a = (const void *)&c.interceptor.listen;
    assert_int_equal(ntohs(a->sin_port), 7474);
    assert_false(c.mitm.enabled);
    in_top(c.policy_dir, "policies");
    in_top(c.authority.public_key_path, "firma-authority.pub");
    in_top(c.seeds.items[0], "capability-agent_1.toml");
    assert_string_equal(c.seeds.items[1], "/abs/seed.toml");
    in_top(c.audit.file_path, "audit.jsonl");
    in_top(c.audit.signing_key_path, "audit.key");
    assert_int_equal(c.audit.sink, SC_AUDIT_FILE);
    sc_config_done(&c);
}

static void the_scaffolded_file_is_read(void **state)
{
    (void)state;
    struct sc_config c;
    good("[authority]\nlisten_addr = \"x\"\n"
         "[sidecar.interceptor]\nmode=\"http_proxy\"\nlisten_addr=\"127.0.0.1:7474\"\ndrain_timeout_secs=30\n"
         "[sidecar.interceptor.https_mitm]\nintercept_hosts=[\"API.github.com.\"]\nstrict_hosts=[\"api.github.com\"]\n"
         "[sidecar.policy]\ndir=\".\"\nauthority_url=\"http://127.0.0.1:50051\"\n"
         "[sidecar.ca]\ndir=\"generated-firma-ca\"\n[sidecar.log]\nlevel=\"INFO\"\n"
         "[sidecar.mapping]\nrules_path=\"mapping-rules.toml\"\nrules_paths=[\"mappings/x.toml\"]\ndefault_protected=false\n"
         "[sidecar.capability_validation]\nclock_skew_tolerance_seconds=0\n"
         "[sidecar.constraint_enforcement]\nbundle_ttl_seconds=3600\nenforcement_timeout_ms=50\n"
         "[sidecar.connector]\ndefault_timeout_ms=120000\n"
         "[sidecar.preflight]\nagent_id=\"a\"\nrequested_actions=[\"credential.read\"]\nresource_scope=\"*\"\nttl_seconds=60\n",
         &c);
    assert_string_equal(c.authority.url, "http://127.0.0.1:50051");
    assert_string_equal(c.ca_dir, "generated-firma-ca");
    assert_string_equal(c.mitm.ca_cert_path, "generated-firma-ca/firma-ca.crt");
    assert_string_equal(c.mitm.intercept_hosts.items[0], "api.github.com");
    assert_string_equal(c.log_level, "info");
    assert_int_equal(c.rules.n, 2);
    in_top(c.rules.items[1], "mappings/x.toml");
    assert_false(c.default_protected);
    assert_int_equal(c.connector_timeout_ms, 120000);
    assert_true(c.preflight.present);
    assert_int_equal(c.preflight.ttl_s, 60);
    assert_string_equal(c.preflight.session_id, "preflight-session");
    sc_config_done(&c);
}

static void naming_only_a_list_of_rule_files_leaves_the_default_one_out(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.mapping]\nrules_paths=[\"a.toml\", \"/b.toml\"]\n", &c);
    assert_int_equal(c.rules.n, 2);
    in_top(c.rules.items[0], "a.toml");
    assert_string_equal(c.rules.items[1], "/b.toml");
    sc_config_done(&c);
}

static void both_spellings_are_read_but_never_both_at_once(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.interceptor]\ndrain_timeout=\"250ms\"\nmax_request_body_size=\"64KiB\"\ntotal_body_budget=\"1MB\"\n"
         "max_decompressed_body_size=\"10MB\"\n[sidecar.interceptor.connect_relay]\nsetup_timeout=\"5s\"\nsession_max=\"1h\"\n"
         "[sidecar.interceptor.https_mitm]\ncert_ttl=\"24h\"\n"
         "[sidecar.authority]\nconnect_timeout=\"2s\"\nreconnect_min_backoff=\"100ms\"\n",
         &c);
    assert_int_equal(c.interceptor.drain_timeout_ms, 250);
    assert_int_equal(c.interceptor.max_request_body_bytes, 65536);
    assert_int_equal(c.interceptor.total_body_budget_bytes, 1000000);
    assert_int_equal(c.interceptor.max_decompressed_body_bytes, 10000000);
    assert_int_equal(c.interceptor.setup_timeout_ms, 5000);
    assert_int_equal(c.interceptor.session_max_ms, 3600000);
    assert_int_equal(c.authority.connect_timeout_ms, 2000);
    assert_int_equal(c.authority.reconnect_min_backoff_ms, 100);
    sc_config_done(&c);
    bad("[sidecar.interceptor]\ndrain_timeout_secs=1\ndrain_timeout=\"1s\"\n",
        "firma.toml:3:15: interceptor: interceptor.drain_timeout_secs and interceptor.drain_timeout are two spellings of one key");
    bad("[sidecar.policy]\nauthority_url=\"http://127.0.0.1:1\"\n[sidecar.authority]\nurl=\"http://127.0.0.1:1\"\n",
        "policy: policy.authority_url and authority.url are two spellings of one key");
    bad("[sidecar.interceptor]\ndrain_timeout=\"0s\"\n", "interceptor.drain_timeout must be > 0");
    bad("[sidecar.interceptor]\ndrain_timeout=\"fast\"\n", "interceptor.drain_timeout must be a duration");
    bad("[sidecar.interceptor]\nmax_request_body_size=\"0\"\n", "interceptor.max_request_body_size must be > 0");
    bad("[sidecar.interceptor]\nmax_request_body_size=\"4 MiB\"\n", "interceptor.max_request_body_size must be a size");
}

static void unknown_keys_are_refused_at_every_depth_with_a_suggestion(void **state)
{
    (void)state;
    bad("[sidecar]\nmapings = 1\n", "firma.toml:2:");
    bad("[sidecar.mappin]\n", "unknown key 'mappin' in [sidecar], did you mean 'mapping'?");
    bad("[sidecar.mapping]\ndefault_protcted = true\n",
        "unknown key 'default_protcted' in [sidecar.mapping], did you mean 'default_protected'?");
    bad("[sidecar.interceptor.connect_relay]\nsetup = 1\n", "unknown key 'setup' in [sidecar.interceptor.connect_relay]");
    bad("[sidecar.interceptor.https_mitm]\nenable = true\n", "did you mean 'enabled'?");
    bad("[sidecar.authority.credentials]\nkey = 1\n", "unknown key 'key' in [sidecar.authority.credentials]");
    bad("[sidecar.credentials.gh]\nmod = \"basic\"\n", "unknown key 'mod' in [sidecar.credentials.gh], did you mean 'mode'?");
    bad("[[sidecar.connector.hosts]]\nhots = 1\n", "unknown key 'hots'");
    static const char *const sections[] = { "policy", "ca", "log", "capability_validation", "constraint_enforcement",
                                            "connector", "authority", "revocation", "audit", "capability_seed",
                                            "local_exec", "preflight", "tenancy", "secret_gateway", "resolver", "limits" };
    for (size_t i = 0; i < FB_COUNT(sections); i++) {
        char text[128];
        snprintf(text, sizeof text, "[sidecar.%s]\nno_such_key = 1\n", sections[i]);
        bad(text, "unknown key 'no_such_key'");
        snprintf(text, sizeof text, "[sidecar]\n%s = 1\n", sections[i]);
        bad(text, "must be a table");
    }
}

static void numbers_are_read_at_their_limits_and_refused_past_them(void **state)
{
    (void)state;
    static const struct { const char *section, *key; long long low, high; } rows[] = {
        { "interceptor", "drain_timeout_secs", 1, SC_CONFIG_SECONDS_MAX },
        { "interceptor", "max_decompressed_body_bytes", 1, 1LL << 40 },
        { "interceptor.connect_relay", "setup_timeout_secs", 1, SC_CONFIG_SECONDS_MAX },
        { "interceptor.connect_relay", "session_max_secs", 1, SC_CONFIG_SECONDS_MAX },
        { "interceptor.https_mitm", "cert_ttl_secs", 1, SC_CONFIG_SECONDS_MAX },
        { "interceptor.https_mitm", "cert_cache_capacity", 1, UINT32_MAX },
        { "capability_validation", "clock_skew_tolerance_seconds", 0, SC_CONFIG_SECONDS_MAX },
        { "constraint_enforcement", "bundle_ttl_seconds", 1, SC_CONFIG_SECONDS_MAX },
        { "constraint_enforcement", "session_state_capacity", 1, UINT32_MAX },
        { "connector", "default_timeout_ms", 1, SC_CONFIG_SECONDS_MAX * 1000LL },
        { "authority", "connect_timeout_secs", 1, SC_CONFIG_SECONDS_MAX },
        { "authority", "revocation_readiness_grace_ms", 0, SC_CONFIG_SECONDS_MAX * 1000LL },
        { "revocation", "capacity", 1, 100000000 },
        { "revocation", "lru_capacity", 1, 100000000 },
        { "audit", "wal_max_bytes", 1, 1LL << 40 },
        { "limits", "head_bytes", 1024, 65536 },
        { "limits", "head_fields", 1, 100 },
        { "limits", "clients", 1, 65536 },
        { "limits", "clients_per_peer", 1, 65536 },
        { "limits", "head_timeout_ms", 1, 3600000 },
        { "limits", "idle_timeout_ms", 1, 3600000 },
        { "limits", "body_gap_ms", 1, 3600000 },
        { "limits", "response_buffer_bytes", 1, 1LL << 40 },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct sc_config c;
        char text[160], part[160];
        for (int high = 0; high < 2; high++) {
            long long edge = high ? rows[i].high : rows[i].low;
            snprintf(text, sizeof text, "[sidecar.%s]\n%s = %lld\n", rows[i].section, rows[i].key, edge);
            good(text, &c);
            sc_config_done(&c);
            snprintf(text, sizeof text, "[sidecar.%s]\n%s = %lld\n", rows[i].section, rows[i].key, high ? edge + 1 : edge - 1);
            snprintf(part, sizeof part, "%s.%s must be %s", rows[i].section, rows[i].key,
                     high ? "<=" : edge <= 1 ? (edge == 1 ? "> 0" : ">= 0") : ">=");
            bad(text, part);
        }
        snprintf(text, sizeof text, "[sidecar.%s]\n%s = \"1\"\n", rows[i].section, rows[i].key);
        bad(text, rows[i].key);
    }
}

static void the_interceptor_says_what_is_wrong(void **state)
{
    (void)state;
    struct sc_config c;
    bad("[sidecar.interceptor]\nmode=\"unix_socket\"\n", "interceptor: interceptor.socket_path is required when mode is unix_socket");
    bad("[sidecar.interceptor]\nmode=\"unix_socket\"\nsocket_path=\"\"\n",
        "interceptor.socket_path must not be empty when mode is unix_socket");
    bad("[sidecar.interceptor]\nmode=\"tcp\"\n", "interceptor.mode 'tcp' is invalid; expected one of: http_proxy, unix_socket, grpc");
    bad("[sidecar.interceptor]\nlisten_addr=\"/run/x.sock\"\n", "interceptor.socket_path");
    bad("[sidecar.interceptor]\nmax_request_body_bytes=10\ntotal_body_budget_bytes=9\n",
        "interceptor.total_body_budget_bytes must be >= interceptor.max_request_body_bytes");
    static const char *const addrs[] = { "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:080",
                                         "::1:80", "[127.0.0.1]:80", "127.1:80", ":80", "", "127.0.0.1:-1" };
    for (size_t i = 0; i < FB_COUNT(addrs); i++) {
        char text[128];
        snprintf(text, sizeof text, "[sidecar.interceptor]\nlisten_addr=\"%s\"\n", addrs[i]);
        bad(text, "interceptor.listen_addr");
    }
    good("[sidecar.interceptor]\nlisten_addr=\"[::1]:0\"\ntrusted_uids=[0, 4294967294]\n", &c);
    assert_int_equal(c.interceptor.listen.ss_family, AF_INET6);
    assert_int_equal(c.interceptor.n_trusted_uids, 2);
    assert_true(c.interceptor.trusted_uids[1] == 4294967294U);
    sc_config_done(&c);
    bad("[sidecar.interceptor]\ntrusted_uids=[4294967295]\n", "interceptor.trusted_uids[0] must be a user number");
    bad("[sidecar.interceptor]\ntrusted_uids=[1, -1]\n", "interceptor.trusted_uids[1]");
    for (size_t n = SC_UIDS_MAX; n <= SC_UIDS_MAX + 1; n++) {
        char text[512] = "[sidecar.interceptor]\ntrusted_uids=[1";
        for (size_t i = 1; i < n; i++)
            snprintf(text + strlen(text), sizeof text - strlen(text), ",1");
        snprintf(text + strlen(text), sizeof text - strlen(text), "]\n");
        if (n > SC_UIDS_MAX) {
            bad(text, "interceptor.trusted_uids must be an array of at most 64 numbers");
            continue;
        }
        good(text, &c);
        assert_int_equal(c.interceptor.n_trusted_uids, n);
        sc_config_done(&c);
    }
    bad("[sidecar.interceptor]\ntrusted_uids=1\n", "interceptor.trusted_uids must be an array");
    good("[sidecar.interceptor]\nmode=\"unix_socket\"\nsocket_path=\"relative.sock\"\n", &c);
    assert_string_equal(c.interceptor.socket_path, "relative.sock"); /* not re-based */
    sc_config_done(&c);
}

static void host_patterns_are_checked_and_made_canonical(void **state)
{
    (void)state;
    struct sc_config c;
    static const char *const wrong[] = { "", "api.*.com", "*.com", "*api.com", "*.", "**", "a b", "*.1.2.3.4", "*.*.com" };
    static const char *const lists[] = { "intercept_hosts", "bypass_hosts", "strict_hosts" };
    for (size_t l = 0; l < FB_COUNT(lists); l++)
        for (size_t i = 0; i < FB_COUNT(wrong); i++) {
            char text[160], part[64];
            snprintf(text, sizeof text, "[sidecar.interceptor.https_mitm]\n%s=[\"ok.example\", \"%s\"]\n", lists[l], wrong[i]);
            snprintf(part, sizeof part, "interceptor: interceptor.https_mitm.%s[1]", lists[l]);
            bad(text, part);
        }
    good("[sidecar.interceptor.https_mitm]\nintercept_hosts=[\"*\", \"*.A.Example\", \"B.example.\"]\n", &c);
    assert_string_equal(c.mitm.intercept_hosts.items[0], "*");
    assert_string_equal(c.mitm.intercept_hosts.items[1], "*.a.example");
    assert_string_equal(c.mitm.intercept_hosts.items[2], "b.example");
    assert_int_equal(c.mitm.strict_hosts.n, 3);
    sc_config_done(&c);
    good("[sidecar.interceptor.https_mitm]\nintercept_hosts=[]\ncert_ttl_secs=0\n", &c);
    assert_false(c.mitm.enabled);
    sc_config_done(&c);
    bad("[sidecar.interceptor.https_mitm]\ncert_ttl_secs=0\n", "interceptor.https_mitm.cert_ttl_secs must be > 0");
}

static void the_authority_section_fails_closed(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.authority]\nurl=\"http://[::1]:50051/\"\nconnect_addr=\"127.0.0.1:1\"\n", &c);
    sc_config_done(&c);
    good("[sidecar.authority]\nurl=\"http://auth.example:1\"\nallow_insecure_remote_authority=true\n", &c);
    sc_config_done(&c);
    good("[sidecar.authority]\nurl=\"https://auth.example\"\nca_cert_path=\"ca.pem\"\n"
         "[sidecar.authority.credentials]\nworkspace_id=\"w\"\nsidecar_id=\"s\"\npre_shared_key_path=\"k\"\n", &c);
    in_top(c.authority.ca_cert_path, "ca.pem");
    in_top(c.authority.pre_shared_key_path, "k");
    sc_config_done(&c);
    bad("[sidecar.authority]\nurl=\"https://auth.example\"\n", "authority.ca_cert_path must be set when authority.url uses https://");
    bad("[sidecar.authority]\nurl=\"http://auth.example\"\n", "authority.allow_insecure_remote_authority");
    bad("[sidecar.authority]\nurl=\"http://127.0.0.1.example\"\n", "authority.allow_insecure_remote_authority");
    bad("[sidecar.authority]\nurl=\"ftp://x\"\n", "must start with http:// or https://");
    bad("[sidecar.authority]\nurl=\"http://u@127.0.0.1\"\n", "authority.url");
    bad("[sidecar.authority]\nurl=\"http://127.0.0.1/path\"\n", "authority.url");
    bad("[sidecar.authority]\nurl=\"\"\n", "authority.url must not be empty");
    bad("[sidecar.policy]\nauthority_url=\"\"\n", "policy: policy.authority_url must not be empty when set");
    bad("[sidecar.authority]\nconnect_addr=\"127.0.0.1:1\"\n", "authority.connect_addr needs authority.url");
    bad("[sidecar.authority]\nurl=\"http://127.0.0.1\"\nconnect_addr=\"127.0.0.1:0\"\n", "authority.connect_addr");
    bad("[sidecar.authority]\nreconnect_min_backoff_ms=31000\n", "authority.reconnect_max_backoff_secs must be >=");
    bad("[sidecar.authority.credentials]\nworkspace_id=\"w\"\nsidecar_id=\"s\"\n", "exactly one of");
    bad("[sidecar.authority.credentials]\nworkspace_id=\"w\"\nsidecar_id=\"s\"\npre_shared_key_env=\"A\"\npre_shared_key_path=\"b\"\n",
        "exactly one of");
    bad("[sidecar.capability_seed]\npaths=[\"s.toml\"]\n",
        "authority: authority.public_key_path must be set when capability_seed.paths is non-empty");
    bad("[sidecar.capability_seed]\npaths=[\"a\", \"\"]\n", "capability_seed: capability_seed.paths[1] must not be empty");
}

static void credentials_are_prefixed_with_their_label(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.credentials.gh]\ntarget_host=\"API.GitHub.com\"\nheader=\"Authorization\"\nprefix=\"Bearer \"\nvalue_from_env=\"T\"\n"
         "[sidecar.credentials.\"any label\"]\nmode=\"vault\"\ntarget_host=\"a.example\"\nheader=\"x-key\"\nsecret_path=\"s\"\n", &c);
    assert_int_equal(c.n_credentials, 2);
    assert_string_equal(c.credentials[0].label, "gh");
    assert_string_equal(c.credentials[0].target_host, "api.github.com");
    assert_string_equal(c.credentials[0].prefix, "Bearer ");
    assert_true(c.credentials[1].vault);
    sc_config_done(&c);
#define GH "[sidecar.credentials.gh]\n"
    bad(GH "header=\"a\"\nvalue_from_env=\"T\"\n", "credentials.gh: target_host is required");
    bad(GH "target_host=\"\"\n", "credentials.gh: target_host must not be empty");
    bad(GH "target_host=\"*.a.b\"\nheader=\"a\"\n", "credentials.gh: target_host '*.a.b' must be one exact host");
    bad(GH "target_host=\"a.b\"\n", "credentials.gh: header is required");
    bad(GH "target_host=\"a.b\"\nheader=\"\"\n", "credentials.gh: header must not be empty");
    bad(GH "target_host=\"a.b\"\nheader=\"a: b\"\nvalue_from_env=\"T\"\n", "credentials.gh: header 'a: b' is invalid");
    bad(GH "target_host=\"a.b\"\nheader=\"a\"\n", "credentials.gh: value_from_env is required for basic mode");
    bad(GH "mode=\"vault\"\ntarget_host=\"a.b\"\nheader=\"a\"\n", "credentials.gh: secret_path is required for vault mode");
    bad(GH "target_host=\"a.b\"\nheader=\"a\"\nprefix=\"x\\r\\ny: z\"\nvalue_from_env=\"T\"\n", "prefix must not hold a line break");
    bad(GH "target_host=\"a.b\"\nheader=\"a\"\nprefix=\"x\"\ntransform=\"github_pat_basic\"\nvalue_from_env=\"T\"\n",
        "credentials.gh: prefix cannot be combined with transform");
    bad(GH "transform=\"other\"\ntarget_host=\"a.b\"\n", "credentials.gh: transform 'other' is invalid");
    bad("[sidecar.credentials]\ngh = 1\n", "key 'gh' must be a table");
}

static void connector_hosts_need_every_field_and_one_entry_each(void **state)
{
    (void)state;
    struct sc_config c;
#define HOST(name) "[[sidecar.connector.hosts]]\nhost=\"" name "\"\nrps=10\nburst=20\ntimeout_ms=500\n"
    good(HOST("a.example") HOST("b.example"), &c);
    assert_int_equal(c.n_connector_hosts, 2);
    assert_int_equal(c.connector_hosts[1].burst, 20);
    sc_config_done(&c);
    bad(HOST("a.example") HOST("A.example."), "connector: connector.hosts names 'a.example' twice");
    bad("[[sidecar.connector.hosts]]\nhost=\"a\"\nrps=1\nburst=1\n", "connector.hosts.timeout_ms is required");
    bad("[[sidecar.connector.hosts]]\nhost=\"a\"\nrps=0\nburst=1\ntimeout_ms=1\n", "connector.hosts.rps must be > 0");
    bad("[[sidecar.connector.hosts]]\nhost=\"\"\nrps=1\nburst=1\ntimeout_ms=1\n", "connector.hosts.host must not be empty");
    bad("[sidecar.connector]\nhosts=[1]\n", "connector.hosts must be an array of tables");
}

static void audit_sinks_need_their_keys(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.audit]\nsink=\"wal\"\nwal_path=\"w\"\ngrpc_url=\"http://x\"\ndurability=\"fsync\"\nsigning_key_env=\"K\"\n", &c);
    assert_int_equal(c.audit.durability, SC_DURABLE_FSYNC);
    assert_string_equal(c.audit.wal_path, "w");
    sc_config_done(&c);
    bad("[sidecar.audit]\nsink=\"file\"\n", "audit: file sink requires file_path in audit configuration");
    bad("[sidecar.audit]\nsink=\"grpc\"\n", "gRPC sink requires grpc_url in audit configuration");
    bad("[sidecar.audit]\nsink=\"wal\"\ngrpc_url=\"x\"\n", "WAL sink requires wal_path in audit configuration");
    bad("[sidecar.audit]\nsink=\"wal\"\nwal_path=\"x\"\n", "WAL sink requires grpc_url in audit configuration");
    bad("[sidecar.audit]\nsink=\"syslog\"\n", "audit.sink 'syslog' is invalid");
    bad("[sidecar.audit]\ndurability=\"none\"\n", "audit.durability 'none' is invalid; expected one of: batch, fsync");
    bad("[sidecar.audit]\nsigning_key_env=\"A\"\nsigning_key_path=\"b\"\n", "exclude each other");
}

static void the_resolver_takes_addresses_only(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar.resolver]\nservers=[\"9.9.9.9\", \"1.1.1.1:53\", \"2620:fe::fe\", \"[::1]:5353\"]\n"
         "hosts={ \"Demo.Test\" = \"127.0.0.1\", other=\"[::1]\" }\n", &c);
    assert_int_equal(c.resolver_servers.n, 4);
    assert_int_equal(c.n_resolver_hosts, 2);
    assert_string_equal(c.resolver_hosts[0].name, "demo.test");
    assert_string_equal(c.resolver_hosts[0].addr, "127.0.0.1");
    assert_string_equal(c.resolver_hosts[1].addr, "::1");
    sc_config_done(&c);
    bad("[sidecar.resolver]\nservers=[\"dns.example\"]\n", "resolver: resolver.servers[0] 'dns.example' must be an IP address");
    bad("[sidecar.resolver.hosts]\nx=\"y\"\n", "resolver.hosts.x must be an IP address");
    bad("[sidecar.resolver.hosts]\n\"1.2.3.4\"=\"1.2.3.4\"\n", "is not a host name");
    bad("[sidecar.resolver.hosts]\n\"a.b\"=\"1.2.3.4\"\n\"A.b.\"=\"1.2.3.4\"\n", "names 'a.b' twice");
    bad("[sidecar.resolver.hosts]\nx=1\n", "key 'x' must be a string");
}

static void the_other_sections_are_checked(void **state)
{
    (void)state;
    struct sc_config c;
    good("[sidecar]\nmode=\"monitor\"\n[sidecar.tenancy]\nmode=\"single_agent\"\n[sidecar.secret_gateway]\nmax_buffer_size=\"10MB\"\n"
         "[sidecar.local_exec]\nsocket_path=\"/run/x\"\ndefault_action=\"pending_hitl\"\n", &c);
    assert_int_equal(c.mode, SC_MONITOR);
    assert_true(c.secret_gateway && c.local_exec.present);
    assert_int_equal(c.local_exec.default_action, SC_EXEC_PENDING_HITL);
    assert_int_equal(c.local_exec.token_ttl_ms, 300000);
    sc_config_done(&c);
    bad("[sidecar]\nmode=\"off\"\n", "sidecar.mode 'off' is invalid; expected one of: enforce, monitor");
    bad("[sidecar.policy]\ndir=\"\"\n", "policy: policy.dir must not be empty");
    bad("[sidecar.ca]\ndir=\"\"\n", "ca: ca.dir must not be empty");
    bad("[sidecar.log]\nlevel=\"loud\"\n", "log.level 'loud' is invalid; expected one of: trace, debug, info, warn, error");
    bad("[sidecar.mapping]\nrules_path=\"\"\n", "mapping.rules_path must not be empty");
    bad("[sidecar.mapping]\nrules_path=\"a\\u0000b\"\n", "mapping.rules_path must not hold a NUL");
    bad("[sidecar.mapping]\nrules_paths=[1]\n", "must be a string");
    bad("[sidecar.mapping]\ndefault_protected=\"no\"\n", "must be true or false");
    bad("[sidecar.local_exec]\n", "local_exec.socket_path is required");
    bad("[sidecar.local_exec]\nsocket_path=\"x\"\n", "local_exec.socket_path must be absolute");
    bad("[sidecar.tenancy]\nmode=\"multi\"\n", "tenancy.mode 'multi' is invalid; expected one of: single_agent");
    bad("[sidecar.preflight]\nagent_id=\"a\"\n", "[preflight] is configured but policy.authority_url is not set");
    bad("[sidecar.constraint_enforcement]\nsession_state_backend=\"persistent\"\n", "session_state_path is required");
    bad("[sidecar.revocation]\nfpr=0\n", "revocation.fpr must be strictly between 0 and 1");
    bad("[sidecar.revocation]\nfpr=1.0\n", "revocation.fpr must be strictly between 0 and 1");
    bad("[sidecar.revocation]\nfpr=nan\n", "revocation.fpr must be strictly between 0 and 1");
    bad("[[sidecar.http_secret_providers]]\nhost=\"a\"\n", "http_secret_providers.provider_id is required");
    bad("[run]\n", "config file firma.toml has no section [sidecar]");
}

static void lists_are_read_at_the_limit_and_refused_past_it(void **state)
{
    (void)state;
    static char text[SC_CONFIG_LIST_MAX * 8 + 100];
    for (int extra = 0; extra < 2; extra++) {
        size_t n = (size_t)snprintf(text, sizeof text, "[sidecar.mapping]\nrules_paths=[");
        for (int i = 0; i < SC_CONFIG_LIST_MAX + extra; i++)
            n += (size_t)snprintf(text + n, sizeof text - n, "\"/x\",");
        snprintf(text + n, sizeof text - n, "]\n");
        struct sc_config c;
        if (extra == 0) {
            good(text, &c);
            assert_int_equal(c.rules.n, SC_CONFIG_LIST_MAX);
            sc_config_done(&c);
        } else {
            struct fc_config file;
            assert_int_equal(fb_fs_write_atomic("firma.toml", 0600, text, strlen(text), NULL), 0);
            assert_int_equal(fc_config_load("firma.toml", &file, &err), 0);
            assert_int_equal(sc_config_load(&file, &c, &err), FB_E_CONFIG_VALIDATION);
            assert_non_null(strstr(err.msg, "mapping.rules_paths must hold at most 1024 items"));
            fc_config_done(&file);
        }
    }
}

int main(void)
{
#define IN_DIR(f) cmocka_unit_test_setup_teardown(f, enter, leave)
    const struct CMUnitTest tests[] = {
        IN_DIR(an_empty_section_gives_every_default),
        IN_DIR(the_worked_example_is_read),
        IN_DIR(the_scaffolded_file_is_read),
        IN_DIR(naming_only_a_list_of_rule_files_leaves_the_default_one_out),
        IN_DIR(both_spellings_are_read_but_never_both_at_once),
        IN_DIR(unknown_keys_are_refused_at_every_depth_with_a_suggestion),
        IN_DIR(numbers_are_read_at_their_limits_and_refused_past_them),
        IN_DIR(the_interceptor_says_what_is_wrong),
        IN_DIR(host_patterns_are_checked_and_made_canonical),
        IN_DIR(the_authority_section_fails_closed),
        IN_DIR(credentials_are_prefixed_with_their_label),
        IN_DIR(connector_hosts_need_every_field_and_one_entry_each),
        IN_DIR(audit_sinks_need_their_keys),
        IN_DIR(the_resolver_takes_addresses_only),
        IN_DIR(the_other_sections_are_checked),
        IN_DIR(lists_are_read_at_the_limit_and_refused_past_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
