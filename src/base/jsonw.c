/* JSON writer. */
#include "base/jsonw.h"

#include "base/utf8.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { F64_TEXT_BYTES = 40, F64_DIGITS_LEAST = 15, F64_DIGITS_MOST = 17 };

void fb_jsonw_init(struct fb_jsonw *w, struct fb_buf *out, int indent)
{
    *w = (struct fb_jsonw){ .out = out, .indent = indent };
}

static void new_line(struct fb_jsonw *w)
{
    if (w->indent == 0)
        return;
    fb_buf_addc(w->out, '\n');
    for (int i = 0; i < w->indent * w->depth; i++)
        fb_buf_addc(w->out, ' ');
}

/* What stands between the item before and the next one. */
static void separate(struct fb_jsonw *w)
{
    if (w->after_key) {
        w->after_key = false;
        return;
    }
    if (w->depth == 0)
        return;
    if (w->has_item[w->depth - 1])
        fb_buf_addc(w->out, ',');
    w->has_item[w->depth - 1] = true;
    new_line(w);
}

static void open_level(struct fb_jsonw *w, char c)
{
    separate(w);
    if (w->depth == FB_JSONW_DEPTH) {
        w->out->failed = true;
        return;
    }
    fb_buf_addc(w->out, c);
    w->has_item[w->depth++] = false;
}

static void close_level(struct fb_jsonw *w, char c)
{
    if (w->depth == 0) {
        w->out->failed = true;
        return;
    }
    bool had_item = w->has_item[--w->depth];
    if (had_item)
        new_line(w);
    fb_buf_addc(w->out, c);
}

void fb_jsonw_object(struct fb_jsonw *w)
{
    open_level(w, '{');
}

void fb_jsonw_object_end(struct fb_jsonw *w)
{
    close_level(w, '}');
}

void fb_jsonw_array(struct fb_jsonw *w)
{
    open_level(w, '[');
}

void fb_jsonw_array_end(struct fb_jsonw *w)
{
    close_level(w, ']');
}

/* Length of what can be copied as it is. */
static size_t plain_run(struct fb_str s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c == 0x7F || c == '"' || c == '\\')
            break;
        uint32_t ignored;
        size_t length = c < 0x80 ? 1 : fb_utf8_decode(s.p + i, s.n - i, &ignored);
        if (length == 0)
            break;
        i += length;
    }
    return i;
}

static void add_special(struct fb_buf *out, unsigned char c)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof letters; i += 2)
        if (c == (unsigned char)letters[i]) {
            const char pair[2] = { '\\', letters[i + 1] };
            fb_buf_add(out, pair, sizeof pair);
            return;
        }
    if (c >= 0x80)
        fb_buf_adds(out, FB_STR("\xEF\xBF\xBD"));
    else
        fb_buf_addf(out, "\\u%04x", (unsigned)c);
}

static void add_text(struct fb_buf *out, struct fb_str s)
{
    fb_buf_addc(out, '"');
    while (s.n > 0) {
        size_t n = plain_run(s);
        if (n > 0)
            fb_buf_add(out, s.p, n);
        if (n < s.n)
            add_special(out, (unsigned char)s.p[n++]);
        s = fb_str_n(s.p + n, s.n - n);
    }
    fb_buf_addc(out, '"');
}

void fb_jsonw_keys(struct fb_jsonw *w, struct fb_str key)
{
    separate(w);
    add_text(w->out, key);
    fb_buf_adds(w->out, w->indent == 0 ? FB_STR(":") : FB_STR(": "));
    w->after_key = true;
}

void fb_jsonw_key(struct fb_jsonw *w, const char *key)
{
    fb_jsonw_keys(w, fb_str_of(key));
}

void fb_jsonw_str(struct fb_jsonw *w, struct fb_str s)
{
    separate(w);
    add_text(w->out, s);
}

void fb_jsonw_strz(struct fb_jsonw *w, const char *z)
{
    if (z == NULL)
        fb_jsonw_null(w);
    else
        fb_jsonw_str(w, fb_str_of(z));
}

void fb_jsonw_i64(struct fb_jsonw *w, int64_t v)
{
    separate(w);
    fb_buf_add_i64(w->out, v);
}

void fb_jsonw_u64(struct fb_jsonw *w, uint64_t v)
{
    separate(w);
    fb_buf_add_u64(w->out, v);
}

void fb_jsonw_f64(struct fb_jsonw *w, double v)
{
    if (!isfinite(v)) {
        fb_jsonw_null(w); /* JSON has no word for it */
        return;
    }
    char text[F64_TEXT_BYTES];
    /* The shortest text that reads back as the same number. */
    for (int digits = F64_DIGITS_LEAST; digits <= F64_DIGITS_MOST; digits++) {
        (void)snprintf(text, sizeof text, "%.*g", digits, v);
        double again = strtod(text, NULL);
        if (memcmp(&again, &v, sizeof v) == 0)
            break;
    }
    separate(w);
    fb_buf_addz(w->out, text);
    if (strpbrk(text, ".e") == NULL)
        fb_buf_adds(w->out, FB_STR(".0"));
}

void fb_jsonw_bool(struct fb_jsonw *w, bool v)
{
    separate(w);
    fb_buf_adds(w->out, v ? FB_STR("true") : FB_STR("false"));
}

void fb_jsonw_null(struct fb_jsonw *w)
{
    separate(w);
    fb_buf_adds(w->out, FB_STR("null"));
}

void fb_jsonw_raw(struct fb_jsonw *w, struct fb_str json)
{
    separate(w);
    fb_buf_adds(w->out, json);
}
