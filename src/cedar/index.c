#include "cedar/index.h"

#include <stdlib.h>

/* The key of a policy: for each scope part its class and what it names. At most one of principal and resource goes in
 * by group, so that a request needs (ancestors + 1) lookups a class and not their product. */
struct key {
    enum cedar_key_part part[3];
    uint64_t what[3];
};

static uint64_t uid_key(const struct cedar_uid *u)
{
    return u->hash;
}

static uint64_t type_key(struct cedar_str type)
{
    return cedar_str_hash(7, type);
}

static uint64_t mix(const struct key *k)
{
    uint64_t h = 0x9e3779b97f4a7c15ULL;
    for (int i = 0; i < 3; i++) {
        h = (h ^ (uint64_t)k->part[i] ^ k->what[i] << 8) * 0xff51afd7ed558ccdULL;
        h ^= h >> 32;
    }
    return h;
}

static void entity_part(const struct cedar_scope *s, bool group_taken, struct key *k, int i)
{
    k->part[i] = CEDAR_KEY_ANY;
    k->what[i] = 0;
    if (s->kind == CEDAR_SCOPE_EQ) {
        k->part[i] = CEDAR_KEY_EQ;
        k->what[i] = uid_key(s->uids);
    } else if ((s->kind == CEDAR_SCOPE_IN || s->kind == CEDAR_SCOPE_IS_IN) && !group_taken) {
        k->part[i] = CEDAR_KEY_IN;
        k->what[i] = uid_key(s->uids);
    } else if (s->kind == CEDAR_SCOPE_IS || s->kind == CEDAR_SCOPE_IS_IN) {
        k->part[i] = CEDAR_KEY_TYPE;
        k->what[i] = type_key(s->type);
    }
}

static bool rehash(struct cedar_index *ix)
{
    size_t cap = ix->cap ? ix->cap * 2 : 32;
    struct cedar_index_entry *entries = realloc(ix->entries, cap * sizeof *entries);
    if (!entries)
        return false;
    ix->entries = entries;
    uint32_t *heads = calloc(cap * 2, sizeof *heads);
    if (!heads)
        return false;
    for (size_t i = 0; i < ix->n; i++) {
        size_t h = entries[i].hash & (cap * 2 - 1);
        entries[i].next = heads[h];
        heads[h] = (uint32_t)i + 1;
    }
    free(ix->heads);
    ix->heads = heads;
    ix->cap = cap;
    ix->n_heads = cap * 2;
    return true;
}

static bool add_key(struct cedar_index *ix, const struct key *k, uint32_t policy)
{
    if (ix->n == ix->cap && !rehash(ix))
        return false;
    uint64_t hash = mix(k);
    size_t h = hash & (ix->n_heads - 1);
    ix->entries[ix->n] = (struct cedar_index_entry){ hash, policy, ix->heads[h] };
    ix->heads[h] = (uint32_t)++ix->n;
    ix->classes[k->part[0]][k->part[1] == CEDAR_KEY_ANY ? 0 : k->part[1] == CEDAR_KEY_EQ ? 1 : 2] |= 1u << k->part[2];
    return true;
}

void cedar_index_done(struct cedar_index *ix)
{
    free(ix->entries);
    free(ix->heads);
    *ix = (struct cedar_index){ 0 };
}

bool cedar_index_add(struct cedar_index *ix, const struct cedar_policy *p, uint32_t policy)
{
    struct key k;
    if (p->is_template)
        return true;
    entity_part(&p->principal, false, &k, 0);
    entity_part(&p->resource, k.part[0] == CEDAR_KEY_IN, &k, 2);
    switch ((enum cedar_scope_kind)p->action.kind) {
    case CEDAR_SCOPE_EQ:
    case CEDAR_SCOPE_IN:
    case CEDAR_SCOPE_IN_LIST:
        k.part[1] = p->action.kind == CEDAR_SCOPE_EQ ? CEDAR_KEY_EQ : CEDAR_KEY_IN;
        for (uint32_t i = 0; i < p->action.n_uids; i++) {
            k.what[1] = uid_key(&p->action.uids[i]);
            if (!add_key(ix, &k, policy))
                return false;
        }
        return true;
    default:
        k.part[1] = CEDAR_KEY_ANY;
        k.what[1] = 0;
        return add_key(ix, &k, policy);
    }
}

/* What a request offers for one part of the key. */
struct offer {
    const struct cedar_uid *self;
    const struct cedar_entity *entity;
    uint64_t type;
};

static size_t offers(const struct offer *o, enum cedar_key_part part)
{
    return part == CEDAR_KEY_IN ? 1 + (o->entity ? o->entity->n_ancestors : 0) : 1;
}

static uint64_t offered(const struct offer *o, enum cedar_key_part part, size_t i)
{
    switch (part) {
    case CEDAR_KEY_EQ:
        return uid_key(o->self);
    case CEDAR_KEY_IN:
        return uid_key(i == 0 ? o->self : o->entity->ancestors[i - 1]);
    case CEDAR_KEY_TYPE:
        return o->type;
    default:
        return 0;
    }
}

struct visiting {
    const struct cedar_index *ix;
    struct offer offer[3];
    bool (*visit)(void *ctx, uint32_t policy);
    void *ctx;
};

static bool visit_key(struct visiting *v, const struct key *k)
{
    uint64_t hash = mix(k);
    for (uint32_t at = v->ix->heads[hash & (v->ix->n_heads - 1)]; at; at = v->ix->entries[at - 1].next) {
        const struct cedar_index_entry *e = &v->ix->entries[at - 1];
        if (e->hash == hash && !v->visit(v->ctx, e->policy))
            return false;
    }
    return true;
}

static bool visit_class(struct visiting *v, struct key *k)
{
    size_t n[3];
    for (int i = 0; i < 3; i++)
        n[i] = offers(&v->offer[i], k->part[i]);
    for (size_t a = 0; a < n[0]; a++) {
        k->what[0] = offered(&v->offer[0], k->part[0], a);
        for (size_t b = 0; b < n[1]; b++) {
            k->what[1] = offered(&v->offer[1], k->part[1], b);
            for (size_t c = 0; c < n[2]; c++) {
                k->what[2] = offered(&v->offer[2], k->part[2], c);
                if (!visit_key(v, k))
                    return false;
            }
        }
    }
    return true;
}

bool cedar_index_visit(const struct cedar_index *ix, const struct cedar_index_query *q,
                       bool (*visit)(void *ctx, uint32_t policy), void *ctx)
{
    static const enum cedar_key_part action_parts[] = { CEDAR_KEY_ANY, CEDAR_KEY_EQ, CEDAR_KEY_IN };
    const struct cedar_uid *uids[] = { q->principal, q->action, q->resource };
    struct visiting v = { .ix = ix, .visit = visit, .ctx = ctx };
    if (ix->n == 0)
        return true;
    for (int i = 0; i < 3; i++) {
        v.offer[i].self = uids[i];
        v.offer[i].entity = cedar_entities_find(q->ents, uids[i]);
        v.offer[i].type = i == 1 ? 0 : type_key(uids[i]->type);
    }
    for (int p = 0; p < CEDAR_KEY_PARTS; p++) {
        for (int act = 0; act < 3; act++) {
            for (int r = 0; ix->classes[p][act] >> r; r++) {
                if (!(ix->classes[p][act] >> r & 1))
                    continue;
                struct key k = { { (enum cedar_key_part)p, action_parts[act], (enum cedar_key_part)r }, { 0 } };
                if (!visit_class(&v, &k))
                    return false;
            }
        }
    }
    return true;
}
