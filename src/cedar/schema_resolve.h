/* Resolving a schema: the table of definitions and what its files share. Layer: cedar, private. */
#ifndef CEDAR_SCHEMA_RESOLVE_H
#define CEDAR_SCHEMA_RESOLVE_H

#include "cedar/schema.h"
#include "cedar/schema_raw.h"

enum { CEDAR_DEF_FRESH, CEDAR_DEF_OPEN, CEDAR_DEF_DONE };

/* All that a full name stands for. */
struct cedar_def {
    struct cedar_str name;
    const struct cedar_raw_common *common;
    const struct cedar_raw_namespace *ns;
    uint8_t state; /* of the common type */
    const struct cedar_type *type;
    const struct cedar_raw_entity *entity;
    uint32_t etype;
    bool is_action_type;
};

struct cedar_resolver {
    struct cedar_schema *s;
    struct cedar_arena *arena, *temp;
    struct cedar_source src;
    const struct cedar_raw_namespace *raw;
    struct cedar_def **slots;
    size_t n_slots, n_defs;
    int rc;
    unsigned nesting;
};

/* Sets the error with a place; NULL. */
void *cedar_resolve_fail(struct cedar_resolver *r, uint32_t off, uint32_t len, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
void *cedar_resolve_nomem(struct cedar_resolver *r);
/* "ns::name", or @name when @ns is ""; ptr NULL when out of memory. */
struct cedar_str cedar_resolve_join(struct cedar_resolver *r, struct cedar_str ns, struct cedar_str name);
struct cedar_def *cedar_resolve_find(const struct cedar_resolver *r, struct cedar_str ns, struct cedar_str name);
/* Finds or adds; NULL with the error. */
struct cedar_def *cedar_resolve_define(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                       struct cedar_str name, const struct cedar_raw_ref *at);
const struct cedar_type *cedar_resolve_common(struct cedar_resolver *r, struct cedar_def *d);
const struct cedar_type *cedar_resolve_type(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                            const struct cedar_raw_type *raw);
/* @raw NULL: the empty record. */
const struct cedar_type *cedar_resolve_to_record(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                                 const struct cedar_raw_type *raw, const char *what);
/* An entity type by reference; NULL with the error. */
struct cedar_def *cedar_resolve_entity_ref(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                           const struct cedar_raw_ref *ref);
size_t cedar_resolve_ref_count(const struct cedar_raw_ref *ref);
/* After the entity types. */
bool cedar_resolve_actions(struct cedar_resolver *r);

#endif
