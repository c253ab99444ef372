/* From the sandbox's proxy listener to an external Sidecar: one connection in, one out, bytes unchanged.
 * Towards a Unix socket each connection begins with the PROXY protocol v2 header that says whose it is.
 * Layer: run (L3). Thread: the loop's. Source: [the Firma design, section 2]; [the Firma specification, run 7.1]. */
#ifndef RUN_RELAY_H
#define RUN_RELAY_H

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "run/endpoint.h"

enum {
    RUN_RELAY_CONNECTIONS_MAX = 512, /* more wait in the listener's backlog */
    RUN_RELAY_BUFFER_BYTES = 32 << 10,
    RUN_RELAY_IDLE_MS = 600 * 1000,
};

struct run_relay;

/* Takes @listen_fd (closed by run_relay_free). @header is sent first on every connection; may be empty; copied. */
int run_relay_new(struct fb_loop *loop, int listen_fd, const struct run_endpoint *to, struct fb_str header,
                  struct run_relay **ret, struct fb_err *err);
/* Cuts every connection. Takes NULL. */
void run_relay_free(struct run_relay *r);

#endif
