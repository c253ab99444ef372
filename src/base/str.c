/* Byte views. */
#include "base/str.h"

#include <stdlib.h>

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool fb_str_eq_nocase(struct fb_str a, struct fb_str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool fb_str_starts(struct fb_str s, struct fb_str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool fb_str_ends(struct fb_str s, struct fb_str suffix)
{
    return s.n >= suffix.n && (suffix.n == 0 || memcmp(s.p + s.n - suffix.n, suffix.p, suffix.n) == 0);
}

int fb_str_cmp(struct fb_str a, struct fb_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n == 0 ? 0 : memcmp(a.p, b.p, n);
    if (order != 0)
        return order;
    return a.n == b.n ? 0 : (a.n < b.n ? -1 : 1);
}

struct fb_str fb_str_trim(struct fb_str s)
{
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

size_t fb_str_index(struct fb_str s, char c)
{
    const char *at = s.n == 0 ? NULL : memchr(s.p, c, s.n);
    return at == NULL ? s.n : (size_t)(at - s.p);
}

bool fb_str_contains(struct fb_str s, struct fb_str needle)
{
    return needle.n == 0 || (s.n >= needle.n && memmem(s.p, s.n, needle.p, needle.n) != NULL);
}

bool fb_str_split(struct fb_str *rest, char sep, struct fb_str *ret_part)
{
    if (rest->p == NULL)
        return false;
    size_t at = fb_str_index(*rest, sep);
    *ret_part = fb_str_n(rest->p, at);
    if (at == rest->n) {
        *rest = fb_str_n(NULL, 0);
    } else {
        rest->p += at + 1;
        rest->n -= at + 1;
    }
    return true;
}

bool fb_str_eq_const_time(struct fb_str a, struct fb_str b)
{
    if (a.n != b.n)
        return false;
    unsigned char differ = 0;
    for (size_t i = 0; i < a.n; i++)
        differ = (unsigned char)(differ | (unsigned char)(a.p[i] ^ b.p[i]));
    return differ == 0;
}

char *fb_str_dupz(struct fb_str s)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        return NULL;
    char *copy = malloc(s.n + 1);
    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}
