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

/* A log comes with its signed head. */
static int add_companion(struct run_hidden *h, const char *suffix, struct fb_err *err)
{
    char *companion = NULL;
    if (h->count == 0 || asprintf(&companion, "%s%s", h->paths[h->count - 1], suffix) < 0)
        return h->count == 0 ? 0 : fb_err_set(err, FB_E_NOMEM, "out of memory");
    return take(h, companion, err);
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
            r = add_text(h, c->dir, node->s, err);
            if (r == 0 && strcmp(path_keys[i], "sidecar.audit.file_path") == 0)
                r = add_companion(h, ".head", err);
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
