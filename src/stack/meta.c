/* The marker's metadata file. */
#include "stack/meta.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/toml.h"

#include <stdlib.h>

static int wrong(struct fb_err *err, const char *key, const char *what)
{
    return fb_err_set(err, FB_E_MARKER_PARSE, "metadata.toml: '%s' %s", key, what);
}

static int read_text(const struct fb_toml *root, const char *key, char **ret, struct fb_err *err)
{
    const struct fb_toml *node = fb_toml_get(root, key);
    if (node == NULL || node->kind != FB_TOML_STRING)
        return wrong(err, key, node == NULL ? "is missing" : "is no text");
    *ret = fb_str_dupz(node->s);
    return *ret == NULL ? wrong(err, key, "holds a NUL character") : 0;
}

static int read_pid(const struct fb_toml *root, struct st_meta *ret, struct fb_err *err)
{
    const struct fb_toml *pid = fb_toml_get(root, "pid");
    const struct fb_toml *ticks = fb_toml_get(root, "pid_start_ticks");
    if (pid != NULL && (pid->kind != FB_TOML_INTEGER || pid->i < 0 || pid->i > UINT32_MAX))
        return wrong(err, "pid", "is no process number");
    if (ticks != NULL && (ticks->kind != FB_TOML_INTEGER || ticks->i < 0))
        return wrong(err, "pid_start_ticks", "is no count of ticks");
    ret->pid = pid == NULL ? 0 : (uint32_t)pid->i;
    ret->pid_start_ticks = ticks == NULL ? 0 : (uint64_t)ticks->i;
    return 0;
}

static int read_all(const struct fb_toml *root, struct st_meta *ret, struct fb_err *err)
{
    struct {
        const char *key;
        char **place;
    } texts[] = {
        { "sandbox_id", &ret->sandbox_id },
        { "agent_id", &ret->agent_id },
        { "session_id", &ret->session_id },
        { "authority_url", &ret->authority_url },
        { "policy_bundle_version", &ret->policy_bundle_version },
        { "started_at", &ret->started_at },
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < FB_COUNT(texts); i++)
        r = read_text(root, texts[i].key, texts[i].place, err);
    return r < 0 ? r : read_pid(root, ret, err);
}

int st_meta_read(int dir_fd, struct st_meta *ret, struct fb_err *err)
{
    *ret = (struct st_meta){ 0 };
    struct fb_buf text;
    fb_buf_init(&text, ST_META_MAX_BYTES);
    int r = fb_fs_read_at(dir_fd, "metadata.toml", FB_FS_ANY, &text, err);
    if (r < 0) {
        fb_buf_done(&text);
        return fb_err_recode(err, FB_E_IO);
    }
    struct fb_toml_doc *doc = NULL;
    r = fb_toml_parse(fb_buf_str(&text), "metadata.toml", &doc, err);
    if (r == 0)
        r = read_all(fb_toml_root(doc), ret, err);
    fb_toml_free(doc);
    fb_buf_done(&text);
    if (r < 0) {
        st_meta_done(ret);
        return fb_err_recode(err, FB_E_MARKER_PARSE);
    }
    return 0;
}

void st_meta_done(struct st_meta *m)
{
    free(m->sandbox_id);
    free(m->agent_id);
    free(m->session_id);
    free(m->authority_url);
    free(m->policy_bundle_version);
    free(m->started_at);
    *m = (struct st_meta){ 0 };
}
