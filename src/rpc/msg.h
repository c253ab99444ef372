/* The messages of the Authority's service, between their wire form and plain structs.
 * Source: src/rpc/firma/v1 (the contract), docs/reference/wire.md. Layer: rpc (L2). Thread: any.
 * Decoding is strict: texts must be UTF-8 without NUL, fields and memory are bounded (rpc/bounds.h), unknown fields are
 * skipped. Decoded texts live in the caller's arena, with a NUL after each. Encoders append to the buffer; 0, FB_E_LIMIT
 * or FB_E_NOMEM. Decoders: 0, FB_E_PARSE, FB_E_LIMIT or FB_E_NOMEM; the struct is then unspecified. */
#ifndef RPC_MSG_H
#define RPC_MSG_H

#include "base/arena.h"
#include "base/buf.h"
#include "rpc/client.h"

struct rp_time {
    bool present;
    bool representable; /* fits into nanoseconds since 1970, nanos in range */
    int64_t ns;
};

int rp_msg_put_issue_request(struct fb_buf *out, const struct rp_issue_request *m);
/* More than RP_ACTIONS_MAX actions: FB_E_LIMIT. m->actions points into @a. */
int rp_msg_get_issue_request(struct fb_arena *a, struct fb_str in, struct rp_issue_request *m);

/* m->memory is not used. */
int rp_msg_put_issue_reply(struct fb_buf *out, const struct rp_issue_reply *m);
int rp_msg_get_issue_reply(struct fb_arena *a, struct fb_str in, struct rp_issue_reply *m);

int rp_msg_put_watch_bundle(struct fb_buf *out, struct fb_str current_version);
int rp_msg_get_watch_bundle(struct fb_arena *a, struct fb_str in, struct fb_str *ret_current_version);

int rp_msg_put_bundle(struct fb_buf *out, const struct rp_bundle *m);
/* A message without a bundle, or a bundle without a version, is FB_E_PARSE. */
int rp_msg_get_bundle(struct fb_arena *a, struct fb_str in, struct rp_bundle *m);

int rp_msg_put_watch_revocations(struct fb_buf *out, const struct rp_time *since);
int rp_msg_get_watch_revocations(struct fb_arena *a, struct fb_str in, struct rp_time *ret_since);

int rp_msg_put_revocation(struct fb_buf *out, struct fb_str token_id, struct fb_str reason, int64_t timestamp_ns);
/* An empty token id is FB_E_PARSE. */
int rp_msg_get_revocation(struct fb_arena *a, struct fb_str in, struct fb_str *ret_token_id, struct fb_str *ret_reason,
                          int64_t *ret_timestamp_ns);

/* grpc.health.v1 */
int rp_msg_get_health(struct fb_arena *a, struct fb_str in, struct fb_str *ret_service);
int rp_msg_put_health_serving(struct fb_buf *out);

#endif
