/* Counters of the sessions seen: what a policy may ask about a session's past. Bounded; the session longest unused is
 * forgotten first. Source: [the Firma specification, sidecar 9.1, 9.4]. Layer: enforce (L2). Thread: any (one short
 * lock: these are writes). */
#ifndef ENFORCE_SESSION_H
#define ENFORCE_SESSION_H

#include "base/arena.h"

#include <pthread.h>
#include <stdint.h>

enum { FE_SESSION_HISTORY = 8, FE_SESSION_ID_MAX_BYTES = 128 };

struct fe_session;

struct fe_sessions {
    pthread_mutex_t lock;
    size_t capacity;
    size_t n_used;
    struct fe_session *items;
    uint32_t *slots; /* 1 + index of the chain's first item; 0 = empty */
    size_t n_slots;
    uint32_t newest; /* 1 + index */
    uint32_t oldest;
};

struct fe_session_view {
    uint64_t action_count; /* the call at hand included */
    uint64_t deny_count;
    unsigned char prior[FE_SESSION_HISTORY]; /* classes of the last actions, each once, first seen first */
    size_t n_prior;
    struct fb_str last_resource; /* in the arena given */
};

/* FB_E_NOMEM or 0. @capacity >= 1. */
int fe_sessions_init(struct fe_sessions *s, size_t capacity);
void fe_sessions_done(struct fe_sessions *s);
/* Counts one action and tells the state. The last resource is only copied when @arena is not NULL. False when the id is too
 * long or memory is out: the caller denies. */
bool fe_sessions_begin(struct fe_sessions *s, struct fb_str id, struct fb_arena *arena, struct fe_session_view *ret);
/* Remembers how the call ended. @resource is copied. */
void fe_sessions_end(struct fe_sessions *s, struct fb_str id, unsigned action, bool denied, struct fb_str resource);

#endif
