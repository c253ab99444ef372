/* libcedar - the Cedar policy language (4.5): parse, validate, authorize. Needs libc only.
 * Source: Cedar's public language reference and formal model (https://docs.cedarpolicy.com, cedar-policy/cedar-spec).
 * Layer: a library of its own; includes nothing of its callers.
 *
 * Threading: no globals. A policy set, schema or entity store that is no longer being built is immutable and may be
 * read by any number of threads at once. A scratch belongs to one thread at a time.
 * Memory: `new`, `parse` and `from_json` calls allocate; free with the matching `free` (NULL is fine). Everything of
 * one request lives in a `struct cedar_scratch`, which keeps its blocks on reset: after warm-up a request allocates
 * nothing from the heap.
 * Errors: calls return 0 or a negative `enum cedar_code` and fill the caller's `struct cedar_error` (may be NULL).
 * Output arguments are set on success only, unless said otherwise. Nothing aborts, prints or reads the environment.
 * Stack: any call fits into 1 MiB; nesting beyond the limits below is refused with CEDAR_E_LIMIT.
 * Strings: pointer and length, UTF-8, may hold NUL; those passed in need no terminator. */
#ifndef CEDAR_CEDAR_H
#define CEDAR_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define CEDAR_API __attribute__((visibility("default")))
#define CEDAR_MUST_USE __attribute__((warn_unused_result))
#else
#define CEDAR_API
#define CEDAR_MUST_USE
#endif

#define CEDAR_LANGUAGE_VERSION "4.5"

/* ---- limits ------------------------------------------------------------------------------------------------- */

enum {
    CEDAR_MAX_TEXT_BYTES = 64 << 20,    /* one policy, schema or JSON text */
    CEDAR_MAX_NESTING = 256,            /* brackets, `if`, JSON and type nesting in any text */
    CEDAR_MAX_POLICY_JSON = 1024,       /* nesting of JSON in the policy format, where each operator is two levels */
    CEDAR_MAX_EXPR_DEPTH = 1024,        /* depth of one expression tree, left-leaning chains included */
    CEDAR_MAX_POLICIES = 1000000,       /* in one set */
    CEDAR_MAX_ANNOTATIONS = 1000,       /* on one policy or declaration */
    CEDAR_MAX_ENTITIES = 1000000,       /* in one store */
    CEDAR_MAX_ELEMENTS = 1000000,       /* members of one set, fields of one record */
    CEDAR_MAX_ANCESTORS = 4000000,      /* pairs in the transitive closure of one store */
    CEDAR_DEFAULT_STEPS = 1000000,      /* evaluation steps of one authorization, see cedar_scratch_set_steps */
    CEDAR_DEFAULT_SCRATCH = 64 << 20    /* bytes one request may hold, see cedar_scratch_new */
};

/* ---- errors ------------------------------------------------------------------------------------------------- */

enum cedar_code {
    CEDAR_OK = 0,
    CEDAR_E_NOMEM = -1,    /* out of memory, or over the scratch's ceiling */
    CEDAR_E_ARG = -2,      /* the caller broke the contract of the call */
    CEDAR_E_LIMIT = -3,    /* a limit above: nesting, size, number, steps */
    CEDAR_E_UTF8 = -4,     /* not UTF-8 */
    CEDAR_E_PARSE = -5,    /* policy text refused; `kind` names the class, e.g. "InvalidActionType" */
    CEDAR_E_SCHEMA = -6,   /* schema text refused */
    CEDAR_E_JSON = -7,     /* JSON text refused */
    CEDAR_E_VALUE = -8,    /* a value is not what the place needs (extension text, type, reserved name) */
    CEDAR_E_ENTITY = -9,   /* duplicate entity, cycle, or an entity that does not fit the schema */
    CEDAR_E_REQUEST = -10, /* the request does not fit the schema */
    CEDAR_E_POLICY = -11,  /* policies do not validate against the schema */
    CEDAR_E_LINK = -12,    /* template linking: id taken, slot missing or extra, no such template */
    CEDAR_E_EVAL = -13     /* an expression erred */
};

/* Stable lower-case name of a code, e.g. "parse". Never NULL. */
CEDAR_API const char *cedar_code_name(int code);

enum { CEDAR_KIND_MAX = 48, CEDAR_MSG_MAX = 320, CEDAR_EXPECTED_MAX = 256, CEDAR_HINT_MAX = 128 };

/* One diagnostic; plain data on the caller's stack. Texts are NUL-terminated, cut when too long, with control
 * characters escaped. */
struct cedar_error {
    int code;                          /* enum cedar_code */
    uint32_t line, col;                /* 1-based, col counts characters; 0 when there is no position */
    size_t offset, length;             /* bytes into the text the call was given */
    char kind[CEDAR_KIND_MAX];         /* error class, e.g. "InvalidEffect", "TypeError" */
    char msg[CEDAR_MSG_MAX];           /* what is wrong: lower case, no full stop */
    char expected[CEDAR_EXPECTED_MAX]; /* what could stand there, or "" */
    char hint[CEDAR_HINT_MAX];         /* e.g. "did you mean `principal`?", or "" */
};

/**
 * Renders "name:line:col: kind: msg", the source line with a caret, what was expected, the hint.
 * @text may be NULL (no excerpt). Writes at most @cap bytes with a final NUL (like snprintf).
 * Returns the length the whole text has.
 */
CEDAR_API size_t cedar_error_render(const struct cedar_error *err, const char *name, const char *text, size_t len,
                                    char *buf, size_t cap);

/* ---- strings, scratch --------------------------------------------------------------------------------------- */

struct cedar_str {
    const char *ptr;
    size_t len;
};

/* From a C string; borrows. */
CEDAR_API struct cedar_str cedar_str_c(const char *s);
CEDAR_API bool cedar_str_eq(struct cedar_str a, struct cedar_str b);

/* Memory of one request: values, request entities, the answer. */
struct cedar_scratch;

/* @max_bytes: ceiling, 0 for CEDAR_DEFAULT_SCRATCH. NULL when out of memory. */
CEDAR_API struct cedar_scratch *cedar_scratch_new(size_t max_bytes) CEDAR_MUST_USE;
CEDAR_API void cedar_scratch_free(struct cedar_scratch *s);
/* Forgets every value made in it and keeps the memory. Clears the sticky error. */
CEDAR_API void cedar_scratch_reset(struct cedar_scratch *s);
/* Evaluation steps one cedar_authorize or cedar_evaluate may take; 0 restores CEDAR_DEFAULT_STEPS. */
CEDAR_API void cedar_scratch_set_steps(struct cedar_scratch *s, uint64_t max_steps);
/* 0, or the code of the first builder call that failed since the last reset (builders return NULL then). */
CEDAR_API int cedar_scratch_status(const struct cedar_scratch *s);
/* The text that goes with cedar_scratch_status; never NULL. Borrowed, valid until the next reset. */
CEDAR_API const struct cedar_error *cedar_scratch_error(const struct cedar_scratch *s);
/* Bytes in use now, and bytes held (the high-water mark). */
CEDAR_API size_t cedar_scratch_used(const struct cedar_scratch *s);
CEDAR_API size_t cedar_scratch_held(const struct cedar_scratch *s);

/* ---- values ------------------------------------------------------------------------------------------------- */

/* Immutable. Builders return a value that lives until the scratch is reset, or NULL (see cedar_scratch_status); a
 * NULL argument gives NULL, so a chain of builders needs one check at its end. Strings are copied. */
struct cedar_value;

enum cedar_value_kind {
    CEDAR_VALUE_BOOL,
    CEDAR_VALUE_LONG,
    CEDAR_VALUE_STRING,
    CEDAR_VALUE_ENTITY,
    CEDAR_VALUE_SET,
    CEDAR_VALUE_RECORD,
    CEDAR_VALUE_DECIMAL,
    CEDAR_VALUE_DATETIME,
    CEDAR_VALUE_DURATION,
    CEDAR_VALUE_IPADDR
};

struct cedar_field {
    struct cedar_str key;
    const struct cedar_value *value;
};

CEDAR_API const struct cedar_value *cedar_value_bool(struct cedar_scratch *s, bool b);
CEDAR_API const struct cedar_value *cedar_value_long(struct cedar_scratch *s, int64_t i);
/* Must be UTF-8. */
CEDAR_API const struct cedar_value *cedar_value_string(struct cedar_scratch *s, const char *p, size_t n);
/* The same without the copy: @p must stay as it is until the scratch is reset. */
CEDAR_API const struct cedar_value *cedar_value_string_ref(struct cedar_scratch *s, const char *p, size_t n);
/* @type: a normalised name such as "Firma::Agent" (checked); @id: any UTF-8 text, taken as it is. */
CEDAR_API const struct cedar_value *cedar_value_entity(struct cedar_scratch *s, struct cedar_str type,
                                                       struct cedar_str id);
/* Order and repetition do not matter. @items may be NULL when @n is 0. */
CEDAR_API const struct cedar_value *cedar_value_set(struct cedar_scratch *s, const struct cedar_value *const *items,
                                                    size_t n);
/* Keys in any order; a repeated key is CEDAR_E_VALUE. */
CEDAR_API const struct cedar_value *cedar_value_record(struct cedar_scratch *s, const struct cedar_field *fields,
                                                       size_t n);
/* Extension value from text: @fn is "ip", "decimal", "datetime" or "duration". */
CEDAR_API const struct cedar_value *cedar_value_extension(struct cedar_scratch *s, const char *fn, const char *p,
                                                          size_t n);

/* Readers: the caller knows the kind; a reader of another kind returns zero, "" or NULL. Borrowed. */
CEDAR_API enum cedar_value_kind cedar_value_kind(const struct cedar_value *v);
CEDAR_API bool cedar_value_get_bool(const struct cedar_value *v);
CEDAR_API int64_t cedar_value_get_long(const struct cedar_value *v);
CEDAR_API struct cedar_str cedar_value_get_string(const struct cedar_value *v);
CEDAR_API struct cedar_str cedar_value_get_entity_type(const struct cedar_value *v);
CEDAR_API struct cedar_str cedar_value_get_entity_id(const struct cedar_value *v);
/* Sets and records: number of members; the i-th in canonical order. */
CEDAR_API size_t cedar_value_get_count(const struct cedar_value *v);
CEDAR_API const struct cedar_value *cedar_value_get_item(const struct cedar_value *v, size_t i);
CEDAR_API struct cedar_str cedar_value_get_key(const struct cedar_value *v, size_t i);
/* Record member by name, or NULL. */
CEDAR_API const struct cedar_value *cedar_value_get_field(const struct cedar_value *v, struct cedar_str key);
/* Cedar's `==`. */
CEDAR_API bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b);

/* ---- policies ----------------------------------------------------------------------------------------------- */

struct cedar_policy_set;

enum cedar_effect { CEDAR_FORBID = 0, CEDAR_PERMIT = 1 };

/**
 * Parses policies and templates and compiles them. Ids are policy0, policy1, ... in the order of the text.
 * @text is copied; empty text is a valid, empty set.
 * Returns 0, CEDAR_E_PARSE, CEDAR_E_UTF8, CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_policy_set_parse(const char *text, size_t len, struct cedar_policy_set **ret_set,
                                     struct cedar_error *err) CEDAR_MUST_USE;
CEDAR_API void cedar_policy_set_free(struct cedar_policy_set *set);

/* Policies are static policies, templates and links, numbered from 0 in the order they were added. */
CEDAR_API size_t cedar_policy_set_count(const struct cedar_policy_set *set);
/* The text the set was parsed from, for cedar_error_render. Borrowed. */
CEDAR_API struct cedar_str cedar_policy_set_text(const struct cedar_policy_set *set);
/* Borrowed; "" for an index out of range. */
CEDAR_API struct cedar_str cedar_policy_id(const struct cedar_policy_set *set, size_t index);
/* Index of an id, or SIZE_MAX. */
CEDAR_API size_t cedar_policy_find(const struct cedar_policy_set *set, struct cedar_str id);
CEDAR_API enum cedar_effect cedar_policy_effect(const struct cedar_policy_set *set, size_t index);
/* True for a template that is not linked: it takes no part in authorization. */
CEDAR_API bool cedar_policy_is_template(const struct cedar_policy_set *set, size_t index);
/* 1-based line where the policy begins in the text; 0 when it did not come from text. */
CEDAR_API uint32_t cedar_policy_line(const struct cedar_policy_set *set, size_t index);
/* The policy's own text, from its first annotation to its semicolon; "" when it did not come from text. */
CEDAR_API struct cedar_str cedar_policy_text(const struct cedar_policy_set *set, size_t index);

/* Annotations of a policy, in the order of the text; a link has those of its template. `@a` alone has value "". */
CEDAR_API size_t cedar_policy_annotation_count(const struct cedar_policy_set *set, size_t index);
/* False when @i is out of range. Borrowed. */
CEDAR_API bool cedar_policy_annotation_at(const struct cedar_policy_set *set, size_t index, size_t i,
                                          struct cedar_str *ret_key, struct cedar_str *ret_value);
/* True when the policy has annotation @key; @ret_value may be NULL. */
CEDAR_API bool cedar_policy_annotation(const struct cedar_policy_set *set, size_t index, const char *key,
                                       struct cedar_str *ret_value);

/**
 * Links a template: adds a policy @new_id with the slots filled in. Not while others use the set.
 * @principal, @resource  entity values, or NULL when the template does not have that slot (exactly its slots must be
 *                        given); copied
 * Returns 0, CEDAR_E_LINK, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_policy_set_link(struct cedar_policy_set *set, struct cedar_str template_id, struct cedar_str new_id,
                                    const struct cedar_value *principal, const struct cedar_value *resource,
                                    struct cedar_error *err) CEDAR_MUST_USE;

/* ---- schema ------------------------------------------------------------------------------------------------- */

struct cedar_schema;

/* Cedar syntax (.cedarschema). Returns 0, CEDAR_E_SCHEMA, CEDAR_E_UTF8, CEDAR_E_LIMIT, CEDAR_E_NOMEM. */
CEDAR_API int cedar_schema_parse(const char *text, size_t len, struct cedar_schema **ret_schema,
                                 struct cedar_error *err) CEDAR_MUST_USE;
/* JSON syntax. The same codes, and CEDAR_E_JSON. */
CEDAR_API int cedar_schema_from_json(const char *text, size_t len, struct cedar_schema **ret_schema,
                                     struct cedar_error *err) CEDAR_MUST_USE;
CEDAR_API void cedar_schema_free(struct cedar_schema *schema);

/* A resolved type of the schema; lives as long as the schema. */
struct cedar_type;

enum cedar_type_kind {
    CEDAR_TYPE_BOOL,
    CEDAR_TYPE_LONG,
    CEDAR_TYPE_STRING,
    CEDAR_TYPE_ENTITY,    /* cedar_type_name: the entity type */
    CEDAR_TYPE_SET,       /* cedar_type_element */
    CEDAR_TYPE_RECORD,    /* cedar_type_attr_* */
    CEDAR_TYPE_EXTENSION, /* cedar_type_name: "ipaddr", "decimal", "datetime", "duration" */
    CEDAR_TYPE_ANY_ENTITY /* only inside the library */
};

struct cedar_attr {
    struct cedar_str name;
    bool required;
    const struct cedar_type *type;
};

CEDAR_API enum cedar_type_kind cedar_type_kind(const struct cedar_type *t);
CEDAR_API struct cedar_str cedar_type_name(const struct cedar_type *t);
/* Element type of a set, else NULL. */
CEDAR_API const struct cedar_type *cedar_type_element(const struct cedar_type *t);
/* Attributes of a record, sorted by name; 0 for others. */
CEDAR_API size_t cedar_type_attr_count(const struct cedar_type *t);
CEDAR_API bool cedar_type_attr_at(const struct cedar_type *t, size_t i, struct cedar_attr *ret_attr);
CEDAR_API bool cedar_type_attr_find(const struct cedar_type *t, struct cedar_str name, struct cedar_attr *ret_attr);

/* Entity types, sorted by name. */
CEDAR_API size_t cedar_schema_entity_count(const struct cedar_schema *schema);
CEDAR_API struct cedar_str cedar_schema_entity_at(const struct cedar_schema *schema, size_t i);
/* The record of an entity type's attributes (empty record for an enumerated type); NULL when it is not declared. */
CEDAR_API const struct cedar_type *cedar_schema_entity_attrs(const struct cedar_schema *schema, struct cedar_str type);
/* Type of the tags, or NULL when the type has none or is not declared. */
CEDAR_API const struct cedar_type *cedar_schema_entity_tags(const struct cedar_schema *schema, struct cedar_str type);

/* Actions, in the order of the schema. */
CEDAR_API size_t cedar_schema_action_count(const struct cedar_schema *schema);
CEDAR_API bool cedar_schema_action_at(const struct cedar_schema *schema, size_t i, struct cedar_str *ret_type,
                                      struct cedar_str *ret_id);
/* @type e.g. "Firma::Action". True when declared. */
CEDAR_API bool cedar_schema_has_action(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str id);
/* The record type of an action's context (empty when none is given); NULL when the action is not declared. */
CEDAR_API const struct cedar_type *cedar_schema_action_context(const struct cedar_schema *schema, struct cedar_str type,
                                                               struct cedar_str id);
/* True when the action applies to that principal and that resource type. */
CEDAR_API bool cedar_schema_action_applies(const struct cedar_schema *schema, struct cedar_str type,
                                           struct cedar_str id, struct cedar_str principal_type,
                                           struct cedar_str resource_type);

/* ---- entities ----------------------------------------------------------------------------------------------- */

struct cedar_entities;

/* A store of its own on the heap. @schema may be NULL; when given, its action entities (with their groups) are part of
 * the store, and it must outlive the store. */
CEDAR_API struct cedar_entities *cedar_entities_new(const struct cedar_schema *schema) CEDAR_MUST_USE;
/* A store inside a request's scratch: gone with its reset, not to be freed. Room for @capacity entities is taken at
 * once; adding more is CEDAR_E_LIMIT. */
CEDAR_API struct cedar_entities *cedar_entities_in(struct cedar_scratch *s, const struct cedar_schema *schema,
                                                   size_t capacity) CEDAR_MUST_USE;
CEDAR_API void cedar_entities_free(struct cedar_entities *ents);

/**
 * Adds one entity. @uid, @attrs (record or NULL), @tags (record or NULL), @parents (entities) are deeply copied into a
 * heap store, and borrowed by a scratch store (same scratch).
 * Returns 0, CEDAR_E_ENTITY (uid is there already, with other content), CEDAR_E_ARG, CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_entities_add(struct cedar_entities *ents, const struct cedar_value *uid,
                                 const struct cedar_value *attrs, const struct cedar_value *tags,
                                 const struct cedar_value *const *parents, size_t n_parents,
                                 struct cedar_error *err) CEDAR_MUST_USE;
/* Computes ancestors; to be called once after the last add and before the first use. CEDAR_E_ENTITY for a cycle. A
 * store whose entities have no parents needs no call. */
CEDAR_API int cedar_entities_finish(struct cedar_entities *ents, struct cedar_error *err) CEDAR_MUST_USE;
/**
 * Reads Cedar's entity JSON into a new store; finished. With @schema: schema-based parsing, and every entity is
 * checked against it. Returns 0, CEDAR_E_JSON, CEDAR_E_VALUE, CEDAR_E_ENTITY, CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_entities_from_json(const char *text, size_t len, const struct cedar_schema *schema,
                                       struct cedar_entities **ret_ents, struct cedar_error *err) CEDAR_MUST_USE;
/* Checks every entity against the schema. 0 or CEDAR_E_ENTITY. */
CEDAR_API int cedar_entities_validate(const struct cedar_entities *ents, const struct cedar_schema *schema,
                                      struct cedar_error *err) CEDAR_MUST_USE;
/* Entities in the store, those of the schema not counted. */
CEDAR_API size_t cedar_entities_count(const struct cedar_entities *ents);

/* ---- requests and decisions --------------------------------------------------------------------------------- */

/* Borrowed values; the caller fills it in place. */
struct cedar_request {
    const struct cedar_value *principal; /* entity */
    const struct cedar_value *action;    /* entity */
    const struct cedar_value *resource;  /* entity */
    const struct cedar_value *context;   /* record, or NULL for the empty one */
};

/**
 * Reads a context from JSON. @schema with @action: schema-based parsing (escapes may be left out, missing and unknown
 * keys are refused); both NULL: plain values.
 * Returns 0, CEDAR_E_JSON, CEDAR_E_VALUE, CEDAR_E_REQUEST (unknown action), CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_context_from_json(struct cedar_scratch *s, const struct cedar_schema *schema,
                                      const struct cedar_value *action, const char *text, size_t len,
                                      const struct cedar_value **ret_context, struct cedar_error *err) CEDAR_MUST_USE;

/* Does the request fit the schema? 0, CEDAR_E_REQUEST with the offending part named, CEDAR_E_ARG. No allocation. */
CEDAR_API int cedar_request_validate(const struct cedar_schema *schema, const struct cedar_request *req,
                                     struct cedar_error *err) CEDAR_MUST_USE;

enum cedar_decision { CEDAR_DENY = 0, CEDAR_ALLOW = 1 };

/* A policy that erred; it counted as absent. */
struct cedar_policy_error {
    size_t policy;    /* index into the set */
    const char *kind; /* "TypeError", "EntityDoesNotExist", "IntegerOverflow", ... */
    const char *msg;  /* NUL-terminated, control characters escaped */
};

/* Arrays live in the scratch until its reset. Order is that of the policies. */
struct cedar_answer {
    enum cedar_decision decision;
    const size_t *reasons; /* indices of the determining policies */
    size_t n_reasons;
    const struct cedar_policy_error *errors;
    size_t n_errors;
};

/**
 * Decides: any satisfied forbid denies, else any satisfied permit allows, else deny.
 * @ents may be NULL (no entities).
 * Returns 0 with an answer; CEDAR_E_ARG, CEDAR_E_LIMIT (steps), CEDAR_E_NOMEM. On a negative return *@ret_answer is an
 * empty deny: the caller must deny. Needs no prior request validation, and does none.
 */
CEDAR_API int cedar_authorize(const struct cedar_policy_set *set, const struct cedar_request *req,
                              const struct cedar_entities *ents, struct cedar_scratch *s,
                              struct cedar_answer *ret_answer) CEDAR_MUST_USE;

/* Evaluates one expression text. CEDAR_E_EVAL with the kind of the evaluation error, CEDAR_E_PARSE, ... @req may be
 * NULL when the text names no variable. The value lives in the scratch. */
CEDAR_API int cedar_evaluate(const char *expr, size_t len, const struct cedar_request *req,
                             const struct cedar_entities *ents, struct cedar_scratch *s,
                             const struct cedar_value **ret_value, struct cedar_error *err) CEDAR_MUST_USE;

/* ---- validation --------------------------------------------------------------------------------------------- */

enum cedar_severity { CEDAR_SEV_ERROR, CEDAR_SEV_WARNING };

struct cedar_finding {
    enum cedar_severity severity;
    size_t policy;            /* index into the set */
    struct cedar_error error; /* kind as in Cedar: "UnrecognizedEntityType", "UnsafeOptionalAttributeAccess", ... */
};

struct cedar_validate_options {
    bool inapplicable_is_warning; /* InvalidActionApplication: false = error (as up to 4.12), true = warning */
    int level;                    /* must be negative: level validation is not there yet (CEDAR_E_ARG) */
};

/* Findings of one validation; free with cedar_report_free. */
struct cedar_report;

/**
 * Strict validation of every policy and template. @opt may be NULL: { false, -1 }.
 * Returns 0 (valid; warnings possible), CEDAR_E_POLICY (at least one error), CEDAR_E_ARG, CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 * @ret_report (may be NULL) is set on 0 and CEDAR_E_POLICY; @err gets the first error.
 */
CEDAR_API int cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
                             const struct cedar_validate_options *opt, struct cedar_report **ret_report,
                             struct cedar_error *err) CEDAR_MUST_USE;
CEDAR_API void cedar_report_free(struct cedar_report *report);
CEDAR_API size_t cedar_report_count(const struct cedar_report *report);
/* Borrowed; NULL when out of range. */
CEDAR_API const struct cedar_finding *cedar_report_at(const struct cedar_report *report, size_t i);

/* ---- other forms -------------------------------------------------------------------------------------------- */

/* Text the library made: on the heap, NUL-terminated beyond its length. */
struct cedar_text {
    char *ptr;
    size_t len;
};

/* Releases and clears; NULL is fine. */
CEDAR_API void cedar_text_free(struct cedar_text *t);

/* Canonical text of one policy (a link: with its slots filled in); it parses back to the same policy.
 * CEDAR_E_ARG (no such policy), CEDAR_E_NOMEM. */
CEDAR_API int cedar_policy_to_text(const struct cedar_policy_set *set, size_t index, struct cedar_text *ret_text)
    CEDAR_MUST_USE;
/* One policy or template in Cedar's JSON policy format. The same codes. */
CEDAR_API int cedar_policy_to_json(const struct cedar_policy_set *set, size_t index, struct cedar_text *ret_text)
    CEDAR_MUST_USE;
/* The whole set: {"staticPolicies", "templates", "templateLinks"}. CEDAR_E_NOMEM. */
CEDAR_API int cedar_policy_set_to_json(const struct cedar_policy_set *set, struct cedar_text *ret_text) CEDAR_MUST_USE;
/**
 * Reads a set in the JSON form above. Ids are those of the text.
 * Returns 0, CEDAR_E_JSON, CEDAR_E_PARSE (the format is broken; with a place), CEDAR_E_LINK (ids, links), CEDAR_E_UTF8,
 * CEDAR_E_LIMIT, CEDAR_E_NOMEM.
 */
CEDAR_API int cedar_policy_set_from_json(const char *text, size_t len, struct cedar_policy_set **ret_set,
                                         struct cedar_error *err) CEDAR_MUST_USE;
/* Reads one policy or template in the JSON policy format into a new set of one, with id "policy0". The same codes. */
CEDAR_API int cedar_policy_from_json(const char *text, size_t len, struct cedar_policy_set **ret_set,
                                     struct cedar_error *err) CEDAR_MUST_USE;

/* The schema, however it was read, in JSON syntax or in Cedar syntax. Reads back to the same schema. CEDAR_E_NOMEM;
 * CEDAR_E_SCHEMA when Cedar syntax cannot say it (empty `appliesTo` lists of one side only, ...). */
CEDAR_API int cedar_schema_to_json(const struct cedar_schema *schema, struct cedar_text *ret_text) CEDAR_MUST_USE;
CEDAR_API int cedar_schema_to_text(const struct cedar_schema *schema, struct cedar_text *ret_text) CEDAR_MUST_USE;

#ifdef __cplusplus
}
#endif
#endif
