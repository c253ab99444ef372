#include "enforce/revoke.h"

#include <stdlib.h>

struct entry {
    uint64_t hash;
    size_t n;
    char id[];
};

struct fe_revoke_table {
    struct fe_retired retired;
    size_t n_slots; /* power of two, at most half full */
    _Atomic(struct entry *) slots[];
};

void fe_revoke_init(struct fe_revoke *r, struct fe_epoch *epoch, size_t capacity)
{
    r->epoch = epoch;
    r->capacity = capacity;
    atomic_init(&r->table, NULL);
    atomic_init(&r->bloom, NULL);
    atomic_init(&r->count, 0);
    atomic_init(&r->broken, false);
}

void fe_revoke_done(struct fe_revoke *r)
{
    struct fe_revoke_table *t = atomic_load(&r->table);
    for (size_t i = 0; t != NULL && i < t->n_slots; i++)
        free(atomic_load(&t->slots[i]));
    free(t);
    free((void *)atomic_load(&r->bloom));
}

uint64_t fe_revoke_hash(struct fb_str id)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < id.n; i++)
        h = (h ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
    /* FNV's low bits are weak for short keys. */
    h ^= h >> 32;
    return h * UINT64_C(0x9e3779b97f4a7c15);
}

static const struct entry *find(struct fe_revoke_table *t, struct fb_str id, uint64_t hash)
{
    if (t == NULL)
        return NULL;
    for (size_t i = hash >> 20;; i++) {
        struct entry *e = atomic_load_explicit(&t->slots[i & (t->n_slots - 1)], memory_order_acquire);
        if (e == NULL)
            return NULL;
        if (e->hash == hash && fb_str_eq(fb_str_n(e->id, e->n), id))
            return e;
    }
}

static size_t bloom_bit(uint64_t hash, unsigned i)
{
    uint64_t step = (hash >> 32) | 1;
    return (size_t)((hash + i * step) % FE_REVOKE_BLOOM_BITS);
}

static bool bloom_has(_Atomic uint64_t *bloom, uint64_t hash)
{
    for (unsigned i = 0; i < FE_REVOKE_BLOOM_HASHES; i++) {
        size_t bit = bloom_bit(hash, i);
        if ((atomic_load_explicit(&bloom[bit / 64], memory_order_acquire) & (UINT64_C(1) << (bit % 64))) == 0)
            return false;
    }
    return true;
}

bool fe_revoke_has(struct fe_revoke *r, struct fb_str id, uint64_t hash)
{
    if (find(atomic_load(&r->table), id, hash) != NULL)
        return true;
    _Atomic uint64_t *bloom = atomic_load(&r->bloom);
    return bloom != NULL && bloom_has(bloom, hash);
}

static void free_table(struct fe_retired *self)
{
    free(self); /* the entries live on in the table that replaced it */
}

static void place(struct fe_revoke_table *t, struct entry *e)
{
    size_t i = e->hash >> 20;
    while (atomic_load_explicit(&t->slots[i & (t->n_slots - 1)], memory_order_relaxed) != NULL)
        i++;
    atomic_store_explicit(&t->slots[i & (t->n_slots - 1)], e, memory_order_release);
}

/* A table with room for one more; NULL when memory is out. */
static struct fe_revoke_table *roomy_table(struct fe_revoke *r)
{
    struct fe_revoke_table *old = atomic_load(&r->table);
    uint64_t count = atomic_load(&r->count);
    if (old != NULL && count < old->n_slots / 2)
        return old;
    size_t n = old == NULL ? 64 : old->n_slots * 2;
    struct fe_revoke_table *t = calloc(1, sizeof(*t) + n * sizeof(t->slots[0]));
    if (t == NULL)
        return NULL;
    t->n_slots = n;
    for (size_t i = 0; old != NULL && i < old->n_slots; i++) {
        struct entry *e = atomic_load(&old->slots[i]);
        if (e != NULL)
            place(t, e);
    }
    atomic_store(&r->table, t);
    if (old != NULL) {
        old->retired.free = free_table;
        fe_epoch_retire(r->epoch, &old->retired);
    }
    return t;
}

static bool add_exact(struct fe_revoke *r, struct fb_str id, uint64_t hash)
{
    struct entry *e = malloc(sizeof(*e) + id.n);
    struct fe_revoke_table *t = e == NULL ? NULL : roomy_table(r);
    if (t == NULL) {
        free(e);
        return false;
    }
    e->hash = hash;
    e->n = id.n;
    if (id.n > 0)
        memcpy(e->id, id.p, id.n);
    place(t, e);
    return true;
}

static bool add_bloom(struct fe_revoke *r, uint64_t hash)
{
    _Atomic uint64_t *bloom = atomic_load(&r->bloom);
    if (bloom == NULL) {
        bloom = calloc(FE_REVOKE_BLOOM_BITS / 64, sizeof(*bloom));
        if (bloom == NULL)
            return false;
    }
    for (unsigned i = 0; i < FE_REVOKE_BLOOM_HASHES; i++) {
        size_t bit = bloom_bit(hash, i);
        atomic_fetch_or(&bloom[bit / 64], UINT64_C(1) << (bit % 64));
    }
    atomic_store(&r->bloom, bloom);
    return true;
}

bool fe_revoke_add(struct fe_revoke *r, struct fb_str id)
{
    uint64_t hash = fe_revoke_hash(id);
    fe_epoch_lock(r->epoch);
    bool fresh = !fe_revoke_has(r, id, hash);
    if (fresh) {
        bool kept = atomic_load(&r->count) < r->capacity ? add_exact(r, id, hash) : add_bloom(r, hash);
        if (kept)
            atomic_fetch_add(&r->count, 1);
        else
            atomic_store(&r->broken, true);
    }
    fe_epoch_unlock(r->epoch);
    return fresh;
}
