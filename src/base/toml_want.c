/* TOML: typed reading with one form of message for every file, and writing a string. */
#include "base/toml.h"

#include "base/buf.h"
#include "base/nearest.h"
#include "base/utf8.h"

static int wrong(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_err *err, const char *must)
{
    int n = node->key.n > 64 ? 64 : (int)node->key.n;
    if (node->key.p == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: the item must be %s, found %s", fb_toml_name(d),
                          node->line, node->col, must, fb_toml_kind_name(node->kind));
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: key '%.*s' must be %s, found %s", fb_toml_name(d),
                      node->line, node->col, n, node->key.p, must, fb_toml_kind_name(node->kind));
}

int fb_toml_want_str(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_str *ret, struct fb_err *err)
{
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_STRING)
        return wrong(d, node, err, fb_toml_kind_name(FB_TOML_STRING));
    *ret = node->s;
    return 0;
}

int fb_toml_want_bool(const struct fb_toml_doc *d, const struct fb_toml *node, bool *ret, struct fb_err *err)
{
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_BOOL)
        return wrong(d, node, err, "true or false");
    *ret = node->b;
    return 0;
}

int fb_toml_want_i64(const struct fb_toml_doc *d, const struct fb_toml *node, int64_t min, int64_t max, int64_t *ret,
                     struct fb_err *err)
{
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_INTEGER)
        return wrong(d, node, err, fb_toml_kind_name(FB_TOML_INTEGER));
    if (node->i < min || node->i > max) {
        int n = node->key.n > 64 ? 64 : (int)node->key.n;
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: key '%.*s' must be from %lld to %lld, found %lld",
                          fb_toml_name(d), node->line, node->col, n, node->key.n == 0 ? "" : node->key.p,
                          (long long)min, (long long)max, (long long)node->i);
    }
    *ret = node->i;
    return 0;
}

int fb_toml_want_f64(const struct fb_toml_doc *d, const struct fb_toml *node, double *ret, struct fb_err *err)
{
    if (node == NULL)
        return 0;
    if (node->kind == FB_TOML_INTEGER)
        *ret = (double)node->i;
    else if (node->kind == FB_TOML_FLOAT)
        *ret = node->f;
    else
        return wrong(d, node, err, "a number");
    return 0;
}

int fb_toml_want_table(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_err *err)
{
    if (node == NULL || node->kind == FB_TOML_TABLE)
        return 0;
    return wrong(d, node, err, fb_toml_kind_name(FB_TOML_TABLE));
}

int fb_toml_want_str_array(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_err *err)
{
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_ARRAY)
        return wrong(d, node, err, "an array of strings");
    for (const struct fb_toml *item = node->first; item != NULL; item = item->next) {
        if (item->kind != FB_TOML_STRING)
            return wrong(d, item, err, fb_toml_kind_name(FB_TOML_STRING));
    }
    return 0;
}

int fb_toml_only_keys(const struct fb_toml_doc *d, const struct fb_toml *table, const char *where,
                      const char *const *allowed, struct fb_err *err)
{
    if (table == NULL)
        return 0;
    size_t n_allowed = 0;
    while (allowed[n_allowed] != NULL)
        n_allowed++;
    for (const struct fb_toml *m = table->first; m != NULL; m = m->next) {
        size_t i = 0;
        while (i < n_allowed && !fb_str_eqz(m->key, allowed[i]))
            i++;
        if (i < n_allowed)
            continue;
        const char *near = fb_nearest(m->key, allowed, n_allowed);
        int n = m->key.n > 64 ? 64 : (int)m->key.n;
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: unknown key '%.*s'%s%s%s%s%s%s", fb_toml_name(d),
                          m->line, m->col, n, m->key.n == 0 ? "" : m->key.p, where[0] == '\0' ? "" : " in [", where,
                          where[0] == '\0' ? "" : "]", near == NULL ? "" : ", did you mean '", near == NULL ? "" : near,
                          near == NULL ? "" : "'?");
    }
    return 0;
}

int fb_toml_quote(struct fb_buf *out, struct fb_str s)
{
    fb_buf_addc(out, '"');
    for (size_t i = 0; i < s.n;) {
        unsigned char c = (unsigned char)s.p[i];
        uint32_t u;
        size_t n = fb_utf8_decode(s.p + i, s.n - i, &u);
        if (n == 0) {
            /* A TOML file is UTF-8; what is not becomes the replacement character. */
            fb_buf_addz(out, "\\uFFFD");
            n = 1;
        } else if (c == '"' || c == '\\') {
            fb_buf_addc(out, '\\');
            fb_buf_addc(out, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            fb_buf_addf(out, "\\u%04X", (unsigned)c);
        } else {
            fb_buf_add(out, s.p + i, n);
        }
        i += n;
    }
    fb_buf_addc(out, '"');
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}
