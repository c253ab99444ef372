/* Template plus overrides of one run. */
#include "run/sidecar_config.h"

#include "audit/key.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/toml.h"
#include "core/embed.h"
#include "run/settle.h"
#include "run/template.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

/* What a Sidecar routes when nobody says otherwise: model providers and package registries. */
static const char *const builtin_mappings[] = { "anthropic", "openai", "npm", "pypi", "cargo", "cargo-sparse", "debian" };

enum { TEXT_MAX_BYTES = 64 << 10, VALUES_MAX = 16 };

/* Override texts live until the file is written. */
struct overrides {
    struct run_override list[VALUES_MAX];
    struct fb_buf texts[VALUES_MAX];
    size_t n;
};

static struct fb_buf *add(struct overrides *o, const char *key)
{
    struct fb_buf *text = &o->texts[o->n];
    fb_buf_init(text, TEXT_MAX_BYTES);
    o->list[o->n++].key = key;
    return text;
}

static void add_text(struct overrides *o, const char *key, const char *value)
{
    fb_toml_quote(add(o, key), fb_str_of(value));
}

/* The values are complete only now: a growing buffer may have moved. */
static int seal(struct overrides *o, struct fb_err *err)
{
    for (size_t i = 0; i < o->n; i++) {
        if (fb_buf_failed(&o->texts[i]))
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        o->list[i].value = o->texts[i].p;
    }
    return 0;
}

static void overrides_done(struct overrides *o)
{
    for (size_t i = 0; i < o->n; i++)
        fb_buf_done(&o->texts[i]);
}

/* The template, borrowed (discovered file) or loaded (*@ret_owned). */
static int load_template(const struct run_settled *s, struct fc_config *ret_owned, const struct fc_config **ret,
                         struct fb_err *err)
{
    const char *path = s->options->sidecar_config;
    if (path == NULL) {
        const char *env = getenv("FIRMA_SIDECAR_CONFIG_FILE");
        path = env != NULL && env[0] != '\0' ? env : NULL;
    }
    *ret = &s->config;
    if (path == NULL)
        return 0;
    *ret = ret_owned;
    return fc_config_load(path, ret_owned, err);
}

static bool has(const struct fc_config *t, const char *dotted)
{
    return t->doc != NULL && fb_toml_path(fb_toml_root(t->doc), dotted) != NULL;
}

/* Runs that start together share one key: under the lock nobody reads a half-written one. */
static int make_key(const char *state_dir, const char *key, struct fb_err *err)
{
    fb_auto(fb_fd_close) int dir = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 || flock(dir, LOCK_EX) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot lock the state directory '%s'", state_dir);
    return access(key, F_OK) == 0 ? 0 : fa_key_generate(key, err);
}

static int set_audit(struct overrides *o, const struct fc_config *t, const char *state_dir, struct fb_err *err)
{
    char *log = fb_fs_join(state_dir, "audit.jsonl");
    char *key = fb_fs_join(state_dir, "audit.key");
    int r = log == NULL || key == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
    if (r == 0 && !has(t, "sidecar.audit.sink")) {
        add_text(o, "audit.sink", "file");
        if (!has(t, "sidecar.audit.file_path"))
            add_text(o, "audit.file_path", log);
    }
    if (r == 0 && !has(t, "sidecar.audit.signing_key_path") && !has(t, "sidecar.audit.signing_key_env")) {
        r = make_key(state_dir, key, err);
        add_text(o, "audit.signing_key_path", key);
    }
    free(log);
    free(key);
    return r;
}

static int write_builtin_mappings(struct overrides *o, const char *marker_dir, int marker_fd, struct fb_err *err)
{
    struct fb_buf *paths = add(o, "mapping.rules_paths");
    fb_buf_addc(paths, '[');
    for (size_t i = 0; i < FB_COUNT(builtin_mappings); i++) {
        char asset[64];
        char file[64];
        snprintf(asset, sizeof asset, "mappings/%s.toml", builtin_mappings[i]);
        snprintf(file, sizeof file, "mapping-%s.toml", builtin_mappings[i]);
        struct fb_str text = fc_asset_get(asset);
        if (text.p == NULL)
            return fb_err_set(err, FB_E_INTERNAL, "the built-in file '%s' is missing", asset);
        int r = fb_fs_write_atomic_at(marker_fd, file, 0600, text.p, text.n, false, err);
        if (r < 0)
            return r;
        char *path = fb_fs_join(marker_dir, file);
        fb_buf_addz(paths, i == 0 ? "" : ", ");
        fb_toml_quote(paths, fb_str_of(path));
        free(path);
    }
    fb_buf_addc(paths, ']');
    return 0;
}

static int set_all(struct overrides *o, const struct run_sidecar_config *in, const struct fc_config *t, int marker_fd,
                   struct fb_err *err)
{
    char *sock = fb_fs_join(in->marker_path, "sidecar.sock");
    char *ca = fb_fs_join(in->marker_path, "firma-ca");
    if (sock == NULL || ca == NULL) {
        free(sock);
        free(ca);
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    add_text(o, "interceptor.mode", "unix_socket");
    add_text(o, "interceptor.socket_path", sock);
    add_text(o, "ca.dir", ca);
    free(sock);
    free(ca);
    if (in->authority_url[0] != '\0')
        add_text(o, "authority.url", in->authority_url);
    if (in->public_key_path[0] != '\0')
        add_text(o, "authority.public_key_path", in->public_key_path);
    /* Seeds of other sessions would never be honoured by this run's Sidecar, so only ours is named. */
    struct fb_buf *seeds = add(o, "capability_seed.paths");
    fb_buf_addc(seeds, '[');
    fb_toml_quote(seeds, fb_str_of(in->seed_path));
    fb_buf_addc(seeds, ']');
    int r = set_audit(o, t, in->settled->state_dir, err);
    if (r == 0 && !has(t, "sidecar.mapping.rules_path") && !has(t, "sidecar.mapping.rules_paths"))
        r = write_builtin_mappings(o, in->marker_dir, marker_fd, err);
    return r;
}

int run_sidecar_config_write(const struct run_sidecar_config *in, int marker_fd, struct fb_err *err)
{
    struct fc_config owned = { 0 };
    const struct fc_config *t = NULL;
    struct overrides o = { 0 };
    struct fb_buf text;
    fb_buf_init(&text, RUN_TEMPLATE_MAX_BYTES);
    int r = load_template(in->settled, &owned, &t, err);
    if (r == 0)
        r = set_all(&o, in, t, marker_fd, err);
    if (r == 0)
        r = seal(&o, err);
    if (r == 0)
        r = run_template_write(&text, t->doc, t->dir, o.list, o.n, err);
    if (r == 0)
        r = fb_fs_write_atomic_at(marker_fd, "sidecar.toml", 0600, text.p, text.n, false, err);
    overrides_done(&o);
    fb_buf_done(&text);
    fc_config_done(&owned);
    return r;
}
