/* Growing byte buffer with a ceiling. */
#include "base/buf.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_BYTES = 64 };

void fb_buf_init(struct fb_buf *b, size_t max_bytes)
{
    /* One byte above the ceiling is taken for the NUL, so the sum must not wrap. */
    *b = (struct fb_buf){ .max = max_bytes < SIZE_MAX / 2 ? max_bytes : SIZE_MAX / 2 };
}

void fb_buf_init_secret(struct fb_buf *b, size_t max_bytes)
{
    fb_buf_init(b, max_bytes);
    b->secret = true;
}

static void release(struct fb_buf *b)
{
    if (b->secret && b->p != NULL)
        explicit_bzero(b->p, b->cap);
    free(b->p);
    b->p = NULL;
}

void fb_buf_done(struct fb_buf *b)
{
    if (b == NULL)
        return;
    release(b);
    b->n = 0;
    b->cap = 0;
    b->failed = false;
}

void fb_buf_reset(struct fb_buf *b)
{
    if (b->secret && b->p != NULL)
        explicit_bzero(b->p, b->n);
    b->n = 0;
    b->failed = false;
    if (b->p != NULL)
        b->p[0] = '\0';
}

static int fail(struct fb_buf *b, int code)
{
    b->failed = true;
    return code;
}

/* realloc could leave an unwiped copy behind, so secrets move by hand. */
static char *resize(struct fb_buf *b, size_t cap)
{
    if (!b->secret)
        return realloc(b->p, cap);
    char *p = malloc(cap);
    if (p == NULL)
        return NULL;
    if (b->n > 0)
        memcpy(p, b->p, b->n);
    release(b);
    return p;
}

int fb_buf_reserve(struct fb_buf *b, size_t n)
{
    if (b->failed)
        return FB_E_LIMIT;
    if (n > b->max - b->n)
        return fail(b, FB_E_LIMIT);
    size_t need = b->n + n + 1;
    if (need <= b->cap)
        return 0;
    size_t cap = b->cap < FIRST_BYTES ? FIRST_BYTES : b->cap;
    while (cap < need)
        cap *= 2;
    if (cap > b->max + 1)
        cap = b->max + 1;
    char *p = resize(b, cap);
    if (p == NULL)
        return fail(b, FB_E_NOMEM);
    b->p = p;
    b->cap = cap;
    b->p[b->n] = '\0';
    return 0;
}

int fb_buf_add(struct fb_buf *b, const void *p, size_t n)
{
    int r = fb_buf_reserve(b, n);
    if (r != 0)
        return r;
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
    return 0;
}

int fb_buf_adds(struct fb_buf *b, struct fb_str s)
{
    return fb_buf_add(b, s.p, s.n);
}

int fb_buf_addz(struct fb_buf *b, const char *z)
{
    return fb_buf_add(b, z, strlen(z));
}

int fb_buf_addc(struct fb_buf *b, char c)
{
    return fb_buf_add(b, &c, 1);
}

int fb_buf_addf(struct fb_buf *b, const char *fmt, ...)
{
    if (b->failed)
        return FB_E_LIMIT;
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    int r = n < 0 ? fail(b, FB_E_INTERNAL) : fb_buf_reserve(b, (size_t)n);
    if (r == 0) {
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, again);
        b->n += (size_t)n;
    }
    va_end(again);
    return r;
}

int fb_buf_add_u64(struct fb_buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v > 0);
    return fb_buf_add(b, text + at, sizeof text - at);
}

int fb_buf_add_i64(struct fb_buf *b, int64_t v)
{
    if (v >= 0)
        return fb_buf_add_u64(b, (uint64_t)v);
    char text[21];
    size_t at = sizeof text;
    uint64_t u = (uint64_t)0 - (uint64_t)v; /* INT64_MIN has no positive twin */
    do {
        text[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u > 0);
    text[--at] = '-';
    return fb_buf_add(b, text + at, sizeof text - at);
}

void fb_buf_consume(struct fb_buf *b, size_t n)
{
    if (b->p == NULL)
        return;
    if (n > b->n)
        n = b->n;
    size_t left = b->n - n;
    if (left > 0)
        memmove(b->p, b->p + n, left);
    if (b->secret)
        explicit_bzero(b->p + left, n);
    b->n = left;
    b->p[left] = '\0';
}
