/* TOML out of a parsed template, with overrides. Dotted keys below one header keep the writer free of table order. */
#include "run/template.h"

#include "base/fs.h"
#include "base/toml.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Relative values of these keys mean the template's directory, not the new file's. */
static const char *const path_keys[] = {
    "audit.signing_key_path", "audit.file_path", "policy.dir", "mapping.rules_path", "mapping.rules_paths",
    "authority.ca_cert_path", "authority.public_key_path", "authority.credentials.pre_shared_key_path",
    "capability_seed.paths",
};

enum { DOTTED_MAX = 512, DEPTH_MAX = 32 };

struct writer {
    struct fb_buf *out;
    const char *dir;
    const struct run_override *overrides;
    size_t n;
};

static bool is_listed(const char *key)
{
    for (size_t i = 0; i < FB_COUNT(path_keys); i++)
        if (strcmp(path_keys[i], key) == 0)
            return true;
    return false;
}

static bool is_overridden(const struct writer *w, const char *key)
{
    for (size_t i = 0; i < w->n; i++)
        if (strcmp(w->overrides[i].key, key) == 0)
            return true;
    return false;
}

static void write_float(struct fb_buf *out, double f)
{
    if (isnan(f)) {
        fb_buf_addz(out, "nan");
    } else if (isinf(f)) {
        fb_buf_addz(out, f < 0 ? "-inf" : "inf");
    } else {
        char text[40];
        snprintf(text, sizeof text, "%.17g", f);
        fb_buf_addf(out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
    }
}

static void write_value(const struct writer *w, const struct fb_toml *v, bool is_path, int depth);

static void write_string(const struct writer *w, struct fb_str s, bool is_path)
{
    char *joined = NULL;
    if (is_path && s.n > 0 && s.p[0] != '/') {
        char *text = fb_str_dupz(s);
        joined = text == NULL ? NULL : fb_fs_join(w->dir, text);
        free(text);
    }
    fb_toml_quote(w->out, joined == NULL ? s : fb_str_of(joined));
    free(joined);
}

static void write_members(const struct writer *w, const struct fb_toml *v, bool is_path, int depth)
{
    const char *sep = "";
    for (const struct fb_toml *i = v->first; i != NULL; i = i->next) {
        fb_buf_addz(w->out, sep);
        if (v->kind == FB_TOML_TABLE) {
            fb_toml_quote(w->out, i->key);
            fb_buf_addz(w->out, " = ");
        }
        write_value(w, i, is_path, depth + 1);
        sep = ", ";
    }
}

static void write_value(const struct writer *w, const struct fb_toml *v, bool is_path, int depth)
{
    if (depth > DEPTH_MAX) {
        w->out->failed = true;
        return;
    }
    switch (v->kind) {
    case FB_TOML_STRING:
        write_string(w, v->s, is_path);
        break;
    case FB_TOML_DATETIME:
        fb_buf_adds(w->out, v->s);
        break;
    case FB_TOML_INTEGER:
        fb_buf_add_i64(w->out, v->i);
        break;
    case FB_TOML_FLOAT:
        write_float(w->out, v->f);
        break;
    case FB_TOML_BOOL:
        fb_buf_addz(w->out, v->b ? "true" : "false");
        break;
    case FB_TOML_ARRAY:
        fb_buf_addc(w->out, '[');
        write_members(w, v, is_path, depth);
        fb_buf_addc(w->out, ']');
        break;
    case FB_TOML_TABLE:
        fb_buf_addc(w->out, '{');
        write_members(w, v, is_path, depth);
        fb_buf_addc(w->out, '}');
        break;
    }
}

/* "a.b" for comparing, and the quoted form for writing, grow together. */
static void write_table(const struct writer *w, const struct fb_toml *table, const char *dotted, const char *quoted,
                        int depth)
{
    for (const struct fb_toml *v = table->first; v != NULL; v = v->next) {
        char key[DOTTED_MAX];
        struct fb_buf name;
        fb_buf_init(&name, DOTTED_MAX);
        fb_buf_addz(&name, quoted);
        if (quoted[0] != '\0')
            fb_buf_addc(&name, '.');
        fb_toml_quote(&name, v->key);
        int n = snprintf(key, sizeof key, "%s%s%.*s", dotted, dotted[0] == '\0' ? "" : ".", FB_STR_ARG(v->key));
        if (fb_buf_failed(&name) || n >= (int)sizeof key || depth > DEPTH_MAX) {
            w->out->failed = true;
        } else if (!is_overridden(w, key)) {
            if (v->kind == FB_TOML_TABLE && v->first != NULL) {
                write_table(w, v, key, name.p, depth + 1);
            } else {
                fb_buf_addf(w->out, "%s = ", name.p);
                write_value(w, v, is_listed(key), depth);
                fb_buf_addc(w->out, '\n');
            }
        }
        fb_buf_done(&name);
    }
}

int run_template_write(struct fb_buf *out, const struct fb_toml_doc *doc, const char *dir,
                       const struct run_override *overrides, size_t n, struct fb_err *err)
{
    const struct writer w = { out, dir, overrides, n };
    fb_buf_addz(out, "# Made by `firma run` for one run; edits have no effect.\n[sidecar]\n");
    const struct fb_toml *table = doc == NULL ? NULL : fb_toml_get(fb_toml_root(doc), "sidecar");
    if (table != NULL && table->kind == FB_TOML_TABLE)
        write_table(&w, table, "", "", 0);
    for (size_t i = 0; i < n; i++)
        fb_buf_addf(out, "%s = %s\n", overrides[i].key, overrides[i].value);
    if (fb_buf_failed(out))
        return fb_err_set(err, FB_E_LIMIT, "the Sidecar's configuration is too large");
    return 0;
}
