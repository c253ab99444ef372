/* A set of policies with their ids and their index. Layer: cedar, private. Thread: any once built. */
#ifndef CEDAR_POLICYSET_H
#define CEDAR_POLICYSET_H

#include "cedar/ast.h"
#include "cedar/index.h"

struct cedar_policy_set {
    struct cedar_arena arena;
    struct cedar_str text;
    struct cedar_policy *items;
    size_t n, cap;
    uint32_t *ids; /* index + 1 by hash of the id */
    size_t n_ids;
    struct cedar_index index;
};

/* An empty set; NULL when out of memory. */
struct cedar_policy_set *cedar_policy_set_new(void);
/* Adds a policy whose tree is in set->arena; folds and indexes it. CEDAR_E_LINK: the id is taken. */
int cedar_policy_set_add(struct cedar_policy_set *set, const struct cedar_policy *p, struct cedar_error *err);

#endif
