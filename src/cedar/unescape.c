/* String literals: escapes. */
#include "cedar/lex.h"

#include "cedar/str.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* \xHH, at most 7F; @i stands behind the x. */
static bool hex_escape(const char *p, size_t n, size_t *i, uint32_t *ret)
{
    if (n - *i < 2 || hex_digit(p[*i]) < 0 || hex_digit(p[*i + 1]) < 0)
        return false;
    *ret = (uint32_t)(hex_digit(p[*i]) << 4 | hex_digit(p[*i + 1]));
    *i += 2;
    return *ret < 0x80;
}

/* \u{H..}: one to six digits, underscores between and after them. */
static bool unicode_escape(const char *p, size_t n, size_t *i, uint32_t *ret)
{
    unsigned count = 0;
    uint32_t c = 0;
    size_t k = *i;
    if (k >= n || p[k++] != '{')
        return false;
    if (k < n && p[k] == '_')
        return false;
    for (; k < n && p[k] != '}'; k++) {
        if (p[k] == '_')
            continue;
        if (hex_digit(p[k]) < 0 || ++count > 6)
            return false;
        c = c << 4 | (uint32_t)hex_digit(p[k]);
    }
    if (k >= n || count == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return false;
    *i = k + 1;
    *ret = c;
    return true;
}

static bool escape(const char *p, size_t n, size_t *i, bool pattern, struct cedar_char *ret)
{
    static const char from[] = "nrt0\\\"'", to[] = "\n\r\t\0\\\"'";
    if (*i >= n)
        return false;
    char e = p[(*i)++];
    for (size_t k = 0; k + 1 < sizeof from; k++) {
        if (e == from[k]) {
            ret->c = (unsigned char)to[k];
            return true;
        }
    }
    if (e == 'x')
        return hex_escape(p, n, i, &ret->c);
    if (e == 'u')
        return unicode_escape(p, n, i, &ret->c);
    if (e == '*' && pattern) {
        ret->c = '*';
        ret->literal_star = true;
        return true;
    }
    return false;
}

bool cedar_unescape_next(const char *p, size_t n, size_t *i, bool pattern, struct cedar_char *ret, size_t *ret_len)
{
    *ret = (struct cedar_char){ 0, false };
    if (p[*i] == '\\') {
        size_t k = *i + 1;
        if (escape(p, n, &k, pattern, ret)) {
            *i = k;
            return true;
        }
        *ret_len = k - *i < 2 ? 2 : k - *i;
        return false;
    }
    *ret_len = 1;
    if (p[*i] == '\r')
        return false;
    *i += cedar_utf8_decode(p + *i, n - *i, &ret->c);
    return true;
}

int cedar_unescape(struct cedar_arena *a, const struct cedar_source *src, const struct cedar_token *t, int code,
                   struct cedar_str *ret)
{
    const char *p = src->text + t->off + 1;
    size_t n = t->len - 2, len = 0, bad;
    /* Decoding never grows: the shortest escape of a k-byte character has more than k bytes. */
    char *out = cedar_arena_alloc(a, n + 1);
    if (!out)
        return cedar_error_set(src->err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    for (size_t i = 0; i < n;) {
        struct cedar_char c;
        if (!cedar_unescape_next(p, n, &i, false, &c, &bad)) {
            int rc = cedar_error_at(src, t->off + 1 + i, bad, code, "InvalidEscape",
                                    p[i] == '\r' ? "raw carriage return in a string literal"
                                                 : "bad escape in a string literal");
            cedar_error_expected(src->err, "\\n \\r \\t \\0 \\\\ \\\" \\' \\xHH or \\u{H...}");
            return rc;
        }
        len += cedar_utf8_encode(c.c, out + len);
    }
    out[len] = '\0';
    *ret = (struct cedar_str){ out, len };
    return 0;
}
