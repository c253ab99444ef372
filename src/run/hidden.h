/* The host paths that decide or record what the agent may do, as the configuration names them: policies, mapping rules,
 * keys, seeds, the audit log. A mount of the sandbox covers them wherever it would show them.
 * Layer: run (L3). Thread: start-up; touches nothing. Source: [the Firma specification, run 6.3 and property 20]. */
#ifndef RUN_HIDDEN_H
#define RUN_HIDDEN_H

#include "base/err.h"
#include "core/config.h"

#include <stdbool.h>

enum { RUN_HIDDEN_MAX = 256 };

struct run_hidden {
    char *paths[RUN_HIDDEN_MAX]; /* owned, absolute */
    bool replaced[RUN_HIDDEN_MAX]; /* the audit log and its head: rotated and rewritten while the agent runs */
    size_t count;
};

/* Adds @path, taken relative to @base (NULL: the working directory). NULL and "" add nothing.
 * FB_E_LIMIT past RUN_HIDDEN_MAX, FB_E_NOMEM. */
int run_hidden_add(struct run_hidden *h, const char *base, const char *path, struct fb_err *err);
/* Adds what [authority] and [sidecar] of @c name, and the file itself. A config without a document adds nothing. */
int run_hidden_add_config(struct run_hidden *h, const struct fc_config *c, struct fb_err *err);
/* Frees the paths; takes an empty one. */
void run_hidden_done(struct run_hidden *h);

#endif
