#include "cedar/eval.h"

#include "cedar/diag.h"

#include <stdio.h>

const struct cedar_entities cedar_no_entities = { .finished = true };

bool cedar_eval_fail(struct cedar_eval *e, const char *kind, const char *fmt, ...)
{
    struct cedar_error err;
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    cedar_error_set(&err, CEDAR_E_EVAL, kind, "%s", msg); /* escapes it */
    struct cedar_str copy = cedar_arena_str(e->arena, cedar_str_c(err.msg));
    if (!copy.ptr)
        return cedar_eval_nomem(e);
    e->rc = CEDAR_E_EVAL;
    e->kind = kind;
    e->msg = copy.ptr;
    return false;
}

bool cedar_eval_nomem(struct cedar_eval *e)
{
    e->rc = CEDAR_E_NOMEM;
    e->kind = "NoMemory";
    e->msg = "out of scratch memory";
    return false;
}

static bool out_of_steps(struct cedar_eval *e)
{
    e->steps = 0;
    e->rc = CEDAR_E_LIMIT;
    e->kind = "StepLimit";
    e->msg = "evaluation took too many steps";
    return false;
}

bool cedar_eval_charge(struct cedar_eval *e, size_t n)
{
    enum { PER_STEP = 16 };
    if (e->steps < n / PER_STEP)
        return out_of_steps(e);
    e->steps -= n / PER_STEP;
    return true;
}

bool cedar_eval_type_error(struct cedar_eval *e, const char *want, const struct cedar_value *got)
{
    return cedar_eval_fail(e, "TypeError", "expected %s, got %s", want, cedar_v_kind_name(got));
}

static bool eval_bool(struct cedar_eval *e, const struct cedar_node *n, bool *ret)
{
    struct cedar_value v;
    if (!cedar_eval_node(e, n, &v))
        return false;
    if (v.kind != CEDAR_VALUE_BOOL)
        return cedar_eval_type_error(e, "bool", &v);
    *ret = v.b;
    return true;
}

static bool eval_chain(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    bool stop_at = n->op == CEDAR_OP_OR, b = !stop_at;
    for (uint32_t i = 0; i < n->n_kids && b != stop_at; i++) {
        if (!eval_bool(e, n->kids[i], &b))
            return false;
    }
    *out = cedar_v_bool(b);
    return true;
}

static bool eval_var(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    if (n->var == CEDAR_VAR_CONTEXT) {
        if (!e->context)
            return cedar_eval_fail(e, "NonValue", "context is not known here");
        *out = *e->context;
        return true;
    }
    if (!e->uids[n->var])
        return cedar_eval_fail(e, "NonValue", "this variable is not known here");
    *out = cedar_v_uid(e->uids[n->var]);
    return true;
}

static bool no_entity(struct cedar_eval *e, const struct cedar_uid *u)
{
    return cedar_eval_fail(e, "EntityDoesNotExist", "entity `%.*s::\"%.*s\"` does not exist", CEDAR_ARG(u->type),
                           CEDAR_ARG(u->id));
}

static bool get_attr(struct cedar_eval *e, const struct cedar_value *v, struct cedar_str name, struct cedar_value *out)
{
    const struct cedar_value *rec = v;
    if (v->kind == CEDAR_VALUE_ENTITY) {
        const struct cedar_entity *ent = cedar_entities_find(e->ents, v->uid);
        if (!ent)
            return no_entity(e, v->uid);
        rec = &ent->attrs;
    } else if (v->kind != CEDAR_VALUE_RECORD) {
        return cedar_eval_type_error(e, "record or entity", v);
    }
    const struct cedar_value *f = cedar_v_field(rec, name);
    if (!f)
        return cedar_eval_fail(e, v->kind == CEDAR_VALUE_ENTITY ? "EntityAttrDoesNotExist" : "RecordAttrDoesNotExist",
                               "no attribute `%.*s`", CEDAR_ARG(name));
    *out = *f;
    return true;
}

static bool eval_get(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value v;
    return cedar_eval_node(e, n->kids[0], &v) && get_attr(e, &v, n->names[0], out);
}

static bool has_attr(struct cedar_eval *e, const struct cedar_value *v, struct cedar_str name, bool *ret)
{
    const struct cedar_value *rec = v;
    if (v->kind == CEDAR_VALUE_ENTITY) {
        const struct cedar_entity *ent = cedar_entities_find(e->ents, v->uid);
        rec = ent ? &ent->attrs : &cedar_empty_record;
    } else if (v->kind != CEDAR_VALUE_RECORD) {
        return cedar_eval_type_error(e, "record or entity", v);
    }
    *ret = cedar_v_field(rec, name) != NULL;
    return true;
}

/* x has a.b.c: x has a && x.a has b && x.a.b has c */
static bool eval_has(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value v;
    bool has = false;
    if (!cedar_eval_node(e, n->kids[0], &v))
        return false;
    for (uint32_t i = 0; i < n->n_names; i++) {
        if (!has_attr(e, &v, n->names[i], &has))
            return false;
        if (!has)
            break;
        if (i + 1 < n->n_names && !get_attr(e, &v, n->names[i], &v))
            return false;
    }
    *out = cedar_v_bool(has);
    return true;
}

static bool eval_is(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value v, in;
    if (!cedar_eval_node(e, n->kids[0], &v))
        return false;
    if (v.kind != CEDAR_VALUE_ENTITY)
        return cedar_eval_type_error(e, "entity", &v);
    *out = cedar_v_bool(cedar_str_eq(v.uid->type, n->names[0]));
    if (n->n_kids == 1 || !out->b)
        return true;
    return cedar_eval_node(e, n->kids[1], &in) && cedar_eval_binary(e, CEDAR_OP_IN, &v, &in, out);
}

static bool eval_like(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value v;
    if (!cedar_eval_node(e, n->kids[0], &v))
        return false;
    if (v.kind != CEDAR_VALUE_STRING)
        return cedar_eval_type_error(e, "string", &v);
    *out = cedar_v_bool(cedar_pattern_match(n->pattern, cedar_v_str(&v)));
    return cedar_eval_charge(e, v.n / 8);
}

static bool eval_set(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value *items = cedar_arena_array(e->arena, n->n_kids, sizeof *items);
    if (!items)
        return cedar_eval_nomem(e);
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (!cedar_eval_node(e, n->kids[i], &items[i]))
            return false;
    }
    e->rc = cedar_v_set_take(items, n->n_kids, out);
    e->kind = "RecursionLimit";
    e->msg = "set nested too deep";
    return e->rc == 0;
}

static bool eval_record(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_member *m = cedar_arena_array(e->arena, n->n_kids, sizeof *m);
    if (!m)
        return cedar_eval_nomem(e);
    for (uint32_t i = 0; i < n->n_kids; i++) {
        m[i].key = n->names[i];
        if (!cedar_eval_node(e, n->kids[i], &m[i].value))
            return false;
    }
    e->rc = cedar_v_record_take(m, n->n_kids, out, NULL);
    e->kind = "RecursionLimit";
    e->msg = "record nested too deep";
    return e->rc == 0;
}

static bool eval_ext(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value args[2], extra;
    const char *why = "extension error";
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (!cedar_eval_node(e, n->kids[i], i < 2 ? &args[i] : &extra))
            return false;
    }
    if (n->n_kids != n->ext->n_args)
        return cedar_eval_fail(e, "WrongNumArguments", "`%s` takes %u argument(s), not %u", n->ext->name,
                               n->ext->n_args, n->n_kids);
    for (uint32_t i = 0; i < n->n_kids; i++) {
        if (args[i].kind != n->ext->args[i]) {
            struct cedar_value want = { .kind = n->ext->args[i] };
            return cedar_eval_type_error(e, cedar_v_kind_name(&want), &args[i]);
        }
    }
    switch (n->ext->call(e->arena, args, out, &why)) {
    case CEDAR_EXT_OK:
        return true;
    case CEDAR_EXT_NOMEM:
        return cedar_eval_nomem(e);
    default:
        return cedar_eval_fail(e, "FailedExtensionFunctionExecution", "%s: %s", n->ext->name, why);
    }
}

static bool eval_unary(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value v;
    if (!cedar_eval_node(e, n->kids[0], &v))
        return false;
    if (n->op == CEDAR_OP_NOT) {
        if (v.kind != CEDAR_VALUE_BOOL)
            return cedar_eval_type_error(e, "bool", &v);
        *out = cedar_v_bool(!v.b);
        return true;
    }
    if (n->op == CEDAR_OP_IS_EMPTY) {
        if (v.kind != CEDAR_VALUE_SET)
            return cedar_eval_type_error(e, "set", &v);
        *out = cedar_v_bool(v.n == 0);
        return true;
    }
    if (v.kind != CEDAR_VALUE_LONG)
        return cedar_eval_type_error(e, "long", &v);
    *out = cedar_v_int(CEDAR_VALUE_LONG, 0);
    if (__builtin_sub_overflow((int64_t)0, v.i, &out->i))
        return cedar_eval_fail(e, "IntegerOverflow", "integer overflow in negation");
    return true;
}

bool cedar_eval_node(struct cedar_eval *e, const struct cedar_node *n, struct cedar_value *out)
{
    struct cedar_value l, r;
    bool b = false;
    if (n->folded) {
        *out = *n->folded;
        return true;
    }
    if (e->steps == 0)
        return out_of_steps(e);
    e->steps--;
    switch ((enum cedar_op)n->op) {
    case CEDAR_OP_LIT:
        *out = n->lit;
        return true;
    case CEDAR_OP_VAR:
        return eval_var(e, n, out);
    case CEDAR_OP_SLOT:
        return cedar_eval_fail(e, "UnlinkedSlot", "slot is not linked");
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG:
    case CEDAR_OP_IS_EMPTY:
        return eval_unary(e, n, out);
    case CEDAR_OP_AND:
    case CEDAR_OP_OR:
        return eval_chain(e, n, out);
    case CEDAR_OP_IF:
        return eval_bool(e, n->kids[0], &b) && cedar_eval_node(e, n->kids[b ? 1 : 2], out);
    case CEDAR_OP_GET:
        return eval_get(e, n, out);
    case CEDAR_OP_HAS:
        return eval_has(e, n, out);
    case CEDAR_OP_LIKE:
        return eval_like(e, n, out);
    case CEDAR_OP_IS:
        return eval_is(e, n, out);
    case CEDAR_OP_SET:
        return eval_set(e, n, out);
    case CEDAR_OP_RECORD:
        return eval_record(e, n, out);
    case CEDAR_OP_EXT:
        return eval_ext(e, n, out);
    default:
        return cedar_eval_node(e, n->kids[0], &l) && cedar_eval_node(e, n->kids[1], &r) &&
               cedar_eval_binary(e, (enum cedar_op)n->op, &l, &r, out);
    }
}
