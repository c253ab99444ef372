/* What all connections of a Sidecar share: loop, engine, audit log, limits, resolver, upstream pool, and the list of
 * client connections with the sweep that ends the slow ones. Source: [the Firma specification, sidecar 1, 22, 24].
 * Layer: sidecar (L3). Thread: the loop's, everything. */
#ifndef SIDECAR_SERVER_H
#define SIDECAR_SERVER_H

#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "core/limits.h"
#include "net/h1.h"
#include "net/redact.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fa_log;
struct fe_engine;
struct fe_scratch;
struct sc_conn;
struct sc_listener;
struct sc_pool;
struct sc_resolver;

struct sc_limits {
    size_t head_bytes;
    size_t fields; /* at most FN_H1_FIELDS_MAX */
    size_t body_bytes;
    size_t bodies_bytes; /* over all connections */
    unsigned clients;
    unsigned clients_per_peer;
    uint64_t head_ms;
    uint64_t idle_ms;
    uint64_t body_gap_ms;
    uint64_t dispatch_ms;
    uint64_t tunnel_setup_ms;
    uint64_t tunnel_life_ms;
    uint64_t drain_ms;
};

/* Who is behind a connection. Never taken from an HTTP field. Empty texts: not known. */
struct sc_ident {
    char session_id[FC_LIMIT_ID_BYTES + 1];
    char sandbox_id[FC_LIMIT_ID_BYTES + 1];
    char agent_id[FC_LIMIT_ID_BYTES + 1];
};

enum {
    SC_SIDE_BUFFER_BYTES = 32 << 10, /* held for one side of one connection */
    SC_READ_BYTES = 16 << 10,        /* one read */
    SC_BODY_MIN_BYTES_PER_S = 4096,  /* of a request body, on average, after limits.body_gap_ms */
    SC_SWEEP_MS = 200,               /* how exact a connection's deadlines are */
    SC_UIDS_MAX = 64,
    SC_REQUEST_ARENA_BYTES = 1 << 20,
};

struct sc_counters {
    uint64_t accepted;
    uint64_t requests;
    uint64_t denied;
    uint64_t aborted;
    uint64_t malformed; /* refused before a decision, slow heads included */
    uint64_t timeouts;  /* connections ended by a deadline */
    uint64_t tunnels;
};

struct sc_server {
    struct fb_loop *loop;
    struct sc_limits limits;
    struct fe_engine *engine;
    struct fe_scratch *scratch;
    struct fa_log *audit;
    struct sc_resolver *resolver;
    struct sc_pool *pool;
    struct sc_ident ident; /* the one session of a per-run Sidecar; applies to every connection when fixed */
    bool ident_fixed;
    uid_t trusted_uids[SC_UIDS_MAX];
    size_t n_trusted_uids;
    struct fn_redact redact;

    struct sc_listener *listeners;
    struct sc_conn *conns;
    struct sc_conn *dead; /* ended, freed when no callback of theirs can be on the stack */
    unsigned n_conns;
    size_t body_bytes; /* request bodies held now */
    bool accept_paused;
    bool warned_paused; /* "accepting paused" has been said, at: */
    uint64_t warned_paused_ms;
    bool draining;
    uint64_t drain_deadline_ms;
    void (*drained)(void *arg); /* once, when draining and the last connection is gone */
    void *drained_arg;

    struct fb_timer *sweep;
    bool sweeping;
    struct fb_timer *reap;
    struct fb_wake *audit_wake;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX]; /* for heads that arrive whole */
    struct sc_counters counters;
};

/* The defaults of the specification. */
void sc_limits_default(struct sc_limits *ret);
/* @s is zeroed first. Makes timers and the pool; engine, audit and resolver are set by the caller afterwards and stay
 * the caller's to free. */
int sc_server_init(struct sc_server *s, struct fb_loop *loop, const struct sc_limits *limits, struct fb_err *err) FB_MUST_USE;
/* Cuts whatever is still open, stops listening, and frees what sc_server_init made. */
void sc_server_done(struct sc_server *s);

/* For fa_log_options.wake: any thread. @arg is the server. */
void sc_server_wake_audit(void *arg);

/* A connection comes and goes (called by conn.c). */
void sc_server_add(struct sc_server *s, struct sc_conn *c);
void sc_server_remove(struct sc_server *s, struct sc_conn *c);
/* May @c hold @n bytes more of request bodies? Those of one session, or of one process when no session is said, may not
 * be more than half of limits.bodies_bytes, and always one whole body. A fixed session and the TCP doors, where nobody can
 * be told from anybody, are not divided. */
bool sc_server_share(const struct sc_server *s, const struct sc_conn *c, uint64_t n);
/* Connections open from that process; 0 for pid 0. */
unsigned sc_server_count_peer(const struct sc_server *s, pid_t pid);

/* Stops accepting, ends idle connections, lets the others finish for at most limits.drain_ms, then cuts; @drained is
 * called once at the end, from the loop. A second call cuts at once. */
void sc_server_drain(struct sc_server *s, void (*drained)(void *arg), void *arg);
/* Cuts every connection now. */
void sc_server_cut(struct sc_server *s);

/* Readiness as /healthz shows it: engine ready, audit log writing, not draining. */
bool sc_server_is_ready(const struct sc_server *s);

#endif
