/* "Did you mean": the closest of a list of names. Layer: base (L0). Thread: any. */
#ifndef BASE_NEAREST_H
#define BASE_NEAREST_H

#include "base/str.h"

/* The name with the smallest edit distance to @word, if it is at most a third of the word's length (and at least 1);
 * NULL otherwise, and for words over 64 bytes. The first of equals wins. */
const char *fb_nearest(struct fb_str word, const char *const *names, size_t n);

#endif
