/* Borrowed byte views: pointer and length, no terminator promised, no ownership. Layer: base (L0). Thread: any. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct fb_str {
    const char *p; /* may be NULL only when n is 0 */
    size_t n;      /* bytes */
};

#define FB_STR(literal) ((struct fb_str){ (literal), sizeof(literal) - 1 })
/* For printf: "%.*s", FB_STR_ARG(s). */
#define FB_STR_ARG(s) (int)(s).n, (s).p

static inline struct fb_str fb_str_of(const char *z)
{
    return (struct fb_str){ z, z == NULL ? 0 : strlen(z) };
}
static inline struct fb_str fb_str_n(const char *p, size_t n)
{
    return (struct fb_str){ p, n };
}
static inline bool fb_str_eq(struct fb_str a, struct fb_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool fb_str_eqz(struct fb_str a, const char *z)
{
    return fb_str_eq(a, fb_str_of(z));
}

/* ASCII only: bytes outside A-Z are compared as they are. */
bool fb_str_eq_nocase(struct fb_str a, struct fb_str b);
bool fb_str_starts(struct fb_str s, struct fb_str prefix);
bool fb_str_ends(struct fb_str s, struct fb_str suffix);
/* Bytewise order, shorter first on a common prefix; <0, 0, >0. */
int fb_str_cmp(struct fb_str a, struct fb_str b);
/* Without leading and trailing blanks (space, tab). */
struct fb_str fb_str_trim(struct fb_str s);
/* Index of the first @c, or s.n when absent. */
size_t fb_str_index(struct fb_str s, char c);
/* True when @needle occurs; the empty needle always does. */
bool fb_str_contains(struct fb_str s, struct fb_str needle);
/* Takes the part before the next @sep off *@rest into *@ret_part; false when nothing is left. "a,,b" gives a, "", b. */
bool fb_str_split(struct fb_str *rest, char sep, struct fb_str *ret_part);
/* Same time whatever the content, for secrets; lengths are not secret. */
bool fb_str_eq_const_time(struct fb_str a, struct fb_str b);
/* A heap copy with a NUL after it, NULL when memory is out or @s holds a NUL; caller frees. */
char *fb_str_dupz(struct fb_str s) FB_MUST_USE;

#endif
