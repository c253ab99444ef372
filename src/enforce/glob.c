#include "enforce/glob.h"

bool fe_glob_loose(struct fb_str pattern, struct fb_str text)
{
    size_t star = fb_str_index(pattern, '*');
    if (star == pattern.n)
        return fb_str_eq(pattern, text);
    struct fb_str head = fb_str_n(pattern.p, star);
    if (!fb_str_starts(text, head))
        return false;
    struct fb_str rest_text = fb_str_n(text.p + head.n, text.n - head.n);
    struct fb_str rest = fb_str_n(pattern.p + star + 1, pattern.n - star - 1);
    /* Each inner piece may be taken at its first place: what follows is a star again. */
    for (;;) {
        size_t n = fb_str_index(rest, '*');
        struct fb_str piece = fb_str_n(rest.p, n);
        if (n == rest.n)
            return fb_str_ends(rest_text, piece);
        if (n > 0) {
            const char *at = rest_text.n == 0 ? NULL : memmem(rest_text.p, rest_text.n, piece.p, piece.n);
            if (at == NULL)
                return false;
            size_t used = (size_t)(at - rest_text.p) + n;
            rest_text = fb_str_n(rest_text.p + used, rest_text.n - used);
        }
        rest = fb_str_n(rest.p + n + 1, rest.n - n - 1);
    }
}

static bool is_separator(const char *separators, char c)
{
    return c != '\0' && strchr(separators, c) != NULL;
}

/* Where the search goes on after a mismatch: one more character under the last `*`, else under the last `**`. */
struct restart {
    bool set;
    size_t pattern; /* just behind the star */
    size_t text;    /* first character not yet under it */
};

struct walk {
    struct fb_str pattern;
    struct fb_str text;
    const char *separators;
    size_t p;
    size_t t;
    struct restart star;
    struct restart globstar;
};

/* True when the star at @at is a whole part, which may not be empty. */
static bool star_is_whole_part(const struct walk *w, size_t at)
{
    bool left = at == 0 || is_separator(w->separators, w->pattern.p[at - 1]);
    bool right = at + 1 == w->pattern.n || is_separator(w->separators, w->pattern.p[at + 1]);
    return left && right;
}

/* Puts one more character under a star. The earliest place is always enough: whatever a later one reaches, the next star
 * reaches too. */
static bool step_back(struct walk *w)
{
    if (w->star.set && w->star.text < w->text.n && !is_separator(w->separators, w->text.p[w->star.text])) {
        w->star.text++;
        w->p = w->star.pattern;
        w->t = w->star.text;
        return true;
    }
    if (w->globstar.set && w->globstar.text < w->text.n) {
        w->globstar.text++;
        w->star.set = false;
        w->p = w->globstar.pattern;
        w->t = w->globstar.text;
        return true;
    }
    return false;
}

/* Takes the star at the current place; false when a whole-part star finds nothing to stand for. */
static bool take_star(struct walk *w)
{
    size_t at = w->p;
    if (at + 1 < w->pattern.n && w->pattern.p[at + 1] == '*') {
        w->p = at + 2;
        while (w->p < w->pattern.n && w->pattern.p[w->p] == '*')
            w->p++;
        w->globstar = (struct restart){ true, w->p, w->t };
        w->star.set = false;
        return true;
    }
    w->p = at + 1;
    size_t from = w->t;
    if (star_is_whole_part(w, at)) {
        if (from == w->text.n || is_separator(w->separators, w->text.p[from]))
            return false;
        from++;
    }
    w->t = from;
    w->star = (struct restart){ true, w->p, from };
    return true;
}

enum fe_glob_result fe_glob_segment(struct fb_str pattern, struct fb_str text, const char *separators, uint64_t *steps)
{
    if (fb_str_eqz(pattern, "*"))
        return FE_GLOB_YES;
    struct walk w = { .pattern = pattern, .text = text, .separators = separators };
    for (;;) {
        if (*steps == 0)
            return FE_GLOB_TOO_MUCH;
        (*steps)--;
        if (w.p == pattern.n && w.t == text.n)
            return FE_GLOB_YES;
        bool ok = false;
        if (w.p < pattern.n && pattern.p[w.p] == '*') {
            ok = take_star(&w);
        } else if (w.p < pattern.n && w.t < text.n && pattern.p[w.p] == text.p[w.t]) {
            w.p++;
            w.t++;
            ok = true;
        }
        if (!ok && !step_back(&w))
            return FE_GLOB_NO;
    }
}
