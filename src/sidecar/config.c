/* The whole section [sidecar]: order of reading, and the small sections. */
#include "sidecar/config.h"

#include "core/limits.h"
#include "sidecar/config_read.h"

#include <string.h>

enum { ARENA_MAX_BYTES = 16 << 20 };

static void read_policy_and_ca(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const policy_keys[] = { "dir", "authority_url", NULL };
    static const char *const ca_keys[] = { "dir", NULL };
    r->section = "policy";
    struct fb_str dir = fb_arena_fmt(r->arena, "%s/policies/", r->dir);
    c->policy_dir = sc_read_copy(r, dir.p == NULL ? FB_STR("") : dir);
    const struct fb_toml *t = sc_read_table(r, root, "policy", "policy", policy_keys);
    sc_read_str(r, t, "dir", SC_READ_REBASE, &c->policy_dir);
    r->section = "ca";
    c->ca_dir = "./firma-ca/";
    t = sc_read_table(r, root, "ca", "ca", ca_keys);
    sc_read_str(r, t, "dir", 0, &c->ca_dir);
}

static void read_log(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "level", NULL };
    static const char *const levels[] = { "trace", "debug", "info", "warn", "error" };
    const char *text = NULL;
    r->section = "log";
    const struct fb_toml *t = sc_read_table(r, root, "log", "log", keys);
    sc_read_str(r, t, "level", SC_READ_EMPTY_OK, &text);
    if (text == NULL)
        return;
    for (size_t i = 0; i < FB_COUNT(levels); i++)
        if (fb_str_eq_nocase(fb_str_of(text), fb_str_of(levels[i])))
            c->log_level = levels[i];
    if (c->log_level == NULL)
        sc_read_fail(r, fb_toml_get(t, "level"),
                     "log.level '%.64s' is invalid; expected one of: trace, debug, info, warn, error", text);
}

static void read_mapping(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "rules_path", "rules_paths", "default_protected", NULL };
    struct sc_strings more = { NULL, 0 };
    const char *first = NULL;
    c->default_protected = true;
    r->section = "mapping";
    const struct fb_toml *t = sc_read_table(r, root, "mapping", "mapping", keys);
    sc_read_str(r, t, "rules_path", SC_READ_REBASE, &first);
    sc_read_list(r, t, "rules_paths", SC_READ_REBASE, &more);
    sc_read_bool(r, t, "default_protected", &c->default_protected);
    /* The default file is meant for those who name none. */
    if (first == NULL && more.n == 0) {
        struct fb_str path = fb_arena_fmt(r->arena, "%s/mapping-rules.toml", r->dir);
        first = sc_read_copy(r, path.p == NULL ? FB_STR("") : path);
    }
    const char **items = sc_read_room(r, more.n + 1, sizeof *items);
    if (items == NULL)
        return;
    size_t n = 0;
    if (first != NULL)
        items[n++] = first;
    for (size_t i = 0; i < more.n; i++)
        items[n++] = more.items[i];
    c->rules = (struct sc_strings){ items, n };
}

static void read_enforcement(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const validation_keys[] = { "clock_skew_tolerance_seconds", NULL };
    static const char *const keys[] = { "bundle_ttl_seconds", "enforcement_timeout_ms", "session_state_capacity",
                                        "session_state_backend", "session_state_path", NULL };
    static const char *const backends[] = { "lru", "persistent", NULL };
    c->bundle_ttl_s = 30;
    c->enforcement_timeout_ms = 50;
    c->session_state_capacity = 8192;
    r->section = "capability_validation";
    const struct fb_toml *t = sc_read_table(r, root, "capability_validation", "capability_validation", validation_keys);
    sc_read_u64(r, t, "clock_skew_tolerance_seconds", 0, SC_CONFIG_SECONDS_MAX, &c->clock_skew_s);

    r->section = "constraint_enforcement";
    t = sc_read_table(r, root, "constraint_enforcement", "constraint_enforcement", keys);
    sc_read_u64(r, t, "bundle_ttl_seconds", 1, SC_CONFIG_SECONDS_MAX, &c->bundle_ttl_s);
    sc_read_ms(r, t, "enforcement_timeout_ms", 1, NULL, 1, &c->enforcement_timeout_ms);
    sc_read_u64(r, t, "session_state_capacity", 1, UINT32_MAX, &c->session_state_capacity);
    bool persistent = sc_read_choice(r, t, "session_state_backend", backends, 0) == 1;
    sc_read_str(r, t, "session_state_path", 0, &c->session_state_path);
    if (r->code == 0 && persistent && c->session_state_path == NULL)
        sc_read_fail(r, t, "constraint_enforcement.session_state_path is required when session_state_backend is persistent");
    if (!persistent)
        c->session_state_path = NULL;
}

static void read_revocation(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "capacity", "fpr", "lru_capacity", NULL };
    c->revocation_capacity = 1000000;
    c->revocation_fpr = 0.0001;
    c->revocation_lru_capacity = 100000;
    r->section = "revocation";
    const struct fb_toml *t = sc_read_table(r, root, "revocation", "revocation", keys);
    sc_read_u64(r, t, "capacity", 1, 100000000, &c->revocation_capacity);
    sc_read_u64(r, t, "lru_capacity", 1, 100000000, &c->revocation_lru_capacity);
    const struct fb_toml *fpr = r->code != 0 || t == NULL ? NULL : fb_toml_get(t, "fpr");
    if (fpr != NULL)
        r->code = fb_toml_want_f64(r->doc, fpr, &c->revocation_fpr, r->err);
    /* Written so that a NaN fails too. */
    if (r->code == 0 && fpr != NULL && !(c->revocation_fpr > 0 && c->revocation_fpr < 1))
        sc_read_fail(r, fpr, "revocation.fpr must be strictly between 0 and 1");
}

static void check_sink(struct sc_reader *r, const struct fb_toml *t, const struct sc_config_audit *a)
{
    if (a->sink == SC_AUDIT_FILE && a->file_path == NULL)
        sc_read_fail(r, t, "file sink requires file_path in audit configuration");
    else if (a->sink == SC_AUDIT_GRPC && a->grpc_url == NULL)
        sc_read_fail(r, t, "gRPC sink requires grpc_url in audit configuration");
    else if (a->sink == SC_AUDIT_WAL && a->wal_path == NULL)
        sc_read_fail(r, t, "WAL sink requires wal_path in audit configuration");
    else if (a->sink == SC_AUDIT_WAL && a->grpc_url == NULL)
        sc_read_fail(r, t, "WAL sink requires grpc_url in audit configuration");
    else if (a->signing_key_path != NULL && a->signing_key_env != NULL)
        sc_read_fail(r, t, "audit.signing_key_path and audit.signing_key_env exclude each other; keep one");
}

static void read_audit(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "sink", "file_path", "grpc_url", "wal_path", "wal_max_bytes",
                                        "signing_key_path", "signing_key_env", "durability", NULL };
    static const char *const sinks[] = { "stdout", "file", "grpc", "wal", NULL };
    static const char *const durabilities[] = { "batch", "fsync", NULL };
    struct sc_config_audit *a = &c->audit;
    a->wal_max_bytes = 104857600;
    r->section = "audit";
    const struct fb_toml *t = sc_read_table(r, root, "audit", "audit", keys);
    if (t == NULL)
        return;
    a->sink = (enum sc_audit_sink)sc_read_choice(r, t, "sink", sinks, SC_AUDIT_STDOUT);
    a->durability = (enum sc_audit_durability)sc_read_choice(r, t, "durability", durabilities, SC_DURABLE_BATCH);
    sc_read_str(r, t, "file_path", SC_READ_REBASE, &a->file_path);
    sc_read_str(r, t, "grpc_url", 0, &a->grpc_url);
    sc_read_str(r, t, "wal_path", 0, &a->wal_path);
    sc_read_size(r, t, "wal_max_bytes", NULL, &a->wal_max_bytes);
    sc_read_str(r, t, "signing_key_path", SC_READ_REBASE, &a->signing_key_path);
    sc_read_str(r, t, "signing_key_env", 0, &a->signing_key_env);
    check_sink(r, t, a);
}

static void read_seeds(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "paths", "hot_reload", NULL };
    c->seeds_hot_reload = true;
    r->section = "capability_seed";
    const struct fb_toml *t = sc_read_table(r, root, "capability_seed", "capability_seed", keys);
    sc_read_list(r, t, "paths", SC_READ_REBASE, &c->seeds);
    sc_read_bool(r, t, "hot_reload", &c->seeds_hot_reload);
    if (r->code == 0 && c->seeds.n > 0 && c->authority.public_key_path == NULL) {
        r->section = "authority";
        sc_read_fail(r, t, "authority.public_key_path must be set when capability_seed.paths is non-empty");
    }
}

static void read_limits(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "head_bytes", "head_fields", "clients", "clients_per_peer", "head_timeout_ms",
                                        "idle_timeout_ms", "body_gap_ms", "response_buffer_bytes", NULL };
    struct sc_config_limits *l = &c->limits;
    l->head_bytes = FC_LIMIT_HEAD_BYTES;
    l->head_fields = FC_LIMIT_HEAD_FIELDS;
    l->clients = FC_LIMIT_CLIENTS;
    l->clients_per_peer = FC_LIMIT_CLIENTS_PER_PEER;
    l->head_timeout_ms = FC_LIMIT_HEAD_MS;
    l->idle_timeout_ms = FC_LIMIT_IDLE_MS;
    l->body_gap_ms = FC_LIMIT_BODY_GAP_MS;
    l->response_buffer_bytes = 64 << 20;
    r->section = "limits";
    const struct fb_toml *t = sc_read_table(r, root, "limits", "limits", keys);
    sc_read_u64(r, t, "head_bytes", 1024, FC_LIMIT_HEAD_BYTES, &l->head_bytes);
    sc_read_u64(r, t, "head_fields", 1, FC_LIMIT_HEAD_FIELDS, &l->head_fields);
    sc_read_u64(r, t, "clients", 1, 65536, &l->clients);
    sc_read_u64(r, t, "clients_per_peer", 1, 65536, &l->clients_per_peer);
    sc_read_u64(r, t, "head_timeout_ms", 1, 3600000, &l->head_timeout_ms);
    sc_read_u64(r, t, "idle_timeout_ms", 1, 3600000, &l->idle_timeout_ms);
    sc_read_u64(r, t, "body_gap_ms", 1, 3600000, &l->body_gap_ms);
    sc_read_size(r, t, "response_buffer_bytes", NULL, &l->response_buffer_bytes);
}

static void read_all(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = {
        "mode", "interceptor", "policy", "ca", "log", "credentials", "mapping", "capability_validation",
        "constraint_enforcement", "connector", "authority", "revocation", "audit", "capability_seed", "local_exec",
        "preflight", "tenancy", "http_secret_providers", "secret_gateway", "resolver", "limits", NULL,
    };
    static const char *const modes[] = { "enforce", "monitor", NULL };
    r->section = "sidecar";
    r->where = "sidecar";
    r->code = fb_toml_only_keys(r->doc, root, "sidecar", keys, r->err);
    c->mode = (enum sc_config_mode)sc_read_choice(r, root, "mode", modes, SC_ENFORCE);
    sc_config_read_interceptor(r, root, c);
    read_policy_and_ca(r, root, c);
    sc_config_read_mitm(r, root, c);
    read_log(r, root, c);
    sc_config_read_credentials(r, root, c);
    read_mapping(r, root, c);
    read_enforcement(r, root, c);
    sc_config_read_connector(r, root, c);
    sc_config_read_authority(r, root, c);
    read_revocation(r, root, c);
    read_audit(r, root, c);
    read_seeds(r, root, c);
    sc_config_read_local_exec(r, root, c);
    sc_config_read_preflight(r, root, c);
    sc_config_read_resolver(r, root, c);
    read_limits(r, root, c);
    sc_config_read_tolerated(r, root, c);
}

int sc_config_load(const struct fc_config *file, struct sc_config *ret, struct fb_err *err)
{
    const struct fb_toml *root = NULL;
    *ret = (struct sc_config){ 0 };
    int code = fc_config_section(file, "sidecar", &root, err);
    if (code != 0)
        return code;
    fb_arena_init(&ret->arena, ARENA_MAX_BYTES);
    struct sc_reader r = { .doc = file->doc, .dir = file->dir, .arena = &ret->arena, .err = err, .section = "sidecar",
                           .where = "sidecar" };
    ret->path = sc_read_copy(&r, fb_str_of(file->path));
    ret->dir = sc_read_copy(&r, fb_str_of(file->dir));
    if (r.code == 0)
        read_all(&r, root, ret);
    if (r.code != 0)
        sc_config_done(ret);
    return r.code;
}

void sc_config_done(struct sc_config *c)
{
    if (c == NULL)
        return;
    fb_arena_done(&c->arena);
    *c = (struct sc_config){ 0 };
}
