/* From bytes received to a request decided. Source: [the Firma specification, sidecar 4.1, 4.2, 8.0]. Layer: sidecar (L3).
 * Thread: the loop's. */
#ifndef SIDECAR_STEP_H
#define SIDECAR_STEP_H

#include "sidecar/conn.h"

/* Goes as far as what is in c->in allows: PROXY header, head, body, decision, dispatch. One request; the next one begins when
 * this one's answer has gone out. */
void sc_step(struct sc_conn *c);
/* The body cannot be had: refused as malformed, and the connection ends. */
void sc_step_body_failed(struct sc_conn *c, const char *why);

#endif
