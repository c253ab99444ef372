/* Which policies can apply: scopes compiled into hash lookups, so that a request touches no other policy.
 * Source: [the Firma design, section 6]. Layer: cedar, private. Thread: any once built. */
#ifndef CEDAR_INDEX_H
#define CEDAR_INDEX_H

#include "cedar/ast.h"
#include "cedar/entities.h"

/* How one scope part goes into the key of a policy. */
enum cedar_key_part { CEDAR_KEY_ANY, CEDAR_KEY_EQ, CEDAR_KEY_IN, CEDAR_KEY_TYPE, CEDAR_KEY_PARTS };

struct cedar_index {
    uint32_t *heads; /* entry + 1 by hash */
    size_t n_heads;
    struct cedar_index_entry {
        uint64_t hash;
        uint32_t policy, next;
    } * entries;
    size_t n, cap;
    /* Classes that occur: principal part, action part (any, eq, in), bit of the resource part. */
    uint32_t classes[CEDAR_KEY_PARTS][3];
};

/* A zeroed index is an empty one. Adds a policy; templates are left out. False when out of memory. */
bool cedar_index_add(struct cedar_index *ix, const struct cedar_policy *p, uint32_t policy);
void cedar_index_done(struct cedar_index *ix);

/* Calls @visit with each policy whose key fits; not all of them match their whole scope, and one that names several
 * actions may come more than once. False when @visit stopped it. */
struct cedar_index_query {
    const struct cedar_uid *principal, *action, *resource;
    const struct cedar_entities *ents;
};
bool cedar_index_visit(const struct cedar_index *ix, const struct cedar_index_query *q,
                       bool (*visit)(void *ctx, uint32_t policy), void *ctx);

#endif
