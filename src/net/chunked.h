/* The chunked transfer coding: a strict decoder over reads of any size, and the encoder's few bytes.
 * Source: RFC 9112 7.1. Layer: net (L1). Thread: one owner. No copies, no memory.
 * Extensions and trailer fields are checked for form and dropped. */
#ifndef NET_CHUNKED_H
#define NET_CHUNKED_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FN_CHUNKED_SIZE_DIGITS_MAX = 15,           /* hex digits, so that a size never overflows */
    FN_CHUNKED_EXT_MAX_BYTES = 256,            /* extension of one chunk */
    FN_CHUNKED_EXT_TOTAL_MAX_BYTES = 16 << 10, /* over one body */
    FN_CHUNKED_TRAILER_MAX_BYTES = 8 << 10,
};

/* Caller's storage, private. */
struct fn_chunked {
    int state;
    unsigned digits;
    uint64_t left;    /* of the chunk */
    size_t ext_bytes; /* of this chunk */
    size_t ext_total;
    size_t trailer_bytes;
    const char *why; /* text after a refusal */
};

void fn_chunked_init(struct fn_chunked *c) FB_NONNULL(1);

enum { FN_CHUNKED_DONE = 1 };
/* Eats bytes from the front of @in: *@ret_used says how many, *@ret_data is the run of body bytes among them (a view
 * into
 * @in, may be empty). A call stops after one run; call again with the rest while ret_used > 0 and bytes are left.
 * 0: wants more. FN_CHUNKED_DONE: the body is complete, the next message begins at @in + *ret_used. FB_E_PARSE or
 * FB_E_LIMIT: refused (c->why), for good. */
int fn_chunked_decode(struct fn_chunked *c, struct fb_str in, size_t *ret_used, struct fb_str *ret_data) FB_MUST_USE
    FB_NONNULL(1, 3, 4);

/* Encoder: the line in front of @n > 0 data bytes; returns its length. After the data goes FN_CHUNKED_CRLF, at the
 * end of all FN_CHUNKED_LAST. */
enum { FN_CHUNKED_HEAD_BYTES = 20 };
size_t fn_chunked_head(char out[FN_CHUNKED_HEAD_BYTES], uint64_t n) FB_NONNULL(1);
#define FN_CHUNKED_CRLF FB_STR("\r\n")
#define FN_CHUNKED_LAST FB_STR("0\r\n\r\n")

#endif
