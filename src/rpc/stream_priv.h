/* The client's side of one gRPC stream: what the response says, message by message. Layer: rpc (L2), private to issue.c
 * and watch.c. */
#ifndef RPC_STREAM_PRIV_H
#define RPC_STREAM_PRIV_H

#include "base/buf.h"
#include "rpc/frame.h"
#include "rpc/link_priv.h"
#include "rpc/status.h"

struct rp_stream_state {
    int32_t id; /* 0: none */
    const char *path;
    struct fb_buf request; /* framed; the first sent bytes are gone */
    size_t sent;
    struct rp_frame in;
    bool http_ok;
    bool grpc_ok; /* content-type */
    bool has_status;
    enum rp_status status;
    char text[256]; /* grpc-message, decoded */
    bool open;      /* accepted by the server */
};

/* Submits the call; @message is framed and copied. 0 or FB_E_NOMEM / FB_E_LIMIT / FB_E_UNAVAILABLE. */
int rp_stream_start(struct rp_stream_state *s, nghttp2_session *session, const char *path, const char *authority,
                    struct fb_str message, int64_t timeout_ms);
void rp_stream_done(struct rp_stream_state *s);
/* One response header or trailer field. */
void rp_stream_header(struct rp_stream_state *s, struct fb_str name, struct fb_str value);
/* A session for a client: the callbacks that both users need, @arg for them. 0 or FB_E_NOMEM. */
int rp_stream_session(nghttp2_session **ret, nghttp2_session_callbacks *cb, void *arg);

#endif
