#include "cedar/entities.h"

#include "cedar/diag.h"
#include "cedar/schema.h"

#include <stdlib.h>
#include <string.h>

enum { HEAP_MAX_BYTES = 1 << 30 };

void cedar_entities_init(struct cedar_entities *ents, const struct cedar_schema *schema)
{
    *ents = (struct cedar_entities){ .on_heap = true, .schema = schema };
    cedar_arena_init(&ents->own, HEAP_MAX_BYTES);
    ents->arena = &ents->own;
}

void cedar_entities_done(struct cedar_entities *ents)
{
    cedar_arena_done(&ents->own);
}

struct cedar_entities *cedar_entities_new(const struct cedar_schema *schema)
{
    struct cedar_entities *ents = malloc(sizeof *ents);
    if (ents)
        cedar_entities_init(ents, schema);
    return ents;
}

struct cedar_entities *cedar_entities_in(struct cedar_scratch *s, const struct cedar_schema *schema, size_t capacity)
{
    if (capacity > CEDAR_MAX_ENTITIES)
        return NULL;
    struct cedar_entities *ents = CEDAR_NEW(&s->arena, struct cedar_entities);
    if (!ents)
        return NULL;
    ents->arena = &s->arena;
    ents->schema = schema;
    ents->cap = capacity;
    ents->n_slots = 4;
    while (ents->n_slots < capacity * 2)
        ents->n_slots *= 2;
    ents->items = cedar_arena_array(ents->arena, capacity, sizeof *ents->items);
    ents->slots = CEDAR_NEW_N(ents->arena, ents->n_slots, uint32_t);
    return ents->items && ents->slots ? ents : NULL;
}

void cedar_entities_free(struct cedar_entities *ents)
{
    if (!ents || !ents->on_heap)
        return;
    cedar_entities_done(ents);
    free(ents);
}

size_t cedar_entities_count(const struct cedar_entities *ents)
{
    return ents->n;
}

struct cedar_entity *cedar_entities_find_own(const struct cedar_entities *ents, const struct cedar_uid *uid)
{
    if (ents->n == 0)
        return NULL;
    for (size_t h = uid->hash & (ents->n_slots - 1); ents->slots[h]; h = (h + 1) & (ents->n_slots - 1)) {
        struct cedar_entity *e = &ents->items[ents->slots[h] - 1];
        if (cedar_uid_eq(&e->uid, uid))
            return e;
    }
    return NULL;
}

const struct cedar_entity *cedar_entities_find(const struct cedar_entities *ents, const struct cedar_uid *uid)
{
    const struct cedar_entity *e = cedar_entities_find_own(ents, uid);
    if (e || !ents->schema)
        return e;
    return cedar_entities_find_own(&ents->schema->action_entities, uid);
}

bool cedar_entity_has_ancestor(const struct cedar_entity *e, const struct cedar_uid *uid)
{
    size_t lo = 0, hi = e->n_ancestors;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = cedar_uid_cmp(e->ancestors[mid], uid);
        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

bool cedar_entities_in_relation(const struct cedar_entities *ents, const struct cedar_uid *a, const struct cedar_uid *b)
{
    if (cedar_uid_eq(a, b))
        return true;
    const struct cedar_entity *e = cedar_entities_find(ents, a);
    return e && cedar_entity_has_ancestor(e, b);
}

/* Doubles table and items of a heap store; the old ones stay in the arena until it goes. */
static bool grow(struct cedar_entities *ents)
{
    size_t cap = ents->cap ? ents->cap * 2 : 16;
    struct cedar_entity *items = CEDAR_NEW_N(ents->arena, cap, struct cedar_entity);
    uint32_t *slots = CEDAR_NEW_N(ents->arena, cap * 2, uint32_t);
    if (!items || !slots)
        return false;
    if (ents->n)
        memcpy(items, ents->items, ents->n * sizeof *items);
    for (size_t i = 0; i < ents->n; i++) {
        size_t h = items[i].uid.hash & (cap * 2 - 1);
        while (slots[h])
            h = (h + 1) & (cap * 2 - 1);
        slots[h] = (uint32_t)i + 1;
    }
    ents->items = items;
    ents->slots = slots;
    ents->cap = cap;
    ents->n_slots = cap * 2;
    return true;
}

static bool same_parents(const struct cedar_entity *a, const struct cedar_entity *b)
{
    const struct cedar_entity *pair[] = { a, b };
    for (int k = 0; k < 2; k++) {
        const struct cedar_entity *x = pair[k], *y = pair[1 - k];
        for (size_t i = 0; i < x->n_parents; i++) {
            bool found = false;
            for (size_t j = 0; j < y->n_parents && !found; j++)
                found = cedar_uid_eq(&x->parents[i], &y->parents[j]);
            if (!found)
                return false;
        }
    }
    return true;
}

int cedar_entities_take(struct cedar_entities *ents, const struct cedar_entity *e, struct cedar_error *err)
{
    const struct cedar_entity *old = cedar_entities_find_own(ents, &e->uid);
    if (old) {
        if (cedar_v_eq(&old->attrs, &e->attrs) && cedar_v_eq(&old->tags, &e->tags) && same_parents(old, e))
            return 0;
        return cedar_error_set(err, CEDAR_E_ENTITY, "Duplicate", "entity `%.*s::\"%.*s\"` is there already",
                               CEDAR_ARG(e->uid.type), CEDAR_ARG(e->uid.id));
    }
    if (ents->n >= CEDAR_MAX_ENTITIES || (ents->n >= ents->cap && !ents->on_heap))
        return cedar_error_set(err, CEDAR_E_LIMIT, "TooManyEntities", "too many entities in the store");
    if (ents->n >= ents->cap && !grow(ents))
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    size_t h = e->uid.hash & (ents->n_slots - 1);
    while (ents->slots[h])
        h = (h + 1) & (ents->n_slots - 1);
    ents->items[ents->n] = *e;
    ents->slots[h] = (uint32_t)++ents->n;
    ents->finished = false;
    return 0;
}

static bool is_entity(const struct cedar_value *v)
{
    return v && v->kind == CEDAR_VALUE_ENTITY;
}

static bool copy_in(struct cedar_entities *ents, struct cedar_entity *e, struct cedar_uid *parents)
{
    struct cedar_value v = cedar_v_uid(&e->uid), c;
    if (!cedar_v_copy(ents->arena, &v, &c))
        return false;
    e->uid = *c.uid;
    for (size_t i = 0; i < e->n_parents; i++) {
        v = cedar_v_uid(&parents[i]);
        if (!cedar_v_copy(ents->arena, &v, &c))
            return false;
        parents[i] = *c.uid;
    }
    struct cedar_value attrs = e->attrs, tags = e->tags;
    return cedar_v_copy(ents->arena, &attrs, &e->attrs) && cedar_v_copy(ents->arena, &tags, &e->tags);
}

int cedar_entities_add(struct cedar_entities *ents, const struct cedar_value *uid, const struct cedar_value *attrs,
                       const struct cedar_value *tags, const struct cedar_value *const *parents, size_t n_parents,
                       struct cedar_error *err)
{
    if (!is_entity(uid) || (attrs && attrs->kind != CEDAR_VALUE_RECORD) || (tags && tags->kind != CEDAR_VALUE_RECORD))
        return cedar_error_set(err, CEDAR_E_ARG, "BadArgument", "uid must be an entity, attributes and tags records");
    struct cedar_entity e = { .uid = *uid->uid,
                              .attrs = attrs ? *attrs : cedar_empty_record,
                              .tags = tags ? *tags : cedar_empty_record,
                              .n_parents = n_parents };
    struct cedar_uid *list = cedar_arena_array(ents->arena, n_parents, sizeof *list);
    if (!list)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    for (size_t i = 0; i < n_parents; i++) {
        if (!is_entity(parents[i]))
            return cedar_error_set(err, CEDAR_E_ARG, "BadArgument", "a parent must be an entity");
        list[i] = *parents[i]->uid;
    }
    e.parents = list;
    if (ents->on_heap && !copy_in(ents, &e, list))
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return cedar_entities_take(ents, &e, err);
}
