/* One client connection: reading requests one after the other, a decision for each, and the answer.
 * The order for every request: head, body, decision, audit reservation, dispatch, audit event written, last byte.
 * Source: [the Firma specification, sidecar 4, 24; the Firma design, "audit order"]. Layer: sidecar (L3).
 * Thread: the loop's. */
#ifndef SIDECAR_CONN_H
#define SIDECAR_CONN_H

#include "base/arena.h"
#include "base/buf.h"
#include "enforce/decide.h"
#include "net/chunked.h"
#include "net/h1.h"
#include "net/url.h"
#include "base/uuid.h"
#include "sidecar/listener.h"
#include "sidecar/server.h"

struct fa_slot;
struct sc_dial;
struct sc_up;

enum sc_conn_state {
    SC_CONN_PREFACE, /* Unix door: a PROXY v2 header may come */
    SC_CONN_HEAD,
    SC_CONN_BODY,
    SC_CONN_REPLY,    /* our own answer, waiting to be recorded and written */
    SC_CONN_EXCHANGE, /* dispatched */
    SC_CONN_TUNNEL,
    SC_CONN_LINGER, /* said all; reads the rest away so that the client sees the answer and no reset */
    SC_CONN_DEAD,
};

/* A request after intake; texts live in the connection's arena, the head's views where the head does. */
struct sc_request {
    struct fn_h1_head head;
    struct fb_str method;
    struct fn_target target;
    struct fn_path path;
    char authority[FN_AUTHORITY_TEXT_BYTES]; /* what rules and records see, and the Host field that is sent */
    struct fe_envelope env;
    bool is_head;
    bool is_connect;
    bool repeatable; /* may be sent twice */
};

/* What is recorded of the request in flight. */
struct sc_call {
    bool open; /* a request is between its head and the end of its answer */
    struct fe_verdict verdict;
    struct fa_slot *slot;        /* reserved or committed, until its completion */
    struct fa_slot *second_slot; /* of a tunnel: for how it ends */
    bool recorded;
    int64_t decide_us;
    int64_t dispatch_start_ns;
    unsigned dispatch_status;
    uint64_t response_bytes;
    char event_id[FB_UUID_TEXT_BYTES];
};

/* The dispatch of an ordinary request. */
struct sc_exchange {
    struct sc_up *up;
    struct sc_dial *dial;
    struct fb_buf head; /* request head as sent upstream; kept until an answer begins */
    size_t head_off;
    size_t body_off;
    struct fn_h1 *parser; /* only while a head comes in parts */
    bool sent;            /* the whole request is out */
    bool answered;        /* the response head has been passed on */
    bool got_bytes;
    bool retried;
    bool chunk_out; /* the client gets chunks */
    bool until_close_out; /* the client gets no length and no chunks: HTTP/1.0 */
    bool up_keep;
    unsigned interim; /* 1xx heads seen */
    enum fn_h1_framing framing;
    uint64_t left;
    struct fn_chunked chunked;
};

/* A tunnel; its upstream connection is the exchange's. */
struct sc_tunnel {
    bool opened; /* the 200 is queued */
    bool dialling;
    bool relaying;
    bool up_eof;
    bool client_shut; /* our FIN to the client is sent */
    bool up_shut;
    bool client_full; /* the socket takes no more for now */
    bool up_full;
    uint64_t end_ms; /* session_max */
    uint64_t up_bytes;
    uint64_t down_bytes;
    size_t in_off;
    size_t up_off;
};

struct sc_conn {
    struct sc_server *server;
    struct sc_conn *next;
    struct sc_conn *prev;
    enum sc_door door;
    enum sc_conn_state state;
    int fd;
    pid_t peer_pid;
    struct fb_watch *watch;
    struct sc_ident ident; /* from a PROXY v2 header */
    bool prefaced;         /* there was one: a relay speaks for an agent */
    uint64_t deadline_ms;
    uint64_t idle_since_ms;

    struct fb_buf in;
    struct fb_buf out;
    size_t out_off;
    bool hold;       /* the answer is not recorded yet: its last byte stays here */
    bool ended;      /* the whole answer is in out */
    bool in_eof;
    bool want_write; /* the socket is full */
    bool close_after;
    bool break_off;  /* when recorded: cut, the answer cannot be finished */
    bool stepping;   /* sc_step is on the stack */
    bool step_again;
    unsigned heads; /* requests read on this connection */

    struct fb_arena arena;
    struct fn_h1 *parser; /* only while a head comes in parts */
    struct sc_request req;
    struct fb_buf body;
    size_t body_charged; /* counted in server->body_bytes */
    uint64_t body_left;
    uint64_t body_start_ms;
    struct fn_chunked body_chunks;

    struct sc_call call;
    struct sc_exchange ex;
    struct sc_tunnel tun;
};

/* Takes @fd (non-blocking). Out of memory: the descriptor is closed. */
void sc_conn_start(struct sc_server *s, int fd, enum sc_door door, pid_t peer_pid);
/* Ends it now, whatever it does; an allowed call in flight is recorded as aborted with @why (NULL: "transport: cut").
 * The memory goes when the server reaps. */
void sc_conn_close(struct sc_conn *c, const char *why);
/* Frees a dead connection. */
void sc_conn_free(struct sc_conn *c);
/* The sweep: ends what is past its deadline, gives idle memory back. */
void sc_conn_sweep(struct sc_conn *c, uint64_t now_ms);
/* True when no request is in flight and nothing waits to be written. */
bool sc_conn_is_idle(const struct sc_conn *c);

/* ---- for exchange.c, tunnel.c and record.c ---- */

/* Who this connection speaks for. */
const struct sc_ident *sc_conn_ident(const struct sc_conn *c);
/* Sets the deadline @ms from now. */
void sc_conn_deadline(struct sc_conn *c, uint64_t ms);
/* The deadline of a body that is coming in: body_gap_ms for the next byte, and SC_BODY_MIN_BYTES_PER_S over all. */
void sc_conn_body_deadline(struct sc_conn *c);
/* Writes what may be written. False when the connection ended meanwhile. */
bool sc_conn_flush(struct sc_conn *c);
/* Bytes in out that are not written yet. */
size_t sc_conn_backlog(const struct sc_conn *c);
/* What to watch for now, after any change of state. */
void sc_conn_watch(struct sc_conn *c);
/* The answer is complete in out; goes on with the next request when it is recorded and written. */
void sc_conn_end_answer(struct sc_conn *c);
/* The event of the answer is on file (code 0) or cannot be written now. */
void sc_conn_recorded(struct sc_conn *c, int code);
/* Answers 403 (or @status) for the verdict in c->call, recorded first. @close: framing is lost. */
void sc_conn_deny(struct sc_conn *c, unsigned status, bool close);
/* The dispatch failed: 504 while nothing of the answer has left, else the connection is cut after the record.
 * @code is upper snake case, @detail begins with a prefix such as "connect: ". */
void sc_conn_abort(struct sc_conn *c, const char *code, const char *detail);

#endif
