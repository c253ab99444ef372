/* A resolved schema: types, entity types, actions.
 * Source: Cedar schema format. Layer: cedar, private. Thread: any (immutable). */
#ifndef CEDAR_SCHEMA_H
#define CEDAR_SCHEMA_H

#include "cedar/entities.h"

/* The type lattice of validation. Named values of public enum cedar_type_kind, and what only the typechecker makes. */
struct cedar_type {
    uint8_t kind;  /* enum cedar_type_kind */
    uint8_t truth; /* of a Bool: enum cedar_truth */
    uint8_t ext;   /* of an extension: enum cedar_value_kind */
    uint16_t depth;
    struct cedar_str name;            /* entity or extension */
    const struct cedar_type *element; /* of a set; NULL for the empty set literal */
    const struct cedar_attr *attrs;   /* of a record, sorted by name */
    size_t n_attrs;
};

enum cedar_truth { CEDAR_TRUTH_ANY, CEDAR_TRUTH_TRUE, CEDAR_TRUTH_FALSE };

struct cedar_etype {
    struct cedar_str name;
    const struct cedar_type *attrs, *tags; /* tags NULL: none allowed */
    bool is_enum;
    const struct cedar_str *ids; /* of an enumerated type */
    size_t n_ids;
    const struct cedar_etype **ancestors; /* transitive, itself included only when in a cycle; sorted by address */
    size_t n_ancestors;
    const struct cedar_str *parents; /* as declared, resolved */
    size_t n_parents;
};

struct cedar_action {
    struct cedar_uid uid;
    const struct cedar_uid *parents;
    size_t n_parents;
    const struct cedar_etype **principals, **resources;
    size_t n_principals, n_resources;
    const struct cedar_type *context;
};

struct cedar_raw_namespace;

struct cedar_schema {
    struct cedar_arena arena;
    struct cedar_str text;
    const struct cedar_raw_namespace *raw; /* as written, for translation */
    struct cedar_etype *etypes;            /* sorted by name */
    size_t n_etypes;
    struct cedar_action *actions;
    size_t n_actions;
    struct cedar_entities action_entities; /* items in the order of actions */
};

extern const struct cedar_type cedar_type_bool, cedar_type_true, cedar_type_false, cedar_type_long, cedar_type_string,
    cedar_type_empty_record;
const struct cedar_type *cedar_type_extension(unsigned value_kind);

const struct cedar_etype *cedar_schema_etype(const struct cedar_schema *s, struct cedar_str name);
const struct cedar_action *cedar_schema_action(const struct cedar_schema *s, const struct cedar_uid *uid);
bool cedar_etype_has_id(const struct cedar_etype *t, struct cedar_str id);
/* An entity of type @a may have an ancestor of type @b (not counting itself). */
bool cedar_etype_below(const struct cedar_etype *a, const struct cedar_etype *b);
/* True when some action has this type. */
bool cedar_schema_is_action_type(const struct cedar_schema *s, struct cedar_str name);

/* Is @v an instance of @t? On false *@ret_path (may be NULL) gets what is wrong; see cedar_mismatch. */
struct cedar_mismatch {
    struct cedar_str attr; /* innermost attribute concerned, or "" */
    const char *what;      /* "is missing", "is not declared", "has the wrong type", "is not a member of ..." */
    const struct cedar_type *want;
    const struct cedar_value *got;
};
bool cedar_type_admits(const struct cedar_schema *s, const struct cedar_type *t, const struct cedar_value *v,
                       struct cedar_mismatch *ret);
/* Writes a type as in schema text, e.g. "Set<Long>", cut to @cap. Returns @buf. */
const char *cedar_type_text(const struct cedar_type *t, char *buf, size_t cap);

#endif
