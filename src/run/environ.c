/* Building the environment. */
#include "run/environ.h"

#include "run/profile.h"

#include <stdlib.h>
#include <string.h>

#define PROXY_URL "http://127.0.0.1:18080"
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"

static bool same_name(const char *entry, const char *name, size_t n)
{
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static int set(struct run_environ *e, const char *name, const char *value, bool from_host, struct fb_err *err)
{
    size_t n = strlen(name);
    struct fb_str entry = fb_arena_fmt(&e->arena, "%s=%s", name, value);
    if (entry.p == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the environment is larger than %d bytes",
                          RUN_ENVIRON_MEMORY_MAX_BYTES);
    /* The arena's memory is ours: casting the view back to writable is what execve's type asks for. */
    char *text = (char *)(size_t)entry.p;
    for (size_t i = 0; i < e->count; i++)
        if (same_name(e->list[i], name, n)) {
            e->list[i] = text;
            e->from_host[i] = from_host;
            return 0;
        }
    if (e->count == RUN_ENVIRON_MAX)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "more than %d variables in the environment", RUN_ENVIRON_MAX);
    e->list[e->count] = text;
    e->from_host[e->count++] = from_host;
    return 0;
}

/* Values that describe the terminal and the language, not the person. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = { "HOME", "PATH", "TERM", "LANG", "TZ", "COLORTERM" };
    for (size_t i = 0; i < FB_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strncmp(name, "LC_", 3) == 0;
}

static int pass_through(struct run_environ *e, const struct run_profile *p, struct fb_err *err)
{
    int r = set(e, "PATH", DEFAULT_PATH, false, err);
    for (size_t i = 0; r == 0 && i < p->env_passthrough.count; i++) {
        const char *name = p->env_passthrough.items[i];
        const char *value = getenv(name);
        if (value != NULL)
            r = set(e, name, value, !is_harmless(name), err);
    }
    for (size_t i = 0; r == 0 && i < p->n_env_set; i++)
        r = set(e, p->env_set[i].name, p->env_set[i].value, false, err);
    return r;
}

static int add_fixed(struct run_environ *e, const struct run_profile *p, const struct run_environ_ids *ids,
                     struct fb_err *err)
{
    const struct {
        const char *name;
        const char *value;
    } fixed[] = {
        { "HOME", ids->home },
        { "SHELL", "/bin/sh" },
        { "TMPDIR", "/tmp" },
        { "FIRMA_RUN_SANDBOX_ID", ids->sandbox_id },
        { "FIRMA_RUN_SESSION_ID", ids->session_id },
        { "FIRMA_AGENT_ID", ids->agent_id },
        { "FIRMA_RUN_PROFILE", p->id },
        { "HTTP_PROXY", PROXY_URL },
        { "HTTPS_PROXY", PROXY_URL },
        { "http_proxy", PROXY_URL },
        { "https_proxy", PROXY_URL },
        { "ALL_PROXY", PROXY_URL },
        { "all_proxy", PROXY_URL },
        { "NO_PROXY", "" },
        { "no_proxy", "" },
        { "USER", ids->user_name },
        { "LOGNAME", ids->user_name },
    };
    for (size_t i = 0; i < FB_COUNT(fixed); i++) {
        if (fixed[i].value == NULL)
            continue;
        int r = set(e, fixed[i].name, fixed[i].value, false, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const char *const *left = a;
    const char *const *right = b;
    return strcmp(*left, *right);
}

/* Sorted for a stable print; the flags are found again by name. */
static void sort(struct run_environ *e)
{
    char *secret[RUN_ENVIRON_MAX];
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++)
        if (e->from_host[i])
            secret[n++] = e->list[i];
    qsort(e->list, e->count, sizeof e->list[0], by_name);
    for (size_t i = 0; i < e->count; i++) {
        e->from_host[i] = false;
        for (size_t k = 0; k < n; k++)
            e->from_host[i] |= secret[k] == e->list[i];
    }
    e->list[e->count] = NULL;
}

int run_environ_build(struct run_environ *e, const struct run_profile *p, const struct run_environ_ids *ids,
                      struct fb_err *err)
{
    fb_arena_init(&e->arena, RUN_ENVIRON_MEMORY_MAX_BYTES);
    e->count = 0;
    int r = pass_through(e, p, err);
    if (r == 0)
        r = add_fixed(e, p, ids, err);
    if (r == 0)
        sort(e);
    return r;
}

const char *const *run_environ_list(const struct run_environ *e)
{
    return (const char *const *)e->list;
}

const char *run_environ_get(const struct run_environ *e, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < e->count; i++)
        if (same_name(e->list[i], name, n))
            return e->list[i] + n + 1;
    return NULL;
}

void run_environ_done(struct run_environ *e)
{
    fb_arena_done(&e->arena);
    e->count = 0;
    e->list[0] = NULL;
}
