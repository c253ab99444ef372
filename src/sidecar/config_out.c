/* Config sections about what is injected, dispatched and executed, and those read only to be checked. */
#include "sidecar/config_read.h"

#include "net/url.h"

#include <string.h>

/* The exact host, canonical. */
static void read_host(struct sc_reader *r, const struct fb_toml *t, const char *key, const char **ret)
{
    struct fn_host host;
    const char *text = NULL;
    sc_read_str(r, t, key, 0, &text);
    if (r->code == 0 && text == NULL)
        sc_read_fail(r, t, "%s%s%s is required", r->where, r->where[0] == '\0' ? "" : ".", key);
    if (r->code != 0)
        return;
    if (fn_url_host(fb_str_of(text), &host, NULL) != 0) {
        sc_read_fail(r, fb_toml_get(t, key), "%s%s%s '%.64s' must be one exact host", r->where,
                     r->where[0] == '\0' ? "" : ".", key, text);
        return;
    }
    *ret = sc_read_copy(r, fn_host_str(&host));
}

static bool is_field_name(const char *text)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (const char *p = text; *p != '\0'; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              strchr(others, *p) != NULL))
            return false;
    return text[0] != '\0';
}

static void check_credential(struct sc_reader *r, const struct fb_toml *t, const struct sc_credential *k)
{
    if (r->code != 0)
        return;
    if (k->header == NULL)
        sc_read_fail(r, t, "header is required");
    else if (!is_field_name(k->header))
        sc_read_fail(r, t, "header '%.64s' is invalid", k->header);
    else if (k->prefix != NULL && strpbrk(k->prefix, "\r\n") != NULL)
        sc_read_fail(r, t, "prefix must not hold a line break");
    else if (k->prefix != NULL && k->github_pat_basic)
        sc_read_fail(r, t, "prefix cannot be combined with transform");
    else if (!k->vault && k->value_from_env == NULL)
        sc_read_fail(r, t, "value_from_env is required for basic mode");
    else if (k->vault && k->secret_path == NULL)
        sc_read_fail(r, t, "secret_path is required for vault mode");
}

static void read_credential(struct sc_reader *r, const struct fb_toml *t, struct sc_credential *k)
{
    static const char *const keys[] = { "mode", "target_host", "header", "prefix", "transform", "value_from_env",
                                        "secret_path", NULL };
    static const char *const modes[] = { "basic", "vault", NULL };
    static const char *const transforms[] = { "github_pat_basic", NULL };
    k->label = sc_read_copy(r, t->key);
    struct fb_str name = fb_arena_fmt(r->arena, "sidecar.credentials.%s", k->label == NULL ? "" : k->label);
    if (k->label == NULL || name.p == NULL)
        return;
    r->section = name.p + sizeof("sidecar.") - 1;
    r->where = "";
    r->code = fb_toml_want_table(r->doc, t, r->err);
    if (r->code == 0)
        r->code = fb_toml_only_keys(r->doc, t, name.p, keys, r->err);
    k->vault = sc_read_choice(r, t, "mode", modes, 0) == 1;
    read_host(r, t, "target_host", &k->target_host);
    sc_read_str(r, t, "header", 0, &k->header);
    sc_read_str(r, t, "prefix", SC_READ_EMPTY_OK, &k->prefix);
    k->github_pat_basic = sc_read_choice(r, t, "transform", transforms, -1) == 0;
    sc_read_str(r, t, "value_from_env", 0, &k->value_from_env);
    sc_read_str(r, t, "secret_path", 0, &k->secret_path);
    check_credential(r, t, k);
}

void sc_config_read_credentials(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    r->section = "credentials";
    const struct fb_toml *all = sc_read_table(r, root, "credentials", "credentials", NULL);
    if (all == NULL)
        return;
    if (all->count > SC_CONFIG_LIST_MAX) {
        sc_read_fail(r, all, "credentials must hold at most %d tables", SC_CONFIG_LIST_MAX);
        return;
    }
    struct sc_credential *list = sc_read_room(r, all->count, sizeof *list);
    size_t n = 0;
    for (const struct fb_toml *t = all->first; t != NULL && r->code == 0; t = t->next)
        read_credential(r, t, &list[n++]);
    c->credentials = list;
    c->n_credentials = n;
}

static void require(struct sc_reader *r, const struct fb_toml *t, const char *key)
{
    if (r->code == 0 && fb_toml_get(t, key) == NULL)
        sc_read_fail(r, t, "%s.%s is required", r->where, key);
}

static void read_connector_host(struct sc_reader *r, const struct fb_toml *t, struct sc_connector_host *h)
{
    static const char *const keys[] = { "host", "rps", "burst", "timeout_ms", NULL };
    const uint64_t max_ms = (uint64_t)SC_CONFIG_SECONDS_MAX * 1000;
    uint64_t rps = 0;
    uint64_t burst = 0;
    r->code = fb_toml_only_keys(r->doc, t, "sidecar.connector.hosts", keys, r->err);
    for (size_t i = 0; keys[i] != NULL; i++)
        require(r, t, keys[i]);
    read_host(r, t, "host", &h->host);
    sc_read_u64(r, t, "rps", 1, UINT32_MAX, &rps);
    sc_read_u64(r, t, "burst", 1, UINT32_MAX, &burst);
    sc_read_u64(r, t, "timeout_ms", 1, max_ms, &h->timeout_ms);
    h->rps = (uint32_t)rps;
    h->burst = (uint32_t)burst;
}

void sc_config_read_connector(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "default_timeout_ms", "hosts", NULL };
    c->connector_timeout_ms = 30000;
    r->section = "connector";
    const struct fb_toml *t = sc_read_table(r, root, "connector", "connector", keys);
    sc_read_ms(r, t, "default_timeout_ms", 1, NULL, 1, &c->connector_timeout_ms);
    const struct fb_toml *item;
    size_t count = sc_read_tables(r, t, "hosts", "connector.hosts", &item);
    struct sc_connector_host *hosts = sc_read_room(r, count, sizeof *hosts);
    size_t n = 0;
    for (; item != NULL && r->code == 0; item = item->next) {
        read_connector_host(r, item, &hosts[n]);
        for (size_t i = 0; i < n && r->code == 0; i++)
            if (strcmp(hosts[i].host, hosts[n].host) == 0)
                sc_read_fail(r, item, "connector.hosts names '%.64s' twice", hosts[n].host);
        n++;
    }
    c->connector_hosts = hosts;
    c->n_connector_hosts = n;
}

void sc_config_read_local_exec(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "socket_path", "default_action", "token_ttl_secs", "token_ttl",
                                        "retry_after_ms", "retry_after", NULL };
    static const char *const actions[] = { "deny", "allow", "pending_hitl", NULL };
    struct sc_config_local_exec *x = &c->local_exec;
    x->token_ttl_ms = 300000;
    x->retry_after_ms = 500;
    r->section = "local_exec";
    const struct fb_toml *t = sc_read_table(r, root, "local_exec", "local_exec", keys);
    if (t == NULL)
        return;
    x->present = true;
    sc_read_str(r, t, "socket_path", 0, &x->socket_path);
    if (x->socket_path == NULL)
        sc_read_fail(r, t, "local_exec.socket_path is required");
    else if (x->socket_path[0] != '/')
        sc_read_fail(r, t, "local_exec.socket_path must be absolute");
    x->default_action = (enum sc_local_exec_action)sc_read_choice(r, t, "default_action", actions, SC_EXEC_DENY);
    sc_read_ms(r, t, "token_ttl_secs", 1000, "token_ttl", 1, &x->token_ttl_ms);
    sc_read_ms(r, t, "retry_after_ms", 1, "retry_after", 1, &x->retry_after_ms);
}

void sc_config_read_preflight(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "agent_id", "session_id", "requested_actions", "resource_scope", "ttl_seconds",
                                        "authority_pub_key_path", NULL };
    struct sc_config_preflight *p = &c->preflight;
    p->ttl_s = 3600;
    p->session_id = "preflight-session";
    p->resource_scope = "*";
    r->section = "preflight";
    const struct fb_toml *t = sc_read_table(r, root, "preflight", "preflight", keys);
    if (t == NULL)
        return;
    p->present = true;
    sc_read_str(r, t, "agent_id", 0, &p->agent_id);
    sc_read_str(r, t, "session_id", 0, &p->session_id);
    sc_read_list(r, t, "requested_actions", 0, &p->requested_actions);
    sc_read_str(r, t, "resource_scope", 0, &p->resource_scope);
    sc_read_u64(r, t, "ttl_seconds", 1, SC_CONFIG_SECONDS_MAX, &p->ttl_s);
    sc_read_str(r, t, "authority_pub_key_path", SC_READ_REBASE, &p->authority_pub_key_path);
    if (p->agent_id == NULL)
        sc_read_fail(r, t, "preflight.agent_id is required");
    if (c->authority.url == NULL)
        sc_read_fail(r, t, "[preflight] is configured but policy.authority_url is not set");
}

void sc_config_read_tolerated(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const tenancy_keys[] = { "mode", NULL };
    static const char *const tenancy_modes[] = { "single_agent", NULL };
    static const char *const gateway_keys[] = { "connection_timeout", "operation_timeout", "max_buffer_size", NULL };
    static const char *const provider_keys[] = { "provider_id", "host", "matchers", NULL };
    uint64_t ignored_ms = 1000;
    uint64_t ignored_bytes = 1;
    r->section = "tenancy";
    const struct fb_toml *t = sc_read_table(r, root, "tenancy", "tenancy", tenancy_keys);
    (void)sc_read_choice(r, t, "mode", tenancy_modes, 0);

    r->section = "secret_gateway";
    t = sc_read_table(r, root, "secret_gateway", "secret_gateway", gateway_keys);
    c->secret_gateway = t != NULL && t->count > 0;
    sc_read_ms(r, t, "", 1, "connection_timeout", 1, &ignored_ms);
    sc_read_ms(r, t, "", 1, "operation_timeout", 1, &ignored_ms);
    sc_read_size(r, t, "", "max_buffer_size", &ignored_bytes);

    r->section = "http_secret_providers";
    const struct fb_toml *item;
    if (sc_read_tables(r, root, "http_secret_providers", "http_secret_providers", &item) > 0)
        c->http_secret_providers = true;
    for (; item != NULL && r->code == 0; item = item->next) {
        const char *text = NULL;
        r->code = fb_toml_only_keys(r->doc, item, "sidecar.http_secret_providers", provider_keys, r->err);
        require(r, item, "provider_id");
        sc_read_str(r, item, "provider_id", 0, &text);
        read_host(r, item, "host", &text);
    }
}
