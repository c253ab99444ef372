/* What the Authority streams into the engine: policy bundles and revocations, and from them the readiness flags.
 * Source: [the Firma specification, sidecar 10]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_AUTHLINK_H
#define SIDECAR_AUTHLINK_H

#include "base/err.h"
#include "rpc/client.h"

#include <stdbool.h>
#include <stdint.h>

struct sc_authlink;
struct sc_server;

struct sc_authlink_options {
    const char *url;
    int64_t connect_timeout_ms;
    int64_t backoff_min_ms;
    int64_t backoff_max_ms;
    uint64_t grace_ms;        /* revocations count as synced so long after their stream has opened */
    bool closed_on_disconnect; /* losing that stream clears the flag */
};

/* Starts both streams. @on_ready is called once, from the loop, when bundle and revocations are there. */
int sc_authlink_new(struct sc_server *s, const struct sc_authlink_options *o, void (*on_ready)(void *arg), void *arg,
                    struct sc_authlink **ret, struct fb_err *err) FB_MUST_USE;
void sc_authlink_free(struct sc_authlink *l); /* takes NULL */

#endif
