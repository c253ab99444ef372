/* Capability seed files: loaded and verified at start, watched and swapped as a whole afterwards.
 * Source: [the Firma specification, sidecar 11]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_SEEDS_H
#define SIDECAR_SEEDS_H

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "token/keyfile.h"

#include <stdbool.h>

enum { SC_SEEDS_MAX = 1024, SC_SEEDS_SETTLE_MS = 50 /* a burst of changes is one reload */ };

struct fe_engine;
struct sc_seeds;

struct sc_seeds_options {
    const char *const *paths;
    size_t n_paths;
    const struct tk_public_key *key; /* borrowed for the call */
    int64_t leeway_ns;
    struct fb_str session_id; /* not empty: only capabilities of this session are accepted */
    bool watch;
};

/* Loads all files into @engine. The first one that is unreadable, altered or of another session fails the start, naming
 * it; expired ones are skipped with a warning unless all are: FB_E_CAPABILITY, FB_E_TOKEN_INVALID, FB_E_TOKEN_EXPIRED.
 * *@ret_loaded: how many count. Expiry is judged by a time that never goes back, also in later reloads. */
int sc_seeds_new(struct fb_loop *loop, struct fe_engine *engine, const struct sc_seeds_options *o, size_t *ret_loaded,
                 struct sc_seeds **ret, struct fb_err *err) FB_MUST_USE;
/* The files have changed, somebody says: loads them as a change that was seen would. What fails leaves the map as it was and
 * is logged; the codes are those of sc_seeds_new. */
int sc_seeds_reload(struct sc_seeds *s);
void sc_seeds_free(struct sc_seeds *s); /* takes NULL; the engine keeps its capabilities */

#endif
