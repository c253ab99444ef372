/* Constant folding: what names no variable and asks no entity is computed once, at load. What errs stays as it is, to
 * err at every evaluation. */
#include "cedar/eval.h"

/* Ops whose result can depend on the entity store. */
static bool asks_store(const struct cedar_node *n)
{
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_IN:
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG:
        return true;
    case CEDAR_OP_IS:
        return n->n_kids > 1;
    case CEDAR_OP_GET:
    case CEDAR_OP_HAS:
        return true;
    default:
        return false;
    }
}

static bool constant(const struct cedar_node *n)
{
    return n->op == CEDAR_OP_LIT || n->folded;
}

bool cedar_fold(struct cedar_arena *a, const struct cedar_node *n)
{
    struct cedar_node *self = (struct cedar_node *)n; /* still being built: nobody else has it */
    bool all = true;
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (!cedar_fold(a, n->kids[i]))
            return false;
        all &= constant(n->kids[i]);
    }
    if (!all || n->op == CEDAR_OP_LIT || n->op == CEDAR_OP_VAR || n->op == CEDAR_OP_SLOT || asks_store(n))
        return true;
    struct cedar_eval e = { .ents = &cedar_no_entities, .arena = a, .steps = CEDAR_DEFAULT_STEPS };
    struct cedar_value v;
    if (!cedar_eval_node(&e, n, &v))
        return e.rc != CEDAR_E_NOMEM;
    struct cedar_value *kept = CEDAR_NEW(a, struct cedar_value);
    if (!kept)
        return false;
    *kept = v;
    self->folded = kept;
    return true;
}
