/* A growing byte buffer that cannot be made without a ceiling. Layer: base (L0). Thread: one owner.
 * Errors stick: after one failed append every later one fails too, so a caller may append freely and look once at the
 * end with fb_buf_failed(). The content always has a NUL after its last byte (not counted). */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/macros.h"
#include "base/str.h"

#include <stdint.h>

struct fb_buf {
    char *p;
    size_t n;
    size_t cap;
    size_t max; /* ceiling for n, bytes */
    bool failed;
    bool secret; /* wiped before it is freed or moved */
};

void fb_buf_init(struct fb_buf *b, size_t max_bytes);
/* Same, and every byte ever held is wiped when memory is given back. */
void fb_buf_init_secret(struct fb_buf *b, size_t max_bytes);
/* Frees; the buffer may be used again with the same ceiling. Takes NULL. */
void fb_buf_done(struct fb_buf *b);
/* Forgets the content and the failure, keeps the memory. */
void fb_buf_reset(struct fb_buf *b);

/* All return 0, or FB_E_LIMIT / FB_E_NOMEM with the content as it was. */
int fb_buf_add(struct fb_buf *b, const void *p, size_t n);
int fb_buf_adds(struct fb_buf *b, struct fb_str s);
int fb_buf_addz(struct fb_buf *b, const char *z);
int fb_buf_addc(struct fb_buf *b, char c);
int fb_buf_addf(struct fb_buf *b, const char *fmt, ...) FB_PRINTF(2, 3);
/* Decimal text of a number, faster than addf. */
int fb_buf_add_u64(struct fb_buf *b, uint64_t v);
int fb_buf_add_i64(struct fb_buf *b, int64_t v);
/* Room for @n more bytes at b->p + b->n; the caller then raises b->n. */
int fb_buf_reserve(struct fb_buf *b, size_t n);
/* Drops the first @n bytes (all, if there are fewer). */
void fb_buf_consume(struct fb_buf *b, size_t n);

static inline struct fb_str fb_buf_str(const struct fb_buf *b)
{
    return fb_str_n(b->p == NULL ? "" : b->p, b->n);
}
static inline bool fb_buf_failed(const struct fb_buf *b)
{
    return b->failed;
}

#endif
