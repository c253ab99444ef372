/* Typing of two-operand operators, attributes and tags. */
#include "cedar/typecheck.h"

#include <stdio.h>

static bool give(struct cedar_typing *ret, const struct cedar_type *t)
{
    *ret = (struct cedar_typing){ t, NULL };
    return true;
}

static bool incompatible(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_type *a,
                         const struct cedar_type *b)
{
    char ta[120], tb[120];
    if (c->rc)
        return false;
    return cedar_check_fail(c, at, "IncompatibleTypes", "types %s and %s have nothing in common",
                            cedar_type_text(a, ta, sizeof ta), cedar_type_text(b, tb, sizeof tb));
}

/* An entity that the text fixes: a literal, or `action`, which stands for the action of the environment. */
static const struct cedar_uid *fixed_uid(const struct cedar_checker *c, const struct cedar_node *n)
{
    if (n->op == CEDAR_OP_LIT && n->lit.kind == CEDAR_VALUE_ENTITY)
        return n->lit.uid;
    return n->op == CEDAR_OP_VAR && n->var == CEDAR_VAR_ACTION ? &c->action->uid : NULL;
}

static bool fixed(const struct cedar_checker *c, const struct cedar_node *n, struct cedar_value *ret)
{
    const struct cedar_uid *u = fixed_uid(c, n);
    if (!u && n->op != CEDAR_OP_LIT)
        return false;
    *ret = u ? cedar_v_uid(u) : n->lit;
    return true;
}

static bool check_eq(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *l,
                     const struct cedar_type *r, struct cedar_typing *ret)
{
    struct cedar_value a, b;
    bool ne = n->op == CEDAR_OP_NE;
    if (fixed(c, n->kids[0], &a) && fixed(c, n->kids[1], &b))
        return give(ret, cedar_v_eq(&a, &b) != ne ? &cedar_type_true : &cedar_type_false);
    if (cedar_type_lub(c, l, r))
        return give(ret, &cedar_type_bool);
    if (!c->rc && l->kind == CEDAR_TYPE_ENTITY && r->kind == CEDAR_TYPE_ENTITY)
        return give(ret, ne ? &cedar_type_true : &cedar_type_false);
    return incompatible(c, n, l, r);
}

static bool action_in(const struct cedar_checker *c, const struct cedar_uid *a, const struct cedar_uid *b)
{
    return cedar_entities_in_relation(&c->schema->action_entities, a, b);
}

static bool types_related(const struct cedar_checker *c, struct cedar_str lt, struct cedar_str rt)
{
    const struct cedar_etype *a = cedar_schema_etype(c->schema, lt), *b = cedar_schema_etype(c->schema, rt);
    return cedar_str_eq(lt, rt) || (a && b && cedar_etype_below(a, b));
}

const struct cedar_type *cedar_check_in(const struct cedar_checker *c, const struct cedar_node *l,
                                        const struct cedar_node *r, struct cedar_str lt, struct cedar_str rt, bool set)
{
    const struct cedar_uid *a = fixed_uid(c, l);
    bool all_fixed = a && cedar_schema_action(c->schema, a), found = false;
    if (all_fixed && !set) {
        const struct cedar_uid *b = fixed_uid(c, r);
        all_fixed = b != NULL;
        found = b && action_in(c, a, b);
    } else if (all_fixed) {
        all_fixed = r->op == CEDAR_OP_SET;
        for (uint32_t i = 0; all_fixed && i < r->n_kids; i++) {
            const struct cedar_uid *b = fixed_uid(c, r->kids[i]);
            all_fixed = b != NULL;
            found |= b && action_in(c, a, b);
        }
    }
    if (all_fixed)
        return found ? &cedar_type_true : &cedar_type_false;
    return types_related(c, lt, rt) ? &cedar_type_bool : &cedar_type_false;
}

static bool check_in(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *l,
                     const struct cedar_type *r, struct cedar_typing *ret)
{
    bool set = r->kind == CEDAR_TYPE_SET;
    const struct cedar_type *e = set ? r->element : r;
    if (l->kind != CEDAR_TYPE_ENTITY)
        return cedar_check_unexpected(c, n->kids[0], "an entity", l);
    if (e->kind != CEDAR_TYPE_ENTITY)
        return cedar_check_unexpected(c, n->kids[1], "an entity or a set of entities", r);
    return give(ret, cedar_check_in(c, n->kids[0], n->kids[1], l->name, e->name, set));
}

static bool ordered(const struct cedar_type *t)
{
    return t->kind == CEDAR_TYPE_LONG ||
           (t->kind == CEDAR_TYPE_EXTENSION && (t->ext == CEDAR_VALUE_DATETIME || t->ext == CEDAR_VALUE_DURATION));
}

static bool check_compare(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *l,
                          const struct cedar_type *r, struct cedar_typing *ret)
{
    char want[32];
    if (!ordered(l))
        return cedar_check_unexpected(c, n->kids[0], "Long, datetime or duration", l);
    if (l->kind != r->kind || l->ext != r->ext)
        return cedar_check_unexpected(c, n->kids[1], cedar_type_text(l, want, sizeof want), r);
    return give(ret, &cedar_type_bool);
}

static bool check_arith(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *l,
                        const struct cedar_type *r, struct cedar_typing *ret)
{
    if (l->kind != CEDAR_TYPE_LONG)
        return cedar_check_unexpected(c, n->kids[0], "Long", l);
    if (r->kind != CEDAR_TYPE_LONG)
        return cedar_check_unexpected(c, n->kids[1], "Long", r);
    return give(ret, &cedar_type_long);
}

static bool check_contains(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *l,
                           const struct cedar_type *r, struct cedar_typing *ret)
{
    bool one = n->op == CEDAR_OP_CONTAINS;
    if (l->kind != CEDAR_TYPE_SET)
        return cedar_check_unexpected(c, n->kids[0], "a set", l);
    if (!one && r->kind != CEDAR_TYPE_SET)
        return cedar_check_unexpected(c, n->kids[1], "a set", r);
    if (cedar_type_lub(c, l->element, one ? r : r->element))
        return give(ret, &cedar_type_bool);
    return incompatible(c, n, l, r);
}

bool cedar_check_binary(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                        struct cedar_typing *ret)
{
    struct cedar_typing l, r;
    if (!cedar_check_node(c, n->kids[0], caps, &l) || !cedar_check_node(c, n->kids[1], caps, &r))
        return false;
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
        return check_eq(c, n, l.type, r.type, ret);
    case CEDAR_OP_IN:
        return check_in(c, n, l.type, r.type, ret);
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL:
        return check_arith(c, n, l.type, r.type, ret);
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY:
        return check_contains(c, n, l.type, r.type, ret);
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG:
        if (l.type->kind != CEDAR_TYPE_ENTITY)
            return cedar_check_unexpected(c, n->kids[0], "an entity", l.type);
        if (r.type->kind != CEDAR_TYPE_STRING)
            return cedar_check_unexpected(c, n->kids[1], "String", r.type);
        return cedar_check_tag(c, n, l.type, caps, ret);
    default:
        return check_compare(c, n, l.type, r.type, ret);
    }
}

/* The record behind an entity or a record type; *@ret NULL for an action, which has no attributes. */
static bool record_of(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_type *t,
                      const struct cedar_type **ret)
{
    *ret = t;
    if (t->kind == CEDAR_TYPE_RECORD)
        return true;
    if (t->kind != CEDAR_TYPE_ENTITY)
        return cedar_check_unexpected(c, at, "a record or an entity", t);
    const struct cedar_etype *et = cedar_schema_etype(c->schema, t->name);
    *ret = et ? et->attrs : NULL;
    if (et || cedar_schema_is_action_type(c->schema, t->name))
        return true;
    return cedar_check_fail(c, at, "UnrecognizedEntityType", "`%.*s` is not declared", CEDAR_ARG(t->name));
}

bool cedar_check_has(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_node *left,
                     const struct cedar_type *type, struct cedar_str attr, const struct cedar_capability *caps,
                     struct cedar_typing *ret)
{
    const struct cedar_type *rec;
    struct cedar_attr a;
    if (!record_of(c, at, type, &rec))
        return false;
    if (!rec || !cedar_type_attr_find(rec, attr, &a))
        return give(ret, &cedar_type_false);
    if (cedar_caps_has(c, caps, left, attr, NULL) || (a.required && type->kind == CEDAR_TYPE_RECORD))
        return give(ret, &cedar_type_true);
    *ret = (struct cedar_typing){ &cedar_type_bool, cedar_caps_add(c, NULL, left, attr, NULL) };
    return !c->rc;
}

bool cedar_check_get(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_node *left,
                     const struct cedar_type *type, struct cedar_str attr, const struct cedar_capability *caps,
                     struct cedar_typing *ret)
{
    const struct cedar_type *rec;
    struct cedar_attr a;
    char text[120];
    if (!record_of(c, at, type, &rec))
        return false;
    if (!rec || !cedar_type_attr_find(rec, attr, &a)) {
        cedar_check_fail(c, at, "UnsafeAttributeAccess", "%s has no attribute `%.*s`",
                         cedar_type_text(type, text, sizeof text), CEDAR_ARG(attr));
        for (size_t i = 0; rec && i < rec->n_attrs && !c->src.err->hint[0]; i++) {
            if (cedar_str_distance(attr, rec->attrs[i].name, 2) <= 2)
                cedar_error_hint(c->src.err, "did you mean `%.*s`?", CEDAR_ARG(rec->attrs[i].name));
        }
        return false;
    }
    if (a.required || cedar_caps_has(c, caps, left, attr, NULL))
        return give(ret, a.type);
    cedar_check_fail(c, at, "UnsafeOptionalAttributeAccess", "attribute `%.*s` may be absent", CEDAR_ARG(attr));
    cedar_error_hint(c->src.err, "test it first with `has`");
    return false;
}

bool cedar_check_tag(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_type *type,
                     const struct cedar_capability *caps, struct cedar_typing *ret)
{
    const struct cedar_etype *et = cedar_schema_etype(c->schema, type->name);
    const struct cedar_node *left = n->kids[0], *tag = n->kids[1];
    bool known = cedar_caps_has(c, caps, left, CEDAR_S(""), tag), has = n->op == CEDAR_OP_HAS_TAG;
    if (!et && !cedar_schema_is_action_type(c->schema, type->name))
        return cedar_check_fail(c, n, "UnrecognizedEntityType", "`%.*s` is not declared", CEDAR_ARG(type->name));
    if (!et || !et->tags) {
        if (has)
            return give(ret, &cedar_type_false);
        return cedar_check_fail(c, n, "NoTagsAllowed", "entity type `%.*s` has no tags", CEDAR_ARG(type->name));
    }
    if (has && known)
        return give(ret, &cedar_type_true);
    if (has) {
        *ret = (struct cedar_typing){ &cedar_type_bool, cedar_caps_add(c, NULL, left, CEDAR_S(""), tag) };
        return !c->rc;
    }
    if (known)
        return give(ret, et->tags);
    cedar_check_fail(c, n, "UnsafeTagAccess", "the tag may be absent");
    cedar_error_hint(c->src.err, "test it first with `hasTag`");
    return false;
}
