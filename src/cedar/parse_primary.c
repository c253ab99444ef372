/* Literals, names, calls, sets, records, accesses: what operators stand between. */
#include "cedar/parse_build.h"
#include "cedar/sort.h"

#include <stdio.h>
#include <string.h>

/* Comma list up to @close, which is taken; a trailing comma is fine. */
static bool expr_list(struct cedar_parser *p, enum cedar_token_kind close, const char *what, struct cedar_parse_list *l)
{
    while (!cedar_parse_accept(p, close)) {
        const struct cedar_node *e = cedar_parse_expr(p);
        if (!e || !cedar_parse_list_add(p, l, e, (struct cedar_str){ 0 }, p->t))
            return false;
        if (p->t->kind != close && !cedar_parse_expect(p, CEDAR_T_COMMA, what))
            return false;
    }
    return true;
}

bool cedar_parse_attr_word(struct cedar_parser *p, struct cedar_str *ret)
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

struct key {
    struct cedar_str name;
    const struct cedar_token *at;
};

static int by_name(const void *a, const void *b)
{
    const struct key *x = a, *y = b;
    int c = cedar_str_cmp(x->name, y->name);
    return c ? c : x->at < y->at ? -1 : x->at > y->at;
}

/* By sorting, whose worst case nobody can provoke. */
static bool keys_distinct(struct cedar_parser *p, const struct cedar_parse_list *l)
{
    struct key *keys = cedar_arena_array(p->temp, l->n, sizeof *keys);
    if (!keys)
        return cedar_parse_nomem(p) != NULL;
    for (size_t i = 0; i < l->n; i++)
        keys[i] = (struct key){ l->names[i], l->at[i] };
    cedar_sort(keys, l->n, sizeof *keys, by_name);
    for (size_t i = 1; i < l->n; i++) {
        if (cedar_str_eq(keys[i - 1].name, keys[i].name))
            return cedar_parse_fail(p, keys[i].at, "DuplicateRecordKey", "key `%.*s` stands twice in this record",
                                    CEDAR_ARG(keys[i].name)) != NULL;
    }
    return true;
}

static const struct cedar_node *parse_record(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t++;
    struct cedar_parse_list l = { 0 };
    while (!cedar_parse_accept(p, CEDAR_T_RBRACE)) {
        const struct cedar_token *at = p->t;
        struct cedar_str key;
        if (p->t->kind == CEDAR_T_STRING ? !cedar_parse_string(p, &key) : !cedar_parse_attr_word(p, &key))
            return NULL;
        if (!cedar_parse_expect(p, CEDAR_T_COLON, "`:` and a value"))
            return NULL;
        const struct cedar_node *e = cedar_parse_expr(p);
        if (!e || !cedar_parse_list_add(p, &l, e, key, at))
            return NULL;
        if (p->t->kind != CEDAR_T_RBRACE && !cedar_parse_expect(p, CEDAR_T_COMMA, "`,` or `}`"))
            return NULL;
    }
    return keys_distinct(p, &l) ? cedar_parse_from_list(p, CEDAR_OP_RECORD, &l, from, true) : NULL;
}

const struct cedar_node *cedar_parse_int(struct cedar_parser *p, bool negative)
{
    struct cedar_str digits = cedar_parse_word(p, p->t);
    const struct cedar_token *from = negative ? p->t - 1 : p->t;
    uint64_t v = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(digits.ptr[i] - '0'), &v))
            return cedar_parse_fail(p, p->t, "IntegerTooLarge", "integer literal does not fit into 64 bits");
    }
    if (v > (uint64_t)INT64_MAX + negative) {
        cedar_parse_fail(p, p->t, "IntegerTooLarge", "integer literal too large");
        cedar_error_expected(p->src.err, "at most 9223372036854775807");
        return NULL;
    }
    p->t++;
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_LIT, 0, from);
    if (!n)
        return NULL;
    n->lit = cedar_v_int(CEDAR_VALUE_LONG, negative ? (int64_t)(0 - v) : (int64_t)v);
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *parse_literal(struct cedar_parser *p, struct cedar_value v,
                                              const struct cedar_token *from)
{
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_LIT, 0, from);
    if (!n)
        return NULL;
    n->lit = v;
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *call_args(struct cedar_parser *p, const struct cedar_ext *ext,
                                          struct cedar_parse_list *l, const struct cedar_token *from)
{
    p->t++; /* the parenthesis */
    if (!expr_list(p, CEDAR_T_RPAREN, "`,` or `)`", l))
        return NULL;
    const struct cedar_node *n = cedar_parse_from_list(p, CEDAR_OP_EXT, l, from, false);
    if (n)
        ((struct cedar_node *)n)->ext = ext;
    return n;
}

static const struct cedar_node *parse_function(struct cedar_parser *p, struct cedar_str name,
                                               const struct cedar_token *from)
{
    const struct cedar_ext *ext = cedar_ext_find(name);
    struct cedar_parse_list l = { 0 };
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
            return cedar_parse_fail(p, from, "VariableCall", "`%.*s` is a variable and cannot be called",
                                    CEDAR_ARG(word));
        return parse_function(p, path, from);
    }
    if (var < 0) {
        cedar_parse_fail(p, from, "ArbitraryVariable", "unknown variable `%.*s`", CEDAR_ARG(path));
        cedar_error_expected(p->src.err, "principal, action, resource, context, or an entity such as %.*s::\"id\"",
                             CEDAR_ARG(path));
        cedar_error_suggest(p->src.err, path, vars, 6);
        return NULL;
    }
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_VAR, 0, from);
    if (!n)
        return NULL;
    n->var = (uint8_t)var;
    return cedar_parse_seal(p, n);
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
    struct cedar_parse_list l = { 0 };
    switch (p->t->kind) {
    case CEDAR_T_INT:
        return cedar_parse_int(p, false);
    case CEDAR_T_STRING:
        return cedar_parse_string(p, &s) ? parse_literal(p, cedar_v_string(s), from) : NULL;
    case CEDAR_T_IDENT:
        return parse_named(p);
    case CEDAR_T_LPAREN:
        return parse_parens(p);
    case CEDAR_T_LBRACK:
        p->t++;
        return expr_list(p, CEDAR_T_RBRACK, "`,` or `]`", &l) ? cedar_parse_from_list(p, CEDAR_OP_SET, &l, from, false)
                                                              : NULL;
    case CEDAR_T_LBRACE:
        return parse_record(p);
    case CEDAR_T_SLOT:
        return cedar_parse_fail(p, p->t, "SlotsInConditionClause", "a slot cannot stand in a condition");
    default:
        return cedar_parse_unexpected(p, "an expression");
    }
}

static const struct cedar_node *parse_method(struct cedar_parser *p, const struct cedar_node *recv,
                                             const struct cedar_token *from)
{
    const struct cedar_token *at = p->t;
    struct cedar_str name = cedar_parse_word(p, p->t++);
    const struct cedar_ext *ext = cedar_ext_find(name);
    struct cedar_parse_list l = { 0 };
    int op = cedar_op_method(name);
    if (!cedar_parse_list_add(p, &l, recv, name, at))
        return NULL;
    if (op >= 0) {
        p->t++;
        if (!expr_list(p, CEDAR_T_RPAREN, "`,` or `)`", &l))
            return NULL;
        if (l.n != cedar_op_method_args(op) + 1)
            return cedar_parse_fail(p, at, "WrongArity", "`%.*s` takes %u argument%s, not %zu", CEDAR_ARG(name),
                                    cedar_op_method_args(op), cedar_op_method_args(op) == 1 ? "" : "s", l.n - 1);
        return cedar_parse_from_list(p, (enum cedar_op)op, &l, from, false);
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

static const struct cedar_node *get_attr(struct cedar_parser *p, const struct cedar_node *recv, struct cedar_str name,
                                         const struct cedar_token *from)
{
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_GET, 1, from);
    struct cedar_parse_list l = { 0 };
    if (!n || !cedar_parse_list_add(p, &l, recv, name, from) || !cedar_parse_names(p, n, &l))
        return NULL;
    n->kids[0] = recv;
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *parse_access(struct cedar_parser *p, const struct cedar_node *e,
                                             const struct cedar_token *from)
{
    struct cedar_str name;
    if (cedar_parse_accept(p, CEDAR_T_DOT)) {
        if (p->t->kind == CEDAR_T_IDENT && p->t[1].kind == CEDAR_T_LPAREN &&
            !cedar_is_reserved(cedar_parse_word(p, p->t)))
            return parse_method(p, e, from);
        return cedar_parse_attr_word(p, &name) ? get_attr(p, e, name, from) : NULL;
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

bool cedar_parse_starts_access(const struct cedar_token *t)
{
    return t->kind == CEDAR_T_DOT || t->kind == CEDAR_T_LBRACK;
}

const struct cedar_node *cedar_parse_member(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    const struct cedar_node *e = parse_primary(p);
    while (e && cedar_parse_starts_access(p->t))
        e = parse_access(p, e, from);
    if (e && p->t->kind == CEDAR_T_LPAREN)
        return cedar_parse_fail(p, p->t, "ExpressionCall", "an expression cannot be called");
    return e;
}
