#include "cedar/pattern.h"

#include "cedar/str.h"

#include <string.h>

int cedar_pattern_decode(struct cedar_arena *a, const struct cedar_source *src, const struct cedar_token *t, int code,
                         struct cedar_pattern *ret)
{
    const char *p = src->text + t->off + 1;
    size_t n = t->len - 2, len = 0, start = 0, n_seg = 0, bad;
    size_t max_seg = 1;
    for (size_t i = 0; i < n; i++) /* an upper bound: \x2a and \u{2a} are stars too */
        max_seg += p[i] == '*' || p[i] == '\\';
    char *out = cedar_arena_alloc(a, n + 1);
    struct cedar_str *seg = CEDAR_NEW_N(a, max_seg, struct cedar_str);
    if (!out || !seg)
        return cedar_error_set(src->err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    for (size_t i = 0; i < n;) {
        struct cedar_char c;
        if (!cedar_unescape_next(p, n, &i, true, &c, &bad)) {
            int rc = cedar_error_at(src, t->off + 1 + i, bad, code, "InvalidEscape", "bad escape in a pattern");
            cedar_error_expected(src->err, "\\* \\n \\r \\t \\0 \\\\ \\\" \\' \\xHH or \\u{H...}");
            return rc;
        }
        if (c.c == '*' && !c.literal_star) {
            seg[n_seg++] = (struct cedar_str){ out + start, len - start };
            start = len;
        } else {
            len += cedar_utf8_encode(c.c, out + len);
        }
    }
    seg[n_seg++] = (struct cedar_str){ out + start, len - start };
    *ret = (struct cedar_pattern){ seg, n_seg };
    return 0;
}

/* Leftmost placement of each inner segment is enough: what lies between stars may be anything. */
bool cedar_pattern_match(const struct cedar_pattern *p, struct cedar_str s)
{
    struct cedar_str first = p->segments[0], last = p->segments[p->n_segments - 1];
    if (p->n_segments == 1)
        return cedar_str_eq(first, s);
    if (s.len < first.len + last.len || (first.len && memcmp(s.ptr, first.ptr, first.len) != 0) ||
        (last.len && memcmp(s.ptr + s.len - last.len, last.ptr, last.len) != 0))
        return false;
    const char *at = s.ptr + first.len, *end = s.ptr + s.len - last.len;
    for (size_t i = 1; i + 1 < p->n_segments; i++) {
        struct cedar_str seg = p->segments[i];
        if (seg.len == 0)
            continue;
        const char *hit = memmem(at, (size_t)(end - at), seg.ptr, seg.len);
        if (!hit)
            return false;
        at = hit + seg.len;
    }
    return true;
}

bool cedar_pattern_eq(const struct cedar_pattern *a, const struct cedar_pattern *b)
{
    if (a->n_segments != b->n_segments)
        return false;
    for (size_t i = 0; i < a->n_segments; i++) {
        if (!cedar_str_eq(a->segments[i], b->segments[i]))
            return false;
    }
    return true;
}
