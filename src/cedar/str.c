#include "cedar/str.h"

#include <string.h>

struct cedar_str cedar_str_c(const char *s)
{
    return (struct cedar_str){ s, s ? strlen(s) : 0 };
}

bool cedar_str_eq(struct cedar_str a, struct cedar_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

int cedar_str_cmp(struct cedar_str a, struct cedar_str b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    if (c)
        return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

uint32_t cedar_str_hash(uint32_t h, struct cedar_str s)
{
    /* Eight bytes a step; multiply-xorshift mixing, the length closes it. */
    uint64_t x = h ^ (s.len * 0x9e3779b97f4a7c15ULL);
    const char *p = s.ptr;
    size_t n = s.len;
    while (n >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        x = (x ^ w) * 0xff51afd7ed558ccdULL;
        x ^= x >> 32;
        p += 8;
        n -= 8;
    }
    if (n) {
        uint64_t w = 0;
        memcpy(&w, p, n);
        x = (x ^ w) * 0xff51afd7ed558ccdULL;
        x ^= x >> 32;
    }
    x *= 0xc4ceb9fe1a85ec53ULL;
    return (uint32_t)(x >> 32);
}

size_t cedar_utf8_decode(const char *p, size_t n, uint32_t *ret)
{
    const unsigned char *s = (const unsigned char *)p;
    if (n == 0)
        return 0;
    if (s[0] < 0x80) {
        *ret = s[0];
        return 1;
    }
    size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || n < len)
        return 0;
    uint32_t c = s[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (s[i] & 0x3fu);
    }
    if ((len == 3 && (c < 0x800 || (c >= 0xd800 && c <= 0xdfff))) || (len == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    *ret = c;
    return len;
}

size_t cedar_utf8_encode(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if ((c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
        return 0;
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

size_t cedar_utf8_valid_len(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n) {
        uint64_t w;
        if (n - i >= 8) { /* plain ASCII is nearly all there is */
            memcpy(&w, p + i, 8);
            if (!(w & 0x8080808080808080ULL)) {
                i += 8;
                continue;
            }
        }
        uint32_t c;
        size_t len = cedar_utf8_decode(p + i, n - i, &c);
        if (len == 0)
            return i;
        i += len;
    }
    return n;
}

bool cedar_is_space(uint32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13);
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

bool cedar_is_reserved(struct cedar_str s)
{
    static const char *const words[] = { "true", "false", "if", "then", "else", "in", "is", "has", "like", "__cedar" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cedar_str_eq(s, cedar_str_c(words[i])))
            return true;
    }
    return false;
}

bool cedar_is_ident(struct cedar_str s)
{
    if (s.len == 0 || !cedar_is_ident_start((unsigned char)s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (!cedar_is_ident_char((unsigned char)s.ptr[i]))
            return false;
    }
    return !cedar_is_reserved(s);
}

bool cedar_is_name(struct cedar_str s)
{
    size_t start = 0;
    for (size_t i = 0; i + 1 < s.len; i++) {
        if (s.ptr[i] == ':' && s.ptr[i + 1] == ':') {
            if (!cedar_is_ident((struct cedar_str){ s.ptr + start, i - start }))
                return false;
            start = i + 2;
            i++;
        }
    }
    return start <= s.len && cedar_is_ident((struct cedar_str){ s.ptr + start, s.len - start });
}

struct cedar_str cedar_name_base(struct cedar_str s)
{
    for (size_t i = s.len; i > 1; i--) {
        if (s.ptr[i - 1] == ':')
            return (struct cedar_str){ s.ptr + i, s.len - i };
    }
    return s;
}

struct cedar_str cedar_name_namespace(struct cedar_str s)
{
    size_t base = cedar_name_base(s).len;
    if (base == s.len)
        return CEDAR_S("");
    return (struct cedar_str){ s.ptr, s.len - base - 2 };
}

unsigned cedar_str_distance(struct cedar_str a, struct cedar_str b, unsigned limit)
{
    enum { MAX = 48 };
    unsigned row[3][MAX + 1];
    if (a.len > MAX || b.len > MAX || a.len > b.len + limit || b.len > a.len + limit)
        return limit + 1;
    for (unsigned j = 0; j <= b.len; j++)
        row[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        unsigned *cur = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        cur[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned best = up[j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (cur[j - 1] + 1 < best)
                best = cur[j - 1] + 1;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            cur[j] = best;
        }
    }
    return row[a.len % 3][b.len] > limit ? limit + 1 : row[a.len % 3][b.len];
}
