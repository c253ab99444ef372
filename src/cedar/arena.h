/* Region memory of libcedar: many small allocations, one release; a ceiling is always there.
 * Source: [the Firma design, section 3]. Layer: cedar, private. Thread: one at a time. */
#ifndef CEDAR_ARENA_H
#define CEDAR_ARENA_H

#include <cedar/cedar.h>

struct cedar_block;

struct cedar_arena {
    struct cedar_block *first, *cur;
    size_t held_bytes; /* of all blocks */
    size_t max_bytes;  /* ceiling for held_bytes */
    bool failed;       /* an allocation was refused since init or reset */
};

/* The caller's storage; allocates nothing yet. */
void cedar_arena_init(struct cedar_arena *a, size_t max_bytes);
/* Releases every block. */
void cedar_arena_done(struct cedar_arena *a);
/* Forgets all allocations and keeps the blocks. */
void cedar_arena_reset(struct cedar_arena *a);
/* @n bytes aligned for any object; NULL when out of memory or over the ceiling (failed is set). Not cleared. */
void *cedar_arena_alloc(struct cedar_arena *a, size_t n);
/* @n objects of @size bytes, zeroed; NULL also when the product overflows. */
void *cedar_arena_zalloc(struct cedar_arena *a, size_t n, size_t size);
/* @n objects of @size bytes, not cleared; NULL also when the product overflows. */
void *cedar_arena_array(struct cedar_arena *a, size_t n, size_t size);
/* A copy with a final NUL beyond its length; ptr NULL on failure. */
struct cedar_str cedar_arena_str(struct cedar_arena *a, struct cedar_str s);
/* Bytes handed out since the last reset. */
size_t cedar_arena_used(const struct cedar_arena *a);

#define CEDAR_NEW(a, type) ((type *)cedar_arena_zalloc((a), 1, sizeof(type)))
#define CEDAR_NEW_N(a, n, type) ((type *)cedar_arena_zalloc((a), (n), sizeof(type)))

#endif
