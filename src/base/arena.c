/* Bump allocation in a chain of blocks. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 16 << 10 };

struct fb_arena_block {
    struct fb_arena_block *next;
    size_t cap;
    size_t used;
    _Alignas(max_align_t) char data[];
};

void fb_arena_init(struct fb_arena *a, size_t cap_bytes)
{
    *a = (struct fb_arena){ .cap_bytes = cap_bytes };
}

void fb_arena_done(struct fb_arena *a)
{
    if (a == NULL)
        return;
    struct fb_arena_block *b = a->first;
    while (b != NULL) {
        struct fb_arena_block *next = b->next;
        free(b);
        b = next;
    }
    a->first = NULL;
    a->current = NULL;
    a->used_bytes = 0;
}

void fb_arena_reset(struct fb_arena *a)
{
    for (struct fb_arena_block *b = a->first; b != NULL; b = b->next)
        b->used = 0;
    a->current = a->first;
    a->used_bytes = 0;
}

/* The current block, a kept one after it, or a new one put after the current. */
static struct fb_arena_block *block_with_room(struct fb_arena *a, size_t n)
{
    struct fb_arena_block *last = NULL;
    for (struct fb_arena_block *b = a->current; b != NULL; b = b->next) {
        if (b->cap - b->used >= n)
            return b;
        last = b;
    }
    size_t cap = n > BLOCK_BYTES ? n : BLOCK_BYTES;
    struct fb_arena_block *b = malloc(sizeof *b + cap);
    if (b == NULL)
        return NULL;
    b->next = NULL;
    b->cap = cap;
    b->used = 0;
    if (last == NULL)
        a->first = b;
    else
        last->next = b;
    return b;
}

void *fb_arena_alloc(struct fb_arena *a, size_t n)
{
    const size_t align = _Alignof(max_align_t);
    if (n > SIZE_MAX / 2)
        return NULL;
    size_t size = n == 0 ? align : (n + align - 1) & ~(align - 1);
    if (size > a->cap_bytes - a->used_bytes)
        return NULL;
    struct fb_arena_block *b = a->current;
    if (b == NULL || b->cap - b->used < size) {
        b = block_with_room(a, size);
        if (b == NULL)
            return NULL;
        /* A big one must not strand the rest of a normal block, so only normal blocks become current. */
        if (a->current == NULL || b->cap == BLOCK_BYTES)
            a->current = b;
    }
    void *p = b->data + b->used;
    b->used += size;
    a->used_bytes += size;
    return p;
}

void *fb_arena_calloc(struct fb_arena *a, size_t count, size_t size)
{
    size_t n;
    if (__builtin_mul_overflow(count, size, &n))
        return NULL;
    void *p = fb_arena_alloc(a, n);
    if (p != NULL)
        memset(p, 0, n);
    return p;
}

struct fb_str fb_arena_str(struct fb_arena *a, struct fb_str s)
{
    char *p = s.n == SIZE_MAX ? NULL : fb_arena_alloc(a, s.n + 1);
    if (p == NULL)
        return fb_str_n(NULL, 0);
    if (s.n > 0)
        memcpy(p, s.p, s.n);
    p[s.n] = '\0';
    return fb_str_n(p, s.n);
}

struct fb_str fb_arena_fmt(struct fb_arena *a, const char *fmt, ...)
{
    struct fb_str out = fb_str_n(NULL, 0);
    va_list ap;
    va_list again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : fb_arena_alloc(a, (size_t)n + 1);
    if (p != NULL) {
        (void)vsnprintf(p, (size_t)n + 1, fmt, again);
        out = fb_str_n(p, (size_t)n);
    }
    va_end(again);
    return out;
}
