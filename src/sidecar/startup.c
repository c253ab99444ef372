/* One function a start-up line. */
#include "sidecar/startup.h"

#include "audit/log.h"
#include "base/fs.h"
#include "base/log.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "enforce/mapping.h"
#include "sidecar/authlink.h"
#include "sidecar/health.h"
#include "sidecar/listener.h"
#include "sidecar/policydir.h"
#include "sidecar/resolver.h"
#include "sidecar/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    RULES_FILE_MAX_BYTES = 4 << 20,
    KEY_FILE_MAX_BYTES = 16 << 10,
    AUDIT_CLOSE_MS = 5000,
    SPARE_FDS = 24,
    /* A run's own Authority sends what is revoked right behind the stream's header; waiting half a second for what is
     * already here would be most of the start-up time. */
    PER_RUN_GRACE_MS = 5,
    GRACE_DEFAULT_MS = 500,
};

static int not_built(struct fb_err *err, const char *key, const char *value)
{
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s = \"%s\" is not supported by this version", key, value);
}

/* --- line 1: configuration --- */

/* What would be read and then change nothing must not look as if it protected somebody. */
static int check_built(const struct sc_config *c, struct fb_err *err)
{
    char label[128];
    snprintf(label, sizeof label, "sidecar.credentials.%.100s", c->n_credentials > 0 ? c->credentials[0].label : "");
    const struct {
        bool asked;
        const char *name;
    } parts[] = {
        { c->n_credentials > 0, label },
        { c->http_secret_providers, "sidecar.http_secret_providers" },
        { c->secret_gateway, "sidecar.secret_gateway" },
        { c->n_connector_hosts > 0, "sidecar.connector.hosts" },
        { c->local_exec.present, "sidecar.local_exec" },
        { c->session_state_path != NULL, "sidecar.constraint_enforcement.session_state_backend = \"persistent\"" },
        { c->preflight.present, "sidecar.preflight" },
    };
    for (size_t i = 0; i < FB_COUNT(parts); i++)
        if (parts[i].asked)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s is not supported by this version", parts[i].name);
    if (c->mitm.enabled) /* what `firma init` writes: tunnels are still decided by name, and nobody is let through by it */
        FB_LOG(FB_LOG_WARN, "https_mitm is enabled, but this version opens no tunnel: it decides them by host alone");
    return 0;
}

static int check_supported(const struct sc_config *c, const struct sc_overrides *over, struct fb_err *err)
{
    if (c->mode == SC_MONITOR)
        return not_built(err, "sidecar.mode", "monitor");
    if (c->interceptor.mode == SC_GRPC)
        return not_built(err, "sidecar.interceptor.mode", "grpc");
    if (c->audit.sink == SC_AUDIT_GRPC || c->audit.sink == SC_AUDIT_WAL)
        return not_built(err, "sidecar.audit.sink", c->audit.sink == SC_AUDIT_GRPC ? "grpc" : "wal");
    int r = check_built(c, err);
    if (r < 0)
        return r;
    if (c->authority.url != NULL && !rp_url_is_loopback(c->authority.url) && !c->authority.allow_insecure_remote)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "authority.url '%s' is plain http to another host: set authority.allow_insecure_remote_authority "
                          "to use it all the same",
                          c->authority.url);
    if (c->authority.public_key_path == NULL && (c->seeds.n > 0 || over->capability != NULL))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "authority.public_key_path must be set when capability_seed.paths is non-empty");
    return 0;
}

static int load_config(struct sc_app *app, const char *path, const struct sc_overrides *over, struct fb_err *err)
{
    int r = fc_config_discover(path, "FIRMA_SIDECAR_CONFIG_FILE", &app->file, err);
    if (r < 0)
        return r;
    if (app->file.doc == NULL) {
        (void)fb_err_set(err, FB_E_CONFIG_VALIDATION, "no configuration file found");
        fb_err_remedy(err, "name one with `firma sidecar -c FILE`");
        return FB_E_CONFIG_VALIDATION;
    }
    r = sc_config_load(&app->file, &app->config, err);
    if (r == 0)
        r = check_supported(&app->config, over, err);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "config loaded", FB_KZ("path", app->config.path));
    return r;
}

/* --- the engine and line 2: rules --- */

static int make_engine(struct sc_app *app, struct fb_err *err)
{
    const struct sc_config *c = &app->config;
    const struct fe_engine_options o = {
        .default_unprotected = !c->default_protected,
        .dev_ready = c->authority.url == NULL,
        .clock_skew_s = c->clock_skew_s,
        .session_capacity = (size_t)c->session_state_capacity,
        .revocation_capacity = (size_t)c->revocation_capacity,
        .timeout_ms = (unsigned)c->enforcement_timeout_ms,
    };
    int r = fe_engine_new(&o, &app->server.engine, err);
    if (r < 0)
        return r;
    app->server.scratch = fe_scratch_new(app->server.engine);
    return app->server.scratch == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
}

static int load_rules(struct sc_app *app, struct fb_err *err)
{
    const struct sc_strings *paths = &app->config.rules;
    struct fb_buf *texts = calloc(paths->n + 1, sizeof *texts);
    struct fe_mapping_file *files = calloc(paths->n + 1, sizeof *files);
    struct fe_mapping *mapping = NULL;
    int r = texts == NULL || files == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
    for (size_t i = 0; r == 0 && i < paths->n; i++) {
        fb_buf_init(&texts[i], RULES_FILE_MAX_BYTES);
        r = fb_fs_read(paths->items[i], FB_FS_OWNED, &texts[i], err);
        if (r < 0)
            (void)fb_err_wrap(err, "mapping rules");
        files[i] = (struct fe_mapping_file){ paths->items[i], fb_buf_str(&texts[i]) };
    }
    if (r == 0)
        r = fe_mapping_load(files, paths->n, &mapping, err);
    if (r == 0) {
        size_t n = fe_mapping_count(mapping);
        fe_engine_set_mapping(app->server.engine, mapping);
        FB_LOG(FB_LOG_INFO, "mapping table loaded", FB_KU("rules", n));
    }
    for (size_t i = 0; texts != NULL && i < paths->n; i++)
        fb_buf_done(&texts[i]);
    free(texts);
    free(files);
    return r;
}

/* --- line 3: the policy directory; seeds --- */

static int hash_policies(struct sc_app *app, struct fb_err *err)
{
    char version[SC_POLICYDIR_VERSION_CHARS + 1];
    size_t n = 0;
    int r = sc_policydir_version(app->config.policy_dir, version, &n, err);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "policy bundle loaded", FB_KZ("version", version), FB_KU("policies", n));
    return r;
}

static int load_seeds(struct sc_app *app, const struct sc_overrides *over, struct fb_err *err)
{
    const struct sc_config *c = &app->config;
    struct tk_public_key key = { { 0 } };
    const char **paths = calloc(c->seeds.n + 1, sizeof *paths);
    if (paths == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    size_t n = 0;
    bool named = false;
    for (; n < c->seeds.n; n++) {
        paths[n] = c->seeds.items[n];
        named = named || (over->capability != NULL && strcmp(paths[n], over->capability) == 0);
    }
    if (over->capability != NULL && over->capability[0] != '\0' && !named)
        paths[n++] = over->capability;
    int r = 0;
    if (c->authority.public_key_path != NULL && n > 0)
        r = tk_keyfile_read_public(c->authority.public_key_path, &key, err);
    const struct sc_seeds_options o = {
        .paths = paths,
        .n_paths = n,
        .key = &key,
        .leeway_ns = (int64_t)c->clock_skew_s * 1000000000,
        .session_id = fb_str_of(over->session_id),
        .watch = c->seeds_hot_reload && !over->seeds_told,
    };
    size_t loaded = 0;
    if (r == 0)
        r = sc_seeds_new(app->loop, app->server.engine, &o, &loaded, &app->seeds, err);
    free(paths);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "seeded capability map", FB_KU("count", loaded));
    return r;
}

/* --- audit --- */

static void on_notice(void *arg, bool warn, const char *text)
{
    (void)arg;
    FB_LOG(warn ? FB_LOG_ERROR : FB_LOG_INFO, "audit log", FB_KZ("notice", text));
}

static int read_signing_key(const struct sc_config_audit *a, struct fb_buf *pem, struct fb_err *err)
{
    if (a->signing_key_path != NULL) {
        int r = fb_fs_read(a->signing_key_path, FB_FS_PRIVATE, pem, err);
        return r < 0 ? fb_err_wrap(err, "failed to read signing key from %s", a->signing_key_path) : 0;
    }
    if (a->signing_key_env != NULL) {
        const char *value = getenv(a->signing_key_env);
        if (value == NULL)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "failed to read signing key from env var %s: it is not set",
                              a->signing_key_env);
        return fb_buf_addz(pem, value);
    }
    return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                      "audit signing key not configured: set signing_key_path or signing_key_env");
}

static int open_audit(struct sc_app *app, const struct sc_overrides *over, struct fb_err *err)
{
    const struct sc_config_audit *a = &app->config.audit;
    struct fb_buf pem;
    fb_buf_init_secret(&pem, KEY_FILE_MAX_BYTES);
    const char *sandbox = over->sandbox_id != NULL ? over->sandbox_id : getenv("FIRMA_RUN_SANDBOX_ID");
    int r = read_signing_key(a, &pem, err);
    if (r == 0) {
        const struct fa_log_options o = {
            .sink = a->sink == SC_AUDIT_STDOUT ? FA_LOG_STDOUT : FA_LOG_FILE,
            .path = a->file_path,
            .key_pem = fb_buf_str(&pem),
            .durability = a->durability == SC_DURABLE_FSYNC ? FA_LOG_FSYNC : FA_LOG_BATCH,
            .sandbox_id = fb_str_of(sandbox),
            .wake = sc_server_wake_audit,
            .wake_arg = &app->server,
            .notice = on_notice,
            .notice_arg = app,
        };
        r = fa_log_open(&o, &app->server.audit, err);
        if (r < 0)
            (void)fb_err_wrap(err, "failed to initialize audit event builder");
    }
    fb_buf_done(&pem);
    return r;
}

/* --- line 4: the Authority --- */

static void say_ready(struct sc_app *app)
{
    app->ready = true;
    FB_LOG(FB_LOG_INFO, "sidecar ready");
    if (app->on_ready != NULL)
        app->on_ready(app);
}

static void on_hydrated(void *arg)
{
    struct sc_app *app = arg;
    if (app->listener != NULL)
        say_ready(app);
}

static int start_authlink(struct sc_app *app, const struct sc_overrides *over, struct fb_err *err)
{
    const struct sc_config_authority *a = &app->config.authority;
    if (a->url == NULL) {
        FB_LOG(FB_LOG_INFO, "authority stream connected", FB_KZ("endpoint", "(disabled)"));
        return 0;
    }
    uint64_t grace = a->revocation_readiness_grace_ms;
    if (over->per_run && grace == GRACE_DEFAULT_MS && rp_url_is_loopback(a->url))
        grace = PER_RUN_GRACE_MS;
    const struct sc_authlink_options o = {
        .url = a->url,
        .connect_timeout_ms = (int64_t)a->connect_timeout_ms,
        .backoff_min_ms = (int64_t)a->reconnect_min_backoff_ms,
        .backoff_max_ms = (int64_t)a->reconnect_max_backoff_ms,
        .grace_ms = grace,
        .closed_on_disconnect = a->revocation_fail_closed_on_disconnect,
    };
    int r = sc_authlink_new(&app->server, &o, on_hydrated, app, &app->authlink, err);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "authority stream connected", FB_KZ("endpoint", a->url));
    return r;
}

/* --- lines 5 and 6: resolver, server, doors --- */

static int make_resolver(struct sc_app *app, struct fb_err *err)
{
    const struct sc_config *c = &app->config;
    struct sc_host_row *rows = calloc(c->n_resolver_hosts + 1, sizeof *rows);
    struct fb_buf servers;
    fb_buf_init(&servers, 4096);
    if (rows == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < c->n_resolver_hosts; i++)
        rows[i] = (struct sc_host_row){ c->resolver_hosts[i].name, c->resolver_hosts[i].addr };
    for (size_t i = 0; i < c->resolver_servers.n; i++) {
        (void)fb_buf_addz(&servers, i > 0 ? "," : "");
        (void)fb_buf_addz(&servers, c->resolver_servers.items[i]);
    }
    int r = fb_buf_failed(&servers) ? fb_err_set(err, FB_E_LIMIT, "resolver.servers is too long")
                                    : sc_resolver_new(app->loop, rows, c->n_resolver_hosts,
                                                      servers.n > 0 ? servers.p : NULL, &app->server.resolver, err);
    fb_buf_done(&servers);
    free(rows);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "connector registry built", FB_KU("hosts", c->n_connector_hosts),
               FB_KU("default_timeout_ms", c->connector_timeout_ms));
    return r;
}

static void read_limits(const struct sc_config *c, struct sc_limits *l)
{
    sc_limits_default(l);
    l->head_bytes = (size_t)c->limits.head_bytes;
    l->fields = (size_t)c->limits.head_fields;
    l->body_bytes = (size_t)c->interceptor.max_request_body_bytes;
    l->bodies_bytes = (size_t)c->interceptor.total_body_budget_bytes;
    l->clients = (unsigned)c->limits.clients;
    l->clients_per_peer = (unsigned)c->limits.clients_per_peer;
    l->head_ms = c->limits.head_timeout_ms;
    l->idle_ms = c->limits.idle_timeout_ms;
    l->body_gap_ms = c->limits.body_gap_ms;
    l->dispatch_ms = c->connector_timeout_ms;
    l->tunnel_setup_ms = c->interceptor.setup_timeout_ms;
    l->tunnel_life_ms = c->interceptor.session_max_ms;
    l->drain_ms = c->interceptor.drain_timeout_ms;
    /* A client needs a descriptor for its upstream too: accepting more than that would starve those already in. */
    struct rlimit n;
    if (getrlimit(RLIMIT_NOFILE, &n) == 0) {
        n.rlim_cur = n.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &n);
        rlim_t room = n.rlim_cur > SPARE_FDS + 2 ? (n.rlim_cur - SPARE_FDS) / 2 : 1;
        if (room < l->clients)
            l->clients = (unsigned)room;
    }
}

static void set_ident(struct sc_server *s, const struct sc_overrides *over)
{
    if (over->session_id == NULL)
        return;
    s->ident_fixed = true;
    snprintf(s->ident.session_id, sizeof s->ident.session_id, "%s", over->session_id);
    snprintf(s->ident.sandbox_id, sizeof s->ident.sandbox_id, "%s", over->sandbox_id == NULL ? "" : over->sandbox_id);
    snprintf(s->ident.agent_id, sizeof s->ident.agent_id, "%s", over->agent_id == NULL ? "" : over->agent_id);
}

static int make_server(struct sc_app *app, const struct sc_overrides *over, struct fb_err *err)
{
    struct sc_limits limits;
    read_limits(&app->config, &limits);
    int r = sc_server_init(&app->server, app->loop, &limits, err);
    if (r < 0)
        return r;
    app->server_made = true;
    const struct sc_config_interceptor *i = &app->config.interceptor;
    if (i->n_trusted_uids > SC_UIDS_MAX) /* whoever loaded this configuration has refused it */
        return fb_err_set(err, FB_E_INTERNAL, "more than %d trusted uids", (int)SC_UIDS_MAX);
    for (size_t k = 0; k < i->n_trusted_uids; k++)
        app->server.trusted_uids[app->server.n_trusted_uids++] = i->trusted_uids[k];
    set_ident(&app->server, over);
    return 0;
}

static int open_doors(struct sc_app *app, const struct sc_overrides *over, struct fb_err *err)
{
    const struct sc_config_interceptor *i = &app->config.interceptor;
    const char *path = over->socket_path != NULL ? over->socket_path
                       : i->mode == SC_UNIX_SOCKET ? i->socket_path
                                                   : NULL;
    const char *health = over->health_addr == NULL ? "127.0.0.1:9000" : over->health_addr;
    int r = 0;
    if (strcmp(health, "off") != 0) /* before line 6: who has read that may ask at once */
        r = sc_health_new(&app->server, health, &app->health, err);
    if (r == 0)
        r = path != NULL ? sc_listener_unix(&app->server, path, &app->listener, err)
                         : sc_listener_tcp(&app->server, i->listen_addr, &app->listener, err);
    if (r == 0 && over->announce_path != NULL)
        sc_listener_announce(app->listener, over->announce_path);
    if (r == 0)
        FB_LOG(FB_LOG_INFO, "interceptor listening", FB_KZ("addr", sc_listener_addr(app->listener)));
    return r;
}

int sc_startup(struct sc_app *app, const char *config_path, const struct sc_overrides *over, struct fb_err *err)
{
    int r = fb_loop_new(&app->loop, err);
    if (r == 0)
        r = load_config(app, config_path, over, err);
    if (r == 0)
        r = make_server(app, over, err);
    if (r == 0)
        r = make_engine(app, err);
    if (r == 0)
        r = load_rules(app, err);
    if (r == 0)
        r = hash_policies(app, err);
    if (r == 0)
        r = load_seeds(app, over, err);
    if (r == 0)
        r = start_authlink(app, over, err);
    if (r == 0)
        r = make_resolver(app, err);
    if (r == 0)
        r = open_audit(app, over, err);
    if (r == 0)
        r = open_doors(app, over, err);
    if (r == 0 && fe_engine_is_ready(app->server.engine))
        say_ready(app);
    return r;
}

int sc_startup_done(struct sc_app *app, struct fb_err *err)
{
    sc_health_free(app->health);
    sc_authlink_free(app->authlink);
    sc_seeds_free(app->seeds);
    if (app->server_made) {
        sc_listener_close_all(&app->server);
        sc_server_cut(&app->server);
    }
    int r = fa_log_close(app->server.audit, AUDIT_CLOSE_MS, err);
    app->server.audit = NULL;
    if (app->server_made)
        sc_server_done(&app->server);
    sc_resolver_free(app->server.resolver);
    fe_scratch_free(app->server.scratch);
    fe_engine_free(app->server.engine);
    sc_config_done(&app->config);
    fc_config_done(&app->file);
    fb_loop_free(app->loop);
    return r;
}
