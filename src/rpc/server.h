/* A gRPC server for methods with one request message and one or many replies: plaintext HTTP/2 with prior knowledge.
 * Source: gRPC over HTTP/2 (protocol description), RFC 9113; docs/reference/wire.md. Layer: rpc (L2). Thread: the loop's.
 * Every limit is in rpc/bounds.h. grpc.health.v1.Health/Check is answered by the server itself, SERVING for "" and the
 * services of its methods. */
#ifndef RPC_SERVER_H
#define RPC_SERVER_H

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "rpc/bounds.h"
#include "rpc/status.h"

struct rp_server;
struct rp_call;

struct rp_method {
    const char *path; /* "/firma.v1.AuthorityService/IssueCapability" */
    /* The whole request message is there. The handler answers now (rp_call_send, rp_call_finish) or keeps @call and goes on
     * later; @call is valid until rp_call_finish or until the function set by rp_call_on_end has been called. */
    void (*on_request)(void *arg, struct rp_call *call, struct fb_str message);
    void *arg;
};

/* @methods is borrowed (static storage, as a rule) and ends with a row whose path is NULL. FB_E_NOMEM. */
int rp_server_new(struct fb_loop *loop, const struct rp_method *methods, struct rp_server **ret,
                  struct fb_err *err) FB_MUST_USE;
/* Accepts from a listening socket (taken, also on failure). One a server. FB_E_IO. */
int rp_server_listen(struct rp_server *server, int listen_fd, struct fb_err *err) FB_MUST_USE;
/* Stops accepting, ends every open call with UNAVAILABLE after @grace_ms, says GOAWAY on every connection and calls
 * @done (may be NULL) when the last connection has closed, at the latest 1.1 s after the grace. Once. */
void rp_server_drain(struct rp_server *server, int64_t grace_ms, void (*done)(void *arg), void *arg);
/* Cuts every connection; rp_call_on_end functions are called. Takes NULL. */
void rp_server_free(struct rp_server *server);
/* Connections now open; for tests and logs. */
size_t rp_server_connections(const struct rp_server *server);

/* Queues one reply message (copied). FB_E_LIMIT past RP_CALL_QUEUE_MAX_BYTES or RP_MESSAGE_MAX_BYTES (nothing queued),
 * FB_E_NOMEM. The first send also sends the response headers. */
int rp_call_send(struct rp_call *call, const void *message, size_t n);
/* Sends the response headers of a streaming call now, so that the client sees it accepted before any message. */
void rp_call_open(struct rp_call *call);
/* Ends the call after what is queued; @message may be NULL. @call is invalid from here on; its end function is not called. */
void rp_call_finish(struct rp_call *call, enum rp_status status, const char *message);
/* Called once if the peer or the transport ends the call first (not after rp_call_finish). @call is invalid afterwards. */
void rp_call_on_end(struct rp_call *call, void (*fn)(void *arg, struct rp_call *call), void *arg);
/* Called each time the last queued byte has been handed to the connection. */
void rp_call_on_drained(struct rp_call *call, void (*fn)(void *arg, struct rp_call *call), void *arg);
/* Reply bytes not yet handed to the connection. */
size_t rp_call_pending_bytes(const struct rp_call *call);

#endif
