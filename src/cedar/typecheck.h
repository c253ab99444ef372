/* Strict typing of one expression in one request environment.
 * Source: Cedar formal model, typechecker. Layer: cedar, private. Thread: one checker, one thread. */
#ifndef CEDAR_TYPECHECK_H
#define CEDAR_TYPECHECK_H

#include "cedar/ast.h"
#include "cedar/diag.h"
#include "cedar/schema.h"

/* "This attribute (or tag) of this expression is there": an immutable list, shared at its tail. */
struct cedar_capability {
    const struct cedar_capability *next;
    const struct cedar_node *expr;
    const struct cedar_node *tag; /* NULL: attr counts */
    struct cedar_str attr;
};

struct cedar_typing {
    const struct cedar_type *type;
    const struct cedar_capability *caps;
};

struct cedar_checker {
    const struct cedar_schema *schema;
    const struct cedar_action *action;
    const struct cedar_etype *principal, *resource;
    struct cedar_arena *arena;
    struct cedar_source src; /* text of the set; src.err takes the error */
    uint64_t steps;
    int rc; /* CEDAR_E_POLICY: a type error; CEDAR_E_NOMEM, CEDAR_E_LIMIT: stop */
};

/* False with c->rc and the error. @caps: what is known before. Recursion is bounded by the depth of the tree. */
bool cedar_check_node(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                      struct cedar_typing *ret);
/* Shared by the files of the checker. */
bool cedar_check_fail(struct cedar_checker *c, const struct cedar_node *at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
bool cedar_check_unexpected(struct cedar_checker *c, const struct cedar_node *at, const char *want,
                            const struct cedar_type *got);
bool cedar_check_nomem(struct cedar_checker *c);
/* Two-operand operators but && and ||. */
bool cedar_check_binary(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                        struct cedar_typing *ret);
/* has, hasTag, `.`, getTag once the type of the left side is known. */
bool cedar_check_has(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_node *left,
                     const struct cedar_type *type, struct cedar_str attr, const struct cedar_capability *caps,
                     struct cedar_typing *ret);
bool cedar_check_get(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_node *left,
                     const struct cedar_type *type, struct cedar_str attr, const struct cedar_capability *caps,
                     struct cedar_typing *ret);
bool cedar_check_tag(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *type,
                     const struct cedar_capability *caps, struct cedar_typing *ret);
/* What `is T` and `in` give, for expressions and scopes alike. */
const struct cedar_type *cedar_check_in(const struct cedar_checker *c, const struct cedar_node *l,
                                        const struct cedar_node *r, struct cedar_str lt, struct cedar_str rt, bool set);

/* Least upper bound, or NULL (also when out of memory: c->rc). */
const struct cedar_type *cedar_type_lub(struct cedar_checker *c, const struct cedar_type *a,
                                        const struct cedar_type *b);
/* Takes a step for each entry looked at. */
bool cedar_caps_has(struct cedar_checker *c, const struct cedar_capability *caps, const struct cedar_node *expr,
                    struct cedar_str attr, const struct cedar_node *tag);
const struct cedar_capability *cedar_caps_add(struct cedar_checker *c, const struct cedar_capability *caps,
                                              const struct cedar_node *expr, struct cedar_str attr,
                                              const struct cedar_node *tag);
/* Both of them; either of them. NULL is the empty list; out of memory shows in c->rc. */
const struct cedar_capability *cedar_caps_union(struct cedar_checker *c, const struct cedar_capability *a,
                                                const struct cedar_capability *b);
const struct cedar_capability *cedar_caps_intersect(struct cedar_checker *c, const struct cedar_capability *a,
                                                    const struct cedar_capability *b);

#endif
