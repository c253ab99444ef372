/* Collecting the paths of the control plane. */
#include "run/hidden.h"

#include "base/fs.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Text, or an array of texts. */
static const char *const path_keys[] = {
    "authority.policy_dir",
    "authority.issuance_policy_dir",
    "authority.schema_path",
    "authority.revocation_file",
    "authority.key_file",
    "sidecar.policy.dir",
    "sidecar.mapping.rules_path",
    "sidecar.mapping.rules_paths",
    "sidecar.audit.signing_key_path",
    "sidecar.audit.file_path",
    "sidecar.authority.public_key_path",
    "sidecar.authority.ca_cert_path",
    "sidecar.authority.credentials.pre_shared_key_path",
    "sidecar.capability_seed.paths",
    "sidecar.ca.dir",
};

static int take(struct run_hidden *h, char *path, struct fb_err *err)
{
    if (path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < h->count; i++)
        if (strcmp(h->paths[i], path) == 0) {
            free(path);
            return 0;
        }
    if (h->count == RUN_HIDDEN_MAX) {
        free(path);
        return fb_err_set(err, FB_E_LIMIT, "the configuration names more than %d files", RUN_HIDDEN_MAX);
    }
    h->paths[h->count++] = path;
    return 0;
}

int run_hidden_add(struct run_hidden *h, const char *base, const char *path, struct fb_err *err)
{
    char here[PATH_MAX];
    if (path == NULL || path[0] == '\0')
        return 0;
    if (path[0] != '/' && (base == NULL || base[0] == '\0')) {
        base = getcwd(here, sizeof here);
        if (base == NULL)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the working directory cannot be named");
    }
    return take(h, fb_fs_join(base == NULL ? "/" : base, path), err);
}

static int add_text(struct run_hidden *h, const char *base, struct fb_str text, struct fb_err *err)
{
    char *path = fb_str_dupz(text);
    int r = path == NULL ? fb_err_set(err, FB_E_CONFIG_VALIDATION, "a path holds a NUL character")
                         : run_hidden_add(h, base, path, err);
    free(path);
    return r;
}

/* A log comes with its signed head. Both are renamed over, which takes a cover off: a mount must not show them at all. */
static int add_log(struct run_hidden *h, const char *base, struct fb_str text, struct fb_err *err)
{
    static const char *const suffixes[] = { "", ".head" };
    for (size_t i = 0; i < FB_COUNT(suffixes); i++) {
        char *path = NULL;
        if (asprintf(&path, "%.*s%s", FB_STR_ARG(text), suffixes[i]) < 0)
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        char *joined = fb_fs_join(base == NULL ? "/" : base, path);
        free(path);
        const char *name = joined;
        for (size_t k = 0; name != NULL && k < h->count; k++)
            if (strcmp(h->paths[k], name) == 0) {
                h->replaced[k] = true;
                name = NULL;
            }
        const bool is_new = name != NULL || joined == NULL;
        if (!is_new)
            free(joined);
        int r = is_new ? take(h, joined, err) : 0;
        if (r < 0)
            return r;
        if (is_new)
            h->replaced[h->count - 1] = true;
    }
    return 0;
}

int run_hidden_add_config(struct run_hidden *h, const struct fc_config *c, struct fb_err *err)
{
    if (c->doc == NULL)
        return 0;
    int r = run_hidden_add(h, NULL, c->path, err);
    for (size_t i = 0; r == 0 && i < FB_COUNT(path_keys); i++) {
        const struct fb_toml *node = fb_toml_path(fb_toml_root(c->doc), path_keys[i]);
        if (node == NULL)
            continue;
        if (node->kind == FB_TOML_STRING && node->s.n > 0) {
            const bool is_log = strcmp(path_keys[i], "sidecar.audit.file_path") == 0;
            r = is_log ? add_log(h, c->dir, node->s, err) : add_text(h, c->dir, node->s, err);
        }
        for (const struct fb_toml *v = node->kind == FB_TOML_ARRAY ? node->first : NULL; r == 0 && v != NULL; v = v->next)
            if (v->kind == FB_TOML_STRING)
                r = add_text(h, c->dir, v->s, err);
    }
    return r;
}

void run_hidden_done(struct run_hidden *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->paths[i]);
    *h = (struct run_hidden){ 0 };
}
