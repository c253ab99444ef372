#include "cedar/print.h"

#include "cedar/policyset.h"

/* What binds tighter has the greater number. */
enum { PREC_EXPR, PREC_OR, PREC_AND, PREC_REL, PREC_ADD, PREC_MUL, PREC_UNARY, PREC_MEMBER };
enum { UNARY_MAX = 4 };

static int prec_of(const struct cedar_node *n)
{
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_IF:
        return PREC_EXPR;
    case CEDAR_OP_OR:
        return PREC_OR;
    case CEDAR_OP_AND:
        return PREC_AND;
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE:
    case CEDAR_OP_IN:
    case CEDAR_OP_HAS:
    case CEDAR_OP_LIKE:
    case CEDAR_OP_IS:
        return PREC_REL;
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
        return PREC_ADD;
    case CEDAR_OP_MUL:
        return PREC_MUL;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
        return PREC_UNARY;
    case CEDAR_OP_LIT: /* a negative literal is written with its sign */
        return n->lit.kind == CEDAR_VALUE_LONG && n->lit.i < 0 ? PREC_UNARY : PREC_MEMBER;
    default:
        return PREC_MEMBER;
    }
}

static void expr(struct cedar_out *o, const struct cedar_node *n);

static void operand(struct cedar_out *o, const struct cedar_node *n, int at_least)
{
    bool parens = prec_of(n) < at_least;
    if (parens)
        cedar_out_text(o, "(");
    expr(o, n);
    if (parens)
        cedar_out_text(o, ")");
}

void cedar_print_uid(struct cedar_out *o, const struct cedar_uid *u)
{
    cedar_out_str(o, u->type);
    cedar_out_text(o, "::");
    cedar_out_literal(o, u->id, false);
}

static void literal(struct cedar_out *o, const struct cedar_value *v)
{
    switch ((enum cedar_value_kind)v->kind) {
    case CEDAR_VALUE_BOOL:
        cedar_out_text(o, v->b ? "true" : "false");
        break;
    case CEDAR_VALUE_LONG:
        cedar_out_long(o, v->i);
        break;
    case CEDAR_VALUE_STRING:
        cedar_out_literal(o, cedar_v_str(v), false);
        break;
    default:
        cedar_print_uid(o, v->uid);
        break;
    }
}

static void list(struct cedar_out *o, const struct cedar_node *n, uint32_t from)
{
    for (uint32_t i = from; i < n->n_kids; i++) {
        if (i > from)
            cedar_out_text(o, ", ");
        expr(o, n->kids[i]);
    }
}

static void binary(struct cedar_out *o, const struct cedar_node *n)
{
    int prec = prec_of(n);
    operand(o, n->kids[0], prec == PREC_REL ? PREC_ADD : prec);
    cedar_out_text(o, " ");
    cedar_out_text(o, cedar_op_text((enum cedar_op)n->op));
    cedar_out_text(o, " ");
    operand(o, n->kids[1], prec + 1);
}

static void chain(struct cedar_out *o, const struct cedar_node *n)
{
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (i > 0)
            cedar_out_text(o, n->op == CEDAR_OP_AND ? " && " : " || ");
        operand(o, n->kids[i], prec_of(n) + 1);
    }
}

static void unary(struct cedar_out *o, const struct cedar_node *n)
{
    const struct cedar_node *k = n;
    int run = 0;
    /* As many as may stand in a row; then parentheses. A literal keeps apart from the sign before it. */
    for (; k->op == n->op && run < UNARY_MAX; run++) {
        cedar_out_text(o, n->op == CEDAR_OP_NOT ? "!" : "-");
        k = k->kids[0];
    }
    bool parens = prec_of(k) < PREC_MEMBER || (n->op == CEDAR_OP_NEG && k->op == CEDAR_OP_LIT);
    if (parens)
        cedar_out_text(o, "(");
    expr(o, k);
    if (parens)
        cedar_out_text(o, ")");
}

static void attr(struct cedar_out *o, struct cedar_str name)
{
    if (cedar_is_ident(name)) {
        cedar_out_text(o, ".");
        cedar_out_str(o, name);
        return;
    }
    cedar_out_text(o, "[");
    cedar_out_literal(o, name, false);
    cedar_out_text(o, "]");
}

static void has(struct cedar_out *o, const struct cedar_node *n)
{
    operand(o, n->kids[0], PREC_ADD);
    cedar_out_text(o, " has ");
    for (uint32_t i = 0; i < n->n_names; i++) {
        if (i > 0)
            cedar_out_text(o, ".");
        if (cedar_is_ident(n->names[i]))
            cedar_out_str(o, n->names[i]);
        else
            cedar_out_literal(o, n->names[i], false);
    }
}

static void like(struct cedar_out *o, const struct cedar_node *n)
{
    operand(o, n->kids[0], PREC_ADD);
    cedar_out_text(o, " like \"");
    for (size_t i = 0; i < n->pattern->n_segments; i++) {
        if (i > 0)
            cedar_out_text(o, "*");
        cedar_out_literal(o, n->pattern->segments[i], true);
    }
    cedar_out_text(o, "\"");
}

static void is(struct cedar_out *o, const struct cedar_node *n)
{
    operand(o, n->kids[0], PREC_ADD);
    cedar_out_text(o, " is ");
    cedar_out_str(o, n->names[0]);
    if (n->n_kids > 1) {
        cedar_out_text(o, " in ");
        operand(o, n->kids[1], PREC_ADD);
    }
}

static void record(struct cedar_out *o, const struct cedar_node *n)
{
    cedar_out_text(o, "{");
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (i > 0)
            cedar_out_text(o, ", ");
        if (cedar_is_ident(n->names[i]))
            cedar_out_str(o, n->names[i]);
        else
            cedar_out_literal(o, n->names[i], false);
        cedar_out_text(o, ": ");
        expr(o, n->kids[i]);
    }
    cedar_out_text(o, "}");
}

static void method(struct cedar_out *o, const struct cedar_node *n, const char *name)
{
    operand(o, n->kids[0], PREC_MEMBER);
    cedar_out_text(o, ".");
    cedar_out_text(o, name);
    cedar_out_text(o, "(");
    list(o, n, 1);
    cedar_out_text(o, ")");
}

static void expr(struct cedar_out *o, const struct cedar_node *n)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_LIT:
        literal(o, &n->lit);
        break;
    case CEDAR_OP_SLOT:
        cedar_out_text(o, "?");
        cedar_out_text(o, vars[n->var]);
        break;
    case CEDAR_OP_VAR:
        cedar_out_text(o, vars[n->var]);
        break;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
        unary(o, n);
        break;
    case CEDAR_OP_AND:
    case CEDAR_OP_OR:
        chain(o, n);
        break;
    case CEDAR_OP_IF:
        cedar_out_text(o, "if ");
        expr(o, n->kids[0]);
        cedar_out_text(o, " then ");
        expr(o, n->kids[1]);
        cedar_out_text(o, " else ");
        expr(o, n->kids[2]);
        break;
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY:
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG:
    case CEDAR_OP_IS_EMPTY:
        method(o, n, cedar_op_text((enum cedar_op)n->op));
        break;
    case CEDAR_OP_GET:
        operand(o, n->kids[0], PREC_MEMBER);
        attr(o, n->names[0]);
        break;
    case CEDAR_OP_HAS:
        has(o, n);
        break;
    case CEDAR_OP_LIKE:
        like(o, n);
        break;
    case CEDAR_OP_IS:
        is(o, n);
        break;
    case CEDAR_OP_SET:
        cedar_out_text(o, "[");
        list(o, n, 0);
        cedar_out_text(o, "]");
        break;
    case CEDAR_OP_RECORD:
        record(o, n);
        break;
    case CEDAR_OP_EXT:
        if (!n->ext->is_constructor) {
            method(o, n, n->ext->name);
            break;
        }
        cedar_out_text(o, n->ext->name);
        cedar_out_text(o, "(");
        list(o, n, 0);
        cedar_out_text(o, ")");
        break;
    default:
        binary(o, n);
        break;
    }
}

void cedar_print_expr(struct cedar_out *o, const struct cedar_node *n)
{
    expr(o, n);
}

static void scope_entity(struct cedar_out *o, const struct cedar_scope *s, const char *var)
{
    if (!s->slot) {
        cedar_print_uid(o, s->uids);
        return;
    }
    cedar_out_text(o, "?");
    cedar_out_text(o, var);
}

static void scope(struct cedar_out *o, const struct cedar_scope *s, const char *var)
{
    cedar_out_text(o, var);
    switch ((enum cedar_scope_kind)s->kind) {
    case CEDAR_SCOPE_ANY:
        break;
    case CEDAR_SCOPE_EQ:
    case CEDAR_SCOPE_IN:
        cedar_out_text(o, s->kind == CEDAR_SCOPE_EQ ? " == " : " in ");
        scope_entity(o, s, var);
        break;
    case CEDAR_SCOPE_IS:
    case CEDAR_SCOPE_IS_IN:
        cedar_out_text(o, " is ");
        cedar_out_str(o, s->type);
        if (s->kind == CEDAR_SCOPE_IS_IN) {
            cedar_out_text(o, " in ");
            scope_entity(o, s, var);
        }
        break;
    case CEDAR_SCOPE_IN_LIST:
        cedar_out_text(o, " in [");
        for (uint32_t i = 0; i < s->n_uids; i++) {
            cedar_out_text(o, i ? ", " : "");
            cedar_print_uid(o, &s->uids[i]);
        }
        cedar_out_text(o, "]");
        break;
    }
}

void cedar_print_policy(struct cedar_out *o, const struct cedar_policy *p)
{
    for (size_t i = 0; i < p->n_annots; i++) {
        cedar_out_text(o, "@");
        cedar_out_str(o, p->annots[i].key);
        if (p->annots[i].has_value) {
            cedar_out_text(o, "(");
            cedar_out_literal(o, p->annots[i].value, false);
            cedar_out_text(o, ")");
        }
        cedar_out_text(o, "\n");
    }
    cedar_out_text(o, p->effect == CEDAR_PERMIT ? "permit (\n  " : "forbid (\n  ");
    scope(o, &p->principal, "principal");
    cedar_out_text(o, ",\n  ");
    scope(o, &p->action, "action");
    cedar_out_text(o, ",\n  ");
    scope(o, &p->resource, "resource");
    cedar_out_text(o, "\n)");
    for (size_t i = 0; i < p->n_conds; i++) {
        cedar_out_text(o, p->conds[i].unless ? "\nunless { " : "\nwhen { ");
        expr(o, p->conds[i].expr);
        cedar_out_text(o, " }");
    }
    cedar_out_text(o, ";");
}

int cedar_policy_to_text(const struct cedar_policy_set *set, size_t index, struct cedar_text *ret_text)
{
    struct cedar_out o = { 0 };
    if (index >= set->n)
        return CEDAR_E_ARG;
    cedar_print_policy(&o, &set->items[index]);
    return cedar_out_take(&o, ret_text);
}
