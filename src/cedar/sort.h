/* Sorting in place without memory of its own: the C library's qsort may call malloc. Layer: cedar, private. */
#ifndef CEDAR_SORT_H
#define CEDAR_SORT_H

#include <stddef.h>

/* Not stable. @size at most 64. O(n log n) whatever the input. */
void cedar_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *));

#endif
