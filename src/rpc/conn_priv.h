/* One accepted connection and its calls. Layer: rpc (L2), private to server.c, conn.c and call.c.
 * Ownership: the server owns connections, a connection owns calls. Nothing is freed while nghttp2 is on the stack:
 * a connection that must go is marked and freed by conn.c once the outermost call has returned. */
#ifndef RPC_CONN_PRIV_H
#define RPC_CONN_PRIV_H

#include "base/buf.h"
#include "rpc/frame.h"
#include "rpc/link_priv.h"
#include "rpc/server.h"

enum { RP_PATH_MAX_BYTES = 256 };

struct rp_server {
    struct fb_loop *loop;
    const struct rp_method *methods;
    int listen_fd;
    struct fb_watch *accept_watch;
    bool accept_paused;
    struct fb_timer *sweep;
    bool sweeping;
    struct rp_conn *conns;
    size_t n_conns;
    size_t inbound_bytes; /* of all calls, against RP_INBOUND_MAX_BYTES */
    bool draining;
    int drain_stage;
    void (*drained)(void *arg);
    void *drained_arg;
    struct fb_timer *drain_timer;
};

struct rp_conn {
    struct rp_server *server;
    struct rp_conn *next;
    struct rp_conn **back;
    struct rp_link link;
    struct fb_timer *kick; /* flushes after this round of the loop, so that callers never see their call die under them */
    struct rp_call *calls;
    size_t n_calls;
    bool saw_settings;
    int64_t opened_at_ms;
    int64_t busy_at_ms; /* a call was open */
    int64_t resets_since_ms;
    unsigned resets;
};

/* What a client's header block says, as far as it matters. */
struct rp_call_head {
    char path[RP_PATH_MAX_BYTES];
    size_t bytes;
    bool is_post;
    bool is_grpc;
    bool bad_timeout;
    int64_t timeout_ms; /* 0: none */
};

struct rp_call {
    struct rp_conn *conn;
    struct rp_call *next;
    struct rp_call **back;
    int32_t stream_id;
    struct rp_call_head head;
    struct rp_frame in;
    struct fb_buf message; /* the request, once whole */
    bool has_message;
    size_t inbound_bytes; /* counted in the server's sum */
    bool request_done;
    enum rp_status refusal; /* RP_OK: none; else the answer once the request has been thrown away */
    const char *refusal_text;
    struct fb_buf out; /* framed replies; the first out_off bytes are gone */
    size_t out_off;
    bool headers_sent;
    bool deferred; /* nghttp2 waits for rp_call to resume it */
    bool finished;
    enum rp_status status;
    char text[3 * RP_GRPC_MESSAGE_MAX_BYTES + 1]; /* percent-encoded */
    int64_t started_at_ms;
    int64_t progress_at_ms;
    int64_t deadline_ms; /* 0: none */
    struct fb_timer *deadline;
    void (*on_end)(void *arg, struct rp_call *call);
    void *on_end_arg;
    void (*on_drained)(void *arg, struct rp_call *call);
    void *on_drained_arg;
};

/* conn.c */
/* Takes @fd; a failure closes it and is silent (the peer sees a closed connection). */
void rp_conn_accept(struct rp_server *server, int fd);
void rp_conn_free(struct rp_conn *conn);
/* Time-outs, keepalive; may free @conn. */
void rp_conn_sweep(struct rp_conn *conn, int64_t now_ms);
/* GOAWAY. */
void rp_conn_goaway(struct rp_conn *conn);
/* Flush soon. */
void rp_conn_kick(struct rp_conn *conn);

/* call.c */
struct rp_call *rp_call_new(struct rp_conn *conn, int32_t stream_id);
/* Tells the handler if it still waits, unlinks, frees. */
void rp_call_free(struct rp_call *call);
/* One header field of the request; false when the block grew past its limit. */
bool rp_call_header(struct rp_call *call, struct fb_str name, struct fb_str value);
/* The header block is whole. */
void rp_call_begin(struct rp_call *call);
void rp_call_data(struct rp_call *call, const void *p, size_t n);
/* The peer has ended its side. */
void rp_call_end_of_request(struct rp_call *call);
/* Ends the call from inside: the handler's end function is called if it has taken the call. */
void rp_call_abort(struct rp_call *call, enum rp_status status, const char *message);

/* server.c */
const struct rp_method *rp_server_find(const struct rp_server *server, const char *path);
void rp_server_conn_gone(struct rp_server *server);

#endif
