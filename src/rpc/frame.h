/* Takes gRPC messages out of a byte stream: one flag byte, four bytes of length (big endian), the message.
 * Source: gRPC over HTTP/2, "Length-Prefixed-Message". Layer: rpc (L2). Thread: one owner.
 * A compressed message or one longer than the limit is an error that sticks; a length alone never makes memory be
 * taken: it grows with the bytes that really came. */
#ifndef RPC_FRAME_H
#define RPC_FRAME_H

#include "base/buf.h"

#include <stdint.h>

enum { RP_FRAME_HEAD_BYTES = 5 };

struct rp_frame {
    unsigned char head[RP_FRAME_HEAD_BYTES];
    size_t head_n;
    size_t want; /* length of the message under way, once the head is whole */
    struct fb_buf body;
    int failed; /* 0, or the error that stopped the stream */
};

/* @max_bytes: the longest message accepted. */
void rp_frame_init(struct rp_frame *f, size_t max_bytes);
/* Frees; takes a zeroed struct. */
void rp_frame_done(struct rp_frame *f);
/* Feeds @n bytes; calls @fn(arg, message) for each message that becomes whole, with a borrowed view. A non-zero return of
 * @fn stops and is returned. Otherwise 0; FB_E_LIMIT (too long), FB_E_PARSE (compressed, unknown flag), FB_E_NOMEM. */
int rp_frame_feed(struct rp_frame *f, const void *p, size_t n, int (*fn)(void *arg, struct fb_str message), void *arg);
/* True between messages: the stream may end here. */
bool rp_frame_at_boundary(const struct rp_frame *f);
/* Bytes held now. */
size_t rp_frame_held_bytes(const struct rp_frame *f);
/* Writes the head of a message of @n bytes. */
void rp_frame_head(unsigned char out[RP_FRAME_HEAD_BYTES], uint32_t n);

#endif
