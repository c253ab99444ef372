/* Expressions from the JSON policy format. */
#include "cedar/est.h"

#include <stdio.h>
#include <string.h>

void *cedar_est_fail(struct cedar_est *e, const struct cedar_json *at, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    e->rc = cedar_error_at(&e->src, at->off, at->len, e->code, kind, "%s", msg);
    return NULL;
}

void *cedar_est_nomem(struct cedar_est *e)
{
    e->rc = cedar_error_set(e->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return NULL;
}

bool cedar_est_keys(struct cedar_est *e, const struct cedar_json *j, const char *const *keys, size_t n,
                    size_t n_required)
{
    if (j->kind != CEDAR_JSON_OBJECT)
        return cedar_est_fail(e, j, "InvalidForm", "expected an object, got %s", cedar_json_kind_name(j)) != NULL;
    for (size_t i = 0; i < n_required; i++) {
        if (!cedar_json_get(j, keys[i]))
            return cedar_est_fail(e, j, "MissingField", "`%s` is missing", keys[i]) != NULL;
    }
    for (size_t i = 0; i < j->n; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = cedar_str_eq(j->members[i].key, cedar_str_c(keys[k]));
        if (known)
            continue;
        struct cedar_json at = { .off = j->members[i].off, .len = j->members[i].len };
        cedar_est_fail(e, &at, "UnknownField", "unknown key `%.*s`", CEDAR_ARG(j->members[i].key));
        cedar_error_suggest(e->src.err, j->members[i].key, keys, n);
        return false;
    }
    return true;
}

bool cedar_est_string(struct cedar_est *e, const struct cedar_json *j, struct cedar_str *ret)
{
    if (j->kind != CEDAR_JSON_STRING)
        return cedar_est_fail(e, j, "InvalidForm", "expected a string, got %s", cedar_json_kind_name(j)) != NULL;
    *ret = j->s;
    return true;
}

bool cedar_est_type(struct cedar_est *e, const struct cedar_json *j, struct cedar_str *ret)
{
    if (!cedar_est_string(e, j, ret))
        return false;
    return cedar_is_name(*ret) ||
           cedar_est_fail(e, j, "InvalidTypeName", "`%.*s` is not a type name", CEDAR_ARG(*ret)) != NULL;
}

static struct cedar_node *new_node(struct cedar_est *e, enum cedar_op op, size_t n_kids)
{
    struct cedar_node *n = cedar_node_new(e->arena, op, n_kids);
    return n ? n : cedar_est_nomem(e);
}

static const struct cedar_node *seal(struct cedar_est *e, const struct cedar_json *at, struct cedar_node *n)
{
    if (cedar_node_seal(n))
        return n;
    cedar_est_fail(e, at, "ExpressionTooDeep", "expression is more than %d levels deep", CEDAR_MAX_EXPR_DEPTH);
    e->rc = e->src.err->code = CEDAR_E_LIMIT;
    return NULL;
}

static bool set_name(struct cedar_est *e, struct cedar_node *n, struct cedar_str name)
{
    struct cedar_str *names = CEDAR_NEW(e->arena, struct cedar_str);
    if (!names)
        return cedar_est_nomem(e) != NULL;
    *names = name;
    n->names = names;
    n->n_names = 1;
    return true;
}

static const struct cedar_node *lit(struct cedar_est *e, const struct cedar_json *at, struct cedar_value v)
{
    struct cedar_node *n = new_node(e, CEDAR_OP_LIT, 0);
    if (!n)
        return NULL;
    n->lit = v;
    return seal(e, at, n);
}

typedef const struct cedar_node *read_fn(struct cedar_est *e, const struct cedar_json *j);

static const struct cedar_node *read_list(struct cedar_est *e, const struct cedar_json *at, enum cedar_op op,
                                          const struct cedar_json *j, read_fn *read)
{
    struct cedar_node *n = new_node(e, op, j->n);
    if (!n)
        return NULL;
    for (size_t i = 0; i < j->n; i++) {
        n->kids[i] = read(e, &j->items[i]);
        if (!n->kids[i])
            return NULL;
    }
    return seal(e, at, n);
}

static const struct cedar_node *read_record(struct cedar_est *e, const struct cedar_json *j, read_fn *read)
{
    struct cedar_node *n = new_node(e, CEDAR_OP_RECORD, j->n);
    struct cedar_str *names = cedar_arena_array(e->arena, j->n, sizeof *names);
    if (!n || !names)
        return n ? cedar_est_nomem(e) : NULL;
    for (size_t i = 0; i < j->n; i++) {
        names[i] = j->members[i].key;
        n->kids[i] = read(e, &j->members[i].value);
        if (!n->kids[i])
            return NULL;
    }
    n->names = names;
    n->n_names = (uint32_t)j->n;
    return seal(e, j, n);
}

/* Values: scalars and entities become literals; the rest becomes what would construct it. */
static const struct cedar_node *value(struct cedar_est *e, const struct cedar_json *j);

static const struct cedar_node *extn(struct cedar_est *e, const struct cedar_json *j)
{
    const struct cedar_json *fn = cedar_json_get(j, "fn"), *arg = cedar_json_get(j, "arg");
    const struct cedar_json *args = cedar_json_get(j, "args");
    const struct cedar_ext *ext = cedar_ext_find(fn->s);
    if (!ext)
        return cedar_est_fail(e, fn, "UnknownFunction", "`%.*s` is not an extension function", CEDAR_ARG(fn->s));
    struct cedar_json one = { .kind = CEDAR_JSON_ARRAY, .n = 1, .items = arg };
    const struct cedar_node *n = read_list(e, j, CEDAR_OP_EXT, arg ? &one : args, value);
    if (n)
        ((struct cedar_node *)n)->ext = ext; /* still ours */
    return n;
}

static bool is_string(const struct cedar_json *j)
{
    return j && j->kind == CEDAR_JSON_STRING;
}

static const struct cedar_node *value_object(struct cedar_est *e, const struct cedar_json *j)
{
    const struct cedar_json *in = j->n == 1 ? &j->members[0].value : NULL;
    if (in && cedar_str_eq(j->members[0].key, CEDAR_S("__entity")) && is_string(cedar_json_get(in, "type")) &&
        is_string(cedar_json_get(in, "id"))) {
        struct cedar_uid *u = CEDAR_NEW(e->arena, struct cedar_uid);
        if (!u)
            return cedar_est_nomem(e);
        return cedar_est_uid(e, in, false, u) ? lit(e, j, cedar_v_uid(u)) : NULL;
    }
    if (in && cedar_str_eq(j->members[0].key, CEDAR_S("__extn")) && is_string(cedar_json_get(in, "fn"))) {
        const struct cedar_json *args = cedar_json_get(in, "args");
        if (cedar_json_get(in, "arg") || (args && args->kind == CEDAR_JSON_ARRAY))
            return extn(e, in);
    }
    if (in && cedar_str_eq(j->members[0].key, CEDAR_S("__expr")) && is_string(in))
        return cedar_est_fail(e, j, "ExprEscape", "`__expr` is no longer supported");
    return read_record(e, j, value);
}

static const struct cedar_node *value(struct cedar_est *e, const struct cedar_json *j)
{
    switch ((enum cedar_json_kind)j->kind) {
    case CEDAR_JSON_BOOL:
        return lit(e, j, cedar_v_bool(j->b));
    case CEDAR_JSON_INT:
        return lit(e, j, cedar_v_int(CEDAR_VALUE_LONG, j->i));
    case CEDAR_JSON_STRING:
        return lit(e, j, cedar_v_string(j->s));
    case CEDAR_JSON_ARRAY:
        return read_list(e, j, CEDAR_OP_SET, j, value);
    case CEDAR_JSON_OBJECT:
        return value_object(e, j);
    default:
        return cedar_est_fail(e, j, "InvalidValue", "%s is no Cedar value", cedar_json_kind_name(j));
    }
}

static const struct cedar_node *var(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    for (uint8_t i = 0; is_string(j) && i < 4; i++) {
        if (!cedar_str_eq(j->s, cedar_str_c(vars[i])))
            continue;
        struct cedar_node *n = new_node(e, CEDAR_OP_VAR, 0);
        if (!n)
            return NULL;
        n->var = i;
        return seal(e, j, n);
    }
    return cedar_est_fail(e, j, "ArbitraryVariable", "not a variable");
}

static const struct cedar_node *kids(struct cedar_est *e, enum cedar_op op, const struct cedar_json *j,
                                     const char *const *keys, size_t n)
{
    if (!cedar_est_keys(e, j, keys, n, n))
        return NULL;
    struct cedar_node *node = new_node(e, op, n);
    if (!node)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        node->kids[i] = cedar_est_expr(e, cedar_json_get(j, keys[i]));
        if (!node->kids[i])
            return NULL;
    }
    return seal(e, j, node);
}

/* a && b && c comes as nested pairs: one node again, as from text. */
static const struct cedar_node *chain(struct cedar_est *e, enum cedar_op op, const struct cedar_json *j)
{
    static const char *const keys[] = { "left", "right" };
    const struct cedar_node *pair = kids(e, op, j, keys, 2);
    if (!pair || pair->kids[0]->op != op)
        return pair;
    const struct cedar_node *l = pair->kids[0];
    struct cedar_node *n = new_node(e, op, l->n_kids + 1u);
    if (!n)
        return NULL;
    memcpy(n->kids, l->kids, l->n_kids * sizeof *l->kids);
    n->kids[l->n_kids] = pair->kids[1];
    return seal(e, j, n);
}

static const struct cedar_node *get(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const keys[] = { "left", "attr" };
    struct cedar_str attr = CEDAR_S("");
    if (!cedar_est_keys(e, j, keys, 2, 2) || !cedar_est_string(e, cedar_json_get(j, "attr"), &attr))
        return NULL;
    struct cedar_node *n = new_node(e, CEDAR_OP_GET, 1);
    if (!n || !set_name(e, n, attr))
        return NULL;
    n->kids[0] = cedar_est_expr(e, cedar_json_get(j, "left"));
    return n->kids[0] ? seal(e, j, n) : NULL;
}

static const struct cedar_node *has_one(struct cedar_est *e, const struct cedar_json *j, const struct cedar_node *left,
                                        enum cedar_op op, struct cedar_str attr)
{
    struct cedar_node *n = new_node(e, op, 1);
    if (!n || !set_name(e, n, attr))
        return NULL;
    n->kids[0] = left;
    return seal(e, j, n);
}

/* A path is kept as the conjunction that it means: its parts need not be identifiers here. */
static const struct cedar_node *has(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const keys[] = { "left", "attr" };
    struct cedar_str attr = CEDAR_S("");
    if (!cedar_est_keys(e, j, keys, 2, 2))
        return NULL;
    const struct cedar_json *a = cedar_json_get(j, "attr");
    const struct cedar_node *left = cedar_est_expr(e, cedar_json_get(j, "left"));
    if (!left)
        return NULL;
    if (a->kind != CEDAR_JSON_ARRAY)
        return cedar_est_string(e, a, &attr) ? has_one(e, j, left, CEDAR_OP_HAS, attr) : NULL;
    if (a->n == 0)
        return cedar_est_fail(e, a, "InvalidForm", "empty list of attributes");
    struct cedar_node *all = new_node(e, CEDAR_OP_AND, a->n);
    if (!all)
        return NULL;
    for (size_t i = 0; i < a->n; i++) {
        if (!cedar_est_string(e, &a->items[i], &attr))
            return NULL;
        all->kids[i] = has_one(e, j, left, CEDAR_OP_HAS, attr);
        left = has_one(e, j, left, CEDAR_OP_GET, attr);
        if (!all->kids[i] || !left)
            return NULL;
    }
    return a->n == 1 ? all->kids[0] : seal(e, j, all);
}

static const struct cedar_node *is(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const keys[] = { "left", "entity_type", "in" };
    struct cedar_str type;
    if (!cedar_est_keys(e, j, keys, 3, 2) || !cedar_est_type(e, cedar_json_get(j, "entity_type"), &type))
        return NULL;
    const struct cedar_json *in = cedar_json_get(j, "in");
    struct cedar_node *n = new_node(e, CEDAR_OP_IS, in ? 2 : 1);
    if (!n || !set_name(e, n, type))
        return NULL;
    n->kids[0] = cedar_est_expr(e, cedar_json_get(j, "left"));
    if (n->kids[0] && in)
        n->kids[1] = cedar_est_expr(e, in);
    return n->kids[0] && (!in || n->kids[1]) ? seal(e, j, n) : NULL;
}

/* Items "Wildcard" or {"Literal": text} into segments. */
static struct cedar_pattern *pattern(struct cedar_est *e, const struct cedar_json *j)
{
    size_t bytes = 0, n = 0, len = 0, start = 0;
    for (size_t i = 0; j->kind == CEDAR_JSON_ARRAY && i < j->n; i++) {
        const struct cedar_json *l = cedar_json_get(&j->items[i], "Literal");
        bool wild = is_string(&j->items[i]) && cedar_str_eq(j->items[i].s, CEDAR_S("Wildcard"));
        if (!wild && (!is_string(l) || j->items[i].n != 1))
            return cedar_est_fail(e, &j->items[i], "InvalidPattern", "expected \"Wildcard\" or {\"Literal\": text}");
        bytes += wild ? 0 : l->s.len;
    }
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_est_fail(e, j, "InvalidPattern", "a pattern must be an array");
    char *out = cedar_arena_alloc(e->arena, bytes + 1);
    struct cedar_str *seg = CEDAR_NEW_N(e->arena, j->n + 1, struct cedar_str);
    struct cedar_pattern *p = CEDAR_NEW(e->arena, struct cedar_pattern);
    if (!out || !seg || !p)
        return cedar_est_nomem(e);
    for (size_t i = 0; i < j->n; i++) {
        const struct cedar_json *l = cedar_json_get(&j->items[i], "Literal");
        if (!l) {
            seg[n++] = (struct cedar_str){ out + start, len - start };
            start = len;
            continue;
        }
        if (l->s.len)
            memcpy(out + len, l->s.ptr, l->s.len);
        len += l->s.len;
    }
    seg[n++] = (struct cedar_str){ out + start, len - start };
    *p = (struct cedar_pattern){ seg, n };
    return p;
}

static const struct cedar_node *like(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const keys[] = { "left", "pattern" };
    if (!cedar_est_keys(e, j, keys, 2, 2))
        return NULL;
    struct cedar_pattern *p = pattern(e, cedar_json_get(j, "pattern"));
    struct cedar_node *n = p ? new_node(e, CEDAR_OP_LIKE, 1) : NULL;
    if (!n)
        return NULL;
    n->pattern = p;
    n->kids[0] = cedar_est_expr(e, cedar_json_get(j, "left"));
    return n->kids[0] ? seal(e, j, n) : NULL;
}

static int binary_op(struct cedar_str name)
{
    for (int op = CEDAR_OP_EQ; op <= CEDAR_OP_GET_TAG; op++) {
        if (cedar_str_eq(name, cedar_str_c(cedar_op_text((enum cedar_op)op))))
            return op;
    }
    return -1;
}

static const struct cedar_node *other(struct cedar_est *e, struct cedar_str name, const struct cedar_json *at,
                                      const struct cedar_json *body)
{
    static const char *const pair[] = { "left", "right" };
    static const char *const three[] = { "if", "then", "else" };
    int op = binary_op(name);
    if (op >= 0)
        return kids(e, (enum cedar_op)op, body, pair, 2);
    if (cedar_str_eq(name, CEDAR_S("if-then-else")))
        return kids(e, CEDAR_OP_IF, body, three, 3);
    const struct cedar_ext *ext = cedar_ext_find(name);
    if (!ext)
        return cedar_est_fail(e, at, "UnknownOperator", "`%.*s` is not an operator or function", CEDAR_ARG(name));
    if (body->kind != CEDAR_JSON_ARRAY || (!ext->is_constructor && body->n == 0))
        return cedar_est_fail(e, body, "InvalidForm", "a call takes an array of arguments, receiver first");
    const struct cedar_node *n = read_list(e, at, CEDAR_OP_EXT, body, cedar_est_expr);
    if (n)
        ((struct cedar_node *)n)->ext = ext;
    return n;
}

const struct cedar_node *cedar_est_expr(struct cedar_est *e, const struct cedar_json *j)
{
    static const char *const one[] = { "arg" };
    if (j->kind != CEDAR_JSON_OBJECT || j->n != 1)
        return cedar_est_fail(e, j, "InvalidForm", "an expression must be an object with one key");
    struct cedar_str name = j->members[0].key;
    const struct cedar_json *body = &j->members[0].value;
    if (cedar_str_eq(name, CEDAR_S("Value")))
        return value(e, body);
    if (cedar_str_eq(name, CEDAR_S("Var")))
        return var(e, body);
    if (cedar_str_eq(name, CEDAR_S("Slot")))
        return cedar_est_fail(e, j, "SlotsInConditionClause", "a slot cannot stand in a condition");
    if (cedar_str_eq(name, CEDAR_S("!")) || cedar_str_eq(name, CEDAR_S("neg")) ||
        cedar_str_eq(name, CEDAR_S("isEmpty")))
        return kids(e, name.len == 1 ? CEDAR_OP_NOT : name.len == 3 ? CEDAR_OP_NEG : CEDAR_OP_IS_EMPTY, body, one, 1);
    if (cedar_str_eq(name, CEDAR_S("&&")) || cedar_str_eq(name, CEDAR_S("||")))
        return chain(e, name.ptr[0] == '&' ? CEDAR_OP_AND : CEDAR_OP_OR, body);
    if (cedar_str_eq(name, CEDAR_S(".")))
        return get(e, body);
    if (cedar_str_eq(name, CEDAR_S("has")))
        return has(e, body);
    if (cedar_str_eq(name, CEDAR_S("is")))
        return is(e, body);
    if (cedar_str_eq(name, CEDAR_S("like")))
        return like(e, body);
    if (cedar_str_eq(name, CEDAR_S("Record")))
        return body->kind == CEDAR_JSON_OBJECT ? read_record(e, body, cedar_est_expr)
                                               : cedar_est_fail(e, body, "InvalidForm", "`Record` takes an object");
    if (cedar_str_eq(name, CEDAR_S("Set")))
        return body->kind == CEDAR_JSON_ARRAY ? read_list(e, body, CEDAR_OP_SET, body, cedar_est_expr)
                                              : cedar_est_fail(e, body, "InvalidForm", "`Set` takes an array");
    return other(e, name, j, body);
}
