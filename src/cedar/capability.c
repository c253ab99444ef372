/* Capabilities and least upper bounds: the two lattices of the typechecker. */
#include "cedar/typecheck.h"

static bool same_key(const struct cedar_capability *k, struct cedar_str attr, const struct cedar_node *tag)
{
    if (!k->tag != !tag)
        return false;
    return tag ? cedar_node_eq(k->tag, tag) : cedar_str_eq(k->attr, attr);
}

bool cedar_caps_has(struct cedar_checker *c, const struct cedar_capability *caps, const struct cedar_node *expr,
                    struct cedar_str attr, const struct cedar_node *tag)
{
    for (; caps; caps = caps->next) {
        if (c->steps == 0) {
            c->rc = cedar_error_set(c->src.err, CEDAR_E_LIMIT, "StepLimit", "validation took too many steps");
            return false;
        }
        c->steps--;
        if (same_key(caps, attr, tag) && cedar_node_eq(caps->expr, expr))
            return true;
    }
    return false;
}

const struct cedar_capability *cedar_caps_add(struct cedar_checker *c, const struct cedar_capability *caps,
                                              const struct cedar_node *expr, struct cedar_str attr,
                                              const struct cedar_node *tag)
{
    struct cedar_capability *k = CEDAR_NEW(c->arena, struct cedar_capability);
    if (!k) {
        cedar_check_nomem(c);
        return caps;
    }
    *k = (struct cedar_capability){ caps, expr, tag, attr };
    return k;
}

const struct cedar_capability *cedar_caps_union(struct cedar_checker *c, const struct cedar_capability *a,
                                                const struct cedar_capability *b)
{
    if (!a || a == b)
        return b;
    if (!b)
        return a;
    for (const struct cedar_capability *x = b; x && !c->rc; x = x->next) {
        if (!cedar_caps_has(c, a, x->expr, x->attr, x->tag))
            a = cedar_caps_add(c, a, x->expr, x->attr, x->tag);
    }
    return a;
}

const struct cedar_capability *cedar_caps_intersect(struct cedar_checker *c, const struct cedar_capability *a,
                                                    const struct cedar_capability *b)
{
    const struct cedar_capability *out = NULL;
    if (a == b)
        return a;
    for (; a && !c->rc; a = a->next) {
        if (cedar_caps_has(c, b, a->expr, a->attr, a->tag))
            out = cedar_caps_add(c, out, a->expr, a->attr, a->tag);
    }
    return out;
}

static const struct cedar_type *lub_record(struct cedar_checker *c, const struct cedar_type *a,
                                           const struct cedar_type *b)
{
    if (a->n_attrs != b->n_attrs)
        return NULL;
    struct cedar_attr *attrs = CEDAR_NEW_N(c->arena, a->n_attrs, struct cedar_attr);
    struct cedar_type *t = CEDAR_NEW(c->arena, struct cedar_type);
    if (!attrs || !t) {
        cedar_check_nomem(c);
        return NULL;
    }
    *t = *a;
    t->attrs = attrs;
    for (size_t i = 0; i < a->n_attrs; i++) {
        if (!cedar_str_eq(a->attrs[i].name, b->attrs[i].name) || a->attrs[i].required != b->attrs[i].required)
            return NULL;
        attrs[i] = a->attrs[i];
        attrs[i].type = cedar_type_lub(c, a->attrs[i].type, b->attrs[i].type);
        if (!attrs[i].type)
            return NULL;
    }
    return t;
}

const struct cedar_type *cedar_type_lub(struct cedar_checker *c, const struct cedar_type *a, const struct cedar_type *b)
{
    if (a == b)
        return a;
    if (a->kind != b->kind || c->steps == 0)
        return NULL;
    c->steps--;
    switch ((enum cedar_type_kind)a->kind) {
    case CEDAR_TYPE_BOOL:
        return a->truth == b->truth ? a : &cedar_type_bool;
    case CEDAR_TYPE_ENTITY:
    case CEDAR_TYPE_EXTENSION:
        return cedar_str_eq(a->name, b->name) ? a : NULL;
    case CEDAR_TYPE_RECORD:
        return lub_record(c, a, b);
    case CEDAR_TYPE_SET: {
        const struct cedar_type *element = cedar_type_lub(c, a->element, b->element);
        if (!element || element == a->element)
            return element ? a : NULL;
        struct cedar_type *t = CEDAR_NEW(c->arena, struct cedar_type);
        if (!t) {
            cedar_check_nomem(c);
            return NULL;
        }
        *t = *a;
        t->element = element;
        return t;
    }
    default:
        return a;
    }
}
