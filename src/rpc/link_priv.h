/* An HTTP/2 session on a socket: bytes in, bytes out, nothing about gRPC. Used by server, watch and the blocking call.
 * Layer: rpc (L2), private. Thread: the owner's. Never frees itself: the owner looks at the return values. */
#ifndef RPC_LINK_PRIV_H
#define RPC_LINK_PRIV_H

#include "base/loop.h"

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RP_LINK_ENDED = 1 };

struct rp_link {
    int fd;                 /* owned */
    struct fb_watch *watch; /* NULL in the blocking client, which polls by itself */
    nghttp2_session *session;
    const uint8_t *out; /* what nghttp2 gave and the socket has not taken */
    size_t out_n;
    bool wants_write;
    int64_t read_at_ms;     /* last byte from the peer */
    int64_t progress_at_ms; /* last byte taken by the peer, or output empty */
    int64_t ping_at_ms;     /* 0: none is unanswered */
    const char *why;        /* what ended it, static text */
};

/* Sends what there is until the socket is full. 0, or RP_LINK_ENDED with link->why. */
int rp_link_flush(struct rp_link *link, int64_t now_ms);
/* Reads what is there (bounded, so that one peer cannot hold the loop), feeds it, flushes. 0 or RP_LINK_ENDED. */
int rp_link_read(struct rp_link *link, int64_t now_ms);
/* PING after @silence_ms without a byte from the peer; RP_LINK_ENDED when the last one stays unanswered for @ack_ms. The caller
 * flushes. */
int rp_link_keepalive(struct rp_link *link, int64_t now_ms, int64_t silence_ms, int64_t ack_ms);
/* To be called from on_frame_recv for every PING ack. */
void rp_link_pong(struct rp_link *link);
/* Stops watching, closes, deletes the session (no nghttp2 callback comes). */
void rp_link_done(struct rp_link *link);

#endif
