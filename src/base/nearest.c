/* Edit distance over short words. */
#include "base/nearest.h"

enum { WORD_MAX = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Levenshtein with one row of memory. */
static unsigned distance(struct fb_str a, struct fb_str b)
{
    unsigned row[WORD_MAX + 1];
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned up = row[j];
            unsigned change = a.p[i - 1] == b.p[j - 1] ? diagonal : diagonal + 1;
            row[j] = min3(change, up + 1, row[j - 1] + 1);
            diagonal = up;
        }
    }
    return row[b.n];
}

const char *fb_nearest(struct fb_str word, const char *const *names, size_t n)
{
    if (word.n == 0 || word.n > WORD_MAX)
        return NULL;
    unsigned limit = (unsigned)(word.n / 3);
    if (limit == 0)
        limit = 1;
    const char *best = NULL;
    for (size_t i = 0; i < n; i++) {
        struct fb_str name = fb_str_of(names[i]);
        if (name.n > WORD_MAX)
            continue;
        unsigned d = distance(word, name);
        if (d <= limit) {
            best = names[i];
            if (d == 0)
                break;
            limit = d - 1;
        }
    }
    return best;
}
