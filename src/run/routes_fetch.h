/* Which names an external Sidecar routes. Layer: run (L3). Thread: start-up.
 * Source: [the Firma design, section 2]: `GET /routes` on its Unix socket; for tcp:// the mapping files of the discovered
 * configuration, because a TCP peer proves nothing about itself. */
#ifndef RUN_ROUTES_FETCH_H
#define RUN_ROUTES_FETCH_H

#include "run/routes.h"

struct run_settled;

enum { RUN_ROUTES_FETCH_MS = 2000, RUN_ROUTES_FETCH_MAX_BYTES = 4 << 20 };

/* FB_E_SIDECAR_UNREACHABLE when the Sidecar does not tell, FB_E_CONFIG_PARSE for a bad mapping file. Without a mapping the
 * list is empty: no name is answered. */
int run_routes_fetch(const struct run_settled *s, struct run_routes *ret, struct fb_err *err);

#endif
