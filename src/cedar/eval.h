/* Evaluation of one expression tree.
 * Source: Cedar formal model, evaluator. Layer: cedar, private. Thread: one evaluator, one thread. */
#ifndef CEDAR_EVAL_H
#define CEDAR_EVAL_H

#include "cedar/ast.h"
#include "cedar/entities.h"

struct cedar_eval {
    const struct cedar_uid *uids[3]; /* principal, action, resource; NULL: unknown (cedar_evaluate, folding) */
    const struct cedar_value *context;
    const struct cedar_entities *ents; /* never NULL */
    struct cedar_arena *arena;
    uint64_t steps;
    int rc;           /* CEDAR_E_EVAL, or fatal: CEDAR_E_NOMEM, CEDAR_E_LIMIT */
    const char *kind; /* of the evaluation error */
    const char *msg;
};

/* False with e->rc on an error. Recursion is bounded by the depth of the tree. */
bool cedar_eval_node(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out);
/* Sets the error; returns false. */
bool cedar_eval_fail(struct cedar_eval *e, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool cedar_eval_nomem(struct cedar_eval *e);
/* Two-operand operators once both operands have values. */
bool cedar_eval_binary(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                       struct cedar_value *out);
/* Takes steps for work that grows with data: @n members or bytes. False (CEDAR_E_LIMIT) when none are left. */
bool cedar_eval_charge(struct cedar_eval *e, size_t n);
bool cedar_eval_type_error(struct cedar_eval *e, const char *want, const struct cedar_value *got);
/* Precomputes what cannot vary, in the arena of the set. False when out of memory. */
bool cedar_fold(struct cedar_arena *a, const struct cedar_node *n);

extern const struct cedar_entities cedar_no_entities;

#endif
