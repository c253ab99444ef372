/* Config sections about listening, interception, names and the Authority. */
#include "sidecar/config_read.h"

#include "core/limits.h"
#include "net/url.h"
#include "sidecar/server.h"

#include <string.h>

static const char *const default_intercept_hosts[] = {
    "api.openai.com",     "api.anthropic.com",  "platform.claude.com", "claude.ai",
    "console.anthropic.com", "openrouter.ai",   "api.groq.com",        "api.mistral.ai",
    "api.cohere.com",     "generativelanguage.googleapis.com", "aiplatform.googleapis.com", "api.deepseek.com",
    "api.together.xyz",   "api.fireworks.ai",   "api.replicate.com",   "api.perplexity.ai",
    "api.x.ai",           "api.supabase.com",   "*.supabase.co",       "api.resend.com",
    "api.twilio.com",     "api.sendgrid.com",   "api.stripe.com",      "api.slack.com",
    "hooks.slack.com",    "api.github.com",     "chatgpt.com",         "auth.openai.com",
    "github.com",         "uploads.github.com", "downloads.claude.ai",
};

/* --- interceptor --- */

static void read_trusted_uids(struct sc_reader *r, const struct fb_toml *t, struct sc_config_interceptor *i)
{
    const struct fb_toml *node = r->code != 0 ? NULL : fb_toml_get(t, "trusted_uids");
    if (node == NULL)
        return;
    if (node->kind != FB_TOML_ARRAY || node->count > SC_UIDS_MAX) {
        sc_read_fail(r, node, "interceptor.trusted_uids must be an array of at most %d numbers", SC_UIDS_MAX);
        return;
    }
    uid_t *uids = sc_read_room(r, node->count, sizeof *uids);
    size_t n = 0;
    for (const struct fb_toml *item = node->first; item != NULL && r->code == 0; item = item->next) {
        /* The highest value means "no user" to the kernel. */
        if (item->kind != FB_TOML_INTEGER || item->i < 0 || item->i >= UINT32_MAX)
            sc_read_fail(r, item, "interceptor.trusted_uids[%zu] must be a user number", n);
        else
            uids[n++] = (uid_t)item->i;
    }
    i->trusted_uids = uids;
    i->n_trusted_uids = n;
}

static void read_relay(struct sc_reader *r, const struct fb_toml *t, struct sc_config_interceptor *i)
{
    static const char *const keys[] = { "setup_timeout_secs", "setup_timeout", "session_max_secs", "session_max", NULL };
    const struct fb_toml *relay = sc_read_table(r, t, "connect_relay", "interceptor.connect_relay", keys);
    sc_read_ms(r, relay, "setup_timeout_secs", 1000, "setup_timeout", 1, &i->setup_timeout_ms);
    sc_read_ms(r, relay, "session_max_secs", 1000, "session_max", 1, &i->session_max_ms);
}

static void read_listen(struct sc_reader *r, const struct fb_toml *t, struct sc_config_interceptor *i)
{
    const struct fb_toml *node = r->code != 0 ? NULL : fb_toml_get(t, "listen_addr");
    if (node != NULL && node->kind == FB_TOML_STRING && fb_str_contains(node->s, FB_STR("/")))
        sc_read_fail(r, node, "interceptor.listen_addr holds a path; a socket's path belongs in interceptor.socket_path");
    sc_read_addr(r, t, "listen_addr", 0, &i->listen_addr, &i->listen);
    node = r->code != 0 ? NULL : fb_toml_get(t, "socket_path");
    if (node != NULL && node->kind == FB_TOML_STRING && node->s.n == 0)
        sc_read_fail(r, node, "interceptor.socket_path must not be empty when mode is unix_socket");
    sc_read_str(r, t, "socket_path", 0, &i->socket_path);
    if (r->code == 0 && i->mode == SC_UNIX_SOCKET && i->socket_path == NULL)
        sc_read_fail(r, t, "interceptor.socket_path is required when mode is unix_socket");
}

void sc_config_read_interceptor(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = {
        "mode", "listen_addr", "socket_path", "drain_timeout_secs", "drain_timeout", "max_request_body_bytes",
        "max_request_body_size", "total_body_budget_bytes", "total_body_budget", "max_decompressed_body_bytes",
        "max_decompressed_body_size", "trusted_uids", "connect_relay", "https_mitm", NULL,
    };
    static const char *const modes[] = { "http_proxy", "unix_socket", "grpc", NULL };
    struct sc_config_interceptor *i = &c->interceptor;
    struct sockaddr_in listen = { .sin_family = AF_INET, .sin_port = htons(8080),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    i->listen_addr = "127.0.0.1:8080";
    memcpy(&i->listen, &listen, sizeof listen);
    i->drain_timeout_ms = 30000;
    i->max_request_body_bytes = FC_LIMIT_BODY_BYTES;
    i->total_body_budget_bytes = FC_LIMIT_BODIES_BYTES;
    i->max_decompressed_body_bytes = 16000000;
    i->setup_timeout_ms = FC_LIMIT_TUNNEL_SETUP_MS;
    i->session_max_ms = FC_LIMIT_TUNNEL_LIFE_MS;

    r->section = "interceptor";
    const struct fb_toml *t = sc_read_table(r, root, "interceptor", "interceptor", keys);
    if (t == NULL)
        return;
    i->mode = (enum sc_interceptor_mode)sc_read_choice(r, t, "mode", modes, SC_HTTP_PROXY);
    read_listen(r, t, i);
    sc_read_ms(r, t, "drain_timeout_secs", 1000, "drain_timeout", 1, &i->drain_timeout_ms);
    sc_read_size(r, t, "max_request_body_bytes", "max_request_body_size", &i->max_request_body_bytes);
    sc_read_size(r, t, "total_body_budget_bytes", "total_body_budget", &i->total_body_budget_bytes);
    sc_read_size(r, t, "max_decompressed_body_bytes", "max_decompressed_body_size", &i->max_decompressed_body_bytes);
    if (i->total_body_budget_bytes < i->max_request_body_bytes)
        sc_read_fail(r, t, "interceptor.total_body_budget_bytes must be >= interceptor.max_request_body_bytes");
    read_trusted_uids(r, t, i);
    read_relay(r, t, i);
}

/* --- https_mitm --- */

/* "*", "*.a.b" or a host; the canonical text, NULL when it is none of them. */
static const char *canonical_pattern(struct sc_reader *r, const char *text, const char **ret_why)
{
    struct fn_host host;
    struct fb_str s = fb_str_of(text);
    if (fb_str_eqz(s, "*"))
        return text;
    bool wild = fb_str_starts(s, FB_STR("*."));
    if (wild)
        s = fb_str_n(s.p + 2, s.n - 2);
    if (fb_str_contains(s, FB_STR("*"))) {
        *ret_why = "has a wildcard that is not a whole first label";
        return NULL;
    }
    if (fn_url_host(s, &host, NULL) != 0 || (wild && host.kind != FN_HOST_NAME)) {
        *ret_why = "is not a host name";
        return NULL;
    }
    if (wild && strchr(host.text, '.') == NULL) {
        *ret_why = "needs at least two labels after the wildcard";
        return NULL;
    }
    struct fb_str out = fb_arena_fmt(r->arena, "%s%s", wild ? "*." : "", host.text);
    *ret_why = "found no memory";
    return out.p;
}

static void read_patterns(struct sc_reader *r, const struct fb_toml *t, const char *key, struct sc_strings *ret)
{
    sc_read_list(r, t, key, 0, ret);
    const struct fb_toml *node = r->code != 0 ? NULL : fb_toml_get(t, key);
    if (node == NULL)
        return;
    const struct fb_toml *item = node->first;
    for (size_t i = 0; i < ret->n && r->code == 0; i++, item = item->next) {
        const char *why = NULL;
        const char *canonical = canonical_pattern(r, ret->items[i], &why);
        if (canonical == NULL)
            sc_read_fail(r, item, "interceptor.https_mitm.%s[%zu] '%.64s' %s", key, i, ret->items[i], why);
        else
            ret->items[i] = canonical;
    }
}

static void set_default_hosts(struct sc_reader *r, struct sc_strings *ret)
{
    const char **items = sc_read_room(r, FB_COUNT(default_intercept_hosts), sizeof *items);
    if (items == NULL)
        return;
    memcpy(items, default_intercept_hosts, sizeof default_intercept_hosts);
    *ret = (struct sc_strings){ items, FB_COUNT(default_intercept_hosts) };
}

static const char *in_dir(struct sc_reader *r, const char *dir, const char *name)
{
    size_t n = strlen(dir);
    struct fb_str path = fb_arena_fmt(r->arena, "%s%s%s", dir, n > 0 && dir[n - 1] == '/' ? "" : "/", name);
    return sc_read_copy(r, path.p == NULL ? FB_STR("") : path);
}

void sc_config_read_mitm(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "enabled", "ca_cert_path", "ca_key_path", "intercept_hosts", "bypass_hosts",
                                        "strict_hosts", "cert_ttl_secs", "cert_ttl", "cert_cache_capacity", NULL };
    struct sc_config_mitm *m = &c->mitm;
    m->enabled = true;
    m->cert_ttl_ms = 86400000;
    m->cert_cache_capacity = 1024;
    m->ca_cert_path = in_dir(r, c->ca_dir, "firma-ca.crt");
    m->ca_key_path = in_dir(r, c->ca_dir, "firma-ca.key");
    set_default_hosts(r, &m->intercept_hosts);

    r->section = "interceptor";
    const struct fb_toml *t = sc_read_table(r, r->code != 0 ? NULL : fb_toml_get(root, "interceptor"), "https_mitm",
                                            "interceptor.https_mitm", keys);
    sc_read_bool(r, t, "enabled", &m->enabled);
    sc_read_str(r, t, "ca_cert_path", 0, &m->ca_cert_path);
    sc_read_str(r, t, "ca_key_path", 0, &m->ca_key_path);
    read_patterns(r, t, "intercept_hosts", &m->intercept_hosts);
    read_patterns(r, t, "bypass_hosts", &m->bypass_hosts);
    m->strict_hosts = m->intercept_hosts;
    read_patterns(r, t, "strict_hosts", &m->strict_hosts);
    if (m->intercept_hosts.n == 0)
        m->enabled = false;
    /* The numbers matter only while something is intercepted. */
    sc_read_ms(r, t, "cert_ttl_secs", 1000, "cert_ttl", m->enabled ? 1 : 0, &m->cert_ttl_ms);
    sc_read_u64(r, t, "cert_cache_capacity", m->enabled ? 1 : 0, UINT32_MAX, &m->cert_cache_capacity);
}

/* --- resolver --- */

static void read_hosts(struct sc_reader *r, const struct fb_toml *t, struct sc_config *c)
{
    const struct fb_toml *table = sc_read_table(r, t, "hosts", "resolver.hosts", NULL);
    if (table == NULL)
        return;
    if (table->count > SC_CONFIG_LIST_MAX) {
        sc_read_fail(r, table, "resolver.hosts must hold at most %d names", SC_CONFIG_LIST_MAX);
        return;
    }
    struct sc_resolver_host *hosts = sc_read_room(r, table->count, sizeof *hosts);
    size_t n = 0;
    for (const struct fb_toml *m = table->first; m != NULL && r->code == 0; m = m->next) {
        struct fn_host name;
        struct fn_host addr;
        struct fb_str text = FB_STR("");
        r->code = fb_toml_want_str(r->doc, m, &text, r->err);
        int len = (int)(m->key.n > 64 ? 64 : m->key.n);
        if (r->code == 0 && (fn_url_host(m->key, &name, NULL) != 0 || name.kind != FN_HOST_NAME))
            sc_read_fail(r, m, "resolver.hosts: '%.*s' is not a host name", len, m->key.p);
        else if (r->code == 0 && (fn_url_host(text, &addr, NULL) != 0 || addr.kind == FN_HOST_NAME))
            sc_read_fail(r, m, "resolver.hosts.%.*s must be an IP address", len, m->key.p);
        if (r->code != 0)
            return;
        for (size_t i = 0; i < n; i++)
            if (strcmp(hosts[i].name, name.text) == 0)
                sc_read_fail(r, m, "resolver.hosts names '%s' twice", name.text);
        hosts[n].name = sc_read_copy(r, fn_host_str(&name));
        hosts[n++].addr = sc_read_copy(r, fn_host_str(&addr));
    }
    c->resolver_hosts = hosts;
    c->n_resolver_hosts = n;
}

static bool is_server(const char *text)
{
    struct fn_host host;
    struct fn_authority both;
    if (fn_url_host(fb_str_of(text), &host, NULL) == 0)
        return host.kind != FN_HOST_NAME;
    return fn_url_authority(fb_str_of(text), &both, NULL) == 0 && both.host.kind != FN_HOST_NAME;
}

void sc_config_read_resolver(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = { "servers", "hosts", NULL };
    r->section = "resolver";
    const struct fb_toml *t = sc_read_table(r, root, "resolver", "resolver", keys);
    sc_read_list(r, t, "servers", 0, &c->resolver_servers);
    for (size_t i = 0; i < c->resolver_servers.n && r->code == 0; i++)
        if (!is_server(c->resolver_servers.items[i]))
            sc_read_fail(r, fb_toml_get(t, "servers"), "resolver.servers[%zu] '%.64s' must be an IP address, with a port or without",
                         i, c->resolver_servers.items[i]);
    read_hosts(r, t, c);
}

/* --- authority --- */

static bool is_loopback(const struct fn_host *h)
{
    return h->kind == FN_HOST_IPV4   ? strncmp(h->text, "127.", 4) == 0
           : h->kind == FN_HOST_IPV6 ? strcmp(h->text, "::1") == 0
                                     : strcmp(h->text, "localhost") == 0;
}

static void check_url(struct sc_reader *r, const struct fb_toml *t, const struct sc_config_authority *a)
{
    struct fb_str rest = fb_str_of(a->url);
    bool https = fb_str_starts(rest, FB_STR("https://"));
    struct fn_authority target;
    if (!https && !fb_str_starts(rest, FB_STR("http://"))) {
        sc_read_fail(r, t, "authority.url '%.128s' must start with http:// or https://", a->url);
        return;
    }
    size_t skip = https ? sizeof("https://") - 1 : sizeof("http://") - 1;
    rest = fb_str_n(rest.p + skip, rest.n - skip);
    if (fb_str_ends(rest, FB_STR("/")))
        rest.n--;
    if (fn_url_authority(rest, &target, NULL) != 0)
        sc_read_fail(r, t, "authority.url '%.128s' must be a scheme, a host and a port, without a path", a->url);
    else if (https && a->ca_cert_path == NULL)
        sc_read_fail(r, t, "authority.ca_cert_path must be set when authority.url uses https://");
    else if (!https && !a->allow_insecure_remote && !is_loopback(&target.host))
        sc_read_fail(r, t, "authority.url uses http:// to a host that is not loopback; use https://, or set "
                           "authority.allow_insecure_remote_authority = true");
}

static void read_pre_shared(struct sc_reader *r, const struct fb_toml *t, struct sc_config_authority *a)
{
    static const char *const keys[] = { "workspace_id", "sidecar_id", "pre_shared_key_env", "pre_shared_key_path", NULL };
    const struct fb_toml *k = sc_read_table(r, t, "credentials", "authority.credentials", keys);
    if (k == NULL)
        return;
    sc_read_str(r, k, "workspace_id", 0, &a->workspace_id);
    sc_read_str(r, k, "sidecar_id", 0, &a->sidecar_id);
    sc_read_str(r, k, "pre_shared_key_env", 0, &a->pre_shared_key_env);
    sc_read_str(r, k, "pre_shared_key_path", SC_READ_REBASE, &a->pre_shared_key_path);
    if (a->workspace_id == NULL)
        sc_read_fail(r, k, "authority.credentials.workspace_id is required");
    if (a->sidecar_id == NULL)
        sc_read_fail(r, k, "authority.credentials.sidecar_id is required");
    if ((a->pre_shared_key_env == NULL) == (a->pre_shared_key_path == NULL))
        sc_read_fail(r, k, "authority.credentials needs exactly one of pre_shared_key_env and pre_shared_key_path");
}

/* policy.authority_url is the older place of authority.url. */
static void read_older_url(struct sc_reader *r, const struct fb_toml *root, struct sc_config_authority *a)
{
    const struct fb_toml *older = r->code != 0 ? NULL : fb_toml_path(root, "policy.authority_url");
    if (older == NULL)
        return;
    r->section = "policy";
    r->where = "policy";
    if (older->kind == FB_TOML_STRING && older->s.n == 0)
        sc_read_fail(r, older, "policy.authority_url must not be empty when set");
    else if (a->url != NULL)
        sc_read_fail(r, older, "policy.authority_url and authority.url are two spellings of one key; keep one");
    sc_read_str(r, fb_toml_get(root, "policy"), "authority_url", 0, &a->url);
}

void sc_config_read_authority(struct sc_reader *r, const struct fb_toml *root, struct sc_config *c)
{
    static const char *const keys[] = {
        "url", "agent_id", "connect_addr", "connect_timeout_secs", "connect_timeout", "reconnect_min_backoff_ms",
        "reconnect_min_backoff", "reconnect_max_backoff_secs", "reconnect_max_backoff", "revocation_readiness_grace_ms",
        "revocation_fail_closed_on_disconnect", "public_key_path", "ca_cert_path", "allow_insecure_remote_authority",
        "credentials", NULL,
    };
    struct sc_config_authority *a = &c->authority;
    a->connect_timeout_ms = 10000;
    a->reconnect_min_backoff_ms = 250;
    a->reconnect_max_backoff_ms = 30000;
    a->revocation_readiness_grace_ms = 500;

    r->section = "authority";
    const struct fb_toml *t = sc_read_table(r, root, "authority", "authority", keys);
    sc_read_str(r, t, "url", 0, &a->url);
    sc_read_str(r, t, "agent_id", 0, &a->agent_id);
    sc_read_addr(r, t, "connect_addr", 1, &a->connect_addr, NULL);
    sc_read_ms(r, t, "connect_timeout_secs", 1000, "connect_timeout", 1, &a->connect_timeout_ms);
    sc_read_ms(r, t, "reconnect_min_backoff_ms", 1, "reconnect_min_backoff", 1, &a->reconnect_min_backoff_ms);
    sc_read_ms(r, t, "reconnect_max_backoff_secs", 1000, "reconnect_max_backoff", 1, &a->reconnect_max_backoff_ms);
    sc_read_ms(r, t, "revocation_readiness_grace_ms", 1, NULL, 0, &a->revocation_readiness_grace_ms);
    sc_read_bool(r, t, "revocation_fail_closed_on_disconnect", &a->revocation_fail_closed_on_disconnect);
    sc_read_str(r, t, "public_key_path", SC_READ_REBASE, &a->public_key_path);
    sc_read_str(r, t, "ca_cert_path", SC_READ_REBASE, &a->ca_cert_path);
    sc_read_bool(r, t, "allow_insecure_remote_authority", &a->allow_insecure_remote);
    if (a->reconnect_max_backoff_ms < a->reconnect_min_backoff_ms)
        sc_read_fail(r, t, "authority.reconnect_max_backoff_secs must be >= authority.reconnect_min_backoff_ms");
    read_pre_shared(r, t, a);
    read_older_url(r, root, a);
    r->section = "authority";
    if (r->code == 0 && a->url == NULL && a->connect_addr != NULL)
        sc_read_fail(r, t, "authority.connect_addr needs authority.url");
    if (r->code == 0 && a->url != NULL)
        check_url(r, t != NULL ? t : root, a);
}
