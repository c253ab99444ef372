/* Operators, by precedence. */
#include "cedar/parse_build.h"

enum { UNARY_MAX = 4 };

static const struct cedar_node *binary(struct cedar_parser *p, enum cedar_op op, const struct cedar_node *l,
                                       const struct cedar_node *r, const struct cedar_token *from)
{
    struct cedar_node *n = cedar_parse_node(p, op, 2, from);
    if (!n)
        return NULL;
    n->kids[0] = l;
    n->kids[1] = r;
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *parse_unary(struct cedar_parser *p)
{
    const struct cedar_token *from = p->t;
    uint8_t kind = p->t->kind;
    unsigned n = 0;
    if (kind != CEDAR_T_BANG && kind != CEDAR_T_MINUS)
        return cedar_parse_member(p);
    while (p->t->kind == kind) {
        if (++n > UNARY_MAX) {
            cedar_parse_fail(p, from, "UnaryOpLimit", "more than %d unary operators in a row", UNARY_MAX);
            return NULL;
        }
        p->t++;
    }
    const struct cedar_node *e;
    if (kind == CEDAR_T_MINUS && p->t->kind == CEDAR_T_INT && !cedar_parse_starts_access(p->t + 1)) {
        e = cedar_parse_int(p, true);
        n--;
        if (e && p->t->kind == CEDAR_T_LPAREN)
            return cedar_parse_fail(p, p->t, "ExpressionCall", "an expression cannot be called");
    } else {
        e = cedar_parse_member(p);
    }
    while (e && n-- > 0) {
        struct cedar_node *u = cedar_parse_node(p, kind == CEDAR_T_BANG ? CEDAR_OP_NOT : CEDAR_OP_NEG, 1, from + n);
        if (!u)
            return NULL;
        u->kids[0] = e;
        e = cedar_parse_seal(p, u);
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

static const struct cedar_node *parse_has(struct cedar_parser *p, const struct cedar_node *l,
                                          const struct cedar_token *from)
{
    struct cedar_parse_list names = { 0 };
    struct cedar_str name;
    if (p->t->kind == CEDAR_T_STRING) {
        if (!cedar_parse_string(p, &name) || !cedar_parse_list_add(p, &names, NULL, name, from))
            return NULL;
    } else {
        do {
            if (!cedar_parse_attr_word(p, &name) || !cedar_parse_list_add(p, &names, NULL, name, from))
                return NULL;
        } while (cedar_parse_accept(p, CEDAR_T_DOT));
    }
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_HAS, 1, from);
    if (!n || !cedar_parse_names(p, n, &names))
        return NULL;
    n->kids[0] = l;
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *parse_like(struct cedar_parser *p, const struct cedar_node *l,
                                           const struct cedar_token *from)
{
    if (p->t->kind != CEDAR_T_STRING) {
        cedar_parse_fail(p, p->t, "InvalidPattern", "`like` needs a pattern literal");
        cedar_error_expected(p->src.err, "a string such as \"*.example\"");
        return NULL;
    }
    struct cedar_pattern *pat = CEDAR_NEW(p->arena, struct cedar_pattern);
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_LIKE, 1, from);
    if (!pat || !n)
        return cedar_parse_nomem(p);
    p->rc = cedar_pattern_decode(p->arena, &p->src, p->t, CEDAR_E_PARSE, pat);
    if (p->rc)
        return NULL;
    p->t++;
    n->kids[0] = l;
    n->pattern = pat;
    return cedar_parse_seal(p, n);
}

static const struct cedar_node *parse_is(struct cedar_parser *p, const struct cedar_node *l,
                                         const struct cedar_token *from)
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
    struct cedar_parse_list names = { 0 };
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_IS, in ? 2 : 1, from);
    if (!n || !cedar_parse_list_add(p, &names, NULL, type, from) || !cedar_parse_names(p, n, &names))
        return NULL;
    n->kids[0] = l;
    if (in)
        n->kids[1] = in;
    return cedar_parse_seal(p, n);
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
static bool chain_start(struct cedar_parser *p, enum cedar_op op, const struct cedar_node *e,
                        struct cedar_parse_list *l, const struct cedar_token *from)
{
    if (e->op != op)
        return cedar_parse_list_add(p, l, e, (struct cedar_str){ 0 }, from);
    for (uint32_t i = 0; i < e->n_kids; i++) {
        if (!cedar_parse_list_add(p, l, e->kids[i], (struct cedar_str){ 0 }, from))
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
    struct cedar_parse_list l = { 0 };
    while (e && cedar_parse_accept(p, is_and ? CEDAR_T_AND : CEDAR_T_OR)) {
        if (l.n == 0 && !chain_start(p, op, e, &l, from))
            return NULL;
        e = is_and ? parse_rel(p) : parse_chain(p, CEDAR_OP_AND);
        if (!e || !cedar_parse_list_add(p, &l, e, (struct cedar_str){ 0 }, from))
            return NULL;
    }
    return e && l.n ? cedar_parse_from_list(p, op, &l, from, false) : e;
}

static const struct cedar_node *parse_if(struct cedar_parser *p)
{
    static const char *const words[] = { NULL, "then", "else" };
    struct cedar_node *n = cedar_parse_node(p, CEDAR_OP_IF, 3, p->t);
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
    return cedar_parse_seal(p, n);
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
