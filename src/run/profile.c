/* Built-in profiles and the order of the layers. */
#include "run/profile.h"

#include "base/toml.h"
#include "run/profile_patch.h"

#include <stdlib.h>
#include <string.h>

struct builtin {
    const char *name;
    bool workspace;
};

/* No profile passes keys of model providers: credentials are injected by the Sidecar, the agent holds none. */
static const struct builtin builtins[] = {
    { "generic", false },
    { "codex", true },
};

static const char *const backend_names[] = { "bwrap", "vz", "wsl2", "firecracker" };

const char *run_backend_name(enum run_backend b)
{
    return backend_names[b];
}

bool run_backend_parse(const char *text, enum run_backend *ret)
{
    for (size_t i = 0; i < FB_COUNT(backend_names); i++)
        if (strcmp(text, backend_names[i]) == 0) {
            *ret = (enum run_backend)i;
            return true;
        }
    return false;
}

int run_backend_check(enum run_backend b, struct fb_err *err)
{
    static const char *const reasons[] = {
        [RUN_BACKEND_VZ] = "it is the macOS virtualization framework",
        [RUN_BACKEND_WSL2] = "it is the Windows subsystem; inside WSL2 use bwrap, which works there as on Linux",
        [RUN_BACKEND_FIRECRACKER] = "micro-VMs are not built into this version",
    };
    if (b == RUN_BACKEND_BWRAP)
        return 0;
    return fb_err_set(err, FB_E_UNSUPPORTED_BACKEND, "backend '%s' cannot run here: %s", run_backend_name(b), reasons[b]);
}

static const struct builtin *find_builtin(const char *name)
{
    for (size_t i = 0; i < FB_COUNT(builtins); i++)
        if (strcmp(builtins[i].name, name) == 0)
            return &builtins[i];
    return NULL;
}

static int start_from(struct run_profile *p, const struct builtin *base, struct fb_err *err)
{
    static const char *const passthrough[] = { "HOME", "PATH", "TERM", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "COLORTERM" };
    p->backend = RUN_BACKEND_BWRAP;
    p->enforce_network_namespace = true;
    p->fail_closed = true;
    p->identity = RUN_IDENTITY_SANDBOX_USER;
    p->refresh_ratio = 0.60;
    p->grace_s = 30;
    p->workspace = base != NULL && base->workspace;
    for (size_t i = 0; i < FB_COUNT(passthrough); i++) {
        int r = run_names_add(&p->env_passthrough, passthrough[i], err);
        if (r < 0)
            return r;
    }
    int r = run_profile_env_set(p, "NO_PROXY", "", err);
    return r < 0 ? r : run_profile_env_set(p, "no_proxy", "", err);
}

static int unknown_profile(const char *name, const struct fb_toml *profiles, struct fb_err *err)
{
    char known[512] = "";
    size_t used = 0;
    for (size_t i = 0; i < FB_COUNT(builtins); i++)
        used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i == 0 ? "" : ", ", builtins[i].name);
    for (const struct fb_toml *t = profiles == NULL ? NULL : profiles->first; t != NULL; t = t->next)
        if (used + t->key.n + 3 < sizeof known && find_builtin(t->key.p) == NULL)
            used += (size_t)snprintf(known + used, sizeof known - used, ", %.*s", FB_STR_ARG(t->key));
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "unknown profile '%s'; there are: %s", name, known);
}

/* The run tables stand below [run] in a shared firma.toml, at the top of a file of their own. */
static int find_tables(const struct fb_toml_doc *doc, const struct fb_toml **ret_defaults,
                       const struct fb_toml **ret_profiles, struct fb_err *err)
{
    static const char *const shared[] = { "run", "sidecar", "authority", "project", NULL };
    static const char *const bare[] = { "defaults", "profiles", NULL };
    static const char *const run_keys[] = { "profile", "defaults", "profiles", "allow_non_structural", NULL };
    const struct fb_toml *root = fb_toml_root(doc);
    const struct fb_toml *run = fb_toml_get(root, "run");
    bool is_bare = fb_toml_get(root, "defaults") != NULL || fb_toml_get(root, "profiles") != NULL;
    int r = fb_toml_only_keys(doc, root, "", run == NULL && is_bare ? bare : shared, err);
    if (r < 0)
        return r;
    if (run != NULL) {
        r = fb_toml_want_table(doc, run, err);
        if (r == 0)
            r = fb_toml_only_keys(doc, run, "run", run_keys, err);
        if (r < 0)
            return r;
    }
    const struct fb_toml *home = run != NULL ? run : root;
    *ret_defaults = fb_toml_get(home, "defaults");
    *ret_profiles = fb_toml_get(home, "profiles");
    r = fb_toml_want_table(doc, *ret_defaults, err);
    return r < 0 ? r : fb_toml_want_table(doc, *ret_profiles, err);
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

int run_profile_resolve(struct run_profile *ret, const char *name, const struct fb_toml_doc *doc, struct fb_err *err)
{
    memset(ret, 0, sizeof *ret);
    fb_arena_init(&ret->arena, RUN_PROFILE_MEMORY_MAX_BYTES);
    const struct fb_toml *defaults = NULL;
    const struct fb_toml *profiles = NULL;
    int r = doc == NULL ? 0 : find_tables(doc, &defaults, &profiles, err);
    if (r < 0)
        return r;
    const struct builtin *base = find_builtin(name);
    const struct fb_toml *own = fb_toml_get(profiles, name);
    if (base == NULL && own == NULL)
        return unknown_profile(name, profiles, err);
    ret->id = fb_arena_str(&ret->arena, fb_str_of(name)).p;
    if (ret->id == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    r = start_from(ret, base, err);
    if (r == 0)
        r = run_profile_patch(ret, doc, defaults, "defaults", err);
    if (r == 0) {
        char where[160];
        snprintf(where, sizeof where, "profiles.%s", name);
        r = run_profile_patch(ret, doc, own, where, err);
    }
    qsort(ret->env_passthrough.items, ret->env_passthrough.count, sizeof ret->env_passthrough.items[0], by_name);
    return r;
}

int run_profile_check(const struct run_profile *p, struct fb_err *err)
{
    if (!p->fail_closed)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "network.fail_closed = false: the fail-closed policy is disabled");
    if (!p->enforce_network_namespace && p->backend == RUN_BACKEND_BWRAP)
        return fb_err_set(err, p->allow_non_structural ? FB_E_CONFIG_VALIDATION : FB_E_NON_STRUCTURAL,
                          "network.enforce_network_namespace = false: bwrap always has its own network namespace");
    if (!(p->refresh_ratio > 0.0 && p->refresh_ratio < 1.0))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "capability.refresh_ratio must lie between 0 and 1, both excluded");
    if (p->grace_s <= 0)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "capability.grace_seconds must be greater than 0");
    return 0;
}

void run_profile_done(struct run_profile *p)
{
    fb_arena_done(&p->arena);
}
