/* The entity store: uid -> attributes, tags, ancestors.
 * Source: Cedar entity data format, entity hierarchy. Layer: cedar, private. Thread: any once finished. */
#ifndef CEDAR_ENTITIES_H
#define CEDAR_ENTITIES_H

#include "cedar/value.h"

struct cedar_entity {
    struct cedar_uid uid;
    struct cedar_value attrs, tags; /* records */
    const struct cedar_uid *parents;
    size_t n_parents;
    const struct cedar_uid **ancestors; /* transitive, sorted by cedar_uid_cmp; set by finish */
    size_t n_ancestors;
};

struct cedar_entities {
    struct cedar_arena *arena; /* own, or the scratch's */
    struct cedar_arena own;
    bool on_heap, finished;
    const struct cedar_schema *schema; /* its actions are found after ours; may be NULL */
    struct cedar_entity *items;
    size_t n, cap;
    uint32_t *slots; /* index + 1, open addressing, power of two */
    size_t n_slots;
};

/* The entity, ours or an action of the schema; NULL when absent. */
const struct cedar_entity *cedar_entities_find(const struct cedar_entities *ents, const struct cedar_uid *uid);
/* Ours only. */
struct cedar_entity *cedar_entities_find_own(const struct cedar_entities *ents, const struct cedar_uid *uid);
bool cedar_entity_has_ancestor(const struct cedar_entity *e, const struct cedar_uid *uid);
/* `a in b`. */
bool cedar_entities_in_relation(const struct cedar_entities *ents, const struct cedar_uid *a,
                                const struct cedar_uid *b);

/* A heap store in the caller's storage. */
void cedar_entities_init(struct cedar_entities *ents, const struct cedar_schema *schema);
void cedar_entities_done(struct cedar_entities *ents);
/* Adds without copying; everything must live in ents->arena. The same codes as cedar_entities_add. */
int cedar_entities_take(struct cedar_entities *ents, const struct cedar_entity *e, struct cedar_error *err);

#endif
