/* Expressions. */
#include "cedar/parse.h"

#include <stdio.h>
#include <string.h>

enum { UNARY_MAX = 4 };

/* A list that grows in the temporary arena. */
struct list {
    const struct cedar_node **kids;
    struct cedar_str *names;
    const struct cedar_token **at; /* tokens of the names */
    size_t n, cap;
};

static bool list_add(struct cedar_parser *p, struct list *l, const struct cedar_node *kid, struct cedar_str name,
                     const struct cedar_token *at)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 8;
        struct list b = { cedar_arena_array(p->temp, cap, sizeof *b.kids), cedar_arena_array(p->temp, cap, sizeof *b.names),
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

static struct cedar_node *new_node(struct cedar_parser *p, enum cedar_op op, size_t n_kids, const struct cedar_token *from)
{
    struct cedar_node *n = cedar_node_new(p->arena, op, n_kids);
    if (!n)
        return cedar_parse_nomem(p);
    n->off = from->off;
    return n;
}

/* Depth and extent, once the kids are in. */
static const struct cedar_node *seal(struct cedar_parser *p, struct cedar_node *n)
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

static bool take_names(struct cedar_parser *p, struct cedar_node *n, const struct list *l)
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

static const struct cedar_node *from_list(struct cedar_parser *p, enum cedar_op op, const struct list *l, const struct cedar_token *from,
                         bool named)
{
    struct cedar_node *n = new_node(p, op, l->n, from);
    if (!n)
        return NULL;
    if (l->n)
        memcpy(n->kids, l->kids, l->n * sizeof *n->kids);
    if (named && !take_names(p, n, l))
        return NULL;
    return seal(p, n);
}

static const struct cedar_node *binary(struct cedar_parser *p, enum cedar_op op, const struct cedar_node *l, const struct cedar_node *r, const struct cedar_token *from)
{
    struct cedar_node *n = new_node(p, op, 2, from);
    if (!n)
        return NULL;
    n->kids[0] = l;
    n->kids[1] = r;
    return seal(p, n);
}

/* Comma list up to @close, which is taken; a trailing comma is fine. */
static bool expr_list(struct cedar_parser *p, enum cedar_token_kind close, const char *what, struct list *l)
{
    while (!cedar_parse_accept(p, close)) {
        const struct cedar_node *e = cedar_parse_expr(p);
        if (!e || !list_add(p, l, e, (struct cedar_str){ 0 }, p->t))
            return false;
        if (p->t->kind != close && !cedar_parse_expect(p, CEDAR_T_COMMA, what))
            return false;
    }
    return true;
}

static bool attr_word(struct cedar_parser *p, struct cedar_str *ret)
{
    if (p->t->kind != CEDAR_T_IDENT)
        return cedar_parse_unexpected(p, "an attribute name") != NULL;
    *ret = cedar_parse_word(p, p->t);
    if (cedar_is_reserved(*ret)) {
        cedar_parse_fail(p, p->t, cedar_str_eq(*ret, CEDAR_S("__cedar")) ? "ReservedNamespace" : "ReservedIdentifier",
                         "`%.*s` is reserved and cannot be an unquoted name", CEDAR_ARG(*ret));
        cedar_error_hint(p->src.err, "write it in quotes: [\"%.*s\"]", CEDAR_ARG(*ret));
        return false;
    }
    *ret = cedar_arena_str(p->arena, *ret);
    if (!ret->ptr)
        return cedar_parse_nomem(p) != NULL;
    p->t++;
    return true;
}

static bool keys_distinct(struct cedar_parser *p, const struct list *l)
{
    /* Open addressing over positions; a record literal may be large. */
    size_t cap = 16;
    while (cap < l->n * 2)
        cap *= 2;
    uint32_t *slots = CEDAR_NEW_N(p->temp, cap, uint32_t);
    if (!slots)
        return cedar_parse_nomem(p) != NULL;
    for (size_t i = 0; i < l->n; i++) {
        size_t h = cedar_str_hash(0, l->names[i]) & (cap - 1);
        for (; slots[h]; h = (h + 1) & (cap - 1)) {
            if (cedar_str_eq(l->names[slots[h] - 1], l->names[i]))
                return cedar_parse_fail(p, l->at[i], "DuplicateRecordKey", "key `%.*s` stands twice in this record",
                                        CEDAR_ARG(l->names[i])) != NULL;
        }
        slots[h] = (uint32_t)i + 1;
    }
    return true;
}

static const struct cedar_node *parse_record(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t++;
    struct list l = { 0 };
    while (!cedar_parse_accept(p, CEDAR_T_RBRACE)) {
        const struct cedar_token *at = p->t;
        struct cedar_str key;
        if (p->t->kind == CEDAR_T_STRING ? !cedar_parse_string(p, &key) : !attr_word(p, &key))
            return NULL;
        if (!cedar_parse_expect(p, CEDAR_T_COLON, "`:` and a value"))
            return NULL;
        const struct cedar_node *e = cedar_parse_expr(p);
        if (!e || !list_add(p, &l, e, key, at))
            return NULL;
        if (p->t->kind != CEDAR_T_RBRACE && !cedar_parse_expect(p, CEDAR_T_COMMA, "`,` or `}`"))
            return NULL;
    }
    return keys_distinct(p, &l) ? from_list(p, CEDAR_OP_RECORD, &l, from, true) : NULL;
}

static const struct cedar_node *parse_int(struct cedar_parser *p, bool negative)
{
    struct cedar_str digits = cedar_parse_word(p, p->t);
    const struct cedar_token *from = negative ? p->t - 1 : p->t;
    uint64_t v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(digits.ptr[i] - '0'), &v))
            return cedar_parse_fail(p, p->t, "IntegerTooLarge", "integer literal does not fit into 64 bits");
    }
    if (v > (uint64_t)INT64_MAX + negative) {
        cedar_parse_fail(p, p->t, "IntegerTooLarge", "integer literal too large");
        cedar_error_expected(p->src.err, "at most 9223372036854775807");
        return NULL;
    }
    p->t++;
    struct cedar_node *n = new_node(p, CEDAR_OP_LIT, 0, from);
    if (!n)
        return NULL;
    n->lit = cedar_v_int(CEDAR_VALUE_LONG, negative ? (int64_t)(0 - v) : (int64_t)v);
    return seal(p, n);
}

static const struct cedar_node *parse_literal(struct cedar_parser *p, struct cedar_value v, const struct cedar_token *from)
{
    struct cedar_node *n = new_node(p, CEDAR_OP_LIT, 0, from);
    if (!n)
        return NULL;
    n->lit = v;
    return seal(p, n);
}

static const struct cedar_node *call_args(struct cedar_parser *p, const struct cedar_ext *ext, struct list *l, const struct cedar_token *from)
{
    p->t++; /* the parenthesis */
    if (!expr_list(p, CEDAR_T_RPAREN, "`,` or `)`", l))
        return NULL;
    const struct cedar_node *n = from_list(p, CEDAR_OP_EXT, l, from, false);
    if (n)
        ((struct cedar_node *)n)->ext = ext;
    return n;
}

static const struct cedar_node *parse_function(struct cedar_parser *p, struct cedar_str name, const struct cedar_token *from)
{
    const struct cedar_ext *ext = cedar_ext_find(name);
    struct list l = { 0 };
    if (ext && ext->is_constructor)
        return call_args(p, ext, &l, from);
    if (ext || cedar_op_method(name) >= 0) {
        cedar_parse_fail(p, from, "FunctionCallOnMethod", "`%.*s` is a method, not a function", CEDAR_ARG(name));
        cedar_error_expected(p->src.err, "e.%.*s(...)", CEDAR_ARG(name));
        return NULL;
    }
    static const char *const known[] = { "ip", "decimal", "datetime", "duration" };
    cedar_parse_fail(p, from, "UnknownFunction", "`%.*s` is not a function", CEDAR_ARG(name));
    cedar_error_expected(p->src.err, "ip, decimal, datetime or duration");
    cedar_error_suggest(p->src.err, name, known, 4);
    return NULL;
}

static int var_of(struct cedar_str name)
{
    static const char *const vars[] = { "principal", "action", "resource", "context" };
    for (int i = 0; i < 4; i++) {
        if (cedar_str_eq(name, cedar_str_c(vars[i])))
            return i;
    }
    return -1;
}

/* Something that begins with a name: uid, variable, function call, true, false. */
static const struct cedar_node *parse_named(struct cedar_parser *p)
{
    static const char *const vars[] = { "principal", "action", "resource", "context", "true", "false" };
    const struct cedar_token *from = p->t;
    struct cedar_str word = cedar_parse_word(p, p->t), path;
    bool lone = p->t[1].kind != CEDAR_T_PATH;
    if (lone && (cedar_parse_is_word(p, "true") || cedar_parse_is_word(p, "false"))) {
        p->t++;
        return parse_literal(p, cedar_v_bool(word.len == 4), from);
    }
    if (lone && cedar_parse_is_word(p, "if")) {
        cedar_parse_fail(p, p->t, "UnexpectedToken", "`if` needs parentheses here");
        cedar_error_expected(p->src.err, "(if ... then ... else ...)");
        return NULL;
    }
    if (!cedar_parse_path(p, &path))
        return NULL;
    if (p->t->kind == CEDAR_T_PATH && p->t[1].kind == CEDAR_T_STRING) {
        struct cedar_uid *u = CEDAR_NEW(p->arena, struct cedar_uid);
        p->t = from;
        if (!u || !cedar_parse_uid(p, u))
            return u ? NULL : cedar_parse_nomem(p);
        return parse_literal(p, cedar_v_uid(u), from);
    }
    if (p->t->kind == CEDAR_T_PATH && p->t[1].kind == CEDAR_T_LBRACE)
        return cedar_parse_fail(p, from, "InvalidEntityLiteral", "entity literal with braces");
    if (p->t->kind == CEDAR_T_PATH) {
        p->t++;
        return cedar_parse_unexpected(p, "a name or a string after `::`");
    }
    int var = lone ? var_of(word) : -1;
    if (p->t->kind == CEDAR_T_LPAREN) {
        if (var >= 0)
            return cedar_parse_fail(p, from, "VariableCall", "`%.*s` is a variable and cannot be called", CEDAR_ARG(word));
        return parse_function(p, path, from);
    }
    if (var < 0) {
        cedar_parse_fail(p, from, "ArbitraryVariable", "unknown variable `%.*s`", CEDAR_ARG(path));
        cedar_error_expected(p->src.err, "principal, action, resource, context, or an entity such as %.*s::\"id\"",
                             CEDAR_ARG(path));
        cedar_error_suggest(p->src.err, path, vars, 6);
        return NULL;
    }
    struct cedar_node *n = new_node(p, CEDAR_OP_VAR, 0, from);
    if (!n)
        return NULL;
    n->var = (uint8_t)var;
    return seal(p, n);
}

static const struct cedar_node *parse_parens(struct cedar_parser *p)
{
    p->t++;
    const struct cedar_node *e = cedar_parse_expr(p);
    if (!e || !cedar_parse_expect(p, CEDAR_T_RPAREN, "`)` or an operator"))
        return NULL;
    return e;
}

static const struct cedar_node *parse_primary(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    struct cedar_str s;
    struct list l = { 0 };
    switch (p->t->kind) {
    case CEDAR_T_INT:
        return parse_int(p, false);
    case CEDAR_T_STRING:
        return cedar_parse_string(p, &s) ? parse_literal(p, cedar_v_string(s), from) : NULL;
    case CEDAR_T_IDENT:
        return parse_named(p);
    case CEDAR_T_LPAREN:
        return parse_parens(p);
    case CEDAR_T_LBRACK:
        p->t++;
        return expr_list(p, CEDAR_T_RBRACK, "`,` or `]`", &l) ? from_list(p, CEDAR_OP_SET, &l, from, false) : NULL;
    case CEDAR_T_LBRACE:
        return parse_record(p);
    case CEDAR_T_SLOT:
        return cedar_parse_fail(p, p->t, "SlotsInConditionClause", "a slot cannot stand in a condition");
    default:
        return cedar_parse_unexpected(p, "an expression");
    }
}

static const struct cedar_node *parse_method(struct cedar_parser *p, const struct cedar_node *recv, const struct cedar_token *from)
{
    const struct cedar_token *at = p->t;
    struct cedar_str name = cedar_parse_word(p, p->t++);
    const struct cedar_ext *ext = cedar_ext_find(name);
    struct list l = { 0 };
    int op = cedar_op_method(name);
    if (!list_add(p, &l, recv, name, at))
        return NULL;
    if (op >= 0) {
        p->t++;
        if (!expr_list(p, CEDAR_T_RPAREN, "`,` or `)`", &l))
            return NULL;
        if (l.n != cedar_op_method_args(op) + 1)
            return cedar_parse_fail(p, at, "WrongArity", "`%.*s` takes %u argument%s, not %zu", CEDAR_ARG(name),
                                    cedar_op_method_args(op), cedar_op_method_args(op) == 1 ? "" : "s", l.n - 1);
        return from_list(p, (enum cedar_op)op, &l, from, false);
    }
    if (ext && !ext->is_constructor)
        return call_args(p, ext, &l, from);
    if (ext) {
        cedar_parse_fail(p, at, "MethodCallOnFunction", "`%.*s` is a function, not a method", CEDAR_ARG(name));
        cedar_error_expected(p->src.err, "%.*s(...)", CEDAR_ARG(name));
        return NULL;
    }
    const char *known[32] = { "contains", "containsAll", "containsAny", "isEmpty", "hasTag", "getTag" };
    size_t n = 6;
    for (size_t i = 0; i < cedar_ext_count && n < 32; i++) {
        if (!cedar_ext_table[i].is_constructor)
            known[n++] = cedar_ext_table[i].name;
    }
    cedar_parse_fail(p, at, "UnknownMethod", "`%.*s` is not a method", CEDAR_ARG(name));
    cedar_error_suggest(p->src.err, name, known, n);
    return NULL;
}

static const struct cedar_node *get_attr(struct cedar_parser *p, const struct cedar_node *recv, struct cedar_str name, const struct cedar_token *from)
{
    struct cedar_node *n = new_node(p, CEDAR_OP_GET, 1, from);
    struct list l = { 0 };
    if (!n || !list_add(p, &l, recv, name, from) || !take_names(p, n, &l))
        return NULL;
    n->kids[0] = recv;
    return seal(p, n);
}

static const struct cedar_node *parse_access(struct cedar_parser *p, const struct cedar_node *e, const struct cedar_token *from)
{
    struct cedar_str name;
    if (cedar_parse_accept(p, CEDAR_T_DOT)) {
        if (p->t->kind == CEDAR_T_IDENT && p->t[1].kind == CEDAR_T_LPAREN &&
            !cedar_is_reserved(cedar_parse_word(p, p->t)))
            return parse_method(p, e, from);
        return attr_word(p, &name) ? get_attr(p, e, name, from) : NULL;
    }
    p->t++; /* [ */
    if (p->t->kind != CEDAR_T_STRING) {
        cedar_parse_fail(p, p->t, "InvalidIndex", "an index must be a string literal");
        cedar_error_expected(p->src.err, "a string such as [\"name\"]");
        return NULL;
    }
    if (!cedar_parse_string(p, &name) || !cedar_parse_expect(p, CEDAR_T_RBRACK, "`]`"))
        return NULL;
    return get_attr(p, e, name, from);
}

static bool starts_access(const struct cedar_token *t)
{
    return t->kind == CEDAR_T_DOT || t->kind == CEDAR_T_LBRACK;
}

static const struct cedar_node *parse_member(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    const struct cedar_node *e = parse_primary(p);
    while (e && starts_access(p->t))
        e = parse_access(p, e, from);
    if (e && p->t->kind == CEDAR_T_LPAREN)
        return cedar_parse_fail(p, p->t, "ExpressionCall", "an expression cannot be called");
    return e;
}

static const struct cedar_node *parse_unary(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    uint8_t kind = p->t->kind;
    unsigned n = 0;
    if (kind != CEDAR_T_BANG && kind != CEDAR_T_MINUS)
        return parse_member(p);
    while (p->t->kind == kind) {
        if (++n > UNARY_MAX) {
            cedar_parse_fail(p, from, "UnaryOpLimit", "more than %d unary operators in a row", UNARY_MAX);
            return NULL;
        }
        p->t++;
    }
    const struct cedar_node *e;
    if (kind == CEDAR_T_MINUS && p->t->kind == CEDAR_T_INT && !starts_access(p->t + 1)) {
        e = parse_int(p, true);
        n--;
        if (e && p->t->kind == CEDAR_T_LPAREN)
            return cedar_parse_fail(p, p->t, "ExpressionCall", "an expression cannot be called");
    } else {
        e = parse_member(p);
    }
    while (e && n-- > 0) {
        struct cedar_node *u = new_node(p, kind == CEDAR_T_BANG ? CEDAR_OP_NOT : CEDAR_OP_NEG, 1, from + n);
        if (!u)
            return NULL;
        u->kids[0] = e;
        e = seal(p, u);
    }
    return e;
}

static const struct cedar_node *parse_mul(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    const struct cedar_node *e = parse_unary(p);
    for (;;) {
        if (!e)
            return NULL;
        if (p->t->kind == CEDAR_T_SLASH)
            return cedar_parse_fail(p, p->t, "UnsupportedDivision", "division is not supported");
        if (p->t->kind == CEDAR_T_PERCENT)
            return cedar_parse_fail(p, p->t, "UnsupportedModulo", "remainder is not supported");
        if (!cedar_parse_accept(p, CEDAR_T_STAR))
            return e;
        const struct cedar_node *r = parse_unary(p);
        e = r ? binary(p, CEDAR_OP_MUL, e, r, from) : NULL;
    }
}

static const struct cedar_node *parse_add(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    const struct cedar_node *e = parse_mul(p);
    while (e && (p->t->kind == CEDAR_T_PLUS || p->t->kind == CEDAR_T_MINUS)) {
        enum cedar_op op = p->t->kind == CEDAR_T_PLUS ? CEDAR_OP_ADD : CEDAR_OP_SUB;
        p->t++;
        const struct cedar_node *r = parse_mul(p);
        e = r ? binary(p, op, e, r, from) : NULL;
    }
    return e;
}

static const struct cedar_node *parse_has(struct cedar_parser *p, const struct cedar_node *l, const struct cedar_token *from)
{
    struct list names = { 0 };
    struct cedar_str name;
    if (p->t->kind == CEDAR_T_STRING) {
        if (!cedar_parse_string(p, &name) || !list_add(p, &names, NULL, name, from))
            return NULL;
    } else {
        do {
            if (!attr_word(p, &name) || !list_add(p, &names, NULL, name, from))
                return NULL;
        } while (cedar_parse_accept(p, CEDAR_T_DOT));
    }
    struct cedar_node *n = new_node(p, CEDAR_OP_HAS, 1, from);
    if (!n || !take_names(p, n, &names))
        return NULL;
    n->kids[0] = l;
    return seal(p, n);
}

static const struct cedar_node *parse_like(struct cedar_parser *p, const struct cedar_node *l, const struct cedar_token *from)
{
    if (p->t->kind != CEDAR_T_STRING) {
        cedar_parse_fail(p, p->t, "InvalidPattern", "`like` needs a pattern literal");
        cedar_error_expected(p->src.err, "a string such as \"*.example\"");
        return NULL;
    }
    struct cedar_pattern *pat = CEDAR_NEW(p->arena, struct cedar_pattern);
    struct cedar_node *n = new_node(p, CEDAR_OP_LIKE, 1, from);
    if (!pat || !n)
        return cedar_parse_nomem(p);
    p->rc = cedar_pattern_decode(p->arena, &p->src, p->t, CEDAR_E_PARSE, pat);
    if (p->rc)
        return NULL;
    p->t++;
    n->kids[0] = l;
    n->pattern = pat;
    return seal(p, n);
}

static const struct cedar_node *parse_is(struct cedar_parser *p, const struct cedar_node *l, const struct cedar_token *from)
{
    struct cedar_str type;
    if (p->t->kind != CEDAR_T_IDENT) {
        cedar_parse_fail(p, p->t, "InvalidIsType", "`is` needs an entity type name");
        return NULL;
    }
    if (!cedar_parse_path(p, &type))
        return NULL;
    if (p->t->kind == CEDAR_T_PATH)
        return cedar_parse_fail(p, p->t, "InvalidIsType", "`is` needs an entity type name, not an entity");
    const struct cedar_node *in = NULL;
    if (cedar_parse_is_word(p, "in")) {
        p->t++;
        in = parse_add(p);
        if (!in)
            return NULL;
    }
    struct list names = { 0 };
    struct cedar_node *n = new_node(p, CEDAR_OP_IS, in ? 2 : 1, from);
    if (!n || !list_add(p, &names, NULL, type, from) || !take_names(p, n, &names))
        return NULL;
    n->kids[0] = l;
    if (in)
        n->kids[1] = in;
    return seal(p, n);
}

/* The relational operator at the token, or -1. `has like is` have ops of their own. */
static int relation(const struct cedar_parser *p)
{
    switch (p->t->kind) {
    case CEDAR_T_EQ:
        return CEDAR_OP_EQ;
    case CEDAR_T_NE:
        return CEDAR_OP_NE;
    case CEDAR_T_LT:
        return CEDAR_OP_LT;
    case CEDAR_T_LE:
        return CEDAR_OP_LE;
    case CEDAR_T_GT:
        return CEDAR_OP_GT;
    case CEDAR_T_GE:
        return CEDAR_OP_GE;
    case CEDAR_T_IDENT:
        return cedar_parse_is_word(p, "in")     ? CEDAR_OP_IN
               : cedar_parse_is_word(p, "has")  ? CEDAR_OP_HAS
               : cedar_parse_is_word(p, "like") ? CEDAR_OP_LIKE
               : cedar_parse_is_word(p, "is")   ? CEDAR_OP_IS
                                                : -1;
    default:
        return -1;
    }
}

static const struct cedar_node *parse_rel(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    const struct cedar_node *l = parse_add(p), *e;
    if (!l)
        return NULL;
    if (p->t->kind == CEDAR_T_ASSIGN) {
        cedar_parse_fail(p, p->t, "InvalidSingleEq", "`=` is not an operator");
        cedar_error_hint(p->src.err, "did you mean `==`?");
        return NULL;
    }
    int op = relation(p);
    if (op < 0)
        return l;
    p->t++;
    if (op == CEDAR_OP_HAS) {
        e = parse_has(p, l, from);
    } else if (op == CEDAR_OP_LIKE) {
        e = parse_like(p, l, from);
    } else if (op == CEDAR_OP_IS) {
        e = parse_is(p, l, from);
    } else {
        const struct cedar_node *r = parse_add(p);
        e = r ? binary(p, (enum cedar_op)op, l, r, from) : NULL;
    }
    if (e && relation(p) >= 0) {
        cedar_parse_fail(p, p->t, "AmbiguousOperators", "relations cannot be chained");
        cedar_error_hint(p->src.err, "put one of them into parentheses");
        return NULL;
    }
    return e;
}

/* (a && b) && c is the same tree as a && b && c. */
static bool chain_start(struct cedar_parser *p, enum cedar_op op, const struct cedar_node *e, struct list *l,
                        const struct cedar_token *from)
{
    if (e->op != op)
        return list_add(p, l, e, (struct cedar_str){ 0 }, from);
    for (uint32_t i = 0; i < e->n_kids; i++) {
        if (!list_add(p, l, e->kids[i], (struct cedar_str){ 0 }, from))
            return false;
    }
    return true;
}

/* a && b && c: one node with all the operands, so that long chains stay flat. */
static const struct cedar_node *parse_chain(struct cedar_parser *p, enum cedar_op op)
{
    const struct cedar_token *from = p->t;
    bool is_and = op == CEDAR_OP_AND;
    const struct cedar_node *e = is_and ? parse_rel(p) : parse_chain(p, CEDAR_OP_AND);
    struct list l = { 0 };
    while (e && cedar_parse_accept(p, is_and ? CEDAR_T_AND : CEDAR_T_OR)) {
        if (l.n == 0 && !chain_start(p, op, e, &l, from))
            return NULL;
        e = is_and ? parse_rel(p) : parse_chain(p, CEDAR_OP_AND);
        if (!e || !list_add(p, &l, e, (struct cedar_str){ 0 }, from))
            return NULL;
    }
    return e && l.n ? from_list(p, op, &l, from, false) : e;
}

static const struct cedar_node *parse_if(struct cedar_parser *p)
{
    static const char *const words[] = { NULL, "then", "else" };
    struct cedar_node *n = new_node(p, CEDAR_OP_IF, 3, p->t);
    if (!n)
        return NULL;
    p->t++;
    for (int i = 0; i < 3; i++) {
        if (words[i] && !cedar_parse_is_word(p, words[i]))
            return cedar_parse_unexpected(p, i == 1 ? "`then` or an operator" : "`else` or an operator");
        p->t += i > 0;
        n->kids[i] = cedar_parse_expr(p);
        if (!n->kids[i])
            return NULL;
    }
    return seal(p, n);
}

const struct cedar_node *cedar_parse_expr(struct cedar_parser *p)
{
    if (!cedar_parse_enter(p))
        return NULL;
    bool is_if = cedar_parse_is_word(p, "if") && p->t[1].kind != CEDAR_T_PATH;
    const struct cedar_node *e = is_if ? parse_if(p) : parse_chain(p, CEDAR_OP_OR);
    p->nesting--;
    return e;
}
