/* Two-operand operators. Both operands are values already; types are checked left first. */
#include "cedar/diag.h"
#include "cedar/eval.h"

static bool arith(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                  struct cedar_value *out)
{
    bool over;
    if (l->kind != CEDAR_VALUE_LONG)
        return cedar_eval_type_error(e, "long", l);
    if (r->kind != CEDAR_VALUE_LONG)
        return cedar_eval_type_error(e, "long", r);
    *out = cedar_v_int(CEDAR_VALUE_LONG, 0);
    if (op == CEDAR_OP_ADD)
        over = __builtin_add_overflow(l->i, r->i, &out->i);
    else if (op == CEDAR_OP_SUB)
        over = __builtin_sub_overflow(l->i, r->i, &out->i);
    else
        over = __builtin_mul_overflow(l->i, r->i, &out->i);
    return !over || cedar_eval_fail(e, "IntegerOverflow", "integer overflow in `%s`", cedar_op_text(op));
}

static bool ordered(unsigned kind)
{
    return kind == CEDAR_VALUE_LONG || kind == CEDAR_VALUE_DATETIME || kind == CEDAR_VALUE_DURATION;
}

static bool compare(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                    struct cedar_value *out)
{
    if (!ordered(l->kind))
        return cedar_eval_type_error(e, "long, datetime or duration", l);
    if (r->kind != l->kind)
        return cedar_eval_type_error(e, cedar_v_kind_name(l), r);
    bool b = op == CEDAR_OP_LT   ? l->i < r->i
             : op == CEDAR_OP_LE ? l->i <= r->i
             : op == CEDAR_OP_GT ? l->i > r->i
                                 : l->i >= r->i;
    *out = cedar_v_bool(b);
    return true;
}

static bool in(struct cedar_eval *e, const struct cedar_value *l, const struct cedar_value *r, struct cedar_value *out)
{
    bool found = false;
    if (l->kind != CEDAR_VALUE_ENTITY)
        return cedar_eval_type_error(e, "entity", l);
    if (r->kind == CEDAR_VALUE_ENTITY) {
        found = cedar_entities_in_relation(e->ents, l->uid, r->uid);
    } else if (r->kind == CEDAR_VALUE_SET) {
        for (uint32_t i = 0; i < r->n; i++) {
            if (r->items[i].kind != CEDAR_VALUE_ENTITY)
                return cedar_eval_type_error(e, "set of entities", &r->items[i]);
        }
        for (uint32_t i = 0; i < r->n && !found; i++)
            found = cedar_entities_in_relation(e->ents, l->uid, r->items[i].uid);
    } else {
        return cedar_eval_type_error(e, "entity or set of entities", r);
    }
    *out = cedar_v_bool(found);
    return true;
}

static bool contains(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                     struct cedar_value *out)
{
    bool all = true, any = false;
    if (l->kind != CEDAR_VALUE_SET)
        return cedar_eval_type_error(e, "set", l);
    if (op == CEDAR_OP_CONTAINS) {
        *out = cedar_v_bool(cedar_v_set_has(l, r));
        return true;
    }
    if (r->kind != CEDAR_VALUE_SET)
        return cedar_eval_type_error(e, "set", r);
    for (uint32_t i = 0; i < r->n; i++) {
        bool has = cedar_v_set_has(l, &r->items[i]);
        all &= has;
        any |= has;
        if (op == CEDAR_OP_CONTAINS_ALL ? !all : any)
            break;
    }
    *out = cedar_v_bool(op == CEDAR_OP_CONTAINS_ALL ? all : any);
    return true;
}

static bool tag(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                struct cedar_value *out)
{
    if (l->kind != CEDAR_VALUE_ENTITY)
        return cedar_eval_type_error(e, "entity", l);
    if (r->kind != CEDAR_VALUE_STRING)
        return cedar_eval_type_error(e, "string", r);
    const struct cedar_entity *ent = cedar_entities_find(e->ents, l->uid);
    const struct cedar_value *v = ent ? cedar_v_field(&ent->tags, cedar_v_str(r)) : NULL;
    if (op == CEDAR_OP_HAS_TAG) {
        *out = cedar_v_bool(v != NULL);
        return true;
    }
    if (!ent)
        return cedar_eval_fail(e, "EntityDoesNotExist", "entity `%.*s::\"%.*s\"` does not exist",
                               CEDAR_ARG(l->uid->type), CEDAR_ARG(l->uid->id));
    if (!v)
        return cedar_eval_fail(e, "EntityAttrDoesNotExist", "no tag `%.*s`", CEDAR_ARG(cedar_v_str(r)));
    *out = *v;
    return true;
}

/* Scalars below a value, counted down two levels: enough to see what is large. */
static size_t weight(const struct cedar_value *v)
{
    size_t n = v->n;
    for (uint32_t i = 0; i < v->n; i++) {
        const struct cedar_value *m = v->kind == CEDAR_VALUE_SET ? &v->items[i] : &v->fields[i].value;
        n += m->n;
    }
    return n;
}

bool cedar_eval_binary(struct cedar_eval *e, enum cedar_op op, const struct cedar_value *l, const struct cedar_value *r,
                       struct cedar_value *out)
{
    /* Whatever the operator, it looks at each member at most a few times. */
    if ((r->kind == CEDAR_VALUE_SET || r->kind == CEDAR_VALUE_RECORD) && !cedar_eval_charge(e, weight(r)))
        return false;
    switch (op) {
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
        *out = cedar_v_bool(cedar_v_eq(l, r) == (op == CEDAR_OP_EQ));
        return true;
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE:
        return compare(e, op, l, r, out);
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL:
        return arith(e, op, l, r, out);
    case CEDAR_OP_IN:
        return in(e, l, r, out);
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY:
        return contains(e, op, l, r, out);
    default:
        return tag(e, op, l, r, out);
    }
}
