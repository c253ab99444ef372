/* Connections to the services behind the Sidecar: dialling a checked address, and keeping idle ones for the next call.
 * An idle connection is found again by the name and port it was dialled for, and only by a call that might dial its address.
 * Source: [the Firma specification, sidecar 13; the Firma design, sections 4 "resolver" and 7]. Layer: sidecar (L3).
 * Thread: the loop's. */
#ifndef SIDECAR_UPSTREAM_H
#define SIDECAR_UPSTREAM_H

#include "base/buf.h"
#include "base/loop.h"
#include "net/url.h"
#include "sidecar/guard.h"
#include "sidecar/resolver.h"

enum {
    SC_POOL_IDLE_MAX = 128,
    SC_POOL_IDLE_PER_HOST = 64,
    SC_POOL_IDLE_MS = 30000,
    SC_DIAL_WHY_BYTES = 192,
    SC_DIAL_TRY_MS = 3000, /* for one address while others are left */
};

struct sc_pool;

struct sc_up {
    struct sc_pool *pool;
    int fd;
    struct fb_watch *watch;
    bool in_pool;
    bool reused;            /* came out of the pool: it may be stale */
    struct fb_buf in;       /* received, not used yet */
    fb_watch_fn *fn;        /* the owner's; NULL while idle */
    void *arg;
    char host[FN_HOST_TEXT_BYTES];
    unsigned port;
    struct sc_ip peer; /* the address that was dialled */
    bool from_table;   /* the operator's table gave it: good for whoever asks for the name */
    uint64_t idle_since_ms;
    struct sc_up *next; /* idle list, newest first */
};

int sc_pool_new(struct fb_loop *loop, struct sc_pool **ret, struct fb_err *err) FB_MUST_USE;
void sc_pool_free(struct sc_pool *p); /* takes NULL; connections in use belong to their owners and must be gone */
/* An idle connection to @host and @port whose address @exempt allows, or NULL. The socket is asked first: one whose peer
 * has hung up, or has said something that nobody asked for, is closed, because those bytes would be read as the answer to
 * the next request. The caller owns it; @fn gets its events. */
struct sc_up *sc_pool_take(struct sc_pool *p, struct fb_str host, unsigned port, enum sc_exempt exempt, fb_watch_fn *fn,
                           void *arg);
/* True when nothing waits to be read: neither bytes nor an end. */
bool sc_up_is_quiet(const struct sc_up *up);
/* Back into the pool; must be between two messages with nothing received. Closes it when the pool is full. */
void sc_pool_give(struct sc_up *up);
/* Closes idle connections older than SC_POOL_IDLE_MS; returns how many are left. */
size_t sc_pool_sweep(struct sc_pool *p, uint64_t now_ms);

/* What to wait for; no system call when it is what is waited for already. */
void sc_up_want(struct sc_up *up, int events);
/* Changes who gets the events. */
void sc_up_own(struct sc_up *up, fb_watch_fn *fn, void *arg);
void sc_up_close(struct sc_up *up); /* takes NULL */

enum sc_dial_result {
    SC_DIAL_OK,
    SC_DIAL_REFUSED_ADDRESS, /* every address is loopback, private, link-local or the like */
    SC_DIAL_DNS,
    SC_DIAL_CONNECT, /* refused, unreachable, reset */
    SC_DIAL_TIMEOUT,
};
/* @up is the caller's on SC_DIAL_OK (its events come to nobody until sc_up_own), else NULL and @why says it in words,
 * without a prefix. */
typedef void sc_dial_fn(void *arg, enum sc_dial_result result, struct sc_up *up, const char *why);

struct sc_dial;
/* Connects to @host (canonical: name or literal). The operator's table comes before DNS and frees the name from the
 * address check; @exempt lifts it as far as it says. Addresses are tried in turn until one answers or
 * @limit_ms is over. The callback comes later, once, never from inside this call. */
int sc_dial_start(struct sc_pool *p, struct sc_resolver *r, const struct fn_host *host, unsigned port,
                  enum sc_exempt exempt, uint64_t limit_ms, sc_dial_fn *fn, void *arg, struct sc_dial **ret,
                  struct fb_err *err) FB_MUST_USE;
void sc_dial_cancel(struct sc_dial *d); /* takes NULL; no callback after it */

#endif
