/* Reading one layer of a profile from TOML. */
#include "run/profile_patch.h"

#include "base/toml.h"

#include <stdlib.h>
#include <string.h>

/* Everything a reader of one key needs. */
struct patch {
    struct run_profile *p;
    const struct fb_toml_doc *doc;
    const char *where;
    struct fb_err *err;
};

static int no_memory(struct fb_err *err)
{
    return fb_err_set(err, FB_E_LIMIT, "the profile is larger than %d bytes", RUN_PROFILE_MEMORY_MAX_BYTES);
}

static int bad(const struct patch *x, const struct fb_toml *at, const char *what)
{
    return fb_err_set(x->err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: %s.%.*s %s", fb_toml_name(x->doc), at->line, at->col,
                      x->where, FB_STR_ARG(at->key), what);
}

/* A text that the kernel will read as a C string: an embedded NUL would cut it. */
static int keep(const struct patch *x, const struct fb_toml *at, struct fb_str s, const char **ret)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        return bad(x, at, "must not contain a NUL character");
    struct fb_str copy = fb_arena_str(&x->p->arena, s);
    if (copy.p == NULL)
        return no_memory(x->err);
    *ret = copy.p;
    return 0;
}

int run_names_add(struct run_names *names, const char *item, struct fb_err *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], item) == 0)
            return 0;
    if (names->count == RUN_PROFILE_NAMES_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d names in a list", RUN_PROFILE_NAMES_MAX);
    names->items[names->count++] = item;
    return 0;
}

int run_profile_env_set(struct run_profile *p, const char *name, const char *value, struct fb_err *err)
{
    for (size_t i = 0; i < p->n_env_set; i++)
        if (strcmp(p->env_set[i].name, name) == 0) {
            p->env_set[i].value = value;
            return 0;
        }
    if (p->n_env_set == RUN_PROFILE_ENV_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d variables in env_set", RUN_PROFILE_ENV_MAX);
    p->env_set[p->n_env_set++] = (struct run_env_pair){ name, value };
    return 0;
}

static int read_text(const struct patch *x, const struct fb_toml *table, const char *key, const char **ret)
{
    const struct fb_toml *node = fb_toml_get(table, key);
    struct fb_str s = { NULL, 0 };
    int r = fb_toml_want_str(x->doc, node, &s, x->err);
    return r < 0 || node == NULL ? r : keep(x, node, s, ret);
}

static int read_names(const struct patch *x, const struct fb_toml *node, struct run_names *names)
{
    int r = fb_toml_want_str_array(x->doc, node, x->err);
    for (const struct fb_toml *i = node == NULL ? NULL : node->first; r == 0 && i != NULL; i = i->next) {
        if (fb_str_trim(i->s).n == 0)
            continue;
        const char *text;
        r = keep(x, node, fb_str_trim(i->s), &text);
        if (r == 0)
            r = run_names_add(names, text, x->err);
    }
    return r;
}

static bool env_name_ok(struct fb_str name)
{
    return name.n > 0 && fb_str_index(name, '=') == name.n && memchr(name.p, '\0', name.n) == NULL;
}

static int read_env_set(const struct patch *x, const struct fb_toml *node)
{
    int r = fb_toml_want_table(x->doc, node, x->err);
    for (const struct fb_toml *v = node == NULL ? NULL : node->first; r == 0 && v != NULL; v = v->next) {
        struct fb_str value = { NULL, 0 };
        const char *name = NULL;
        const char *text = NULL;
        if (!env_name_ok(v->key))
            return bad(x, v, "is no name for a variable");
        r = fb_toml_want_str(x->doc, v, &value, x->err);
        if (r == 0)
            r = keep(x, v, v->key, &name);
        if (r == 0)
            r = keep(x, v, value, &text);
        if (r == 0)
            r = run_profile_env_set(x->p, name, text, x->err);
    }
    return r;
}

static int read_mount(const struct patch *x, const struct fb_toml *item, struct run_profile_mount *ret)
{
    static const char *const keys[] = { "source", "target", "read_only", NULL };
    int r = fb_toml_want_table(x->doc, item, x->err);
    if (r == 0)
        r = fb_toml_only_keys(x->doc, item, "mounts", keys, x->err);
    if (r == 0)
        r = read_text(x, item, "source", &ret->source);
    if (r == 0)
        r = read_text(x, item, "target", &ret->target);
    if (r == 0)
        r = fb_toml_want_bool(x->doc, fb_toml_get(item, "read_only"), &ret->read_only, x->err);
    if (r < 0)
        return r;
    if (ret->source == NULL || ret->target == NULL)
        return bad(x, item, "a mount needs both source and target");
    if (ret->source[0] != '/' || ret->target[0] != '/')
        return bad(x, item, "source and target of a mount must be absolute paths");
    return 0;
}

static int read_mounts(const struct patch *x, const struct fb_toml *node)
{
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_ARRAY)
        return bad(x, node, "must be an array of { source, target, read_only }");
    if (node->count > RUN_PROFILE_MOUNTS_MAX)
        return bad(x, node, "holds too many mounts");
    if (node->count > 0)
        x->p->n_mounts = 0;
    for (const struct fb_toml *i = node->first; i != NULL; i = i->next) {
        struct run_profile_mount m = { 0 };
        int r = read_mount(x, i, &m);
        if (r < 0)
            return r;
        x->p->mounts[x->p->n_mounts++] = m;
    }
    return 0;
}

static int read_network(const struct patch *x, const struct fb_toml *node)
{
    static const char *const keys[] = { "enforce_network_namespace", "fail_closed", NULL };
    if (node == NULL)
        return 0;
    int r = fb_toml_want_table(x->doc, node, x->err);
    if (r == 0)
        r = fb_toml_only_keys(x->doc, node, "network", keys, x->err);
    x->p->enforce_network_namespace = true;
    x->p->fail_closed = true;
    if (r == 0)
        r = fb_toml_want_bool(x->doc, fb_toml_get(node, keys[0]), &x->p->enforce_network_namespace, x->err);
    if (r == 0)
        r = fb_toml_want_bool(x->doc, fb_toml_get(node, keys[1]), &x->p->fail_closed, x->err);
    return r;
}

/* `source = { kind, path }`, or the older flat `kind` and `path`. */
static int read_capability_source(const struct patch *x, const struct fb_toml *node)
{
    const struct fb_toml *home = fb_toml_get(node, "source");
    int r = fb_toml_want_table(x->doc, home, x->err);
    if (r < 0)
        return r;
    if (home == NULL)
        home = node;
    const char *kind = NULL;
    const char *path = NULL;
    r = read_text(x, home, "kind", &kind);
    if (r == 0)
        r = read_text(x, home, "path", &path);
    if (r < 0 || kind == NULL)
        return r;
    if (strcmp(kind, "disabled") == 0) {
        x->p->capability_path = NULL;
        return 0;
    }
    if (strcmp(kind, "file") != 0)
        return bad(x, home, "kind must be \"disabled\" or \"file\"");
    if (path == NULL)
        return bad(x, home, "kind \"file\" needs a path");
    x->p->capability_path = path;
    return 0;
}

static int read_capability(const struct patch *x, const struct fb_toml *node)
{
    static const char *const keys[] = { "source", "kind", "path", "refresh_ratio", "grace_seconds", "public_key_path",
                                        "requested_actions", "refresh_enabled", NULL };
    if (node == NULL)
        return 0;
    int r = fb_toml_want_table(x->doc, node, x->err);
    if (r == 0)
        r = fb_toml_only_keys(x->doc, node, "capability", keys, x->err);
    if (r == 0)
        r = read_capability_source(x, node);
    if (r == 0)
        r = fb_toml_want_f64(x->doc, fb_toml_get(node, "refresh_ratio"), &x->p->refresh_ratio, x->err);
    if (r == 0)
        r = fb_toml_want_i64(x->doc, fb_toml_get(node, "grace_seconds"), INT64_MIN, INT64_MAX, &x->p->grace_s, x->err);
    if (r == 0)
        r = read_text(x, node, "public_key_path", &x->p->capability_public_key_path);
    if (r == 0)
        r = read_names(x, fb_toml_get(node, "requested_actions"), &x->p->requested_actions);
    return r;
}

static int read_identity(const struct patch *x, const struct fb_toml *node)
{
    struct fb_str s = { NULL, 0 };
    int r = fb_toml_want_str(x->doc, node, &s, x->err);
    if (r < 0 || node == NULL)
        return r;
    if (fb_str_eqz(s, "sandbox_user"))
        x->p->identity = RUN_IDENTITY_SANDBOX_USER;
    else if (fb_str_eqz(s, "host_user"))
        x->p->identity = RUN_IDENTITY_HOST_USER;
    else
        return bad(x, node, "must be \"sandbox_user\" or \"host_user\"");
    return 0;
}

static int read_backend(const struct patch *x, const struct fb_toml *table)
{
    const char *text = NULL;
    int r = read_text(x, table, "backend", &text);
    if (r == 0 && text != NULL && !run_backend_parse(text, &x->p->backend))
        return bad(x, fb_toml_get(table, "backend"), "must be bwrap, vz, wsl2 or firecracker");
    return r;
}

/* Set to something this version cannot honour: ignoring it would weaken what the operator asked for. */
static int refuse_unsupported(const struct patch *x, const struct fb_toml *table)
{
    static const char *const later[] = { "seccomp_policy", "sidecar_local_exec", "command_mediator",
                                         "executable_policies", "codex_cli", "mask_home_paths", "secret_providers",
                                         "ca_trust_mode", NULL };
    for (const char *const *key = later; *key != NULL; key++) {
        const struct fb_toml *node = fb_toml_get(table, *key);
        if (node != NULL)
            return bad(x, node, "is not supported by this version");
    }
    return 0;
}

static int read_lists(const struct patch *x, const struct fb_toml *table)
{
    int r = read_names(x, fb_toml_get(table, "env_passthrough"), &x->p->env_passthrough);
    if (r == 0)
        r = read_env_set(x, fb_toml_get(table, "env_set"));
    if (r == 0)
        r = read_mounts(x, fb_toml_get(table, "mounts"));
    const struct fb_toml *domains = fb_toml_get(table, "allowed_domains");
    if (r == 0 && domains != NULL && domains->count > 0)
        x->p->allowed_domains.count = 0;
    if (r == 0)
        r = read_names(x, domains, &x->p->allowed_domains);
    return r;
}

static int read_flags(const struct patch *x, const struct fb_toml *table)
{
    bool proxy = false;
    bool opt_in = false;
    int r = fb_toml_want_bool(x->doc, fb_toml_get(table, "use_http_proxy_sidecar"), &proxy, x->err);
    if (r == 0)
        r = fb_toml_want_bool(x->doc, fb_toml_get(table, "allow_non_structural"), &opt_in, x->err);
    /* A higher layer cannot switch these off. */
    x->p->use_http_proxy_sidecar |= proxy;
    x->p->allow_non_structural |= opt_in;
    return r;
}

int run_profile_patch(struct run_profile *p, const struct fb_toml_doc *doc, const struct fb_toml *table,
                      const char *where, struct fb_err *err)
{
    static const char *const keys[] = { "backend", "sidecar_endpoint", "env_passthrough", "env_set", "mounts",
                                        "allowed_domains", "network", "identity_mode", "capability", "seccomp_policy",
                                        "sidecar_local_exec", "command_mediator", "executable_policies", "codex_cli",
                                        "use_http_proxy_sidecar", "allow_non_structural", "mask_home_paths",
                                        "ca_trust_mode", "secret_providers", "workspace", NULL };
    if (table == NULL)
        return 0;
    const struct patch x = { p, doc, where, err };
    int r = fb_toml_want_table(doc, table, err);
    if (r == 0)
        r = fb_toml_only_keys(doc, table, where, keys, err);
    if (r == 0)
        r = refuse_unsupported(&x, table);
    if (r == 0)
        r = read_backend(&x, table);
    if (r == 0)
        r = read_text(&x, table, "sidecar_endpoint", &p->sidecar_endpoint);
    if (r == 0)
        r = read_lists(&x, table);
    if (r == 0)
        r = read_network(&x, fb_toml_get(table, "network"));
    if (r == 0)
        r = read_identity(&x, fb_toml_get(table, "identity_mode"));
    if (r == 0)
        r = read_capability(&x, fb_toml_get(table, "capability"));
    if (r == 0)
        r = fb_toml_want_bool(doc, fb_toml_get(table, "workspace"), &p->workspace, err);
    return r < 0 ? r : read_flags(&x, table);
}
