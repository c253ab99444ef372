#include "cedar/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_MIN = 8 << 10, BLOCK_GROWTH_MAX = 1 << 20, ALIGN = alignof(max_align_t) };

struct cedar_block {
    struct cedar_block *next;
    size_t cap, used;
    alignas(max_align_t) unsigned char mem[];
};

void cedar_arena_init(struct cedar_arena *a, size_t max_bytes)
{
    *a = (struct cedar_arena){ .max_bytes = max_bytes };
}

void cedar_arena_done(struct cedar_arena *a)
{
    for (struct cedar_block *b = a->first, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    *a = (struct cedar_arena){ .max_bytes = a->max_bytes };
}

void cedar_arena_reset(struct cedar_arena *a)
{
    /* Blocks behind cur were never touched since the last reset. */
    for (struct cedar_block *b = a->first; b; b = b->next) {
        b->used = 0;
        if (b == a->cur)
            break;
    }
    a->cur = a->first;
    a->failed = false;
}

/* A block after cur with room for n: one kept from earlier, else a new one put in its place. */
static struct cedar_block *block_for(struct cedar_arena *a, size_t n)
{
    struct cedar_block *after = a->cur ? a->cur->next : a->first;
    if (after && after->cap >= n)
        return after;
    size_t cap = a->held_bytes < BLOCK_MIN ? BLOCK_MIN : a->held_bytes;
    if (cap > BLOCK_GROWTH_MAX)
        cap = BLOCK_GROWTH_MAX;
    if (cap < n)
        cap = n;
    if (a->held_bytes + cap > a->max_bytes)
        cap = n;
    if (cap > a->max_bytes || a->held_bytes > a->max_bytes - cap)
        return NULL;
    struct cedar_block *b = malloc(sizeof *b + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    b->used = 0;
    b->next = after;
    if (a->cur)
        a->cur->next = b;
    else
        a->first = b;
    a->held_bytes += cap;
    return b;
}

void *cedar_arena_alloc(struct cedar_arena *a, size_t n)
{
    if (n > SIZE_MAX / 2) {
        a->failed = true;
        return NULL;
    }
    n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct cedar_block *b = a->cur;
    if (!b || b->cap - b->used < n) {
        b = block_for(a, n);
        if (!b) {
            a->failed = true;
            return NULL;
        }
        b->used = 0;
        a->cur = b;
    }
    void *p = b->mem + b->used;
    b->used += n;
    return p;
}

void *cedar_arena_array(struct cedar_arena *a, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) {
        a->failed = true;
        return NULL;
    }
    return cedar_arena_alloc(a, total);
}

void *cedar_arena_zalloc(struct cedar_arena *a, size_t n, size_t size)
{
    void *p = cedar_arena_array(a, n, size);
    return p ? memset(p, 0, n * size) : NULL;
}

struct cedar_str cedar_arena_str(struct cedar_arena *a, struct cedar_str s)
{
    char *p = cedar_arena_alloc(a, s.len + 1);
    if (!p)
        return (struct cedar_str){ NULL, 0 };
    if (s.len)
        memcpy(p, s.ptr, s.len);
    p[s.len] = '\0';
    return (struct cedar_str){ p, s.len };
}

size_t cedar_arena_used(const struct cedar_arena *a)
{
    size_t total = 0;
    for (const struct cedar_block *b = a->first; b; b = b->next) {
        total += b->used;
        if (b == a->cur)
            break;
    }
    return total;
}
