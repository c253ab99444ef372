/* The names that the DNS stub answers for: a snapshot pushed by the Sidecar. Layer: run (L3). Thread: one owner.
 * Source: [the Firma specification, run 7.3]; [the Firma design, section 4, "DNS answers"]. */
#ifndef RUN_ROUTES_H
#define RUN_ROUTES_H

#include "base/err.h"
#include "base/str.h"

enum { RUN_ROUTES_MAX = 65536 };

struct run_routes {
    char *text;              /* owned copy of the list */
    struct fb_str *patterns; /* into it; lower case, each a name or a pattern with `*` (any run of characters) */
    size_t count;
};

/* Replaces the list by the lines of @text (one pattern a line, blank lines skipped). On failure the old list stays. */
int run_routes_set(struct run_routes *r, struct fb_str text, struct fb_err *err);
void run_routes_done(struct run_routes *r);
/* @name is lower case, without its final dot. A bare `*` matches nothing: the stub answers for names of rules only. */
bool run_routes_match(const struct run_routes *r, struct fb_str name);

#endif
