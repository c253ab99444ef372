/* `firma run --print-effective-config`: what would be done, as JSON. Layer: run (L3). Thread: start-up.
 * Source: [the Firma specification, run 2.4]. Starts nothing, writes nothing. */
#ifndef RUN_EFFECTIVE_H
#define RUN_EFFECTIVE_H

#include <stdio.h>

struct run_settled;
struct fb_err;

/* One pretty-printed object and a line feed on @out. Ids that exist only at launch print as null; values that come from
 * the host's environment beyond the harmless ones print as "<from host>". */
int run_effective_print(struct run_settled *s, FILE *out, struct fb_err *err);

#endif
