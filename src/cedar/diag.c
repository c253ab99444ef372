#include "cedar/diag.h"

#include "cedar/str.h"

#include <stdio.h>
#include <string.h>

const char *cedar_code_name(int code)
{
    static const char *const names[] = { "ok",   "nomem", "arg",    "limit",   "utf8",   "parse", "schema",
                                         "json", "value", "entity", "request", "policy", "link",  "eval" };
    int i = -code;
    return i >= 0 && i < (int)(sizeof names / sizeof names[0]) ? names[i] : "unknown";
}

/* Replaces what a terminal could act on, in place; text cut inside a character loses that character. */
static void clean(char *s)
{
    size_t n = strlen(s), i = 0;
    while (i < n) {
        uint32_t c;
        size_t len = cedar_utf8_decode(s + i, n - i, &c);
        bool bad = len == 0 || c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
                   (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        if (len == 0)
            len = 1;
        if (bad)
            memset(s + i, '?', len);
        i += len;
    }
}

static void put(char *dst, size_t cap, const char *fmt, va_list ap)
{
    vsnprintf(dst, cap, fmt, ap);
    clean(dst);
}

static void fill(struct cedar_error *err, int code, const char *kind, const char *fmt, va_list ap)
{
    memset(err, 0, sizeof *err);
    err->code = code;
    snprintf(err->kind, sizeof err->kind, "%s", kind);
    put(err->msg, sizeof err->msg, fmt, ap);
}

int cedar_error_set(struct cedar_error *err, int code, const char *kind, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        fill(err, code, kind, fmt, ap);
        va_end(ap);
    }
    return code;
}

int cedar_error_at(const struct cedar_source *src, size_t offset, size_t length, int code, const char *kind,
                   const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fill(src->err, code, kind, fmt, ap);
    va_end(ap);
    if (offset > src->len)
        offset = src->len;
    if (length > src->len - offset)
        length = src->len - offset;
    src->err->offset = offset;
    src->err->length = length;
    cedar_source_position(src->text, src->len, offset, &src->err->line, &src->err->col);
    return code;
}

void cedar_error_expected(struct cedar_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (err)
        put(err->expected, sizeof err->expected, fmt, ap);
    va_end(ap);
}

void cedar_error_hint(struct cedar_error *err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (err)
        put(err->hint, sizeof err->hint, fmt, ap);
    va_end(ap);
}

void cedar_error_suggest(struct cedar_error *err, struct cedar_str got, const char *const *names, size_t n)
{
    unsigned best = got.len <= 3 ? 1 : got.len <= 6 ? 2 : 3;
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        unsigned d = cedar_str_distance(got, cedar_str_c(names[i]), best);
        if (d <= best && d < got.len) {
            found = names[i];
            if (d == 0)
                break;
            best = d - 1;
        }
    }
    if (found)
        cedar_error_hint(err, "did you mean `%s`?", found);
}

void cedar_source_position(const char *text, size_t len, size_t offset, uint32_t *ret_line, uint32_t *ret_col)
{
    uint32_t line = 1, col = 1;
    for (size_t i = 0; i < offset && i < len;) {
        uint32_t c;
        size_t n = cedar_utf8_decode(text + i, len - i, &c);
        if (n == 1 && c == '\n') {
            line++;
            col = 1;
        } else {
            col++;
        }
        i += n ? n : 1;
    }
    *ret_line = line;
    *ret_col = col;
}

struct out {
    char *buf;
    size_t cap, len;
};

static void out_add(struct out *o, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++, o->len++) {
        if (o->len + 1 < o->cap)
            o->buf[o->len] = p[i];
    }
}

static void out_fmt(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void out_fmt(struct out *o, const char *fmt, ...)
{
    char tmp[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(tmp, sizeof tmp, fmt, ap);
    va_end(ap);
    clean(tmp[0] == '\n' ? tmp + 1 : tmp);
    out_add(o, tmp, strlen(tmp));
}

/* The line with a caret run under the place; very long lines are shown around the place only. */
static void out_excerpt(struct out *o, const struct cedar_error *err, const char *text, size_t len)
{
    enum { BEFORE = 60, SPAN = 120 };
    size_t at = err->offset > len ? len : err->offset, start = at, end = at;
    while (start > 0 && text[start - 1] != '\n' && at - start < BEFORE)
        start--;
    while (start < at && ((unsigned char)text[start] & 0xc0) == 0x80)
        start++;
    while (end < len && text[end] != '\n' && end - start < SPAN)
        end++;
    while (end < len && end > at && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    char line[SPAN + 8], under[SPAN + 8];
    size_t n = end - start, u = 0;
    memcpy(line, text + start, n);
    line[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (line[i] == '\0' || line[i] == '\t')
            line[i] = ' ';
    }
    clean(line);
    for (size_t i = start; i < at; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            under[u++] = ' ';
    }
    size_t stop = at + (err->length ? err->length : 1);
    for (size_t i = at; (i < stop && i < end) || i == at; i++) {
        if (i == at || ((unsigned char)text[i] & 0xc0) != 0x80)
            under[u++] = '^';
    }
    under[u] = '\0';
    out_fmt(o, "\n%5u | ", err->line);
    out_add(o, line, strlen(line));
    out_fmt(o, "\n      | ");
    out_add(o, under, u);
}

size_t cedar_error_render(const struct cedar_error *err, const char *name, const char *text, size_t len, char *buf,
                          size_t cap)
{
    struct out o = { buf, cap, 0 };
    if (name && *name)
        out_fmt(&o, "%s:", name);
    if (err->line)
        out_fmt(&o, "%u:%u:", err->line, err->col);
    if (o.len)
        out_add(&o, " ", 1);
    if (err->kind[0])
        out_fmt(&o, "%s: ", err->kind);
    out_add(&o, err->msg, strlen(err->msg));
    if (text && err->line)
        out_excerpt(&o, err, text, len);
    if (err->expected[0])
        out_fmt(&o, "\n      = expected %s", err->expected);
    if (err->hint[0])
        out_fmt(&o, "\n      = %s", err->hint);
    if (cap)
        buf[o.len < cap ? o.len : cap - 1] = '\0';
    return o.len;
}
