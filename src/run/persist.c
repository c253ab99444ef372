/* Extending firma.toml by one table. */
#include "run/persist.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fs.h"
#include "base/toml.h"
#include "core/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* 1: the table is there already. */
static int look(const char *path, struct fb_buf *text, struct fb_err *err)
{
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT)
        return 0;
    int r = fb_fs_read(path, FB_FS_OWNED, text, err);
    if (r < 0)
        return r;
    struct fb_toml_doc *doc = NULL;
    r = fb_toml_parse(fb_buf_str(text), path, &doc, err);
    if (r < 0)
        return fb_err_recode(err, FB_E_CONFIG_PARSE);
    bool has = fb_toml_get(fb_toml_root(doc), "authority") != NULL;
    fb_toml_free(doc);
    return has ? 1 : 0;
}

int run_persist_authority(const char *config_path, struct fb_err *err)
{
    char *path = config_path != NULL ? strdup(config_path) : fc_config_user_path();
    if (path == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "neither HOME nor XDG_CONFIG_HOME says where to keep the answer");
    struct fb_buf text;
    fb_buf_init(&text, FB_TOML_INPUT_MAX_BYTES);
    int r = look(path, &text, err);
    if (r == 0) {
        if (text.n > 0 && text.p[text.n - 1] != '\n')
            fb_buf_addc(&text, '\n');
        fb_buf_addf(&text, "%s[authority]\nlisten_addr = \"[::1]:0\"\n", text.n > 0 ? "\n" : "");
        r = fb_buf_failed(&text) ? fb_err_set(err, FB_E_LIMIT, "'%s' is too large", path) : fb_fs_make_parents(path, err);
        if (r == 0)
            r = fb_fs_write_atomic(path, 0600, text.p, text.n, err);
    }
    fb_buf_done(&text);
    free(path);
    return r < 0 ? r : 0;
}
