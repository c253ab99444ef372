#include "enforce/session.h"

#include "base/err.h"

#include <stdlib.h>

struct fe_session {
    uint64_t action_count;
    uint64_t deny_count;
    uint32_t hash;
    uint32_t chain; /* next in the hash chain, 1 + index */
    uint32_t newer;
    uint32_t older;
    unsigned char n_id;
    unsigned char n_history;
    unsigned char history[FE_SESSION_HISTORY]; /* oldest first */
    char id[FE_SESSION_ID_MAX_BYTES];
    char *resource; /* grows, never shrinks */
    size_t n_resource;
    size_t cap_resource;
};

int fe_sessions_init(struct fe_sessions *s, size_t capacity)
{
    memset(s, 0, sizeof(*s));
    if (capacity == 0 || capacity > UINT32_MAX / 4)
        return FB_E_LIMIT;
    size_t slots = 16;
    while (slots < capacity)
        slots *= 2;
    s->capacity = capacity;
    s->n_slots = slots;
    s->items = calloc(capacity, sizeof(*s->items));
    s->slots = calloc(slots, sizeof(*s->slots));
    if (s->items == NULL || s->slots == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s->items);
        free(s->slots);
        memset(s, 0, sizeof(*s));
        return FB_E_NOMEM;
    }
    return 0;
}

void fe_sessions_done(struct fe_sessions *s)
{
    if (s->items == NULL)
        return;
    for (size_t i = 0; i < s->n_used; i++)
        free(s->items[i].resource);
    free(s->items);
    free(s->slots);
    pthread_mutex_destroy(&s->lock);
    memset(s, 0, sizeof(*s));
}

static uint32_t hash_id(struct fb_str id)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < id.n; i++)
        h = (h ^ (unsigned char)id.p[i]) * 16777619u;
    return h ^ (h >> 15);
}

static void unlink_age(struct fe_sessions *s, uint32_t ref)
{
    struct fe_session *x = &s->items[ref - 1];
    if (x->newer != 0)
        s->items[x->newer - 1].older = x->older;
    else
        s->newest = x->older;
    if (x->older != 0)
        s->items[x->older - 1].newer = x->newer;
    else
        s->oldest = x->newer;
}

static void link_newest(struct fe_sessions *s, uint32_t ref)
{
    struct fe_session *x = &s->items[ref - 1];
    x->newer = 0;
    x->older = s->newest;
    if (s->newest != 0)
        s->items[s->newest - 1].newer = ref;
    else
        s->oldest = ref;
    s->newest = ref;
}

static struct fe_session *find(struct fe_sessions *s, struct fb_str id, uint32_t hash)
{
    uint32_t ref = s->slots[hash & (s->n_slots - 1)];
    while (ref != 0) {
        struct fe_session *x = &s->items[ref - 1];
        if (x->hash == hash && fb_str_eq(fb_str_n(x->id, x->n_id), id)) {
            if (s->newest != ref) {
                unlink_age(s, ref);
                link_newest(s, ref);
            }
            return x;
        }
        ref = x->chain;
    }
    return NULL;
}

static void forget_oldest(struct fe_sessions *s, uint32_t ref)
{
    struct fe_session *x = &s->items[ref - 1];
    uint32_t *at = &s->slots[x->hash & (s->n_slots - 1)];
    while (*at != ref)
        at = &s->items[*at - 1].chain;
    *at = x->chain;
    unlink_age(s, ref);
    char *resource = x->resource;
    size_t cap = x->cap_resource;
    memset(x, 0, sizeof(*x));
    x->resource = resource;
    x->cap_resource = cap;
}

static struct fe_session *add(struct fe_sessions *s, struct fb_str id, uint32_t hash)
{
    uint32_t ref;
    if (s->n_used < s->capacity) {
        ref = (uint32_t)++s->n_used;
    } else {
        ref = s->oldest;
        forget_oldest(s, ref);
    }
    struct fe_session *x = &s->items[ref - 1];
    x->hash = hash;
    x->n_id = (unsigned char)id.n;
    if (id.n > 0)
        memcpy(x->id, id.p, id.n);
    x->chain = s->slots[hash & (s->n_slots - 1)];
    s->slots[hash & (s->n_slots - 1)] = ref;
    link_newest(s, ref);
    return x;
}

static void list_prior(const struct fe_session *x, struct fe_session_view *ret)
{
    ret->n_prior = 0;
    for (size_t i = 0; i < x->n_history; i++) {
        if (memchr(ret->prior, x->history[i], ret->n_prior) == NULL)
            ret->prior[ret->n_prior++] = x->history[i];
    }
}

bool fe_sessions_begin(struct fe_sessions *s, struct fb_str id, struct fb_arena *arena, struct fe_session_view *ret)
{
    if (id.n > FE_SESSION_ID_MAX_BYTES)
        return false;
    uint32_t hash = hash_id(id);
    bool ok = true;
    pthread_mutex_lock(&s->lock);
    struct fe_session *x = find(s, id, hash);
    if (x == NULL)
        x = add(s, id, hash);
    if (x->action_count < INT64_MAX)
        x->action_count++;
    ret->action_count = x->action_count;
    ret->deny_count = x->deny_count;
    list_prior(x, ret);
    ret->last_resource = FB_STR("");
    if (arena != NULL && x->n_resource > 0) {
        ret->last_resource = fb_arena_str(arena, fb_str_n(x->resource, x->n_resource));
        ok = ret->last_resource.p != NULL;
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static void keep_resource(struct fe_session *x, struct fb_str resource)
{
    if (resource.n > x->cap_resource) {
        size_t cap = x->cap_resource == 0 ? 256 : x->cap_resource;
        while (cap < resource.n)
            cap *= 2;
        char *p = realloc(x->resource, cap);
        if (p == NULL) {
            x->n_resource = 0;
            return;
        }
        x->resource = p;
        x->cap_resource = cap;
    }
    if (resource.n > 0)
        memcpy(x->resource, resource.p, resource.n);
    x->n_resource = resource.n;
}

void fe_sessions_end(struct fe_sessions *s, struct fb_str id, unsigned action, bool denied, struct fb_str resource)
{
    pthread_mutex_lock(&s->lock);
    struct fe_session *x = find(s, id, hash_id(id));
    if (x != NULL) { /* NULL: forgotten meanwhile */
        x->deny_count += denied && x->deny_count < INT64_MAX;
        if (x->n_history == FE_SESSION_HISTORY)
            memmove(x->history, x->history + 1, --x->n_history);
        x->history[x->n_history++] = (unsigned char)action;
        keep_resource(x, resource);
    }
    pthread_mutex_unlock(&s->lock);
}
