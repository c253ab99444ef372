#include "cedar/typecheck.h"

#include "cedar/sort.h"

#include <stdio.h>
#include <string.h>

bool cedar_check_fail(struct cedar_checker *c, const struct cedar_node *at, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (c->src.text && at->len)
        c->rc = cedar_error_at(&c->src, at->off, at->len, CEDAR_E_POLICY, kind, "%s", msg);
    else
        c->rc = cedar_error_set(c->src.err, CEDAR_E_POLICY, kind, "%s", msg);
    return false;
}

bool cedar_check_unexpected(struct cedar_checker *c, const struct cedar_node *at, const char *want,
                            const struct cedar_type *got)
{
    char text[160];
    return cedar_check_fail(c, at, "UnexpectedType", "expected %s, got %s", want,
                            cedar_type_text(got, text, sizeof text));
}

bool cedar_check_nomem(struct cedar_checker *c)
{
    c->rc = cedar_error_set(c->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return false;
}

static bool give(struct cedar_checker *c, struct cedar_typing *ret, const struct cedar_type *t)
{
    *ret = (struct cedar_typing){ t, NULL };
    return t ? true : c->rc ? false : cedar_check_nomem(c);
}

static const struct cedar_type *entity_type(struct cedar_checker *c, struct cedar_str name)
{
    struct cedar_type *t = CEDAR_NEW(c->arena, struct cedar_type);
    if (t)
        *t = (struct cedar_type){ .kind = CEDAR_TYPE_ENTITY, .name = name, .depth = 1 };
    return t;
}

static bool check_lit(struct cedar_checker *c, const struct cedar_node *n, struct cedar_typing *ret)
{
    const struct cedar_uid *u = n->lit.uid;
    switch ((enum cedar_value_kind)n->lit.kind) {
    case CEDAR_VALUE_BOOL:
        return give(c, ret, n->lit.b ? &cedar_type_true : &cedar_type_false);
    case CEDAR_VALUE_LONG:
        return give(c, ret, &cedar_type_long);
    case CEDAR_VALUE_STRING:
        return give(c, ret, &cedar_type_string);
    case CEDAR_VALUE_ENTITY:
        if (!cedar_schema_etype(c->schema, u->type) && !cedar_schema_action(c->schema, u))
            return cedar_check_fail(c, n, "UnrecognizedEntityType", "`%.*s` is not declared", CEDAR_ARG(u->type));
        return give(c, ret, entity_type(c, u->type));
    default:
        return cedar_check_fail(c, n, "InternalInvariantViolation", "literal of a kind that has no text");
    }
}

static bool check_var(struct cedar_checker *c, const struct cedar_node *n, struct cedar_typing *ret)
{
    switch ((enum cedar_var)n->var) {
    case CEDAR_VAR_PRINCIPAL:
        return give(c, ret, entity_type(c, c->principal->name));
    case CEDAR_VAR_ACTION:
        return give(c, ret, entity_type(c, c->action->uid.type));
    case CEDAR_VAR_RESOURCE:
        return give(c, ret, entity_type(c, c->resource->name));
    default:
        return give(c, ret, c->action->context);
    }
}

static bool is_bool(struct cedar_checker *c, const struct cedar_node *at, const struct cedar_type *t)
{
    return t->kind == CEDAR_TYPE_BOOL || cedar_check_unexpected(c, at, "Bool", t);
}

static bool check_and(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                      struct cedar_typing *acc)
{
    struct cedar_typing t;
    if (!cedar_check_node(c, n->kids[0], caps, acc) || !is_bool(c, n->kids[0], acc->type))
        return false;
    for (uint32_t i = 1; i < n->n_kids; i++) {
        if (acc->type->truth == CEDAR_TRUTH_FALSE) {
            acc->caps = NULL; /* the rest can never be reached: not looked at */
            return true;
        }
        if (!cedar_check_node(c, n->kids[i], cedar_caps_union(c, caps, acc->caps), &t) ||
            !is_bool(c, n->kids[i], t.type))
            return false;
        if (t.type->truth == CEDAR_TRUTH_FALSE) {
            *acc = (struct cedar_typing){ &cedar_type_false, NULL };
            continue;
        }
        if (t.type->truth != CEDAR_TRUTH_TRUE)
            acc->type = &cedar_type_bool;
        acc->caps = cedar_caps_union(c, acc->caps, t.caps);
    }
    return true;
}

static bool check_or(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                     struct cedar_typing *acc)
{
    struct cedar_typing t;
    if (!cedar_check_node(c, n->kids[0], caps, acc) || !is_bool(c, n->kids[0], acc->type))
        return false;
    for (uint32_t i = 1; i < n->n_kids; i++) {
        if (acc->type->truth == CEDAR_TRUTH_TRUE) {
            acc->caps = NULL;
            return true;
        }
        if (!cedar_check_node(c, n->kids[i], caps, &t) || !is_bool(c, n->kids[i], t.type))
            return false;
        if (acc->type->truth == CEDAR_TRUTH_FALSE) {
            *acc = t;
        } else if (t.type->truth == CEDAR_TRUTH_TRUE) {
            *acc = (struct cedar_typing){ &cedar_type_true, NULL };
        } else if (t.type->truth == CEDAR_TRUTH_ANY) {
            acc->caps = cedar_caps_intersect(c, acc->caps, t.caps);
        }
    }
    return true;
}

static bool check_if(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                     struct cedar_typing *ret)
{
    struct cedar_typing g, a, b;
    if (!cedar_check_node(c, n->kids[0], caps, &g) || !is_bool(c, n->kids[0], g.type))
        return false;
    if (g.type->truth == CEDAR_TRUTH_FALSE)
        return cedar_check_node(c, n->kids[2], caps, ret);
    if (!cedar_check_node(c, n->kids[1], cedar_caps_union(c, caps, g.caps), &a))
        return false;
    a.caps = cedar_caps_union(c, g.caps, a.caps);
    if (g.type->truth == CEDAR_TRUTH_TRUE) {
        *ret = a;
        return true;
    }
    if (!cedar_check_node(c, n->kids[2], caps, &b))
        return false;
    *ret = (struct cedar_typing){ cedar_type_lub(c, a.type, b.type), cedar_caps_intersect(c, a.caps, b.caps) };
    if (ret->type || c->rc)
        return !c->rc;
    char ta[120], tb[120];
    return cedar_check_fail(c, n, "IncompatibleTypes", "the branches have types %s and %s",
                            cedar_type_text(a.type, ta, sizeof ta), cedar_type_text(b.type, tb, sizeof tb));
}

static bool check_unary(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                        struct cedar_typing *ret)
{
    struct cedar_typing t;
    if (!cedar_check_node(c, n->kids[0], caps, &t))
        return false;
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_NOT:
        if (!is_bool(c, n->kids[0], t.type))
            return false;
        return give(c, ret,
                    t.type->truth == CEDAR_TRUTH_TRUE    ? &cedar_type_false
                    : t.type->truth == CEDAR_TRUTH_FALSE ? &cedar_type_true
                                                         : &cedar_type_bool);
    case CEDAR_OP_NEG:
        if (t.type->kind != CEDAR_TYPE_LONG)
            return cedar_check_unexpected(c, n->kids[0], "Long", t.type);
        return give(c, ret, &cedar_type_long);
    case CEDAR_OP_LIKE:
        if (t.type->kind != CEDAR_TYPE_STRING)
            return cedar_check_unexpected(c, n->kids[0], "String", t.type);
        return give(c, ret, &cedar_type_bool);
    default: /* isEmpty */
        if (t.type->kind != CEDAR_TYPE_SET)
            return cedar_check_unexpected(c, n->kids[0], "a set", t.type);
        return give(c, ret, &cedar_type_bool);
    }
}

/* x has a.b.c: x has a && x.a has b && x.a.b has c */
static bool check_has_path(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                           struct cedar_typing *acc)
{
    const struct cedar_node *left = n->kids[0];
    struct cedar_typing l, t;
    *acc = (struct cedar_typing){ &cedar_type_true, NULL };
    if (!cedar_check_node(c, left, caps, &l))
        return false;
    for (uint32_t i = 0; i < n->n_names; i++) {
        const struct cedar_capability *known = cedar_caps_union(c, caps, acc->caps);
        if (!cedar_check_has(c, n, left, l.type, n->names[i], known, &t))
            return false;
        if (t.type->truth == CEDAR_TRUTH_FALSE)
            return give(c, acc, &cedar_type_false);
        if (t.type->truth != CEDAR_TRUTH_TRUE)
            acc->type = &cedar_type_bool;
        acc->caps = cedar_caps_union(c, acc->caps, t.caps);
        if (i + 1 == n->n_names)
            break;
        known = cedar_caps_union(c, caps, acc->caps);
        if (!cedar_check_get(c, n, left, l.type, n->names[i], known, &l))
            return false;
        struct cedar_node *get = cedar_node_new(c->arena, CEDAR_OP_GET, 1);
        if (!get)
            return cedar_check_nomem(c);
        get->kids[0] = left;
        get->names = &n->names[i];
        get->n_names = 1;
        cedar_node_seal(get); /* beyond the depth limit by at most the names of one path */
        left = get;
    }
    return !c->rc;
}

static bool check_is(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                     struct cedar_typing *ret)
{
    struct cedar_typing l, r;
    if (!cedar_check_node(c, n->kids[0], caps, &l))
        return false;
    if (l.type->kind != CEDAR_TYPE_ENTITY)
        return cedar_check_unexpected(c, n->kids[0], "an entity", l.type);
    if (!cedar_str_eq(l.type->name, n->names[0]))
        return give(c, ret, &cedar_type_false);
    if (n->n_kids == 1)
        return give(c, ret, &cedar_type_true);
    if (!cedar_check_node(c, n->kids[1], caps, &r))
        return false;
    bool set = r.type->kind == CEDAR_TYPE_SET;
    const struct cedar_type *e = set ? r.type->element : r.type;
    if (!e || e->kind != CEDAR_TYPE_ENTITY)
        return cedar_check_unexpected(c, n->kids[1], "an entity or a set of entities", r.type);
    return give(c, ret, cedar_check_in(c, n->kids[0], n->kids[1], l.type->name, e->name, set));
}

static bool check_set(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                      struct cedar_typing *ret)
{
    const struct cedar_type *element = NULL;
    if (n->n_kids == 0)
        return cedar_check_fail(c, n, "EmptySetForbidden", "the type of an empty set is not known");
    for (uint32_t i = 0; i < n->n_kids; i++) {
        struct cedar_typing t;
        char ta[120], tb[120];
        if (!cedar_check_node(c, n->kids[i], caps, &t))
            return false;
        const struct cedar_type *both = element ? cedar_type_lub(c, element, t.type) : t.type;
        if (!both)
            return c->rc ? false
                         : cedar_check_fail(c, n, "IncompatibleTypes", "members of the set have types %s and %s",
                                            cedar_type_text(element, ta, sizeof ta),
                                            cedar_type_text(t.type, tb, sizeof tb));
        element = both;
    }
    struct cedar_type *t = CEDAR_NEW(c->arena, struct cedar_type);
    if (t)
        *t = (struct cedar_type){ .kind = CEDAR_TYPE_SET, .element = element };
    return give(c, ret, t);
}

static int by_name(const void *a, const void *b)
{
    return cedar_str_cmp(((const struct cedar_attr *)a)->name, ((const struct cedar_attr *)b)->name);
}

static bool check_record(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                         struct cedar_typing *ret)
{
    struct cedar_attr *attrs = CEDAR_NEW_N(c->arena, n->n_kids, struct cedar_attr);
    struct cedar_type *t = CEDAR_NEW(c->arena, struct cedar_type);
    if (!attrs || !t)
        return cedar_check_nomem(c);
    for (uint32_t i = 0; i < n->n_kids; i++) {
        struct cedar_typing v;
        if (!cedar_check_node(c, n->kids[i], caps, &v))
            return false;
        attrs[i] = (struct cedar_attr){ n->names[i], true, v.type };
    }
    cedar_sort(attrs, n->n_kids, sizeof *attrs, by_name);
    *t = (struct cedar_type){ .kind = CEDAR_TYPE_RECORD, .attrs = attrs, .n_attrs = n->n_kids };
    return give(c, ret, t);
}

static bool check_constructor(struct cedar_checker *c, const struct cedar_node *n)
{
    struct cedar_value v;
    const char *why = "bad argument";
    if (n->n_kids != 1)
        return cedar_check_fail(c, n, "WrongNumberArguments", "`%s` takes one argument", n->ext->name);
    const struct cedar_node *arg = n->kids[0];
    if (arg->op != CEDAR_OP_LIT || arg->lit.kind != CEDAR_VALUE_STRING)
        return cedar_check_fail(c, arg, "NonLitExtConstructor", "`%s` takes a string literal", n->ext->name);
    int rc = n->ext->call(c->arena, &arg->lit, &v, &why);
    if (rc == CEDAR_EXT_NOMEM)
        return cedar_check_nomem(c);
    return rc == CEDAR_EXT_OK || cedar_check_fail(c, arg, "FunctionArgumentValidation", "%s: %s", n->ext->name, why);
}

/* The schema type that a value kind of the extension table has. */
static const struct cedar_type *type_of_kind(unsigned kind)
{
    return kind == CEDAR_VALUE_BOOL     ? &cedar_type_bool
           : kind == CEDAR_VALUE_LONG   ? &cedar_type_long
           : kind == CEDAR_VALUE_STRING ? &cedar_type_string
                                        : cedar_type_extension(kind);
}

static bool check_ext(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                      struct cedar_typing *ret)
{
    for (uint32_t i = 0; i < n->n_kids; i++) {
        struct cedar_typing t;
        if (!cedar_check_node(c, n->kids[i], caps, &t))
            return false;
        if (i >= n->ext->n_args)
            continue;
        const struct cedar_type *want = type_of_kind(n->ext->args[i]);
        char text[64];
        if (t.type->kind != want->kind || (want->kind == CEDAR_TYPE_EXTENSION && t.type->ext != want->ext))
            return cedar_check_unexpected(c, n->kids[i], cedar_type_text(want, text, sizeof text), t.type);
    }
    if (n->n_kids != n->ext->n_args)
        return cedar_check_fail(c, n, "WrongNumberArguments", "`%s` takes %u argument(s), not %u", n->ext->name,
                                n->ext->n_args, n->n_kids);
    if (n->ext->is_constructor && !check_constructor(c, n))
        return false;
    return give(c, ret, type_of_kind(n->ext->ret));
}

bool cedar_check_node(struct cedar_checker *c, const struct cedar_node *n, const struct cedar_capability *caps,
                      struct cedar_typing *ret)
{
    struct cedar_typing t;
    if (c->rc)
        return false;
    if (c->steps == 0) {
        c->rc = cedar_error_set(c->src.err, CEDAR_E_LIMIT, "StepLimit", "validation took too many steps");
        return false;
    }
    c->steps--;
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_LIT:
        return check_lit(c, n, ret);
    case CEDAR_OP_VAR:
        return check_var(c, n, ret);
    case CEDAR_OP_SLOT:
        return cedar_check_fail(c, n, "InternalInvariantViolation", "slot in a condition");
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_LIKE:
    case CEDAR_OP_IS_EMPTY:
        return check_unary(c, n, caps, ret);
    case CEDAR_OP_AND:
        return check_and(c, n, caps, ret);
    case CEDAR_OP_OR:
        return check_or(c, n, caps, ret);
    case CEDAR_OP_IF:
        return check_if(c, n, caps, ret);
    case CEDAR_OP_GET:
        return cedar_check_node(c, n->kids[0], caps, &t) &&
               cedar_check_get(c, n, n->kids[0], t.type, n->names[0], caps, ret);
    case CEDAR_OP_HAS:
        return check_has_path(c, n, caps, ret);
    case CEDAR_OP_IS:
        return check_is(c, n, caps, ret);
    case CEDAR_OP_SET:
        return check_set(c, n, caps, ret);
    case CEDAR_OP_RECORD:
        return check_record(c, n, caps, ret);
    case CEDAR_OP_EXT:
        return check_ext(c, n, caps, ret);
    default:
        return cedar_check_binary(c, n, caps, ret);
    }
}
