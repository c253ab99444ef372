/* The health listener: GET /healthz says `ok` (200) while ready, else `not ready` (503); anything else is 404.
 * Source: [the Firma specification, sidecar 20]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_HEALTH_H
#define SIDECAR_HEALTH_H

#include "base/err.h"

struct sc_health;
struct sc_server;

enum { SC_HEALTH_CLIENTS_MAX = 16, SC_HEALTH_HEAD_BYTES = 4096, SC_HEALTH_LIMIT_MS = 5000 };

/* Binds "ip:port". FB_E_CONFIG_VALIDATION, FB_E_ALREADY_RUNNING, FB_E_IO, FB_E_NOMEM. */
int sc_health_new(struct sc_server *s, const char *addr, struct sc_health **ret, struct fb_err *err) FB_MUST_USE;
void sc_health_free(struct sc_health *h); /* takes NULL */

#endif
