/* The agent's environment: made from nothing. Layer: run (L3). Thread: start-up.
 * Source: [the Firma specification, run 6.5]. Order, later wins: names passed through from the host, the profile's fixed
 * values, identity, proxy. No variable carries a token, a key, or a path of the host's state. */
#ifndef RUN_ENVIRON_H
#define RUN_ENVIRON_H

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>

struct run_profile;

enum { RUN_ENVIRON_MAX = 1024, RUN_ENVIRON_MEMORY_MAX_BYTES = 4 << 20 };

struct run_environ {
    struct fb_arena arena; /* owns the texts */
    char *list[RUN_ENVIRON_MAX + 1]; /* "NAME=value", sorted by name, NULL-terminated */
    bool from_host[RUN_ENVIRON_MAX]; /* the value came from the host and may be a secret */
    size_t count;
};

struct run_environ_ids {
    const char *sandbox_id;
    const char *session_id;
    const char *agent_id;
    const char *home;      /* inside */
    const char *user_name; /* NULL = keep the host's USER and LOGNAME out */
};

/* FB_E_CONFIG_VALIDATION when the profile asks for more variables than fit, FB_E_NOMEM. */
int run_environ_build(struct run_environ *e, const struct run_profile *p, const struct run_environ_ids *ids,
                      struct fb_err *err);
/* For execve: NULL-terminated. */
const char *const *run_environ_list(const struct run_environ *e);
/* Value of @name, NULL when it is not there. */
const char *run_environ_get(const struct run_environ *e, const char *name);
void run_environ_done(struct run_environ *e);

#endif
