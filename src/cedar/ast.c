#include "cedar/ast.h"

static const char *const op_texts[] = {
    [CEDAR_OP_AND] = "&&",
    [CEDAR_OP_OR] = "||",
    [CEDAR_OP_EQ] = "==",
    [CEDAR_OP_NE] = "!=",
    [CEDAR_OP_LT] = "<",
    [CEDAR_OP_LE] = "<=",
    [CEDAR_OP_GT] = ">",
    [CEDAR_OP_GE] = ">=",
    [CEDAR_OP_IN] = "in",
    [CEDAR_OP_ADD] = "+",
    [CEDAR_OP_SUB] = "-",
    [CEDAR_OP_MUL] = "*",
    [CEDAR_OP_CONTAINS] = "contains",
    [CEDAR_OP_CONTAINS_ALL] = "containsAll",
    [CEDAR_OP_CONTAINS_ANY] = "containsAny",
    [CEDAR_OP_HAS_TAG] = "hasTag",
    [CEDAR_OP_GET_TAG] = "getTag",
    [CEDAR_OP_IS_EMPTY] = "isEmpty",
    [CEDAR_OP_EXT] = NULL,
};

const char *cedar_op_text(enum cedar_op op)
{
    return op_texts[op];
}

int cedar_op_method(struct cedar_str name)
{
    for (int op = CEDAR_OP_CONTAINS; op <= CEDAR_OP_IS_EMPTY; op++) {
        if (cedar_str_eq(name, cedar_str_c(op_texts[op])))
            return op;
    }
    return -1;
}

unsigned cedar_op_method_args(int op)
{
    return op == CEDAR_OP_IS_EMPTY ? 0 : 1;
}

struct cedar_node *cedar_node_new(struct cedar_arena *a, enum cedar_op op, size_t n_kids)
{
    struct cedar_node *n = CEDAR_NEW(a, struct cedar_node);
    if (!n)
        return NULL;
    n->op = (uint8_t)op;
    n->n_kids = (uint32_t)n_kids;
    if (n_kids) {
        n->kids = CEDAR_NEW_N(a, n_kids, const struct cedar_node *);
        if (!n->kids)
            return NULL;
    }
    return n;
}

bool cedar_node_seal(struct cedar_node *n)
{
    unsigned depth = 0;
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (n->kids[i]->depth > depth)
            depth = n->kids[i]->depth;
    }
    n->depth = (uint16_t)(depth + 1);
    return depth + 1 <= CEDAR_MAX_EXPR_DEPTH;
}

static bool same_own(const struct cedar_node *a, const struct cedar_node *b)
{
    switch ((enum cedar_op)a->op) {
    case CEDAR_OP_LIT:
        return cedar_v_eq(&a->lit, &b->lit);
    case CEDAR_OP_VAR:
    case CEDAR_OP_SLOT:
        return a->var == b->var;
    case CEDAR_OP_LIKE:
        return cedar_pattern_eq(a->pattern, b->pattern);
    case CEDAR_OP_EXT:
        return a->ext == b->ext;
    case CEDAR_OP_GET:
    case CEDAR_OP_HAS:
    case CEDAR_OP_IS:
    case CEDAR_OP_RECORD:
        for (uint32_t i = 0; i < a->n_names; i++) {
            if (!cedar_str_eq(a->names[i], b->names[i]))
                return false;
        }
        return true;
    default:
        return true;
    }
}

bool cedar_node_eq(const struct cedar_node *a, const struct cedar_node *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->depth != b->depth || a->n_kids != b->n_kids || a->n_names != b->n_names || !same_own(a, b))
        return false;
    for (uint32_t i = 0; i < a->n_kids; i++) {
        if (!cedar_node_eq(a->kids[i], b->kids[i]))
            return false;
    }
    return true;
}
