/* A region that is filled by bumping a pointer and emptied in one call: one per request. Layer: base (L0).
 * Thread: one owner. Growth is bounded by a hard cap; past it every allocation gives NULL (the caller denies). */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/macros.h"
#include "base/str.h"

struct fb_arena_block;

struct fb_arena {
    struct fb_arena_block *first;
    struct fb_arena_block *current;
    size_t used_bytes; /* over all blocks since the last reset */
    size_t cap_bytes;
};

/* No memory is taken before the first allocation. */
void fb_arena_init(struct fb_arena *a, size_t cap_bytes);
/* Frees everything. Takes NULL. */
void fb_arena_done(struct fb_arena *a);
/* Empties; keeps the blocks, so that a warm arena never meets the heap. */
void fb_arena_reset(struct fb_arena *a);
/* @n bytes aligned for any type, not zeroed; NULL when the cap or the heap is out. n may be 0. */
void *fb_arena_alloc(struct fb_arena *a, size_t n) FB_MUST_USE;
/* @count * @size bytes, zeroed; NULL also when the product overflows. */
void *fb_arena_calloc(struct fb_arena *a, size_t count, size_t size) FB_MUST_USE;
/* Copy with a NUL after it (not counted); .p is NULL when out of memory. */
struct fb_str fb_arena_str(struct fb_arena *a, struct fb_str s) FB_MUST_USE;
/* printf into the arena; .p is NULL when out of memory. */
struct fb_str fb_arena_fmt(struct fb_arena *a, const char *fmt, ...) FB_PRINTF(2, 3) FB_MUST_USE;

#endif
