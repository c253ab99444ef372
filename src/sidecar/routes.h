/* The host names that the Sidecar would route, for the DNS stub. Source: [the Firma design, sections 2 and 4 "DNS
 * answers"]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_ROUTES_H
#define SIDECAR_ROUTES_H

#include "base/buf.h"

struct fe_engine;

enum { SC_ROUTES_MAX_BYTES = 192 << 10 }; /* fits a control message */

/* One pattern a line ("api.example.com", "*.example.com"). 0, or the buffer's failure. */
int sc_routes_text(struct fe_engine *engine, struct fb_buf *out) FB_MUST_USE;

#endif
