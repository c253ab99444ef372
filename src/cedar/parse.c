/* The parser's common steps, and policies around the expressions. */
#include "cedar/parse.h"

#include <stdio.h>
#include <string.h>

void *cedar_parse_fail(struct cedar_parser *p, const struct cedar_token *at, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    p->rc = cedar_error_at(&p->src, at->off, at->len, CEDAR_E_PARSE, kind, "%s", msg);
    return NULL;
}

void *cedar_parse_nomem(struct cedar_parser *p)
{
    p->rc = cedar_error_set(p->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return NULL;
}

void *cedar_parse_unexpected(struct cedar_parser *p, const char *what)
{
    char buf[48];
    cedar_parse_fail(p, p->t, "UnexpectedToken", "unexpected %s", cedar_token_text(&p->src, p->t, buf));
    cedar_error_expected(p->src.err, "%s", what);
    return NULL;
}

bool cedar_parse_accept(struct cedar_parser *p, enum cedar_token_kind kind)
{
    if (p->t->kind != kind)
        return false;
    p->t++;
    return true;
}

bool cedar_parse_expect(struct cedar_parser *p, enum cedar_token_kind kind, const char *what)
{
    return cedar_parse_accept(p, kind) || cedar_parse_unexpected(p, what) != NULL;
}

struct cedar_str cedar_parse_word(const struct cedar_parser *p, const struct cedar_token *t)
{
    return (struct cedar_str){ p->src.text + t->off, t->len };
}

bool cedar_parse_is_word(const struct cedar_parser *p, const char *word)
{
    return p->t->kind == CEDAR_T_IDENT && cedar_str_eq(cedar_parse_word(p, p->t), cedar_str_c(word));
}

bool cedar_parse_string(struct cedar_parser *p, struct cedar_str *ret)
{
    if (p->t->kind != CEDAR_T_STRING)
        return cedar_parse_unexpected(p, "a string literal") != NULL;
    p->rc = cedar_unescape(p->arena, &p->src, p->t, CEDAR_E_PARSE, ret);
    if (p->rc)
        return false;
    p->t++;
    return true;
}

bool cedar_parse_path(struct cedar_parser *p, struct cedar_str *ret)
{
    const struct cedar_token *from = p->t;
    size_t len = 0;
    for (;;) {
        if (p->t->kind != CEDAR_T_IDENT)
            return cedar_parse_unexpected(p, "a name") != NULL;
        struct cedar_str w = cedar_parse_word(p, p->t);
        if (cedar_is_reserved(w)) {
            bool ns = cedar_str_eq(w, CEDAR_S("__cedar"));
            return cedar_parse_fail(p, p->t, ns ? "ReservedNamespace" : "ReservedIdentifier",
                                    "`%.*s` is reserved and cannot be a name", CEDAR_ARG(w)) != NULL;
        }
        len += w.len;
        p->t++;
        if (p->t->kind != CEDAR_T_PATH || p->t[1].kind != CEDAR_T_IDENT)
            break;
        len += 2;
        p->t++;
    }
    char *out = cedar_arena_alloc(p->arena, len + 1);
    if (!out)
        return cedar_parse_nomem(p) != NULL;
    size_t at = 0;
    for (const struct cedar_token *t = from; t < p->t; t++) {
        memcpy(out + at, p->src.text + t->off, t->len);
        at += t->len;
    }
    out[len] = '\0';
    *ret = (struct cedar_str){ out, len };
    return true;
}

bool cedar_parse_uid(struct cedar_parser *p, struct cedar_uid *ret)
{
    struct cedar_str type, id;
    const struct cedar_token *from = p->t;
    if (!cedar_parse_path(p, &type))
        return false;
    if (p->t->kind == CEDAR_T_PATH && p->t[1].kind == CEDAR_T_LBRACE)
        return cedar_parse_fail(p, from, "InvalidEntityLiteral", "entity literal with braces") != NULL;
    if (p->t->kind != CEDAR_T_PATH) {
        cedar_parse_fail(p, from, "WrongEntityArgument", "`%.*s` is not an entity", CEDAR_ARG(type));
        cedar_error_expected(p->src.err, "%.*s::\"id\"", CEDAR_ARG(type));
        return false;
    }
    p->t++;
    if (!cedar_parse_string(p, &id))
        return false;
    *ret = cedar_uid_make(type, id);
    return true;
}

bool cedar_parse_enter(struct cedar_parser *p)
{
    if (p->nesting >= CEDAR_MAX_NESTING) {
        cedar_parse_fail(p, p->t, "NestingTooDeep", "nested more than %d deep", CEDAR_MAX_NESTING);
        p->rc = p->src.err->code = CEDAR_E_LIMIT;
        return false;
    }
    p->nesting++;
    return true;
}

bool cedar_parser_init(struct cedar_parser *p, struct cedar_arena *arena, struct cedar_arena *temp, const char *text,
                       size_t len, struct cedar_error *err)
{
    struct cedar_tokens tokens;
    *p = (struct cedar_parser){ .arena = arena, .temp = temp, .src = { text, len, err } };
    p->rc = cedar_lex(temp, &p->src, CEDAR_E_PARSE, &tokens);
    if (p->rc)
        return false;
    p->t = tokens.items;
    return true;
}

static bool parse_annotations(struct cedar_parser *p, struct cedar_policy *pol)
{
    size_t n = 0;
    const struct cedar_token *t = p->t;
    for (; t->kind == CEDAR_T_AT; n++) /* an upper bound for the list */
        t += t[1].kind != CEDAR_T_IDENT                                   ? 1
             : t[2].kind != CEDAR_T_LPAREN || t[3].kind != CEDAR_T_STRING ? 2
             : t[4].kind == CEDAR_T_RPAREN                                ? 5
                                                                          : 4;
    if (n > CEDAR_MAX_ANNOTATIONS) {
        cedar_parse_fail(p, p->t, "TooManyAnnotations", "more than %d annotations", CEDAR_MAX_ANNOTATIONS);
        p->rc = p->src.err->code = CEDAR_E_LIMIT;
        return false;
    }
    struct cedar_annotation *list = CEDAR_NEW_N(p->arena, n, struct cedar_annotation);
    if (!list)
        return cedar_parse_nomem(p) != NULL;
    pol->annots = list;
    while (cedar_parse_accept(p, CEDAR_T_AT)) {
        struct cedar_annotation *a = &list[pol->n_annots];
        const struct cedar_token *at = p->t;
        if (p->t->kind != CEDAR_T_IDENT)
            return cedar_parse_unexpected(p, "an annotation name") != NULL;
        a->key = cedar_arena_str(p->arena, cedar_parse_word(p, p->t++));
        if (!a->key.ptr)
            return cedar_parse_nomem(p) != NULL;
        a->value = CEDAR_S("");
        if (cedar_parse_accept(p, CEDAR_T_LPAREN)) {
            a->has_value = true;
            if (!cedar_parse_string(p, &a->value) || !cedar_parse_expect(p, CEDAR_T_RPAREN, "`)`"))
                return false;
        }
        for (size_t i = 0; i < pol->n_annots; i++) {
            if (cedar_str_eq(list[i].key, a->key))
                return cedar_parse_fail(p, at, "DuplicateAnnotation", "annotation `%.*s` stands twice",
                                        CEDAR_ARG(a->key)) != NULL;
        }
        pol->n_annots++;
    }
    return true;
}

/* The right side of == or in: an entity or the slot of this place, parentheses allowed. */
static bool scope_entity(struct cedar_parser *p, const char *var, struct cedar_scope *s)
{
    if (p->t->kind == CEDAR_T_LPAREN) {
        if (!cedar_parse_enter(p))
            return false;
        p->t++;
        bool ok = scope_entity(p, var, s) && cedar_parse_expect(p, CEDAR_T_RPAREN, "`)`");
        p->nesting--;
        return ok;
    }
    if (p->t->kind == CEDAR_T_SLOT) {
        struct cedar_str slot = cedar_parse_word(p, p->t);
        if (!cedar_str_eq((struct cedar_str){ slot.ptr + 1, slot.len - 1 }, cedar_str_c(var)) ||
            strcmp(var, "action") == 0) {
            cedar_parse_fail(p, p->t, "InvalidSlot", "slot `%.*s` cannot stand here", CEDAR_ARG(slot));
            if (strcmp(var, "action") != 0)
                cedar_error_expected(p->src.err, "?%s or an entity", var);
            return false;
        }
        p->t++;
        s->slot = true;
        return true;
    }
    if (p->t->kind == CEDAR_T_LBRACK) {
        cedar_parse_fail(p, p->t, "WrongEntityArgument", "a set of entities cannot stand here");
        cedar_error_expected(p->src.err, "one entity such as User::\"alice\"");
        return false;
    }
    if (p->t->kind != CEDAR_T_IDENT) {
        cedar_parse_fail(p, p->t, "WrongEntityArgument", "not an entity");
        cedar_error_expected(p->src.err, "an entity such as User::\"alice\"");
        return false;
    }
    struct cedar_uid *u = CEDAR_NEW(p->arena, struct cedar_uid);
    if (!u)
        return cedar_parse_nomem(p) != NULL;
    s->uids = u;
    s->n_uids = 1;
    return cedar_parse_uid(p, u);
}

static bool scope_is(struct cedar_parser *p, const char *var, struct cedar_scope *s)
{
    s->kind = CEDAR_SCOPE_IS;
    if (p->t->kind != CEDAR_T_IDENT)
        return cedar_parse_fail(p, p->t, "InvalidIsType", "`is` needs an entity type name") != NULL;
    if (!cedar_parse_path(p, &s->type))
        return false;
    if (p->t->kind == CEDAR_T_PATH)
        return cedar_parse_fail(p, p->t, "InvalidIsType", "`is` needs an entity type name, not an entity") != NULL;
    if (p->t->kind == CEDAR_T_EQ)
        return cedar_parse_fail(p, p->t, "IsWithEq", "`is` cannot be followed by `==`") != NULL;
    if (!cedar_parse_is_word(p, "in"))
        return true;
    p->t++;
    s->kind = CEDAR_SCOPE_IS_IN;
    return scope_entity(p, var, s);
}

static bool bad_scope_operator(struct cedar_parser *p, const char *var)
{
    bool action = strcmp(var, "action") == 0;
    if (p->t->kind == CEDAR_T_COLON)
        return cedar_parse_fail(p, p->t, "TypeConstraints", "type constraints use `is`, not `:`") != NULL;
    cedar_parse_fail(p, p->t, action ? "InvalidActionScopeOperator" : "InvalidScopeOperator",
                     "this operator cannot stand in the scope");
    cedar_error_expected(p->src.err, action ? "`==` or `in`" : "`==`, `in` or `is`");
    return false;
}

/* Anything that could be meant as an operator after a scope variable. */
static bool at_operator(const struct cedar_parser *p)
{
    return p->t->kind == CEDAR_T_COLON || p->t->kind == CEDAR_T_ASSIGN ||
           (p->t->kind >= CEDAR_T_NE && p->t->kind <= CEDAR_T_BANG) || cedar_parse_is_word(p, "has") ||
           cedar_parse_is_word(p, "like");
}

static bool parse_scope(struct cedar_parser *p, const char *var, struct cedar_scope *s)
{
    const struct cedar_token *from = p->t++;
    bool ok = true;
    s->off = from->off;
    if (cedar_parse_accept(p, CEDAR_T_EQ)) {
        s->kind = CEDAR_SCOPE_EQ;
        ok = scope_entity(p, var, s);
    } else if (cedar_parse_is_word(p, "in")) {
        p->t++;
        s->kind = CEDAR_SCOPE_IN;
        ok = scope_entity(p, var, s);
        if (ok && cedar_parse_is_word(p, "is"))
            return cedar_parse_fail(p, p->t, "InvertedIsIn", "`is` comes before `in`") != NULL;
    } else if (cedar_parse_is_word(p, "is")) {
        p->t++;
        ok = scope_is(p, var, s);
    } else if (at_operator(p)) {
        return bad_scope_operator(p, var);
    }
    s->len = p->t[-1].off + p->t[-1].len - s->off;
    return ok;
}

static bool action_type_ok(struct cedar_parser *p, const struct cedar_uid *u, const struct cedar_token *at)
{
    if (cedar_str_eq(cedar_name_base(u->type), CEDAR_S("Action")))
        return true;
    cedar_parse_fail(p, at, "InvalidActionType", "`%.*s` is not an action type", CEDAR_ARG(u->type));
    cedar_error_expected(p->src.err, "a type whose last part is `Action`, e.g. Action::\"%.*s\"", CEDAR_ARG(u->id));
    return false;
}

static bool action_list(struct cedar_parser *p, struct cedar_scope *s)
{
    size_t cap = 0, depth = 0;
    for (const struct cedar_token *t = p->t; t->kind != CEDAR_T_END; t++) { /* an upper bound: commas */
        depth += t->kind == CEDAR_T_LBRACK;
        cap += t->kind == CEDAR_T_COMMA;
        if (t->kind == CEDAR_T_RBRACK && --depth == 0)
            break;
    }
    struct cedar_uid *list = CEDAR_NEW_N(p->arena, cap + 1, struct cedar_uid);
    if (!list)
        return cedar_parse_nomem(p) != NULL;
    s->kind = CEDAR_SCOPE_IN_LIST;
    s->uids = list;
    p->t++;
    while (!cedar_parse_accept(p, CEDAR_T_RBRACK)) {
        const struct cedar_token *at = p->t;
        if (p->t->kind == CEDAR_T_SLOT)
            return cedar_parse_fail(p, p->t, "InvalidSlot", "a slot cannot stand here") != NULL;
        if (!cedar_parse_uid(p, &list[s->n_uids]) || !action_type_ok(p, &list[s->n_uids], at))
            return false;
        s->n_uids++;
        if (p->t->kind != CEDAR_T_RBRACK && !cedar_parse_expect(p, CEDAR_T_COMMA, "`,` or `]`"))
            return false;
    }
    return true;
}

static bool parse_action_scope(struct cedar_parser *p, struct cedar_scope *s)
{
    if (p->t[1].kind == CEDAR_T_IDENT && cedar_str_eq(cedar_parse_word(p, p->t + 1), CEDAR_S("is")))
        return cedar_parse_fail(p, p->t + 1, "IsInActionScope", "`is` cannot stand in the action scope") != NULL;
    if (p->t[1].kind == CEDAR_T_IDENT && cedar_str_eq(cedar_parse_word(p, p->t + 1), CEDAR_S("in")) &&
        p->t[2].kind == CEDAR_T_LBRACK) {
        s->off = p->t->off;
        p->t += 2;
        if (!action_list(p, s))
            return false;
        s->len = p->t[-1].off + p->t[-1].len - s->off;
        return true;
    }
    const struct cedar_token *at = p->t;
    if (!parse_scope(p, "action", s))
        return false;
    return s->n_uids == 0 || action_type_ok(p, s->uids, at + 2);
}

static bool parse_scopes(struct cedar_parser *p, struct cedar_policy *pol)
{
    static const char *const vars[] = { "principal", "action", "resource" };
    struct cedar_scope *scopes[] = { &pol->principal, &pol->action, &pol->resource };
    if (!cedar_parse_expect(p, CEDAR_T_LPAREN, "`(`"))
        return false;
    for (int i = 0; i < 3; i++) {
        if (p->t->kind == CEDAR_T_RPAREN)
            return cedar_parse_fail(p, p->t, "MissingScopeVariable", "the scope lacks `%s`", vars[i]) != NULL;
        if (!cedar_parse_is_word(p, vars[i])) {
            if (p->t->kind != CEDAR_T_IDENT)
                return cedar_parse_unexpected(p, vars[i]) != NULL;
            struct cedar_str w = cedar_parse_word(p, p->t);
            cedar_parse_fail(p, p->t, "IncorrectVariable", "`%.*s` cannot stand here", CEDAR_ARG(w));
            cedar_error_expected(p->src.err, "`%s`", vars[i]);
            cedar_error_suggest(p->src.err, w, &vars[i], 1);
            return false;
        }
        if (i == 1 ? !parse_action_scope(p, scopes[i]) : !parse_scope(p, vars[i], scopes[i]))
            return false;
        if (p->t->kind != CEDAR_T_RPAREN && !cedar_parse_expect(p, CEDAR_T_COMMA, i < 2 ? "`,`" : "`)`"))
            return false;
    }
    if (p->t->kind != CEDAR_T_RPAREN)
        return cedar_parse_fail(p, p->t, "ExtraScopeElement", "the scope has more than principal, action, resource") !=
               NULL;
    p->t++;
    pol->is_template = pol->principal.slot || pol->resource.slot;
    return true;
}

static bool parse_conds(struct cedar_parser *p, struct cedar_policy *pol)
{
    struct cedar_cond *list = NULL;
    size_t cap = 0;
    static const char *const words[] = { "when", "unless" };
    while (p->t->kind == CEDAR_T_IDENT) {
        bool unless = cedar_parse_is_word(p, "unless");
        if (!unless && !cedar_parse_is_word(p, "when")) {
            struct cedar_str w = cedar_parse_word(p, p->t);
            cedar_parse_fail(p, p->t, "InvalidCondition", "`%.*s` is not a condition", CEDAR_ARG(w));
            cedar_error_expected(p->src.err, "`when`, `unless` or `;`");
            cedar_error_suggest(p->src.err, w, words, 2);
            return false;
        }
        p->t++;
        if (!cedar_parse_expect(p, CEDAR_T_LBRACE, "`{`"))
            return false;
        if (p->t->kind == CEDAR_T_RBRACE)
            return cedar_parse_fail(p, p->t, "EmptyClause", "the condition is empty") != NULL;
        const struct cedar_node *e = cedar_parse_expr(p);
        if (!e || !cedar_parse_expect(p, CEDAR_T_RBRACE, "`}` or an operator"))
            return false;
        if (pol->n_conds == cap) {
            size_t more = cap ? cap * 2 : 2;
            struct cedar_cond *bigger = CEDAR_NEW_N(p->arena, more, struct cedar_cond);
            if (!bigger)
                return cedar_parse_nomem(p) != NULL;
            if (cap)
                memcpy(bigger, list, cap * sizeof *list);
            list = bigger;
            cap = more;
        }
        list[pol->n_conds++] = (struct cedar_cond){ unless, e };
    }
    pol->conds = list;
    return true;
}

bool cedar_parse_policy(struct cedar_parser *p, struct cedar_policy *ret)
{
    static const char *const effects[] = { "permit", "forbid" };
    *ret = (struct cedar_policy){ .off = p->t->off, .template_index = SIZE_MAX };
    if (!parse_annotations(p, ret))
        return false;
    if (p->t->kind != CEDAR_T_IDENT)
        return cedar_parse_unexpected(p, "`permit`, `forbid` or an annotation") != NULL;
    if (!cedar_parse_is_word(p, "permit") && !cedar_parse_is_word(p, "forbid")) {
        struct cedar_str w = cedar_parse_word(p, p->t);
        cedar_parse_fail(p, p->t, "InvalidEffect", "`%.*s` is not an effect", CEDAR_ARG(w));
        cedar_error_expected(p->src.err, "`permit` or `forbid`");
        cedar_error_suggest(p->src.err, w, effects, 2);
        return false;
    }
    ret->effect = cedar_parse_is_word(p, "permit") ? CEDAR_PERMIT : CEDAR_FORBID;
    p->t++;
    if (!parse_scopes(p, ret) || !parse_conds(p, ret))
        return false;
    if (!cedar_parse_expect(p, CEDAR_T_SEMI, "`;`, `when` or `unless`"))
        return false;
    ret->len = p->t[-1].off + p->t[-1].len - ret->off;
    return true;
}
