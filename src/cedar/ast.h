/* The tree of an expression and the shape of a policy. Built by the text and JSON readers, read by everything else;
 * immutable once built, in the arena of its set.
 * Source: Cedar grammar and JSON policy format. Layer: cedar, private. Thread: any (immutable). */
#ifndef CEDAR_AST_H
#define CEDAR_AST_H

#include "cedar/ext.h"
#include "cedar/pattern.h"
#include "cedar/value.h"

enum cedar_op {
    CEDAR_OP_LIT,  /* lit */
    CEDAR_OP_VAR,  /* var */
    CEDAR_OP_SLOT, /* var: principal or resource; only in scopes and the JSON reader */
    CEDAR_OP_NOT,
    CEDAR_OP_NEG,
    CEDAR_OP_AND, /* two kids or more, left to right */
    CEDAR_OP_OR,
    CEDAR_OP_IF, /* three kids */
    CEDAR_OP_EQ, /* from here to GET_TAG but IS_EMPTY: two kids */
    CEDAR_OP_NE,
    CEDAR_OP_LT,
    CEDAR_OP_LE,
    CEDAR_OP_GT,
    CEDAR_OP_GE,
    CEDAR_OP_IN,
    CEDAR_OP_ADD,
    CEDAR_OP_SUB,
    CEDAR_OP_MUL,
    CEDAR_OP_CONTAINS,
    CEDAR_OP_CONTAINS_ALL,
    CEDAR_OP_CONTAINS_ANY,
    CEDAR_OP_HAS_TAG,
    CEDAR_OP_GET_TAG,
    CEDAR_OP_IS_EMPTY, /* one kid */
    CEDAR_OP_GET,      /* names[0] */
    CEDAR_OP_HAS,      /* names[0 .. n_names) : a.b.c */
    CEDAR_OP_LIKE,     /* pattern */
    CEDAR_OP_IS,       /* names[0] is the type; a second kid is the `in` part */
    CEDAR_OP_SET,
    CEDAR_OP_RECORD, /* names[i] is the key of kids[i], in the order written */
    CEDAR_OP_EXT     /* ext; receiver first */
};

enum cedar_var { CEDAR_VAR_PRINCIPAL, CEDAR_VAR_ACTION, CEDAR_VAR_RESOURCE, CEDAR_VAR_CONTEXT };

struct cedar_node {
    uint8_t op;  /* enum cedar_op */
    uint8_t var; /* enum cedar_var */
    uint16_t depth;
    uint32_t n_kids, n_names;
    uint32_t off, len; /* place in the text; 0, 0 when not from text */
    const struct cedar_node **kids;
    union {
        struct cedar_value lit;
        const struct cedar_str *names;
        const struct cedar_pattern *pattern;
        const struct cedar_ext *ext;
    };
    const struct cedar_value *folded; /* the value, when it cannot vary and does not err */
};

enum cedar_scope_kind {
    CEDAR_SCOPE_ANY,
    CEDAR_SCOPE_EQ,
    CEDAR_SCOPE_IN,
    CEDAR_SCOPE_IS,
    CEDAR_SCOPE_IS_IN,
    CEDAR_SCOPE_IN_LIST /* action only */
};

struct cedar_scope {
    uint8_t kind; /* enum cedar_scope_kind */
    bool slot;    /* EQ, IN, IS_IN: a slot instead of uids[0] */
    struct cedar_str type;
    const struct cedar_uid *uids; /* one, or the list */
    uint32_t n_uids;
    uint32_t off, len;
};

struct cedar_cond {
    bool unless;
    const struct cedar_node *expr;
};

struct cedar_annotation {
    struct cedar_str key, value;
    bool has_value; /* `@a("")` and `@a` differ in JSON only */
};

struct cedar_policy {
    struct cedar_str id;
    enum cedar_effect effect;
    bool is_template;
    struct cedar_scope principal, action, resource;
    const struct cedar_cond *conds;
    size_t n_conds;
    const struct cedar_annotation *annots;
    size_t n_annots;
    size_t template_index; /* of a link, else SIZE_MAX */
    uint32_t off, len, line;
};

/* Name of a binary operator or method in policy text; NULL for the others. */
const char *cedar_op_text(enum cedar_op op);
/* Method operators (contains ... isEmpty) by name; -1 when there is none. */
int cedar_op_method(struct cedar_str name);
/* Arguments besides the receiver. */
unsigned cedar_op_method_args(int op);

/* Node with room for kids and names; depth is to be set by cedar_node_seal. NULL when out of memory. */
struct cedar_node *cedar_node_new(struct cedar_arena *a, enum cedar_op op, size_t n_kids);
/* Computes depth; false when over CEDAR_MAX_EXPR_DEPTH. */
bool cedar_node_seal(struct cedar_node *n);
/* Same tree, places and folding apart. Bounded by depth. */
bool cedar_node_eq(const struct cedar_node *a, const struct cedar_node *b);

#endif
