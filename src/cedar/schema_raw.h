/* A schema as it was written, before names are resolved: what both syntaxes are read into and printed from.
 * Source: Cedar schema format. Layer: cedar, private. Thread: one reader, one thread. */
#ifndef CEDAR_SCHEMA_RAW_H
#define CEDAR_SCHEMA_RAW_H

#include "cedar/ast.h"
#include "cedar/diag.h"

enum cedar_raw_kind { CEDAR_RAW_NAME, CEDAR_RAW_SET, CEDAR_RAW_RECORD };

/* What a name may stand for. */
enum cedar_raw_sort {
    CEDAR_RAW_ANY,    /* common, entity, built-in: in this order */
    CEDAR_RAW_COMMON, /* common or built-in (JSON `{type: "X"}`) */
    CEDAR_RAW_ENTITY,
    CEDAR_RAW_EXTENSION,
    CEDAR_RAW_BUILTIN /* JSON `Long`, `String`, `Boolean` */
};

struct cedar_raw_type {
    uint8_t kind; /* enum cedar_raw_kind */
    uint8_t sort; /* enum cedar_raw_sort, of a name */
    struct cedar_str name;
    const struct cedar_raw_type *element;
    struct cedar_raw_attr *attrs; /* list */
    uint32_t off, len;
};

struct cedar_raw_annots {
    struct cedar_annotation *items;
    size_t n;
};

struct cedar_raw_attr {
    struct cedar_raw_attr *next;
    struct cedar_str name;
    bool required;
    uint32_t position; /* in its record, from 0 */
    const struct cedar_raw_type *type;
    struct cedar_raw_annots annots;
};

/* A name with its place; for parents of actions also an id. */
struct cedar_raw_ref {
    struct cedar_raw_ref *next;
    struct cedar_str name; /* "" for an action parent without a type */
    struct cedar_str id;
    uint32_t off, len;
};

struct cedar_raw_entity {
    struct cedar_raw_entity *next;
    struct cedar_raw_ref *names; /* several share one body */
    struct cedar_raw_ref *parents;
    const struct cedar_raw_type *attrs, *tags; /* may be NULL */
    struct cedar_raw_ref *ids;                 /* of an enumerated type */
    bool is_enum;
    struct cedar_raw_annots annots;
};

struct cedar_raw_action {
    struct cedar_raw_action *next;
    struct cedar_raw_ref *names;
    struct cedar_raw_ref *parents;
    bool applies;
    struct cedar_raw_ref *principals, *resources;
    const struct cedar_raw_type *context; /* may be NULL */
    struct cedar_raw_annots annots;
};

struct cedar_raw_common {
    struct cedar_raw_common *next;
    struct cedar_raw_ref name;
    const struct cedar_raw_type *type;
    struct cedar_raw_annots annots;
};

struct cedar_raw_namespace {
    struct cedar_raw_namespace *next;
    struct cedar_raw_ref name; /* "" for the empty one */
    struct cedar_raw_entity *entities;
    struct cedar_raw_action *actions;
    struct cedar_raw_common *commons;
    struct cedar_raw_annots annots;
};

/* Reads Cedar syntax into a list of namespaces in @a. 0, CEDAR_E_SCHEMA, CEDAR_E_UTF8, CEDAR_E_LIMIT, CEDAR_E_NOMEM. */
int cedar_schema_read_text(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                           struct cedar_raw_namespace **ret);

/* The same from JSON; also CEDAR_E_JSON. */
int cedar_schema_read_json(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                           struct cedar_raw_namespace **ret);

struct cedar_schema;
/* Resolves names and checks; fills the schema, whose arena holds @raw. The same codes. */
int cedar_schema_resolve(struct cedar_schema *s, struct cedar_arena *temp, const struct cedar_source *src,
                         const struct cedar_raw_namespace *raw);

#endif
