/* What pool.c and dial.c share. Layer: sidecar (L3), private to the folder. Thread: the loop's. */
#ifndef SIDECAR_POOL_PRIV_H
#define SIDECAR_POOL_PRIV_H

#include "sidecar/upstream.h"

enum {
    SC_UP_IN_MAX_BYTES = 80 << 10, /* a response head and one read more must fit */
    SC_POOL_WARM_MS = 1000,        /* an idle connection keeps its buffer so long */
};

struct sc_pool {
    struct fb_loop *loop;
    struct sc_up *idle;
    size_t n_idle;
};

/* Makes a connection object around @fd, connected to @peer, which it owns on success only. 0 or FB_E_NOMEM. */
int sc_up_wrap(struct sc_pool *p, int fd, const char *host, unsigned port, const struct sc_ip *peer, struct sc_up **ret)
    FB_MUST_USE;

#endif
