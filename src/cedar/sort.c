#include "cedar/sort.h"

#include <string.h>

enum { SIZE_MAX_BYTES = 256, INSERTION_MAX = 12 };

static void insertion(char *b, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    char x[SIZE_MAX_BYTES];
    for (size_t i = 1; i < n; i++) {
        if (cmp(b + (i - 1) * size, b + i * size) <= 0)
            continue;
        size_t j = i;
        memcpy(x, b + i * size, size);
        for (; j > 0 && cmp(b + (j - 1) * size, x) > 0; j--)
            memcpy(b + j * size, b + (j - 1) * size, size);
        memcpy(b + j * size, x, size);
    }
}

static void swap(char *a, char *b, size_t size)
{
    char x[SIZE_MAX_BYTES];
    memcpy(x, a, size);
    memcpy(a, b, size);
    memcpy(b, x, size);
}

static void sift(char *b, size_t root, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    for (;;) {
        size_t kid = 2 * root + 1;
        if (kid >= n)
            return;
        if (kid + 1 < n && cmp(b + kid * size, b + (kid + 1) * size) < 0)
            kid++;
        if (cmp(b + root * size, b + kid * size) >= 0)
            return;
        swap(b + root * size, b + kid * size, size);
        root = kid;
    }
}

static int in_order(const char *b, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    for (size_t i = 1; i < n; i++) {
        if (cmp(b + (i - 1) * size, b + i * size) > 0)
            return 0;
    }
    return 1;
}

void cedar_sort(void *base, size_t n, size_t size, int (*cmp)(const void *, const void *))
{
    char *b = base;
    if (n <= INSERTION_MAX) {
        insertion(b, n, size, cmp);
        return;
    }
    if (in_order(b, n, size, cmp))
        return;
    for (size_t i = n / 2; i-- > 0;)
        sift(b, i, n, size, cmp);
    for (size_t end = n - 1; end > 0; end--) {
        swap(b, b + end * size, size);
        sift(b, 0, end, size, cmp);
    }
}
