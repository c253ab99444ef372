#include "cedar/out.h"

#include "cedar/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cedar_out_put(struct cedar_out *o, const char *p, size_t n)
{
    if (o->failed || n == 0)
        return;
    if (o->cap - o->n <= n) {
        size_t cap = o->cap ? o->cap * 2 : 256;
        while (cap - o->n <= n)
            cap *= 2;
        char *bigger = realloc(o->p, cap);
        if (!bigger) {
            o->failed = true;
            return;
        }
        o->p = bigger;
        o->cap = cap;
    }
    memcpy(o->p + o->n, p, n);
    o->n += n;
    o->p[o->n] = '\0';
}

void cedar_out_str(struct cedar_out *o, struct cedar_str s)
{
    cedar_out_put(o, s.ptr, s.len);
}

void cedar_out_text(struct cedar_out *o, const char *s)
{
    cedar_out_put(o, s, strlen(s));
}

void cedar_out_long(struct cedar_out *o, int64_t i)
{
    char buf[24];
    snprintf(buf, sizeof buf, "%lld", (long long)i);
    cedar_out_text(o, buf);
}

/* What would be invisible or act on a terminal is written as \u{..}. */
static bool needs_unicode_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x2069) || c == 0xfeff;
}

void cedar_out_literal(struct cedar_out *o, struct cedar_str s, bool pattern)
{
    char buf[16];
    if (!pattern)
        cedar_out_text(o, "\"");
    for (size_t i = 0; i < s.len;) {
        uint32_t c = 0;
        size_t n = cedar_utf8_decode(s.ptr + i, s.len - i, &c);
        n = n ? n : 1;
        if (c == '\n' || c == '\r' || c == '\t' || c == '\\' || c == '"') {
            buf[0] = '\\';
            buf[1] = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : (char)c;
            cedar_out_put(o, buf, 2);
        } else if (c == 0) {
            cedar_out_text(o, "\\0");
        } else if (needs_unicode_escape(c)) {
            snprintf(buf, sizeof buf, "\\u{%x}", (unsigned)c);
            cedar_out_text(o, buf);
        } else if (c == '*' && pattern) {
            cedar_out_text(o, "\\*");
        } else {
            cedar_out_put(o, s.ptr + i, n);
        }
        i += n;
    }
    if (!pattern)
        cedar_out_text(o, "\"");
}

void cedar_out_json(struct cedar_out *o, struct cedar_str s)
{
    char buf[8];
    size_t from = 0;
    cedar_out_text(o, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        cedar_out_put(o, s.ptr + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\')
            snprintf(buf, sizeof buf, "\\%c", c);
        else
            snprintf(buf, sizeof buf, "\\u%04x", (unsigned)c);
        cedar_out_text(o, buf);
    }
    cedar_out_put(o, s.ptr + from, s.len - from);
    cedar_out_text(o, "\"");
}

int cedar_out_take(struct cedar_out *o, struct cedar_text *ret)
{
    if (!o->p && !o->failed) {
        o->p = calloc(1, 1);
        o->failed = !o->p;
    }
    if (o->failed) {
        free(o->p);
        *o = (struct cedar_out){ 0 };
        return CEDAR_E_NOMEM;
    }
    *ret = (struct cedar_text){ o->p, o->n };
    *o = (struct cedar_out){ 0 };
    return 0;
}

void cedar_text_free(struct cedar_text *t)
{
    if (!t)
        return;
    free(t->ptr);
    *t = (struct cedar_text){ NULL, 0 };
}
