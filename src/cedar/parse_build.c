#include "cedar/parse_build.h"

#include <string.h>

bool cedar_parse_list_add(struct cedar_parser *p, struct cedar_parse_list *l, const struct cedar_node *kid,
                          struct cedar_str name, const struct cedar_token *at)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct cedar_parse_list b = { cedar_arena_array(p->temp, cap, sizeof *b.kids),
                                      cedar_arena_array(p->temp, cap, sizeof *b.names),
                                      cedar_arena_array(p->temp, cap, sizeof *b.at), l->n, cap };
        if (!b.kids || !b.names || !b.at)
            return cedar_parse_nomem(p) != NULL;
        if (l->n) {
            memcpy(b.kids, l->kids, l->n * sizeof *b.kids);
            memcpy(b.names, l->names, l->n * sizeof *b.names);
            memcpy(b.at, l->at, l->n * sizeof *b.at);
        }
        *l = b;
    }
    l->kids[l->n] = kid;
    l->names[l->n] = name;
    l->at[l->n++] = at;
    if (l->n > CEDAR_MAX_ELEMENTS) {
        cedar_parse_fail(p, p->t, "TooManyElements", "more than %d elements", CEDAR_MAX_ELEMENTS);
        p->rc = p->src.err->code = CEDAR_E_LIMIT;
        return false;
    }
    return true;
}

struct cedar_node *cedar_parse_node(struct cedar_parser *p, enum cedar_op op, size_t n_kids,
                                    const struct cedar_token *from)
{
    struct cedar_node *n = cedar_node_new(p->arena, op, n_kids);
    if (!n)
        return cedar_parse_nomem(p);
    n->off = from->off;
    return n;
}

const struct cedar_node *cedar_parse_seal(struct cedar_parser *p, struct cedar_node *n)
{
    const struct cedar_token *last = p->t - 1;
    n->len = last->off + last->len - n->off;
    if (!cedar_node_seal(n)) {
        cedar_parse_fail(p, p->t, "ExpressionTooDeep", "expression is more than %d levels deep", CEDAR_MAX_EXPR_DEPTH);
        p->rc = p->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    return n;
}

bool cedar_parse_names(struct cedar_parser *p, struct cedar_node *n, const struct cedar_parse_list *l)
{
    struct cedar_str *names = cedar_arena_array(p->arena, l->n, sizeof *names);
    if (!names)
        return cedar_parse_nomem(p) != NULL;
    if (l->n)
        memcpy(names, l->names, l->n * sizeof *names);
    n->names = names;
    n->n_names = (uint32_t)l->n;
    return true;
}

const struct cedar_node *cedar_parse_from_list(struct cedar_parser *p, enum cedar_op op,
                                               const struct cedar_parse_list *l, const struct cedar_token *from,
                                               bool named)
{
    struct cedar_node *n = cedar_parse_node(p, op, l->n, from);
    if (!n)
        return NULL;
    if (l->n)
        memcpy(n->kids, l->kids, l->n * sizeof *n->kids);
    if (named && !cedar_parse_names(p, n, l))
        return NULL;
    return cedar_parse_seal(p, n);
}
