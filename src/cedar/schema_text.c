/* Schemas in Cedar syntax: text to the unresolved form. */
#include "cedar/lex.h"
#include "cedar/schema_raw.h"

#include <stdio.h>
#include <string.h>

struct reader {
    struct cedar_arena *arena;
    struct cedar_source src;
    const struct cedar_token *t;
    int rc;
    unsigned nesting;
};

static void *fail(struct reader *r, const struct cedar_token *at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
static void *fail(struct reader *r, const struct cedar_token *at, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    r->rc = cedar_error_at(&r->src, at->off, at->len, CEDAR_E_SCHEMA, kind, "%s", msg);
    return NULL;
}

static void *unexpected(struct reader *r, const char *what)
{
    char buf[48];
    fail(r, r->t, "UnexpectedToken", "unexpected %s", cedar_token_text(&r->src, r->t, buf));
    cedar_error_expected(r->src.err, "%s", what);
    return NULL;
}

static void *make(struct reader *r, size_t size)
{
    void *p = cedar_arena_zalloc(r->arena, 1, size);
    if (!p)
        r->rc = cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return p;
}

static struct cedar_str word(const struct reader *r)
{
    return (struct cedar_str){ r->src.text + r->t->off, r->t->len };
}

static bool is_word(const struct reader *r, const char *w)
{
    return r->t->kind == CEDAR_T_IDENT && cedar_str_eq(word(r), cedar_str_c(w));
}

static bool accept(struct reader *r, enum cedar_token_kind kind)
{
    if (r->t->kind != kind)
        return false;
    r->t++;
    return true;
}

static bool accept_word(struct reader *r, const char *w)
{
    if (!is_word(r, w))
        return false;
    r->t++;
    return true;
}

static bool expect(struct reader *r, enum cedar_token_kind kind, const char *what)
{
    return accept(r, kind) || unexpected(r, what) != NULL;
}

static bool string(struct reader *r, struct cedar_str *ret)
{
    if (r->t->kind != CEDAR_T_STRING)
        return unexpected(r, "a string") != NULL;
    r->rc = cedar_unescape(r->arena, &r->src, r->t, CEDAR_E_SCHEMA, ret);
    r->t += !r->rc;
    return !r->rc;
}

/* @builtin: `__cedar` counts as a name like any other, as it does for attributes and actions. */
static bool any_ident(struct reader *r, bool builtin, struct cedar_str *ret)
{
    if (r->t->kind != CEDAR_T_IDENT)
        return unexpected(r, "a name") != NULL;
    *ret = word(r);
    if (cedar_is_reserved(*ret) && !(builtin && cedar_str_eq(*ret, CEDAR_S("__cedar"))))
        return fail(r, r->t, "ReservedIdentifier", "`%.*s` is reserved and cannot be a name", CEDAR_ARG(*ret)) != NULL;
    r->t++;
    return true;
}

static bool ident(struct reader *r, struct cedar_str *ret)
{
    return any_ident(r, false, ret);
}

/* ident ( "::" ident )*; `__cedar` may stand first where @builtin. */
static bool path(struct reader *r, bool builtin, struct cedar_str *ret)
{
    const struct cedar_token *from = r->t;
    struct cedar_str part;
    size_t len = 0;
    for (;;) {
        if (builtin && r->t == from && is_word(r, "__cedar") && r->t[1].kind == CEDAR_T_PATH)
            part = word(r), r->t++;
        else if (!ident(r, &part))
            return false;
        len += part.len;
        if (r->t->kind != CEDAR_T_PATH || r->t[1].kind != CEDAR_T_IDENT)
            break;
        len += 2;
        r->t++;
    }
    char *out = cedar_arena_alloc(r->arena, len + 1);
    if (!out) {
        r->rc = cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
        return false;
    }
    size_t at = 0;
    for (const struct cedar_token *t = from; t < r->t; t++) {
        memcpy(out + at, r->src.text + t->off, t->len);
        at += t->len;
    }
    out[len] = '\0';
    *ret = (struct cedar_str){ out, len };
    return true;
}

static bool annotations(struct reader *r, struct cedar_raw_annots *ret)
{
    struct cedar_annotation *list = NULL;
    size_t n = 0, cap = 0;
    while (accept(r, CEDAR_T_AT)) {
        const struct cedar_token *at = r->t;
        if (n == CEDAR_MAX_ANNOTATIONS)
            return fail(r, r->t, "TooManyAnnotations", "more than %d annotations", CEDAR_MAX_ANNOTATIONS) != NULL;
        if (n == cap) {
            cap = cap ? cap * 4 : 4;
            struct cedar_annotation *bigger = make(r, cap * sizeof *bigger);
            if (!bigger)
                return false;
            if (n)
                memcpy(bigger, list, n * sizeof *list);
            list = bigger;
        }
        struct cedar_annotation *a = &list[n];
        *a = (struct cedar_annotation){ .value = CEDAR_S("") };
        if (r->t->kind != CEDAR_T_IDENT)
            return unexpected(r, "an annotation name") != NULL;
        a->key = word(r);
        r->t++;
        if (accept(r, CEDAR_T_LPAREN)) {
            a->has_value = true;
            if (!string(r, &a->value) || !expect(r, CEDAR_T_RPAREN, "`)`"))
                return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (cedar_str_eq(list[i].key, a->key))
                return fail(r, at, "DuplicateAnnotation", "annotation `%.*s` stands twice", CEDAR_ARG(a->key)) != NULL;
        }
        n++;
    }
    *ret = (struct cedar_raw_annots){ list, n };
    return true;
}

static struct cedar_raw_type *parse_type(struct reader *r);

static bool attr_decl(struct reader *r, struct cedar_raw_attr *a)
{
    if (!annotations(r, &a->annots))
        return false;
    if (r->t->kind == CEDAR_T_STRING ? !string(r, &a->name) : !any_ident(r, true, &a->name))
        return false;
    a->required = !accept(r, CEDAR_T_QUESTION);
    if (!expect(r, CEDAR_T_COLON, a->required ? "`:` or `?`" : "`:`"))
        return false;
    a->type = parse_type(r);
    return a->type != NULL;
}

/* Behind "{" up to and with "}". */
static bool attr_list(struct reader *r, struct cedar_raw_attr **ret)
{
    uint32_t n = 0;
    while (!accept(r, CEDAR_T_RBRACE)) {
        struct cedar_raw_attr *a = make(r, sizeof *a);
        if (!a || !attr_decl(r, a))
            return false;
        a->position = n++;
        *ret = a;
        ret = &a->next;
        if (r->t->kind != CEDAR_T_RBRACE && !expect(r, CEDAR_T_COMMA, "`,` or `}`"))
            return false;
    }
    return true;
}

static struct cedar_raw_type *parse_type(struct reader *r)
{
    struct cedar_raw_type *t = make(r, sizeof *t);
    const struct cedar_token *from = r->t;
    bool ok;
    if (!t)
        return NULL;
    if (r->nesting++ >= CEDAR_MAX_NESTING) {
        fail(r, r->t, "NestingTooDeep", "types nested more than %d deep", CEDAR_MAX_NESTING);
        r->rc = r->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    if (accept(r, CEDAR_T_LBRACE)) {
        t->kind = CEDAR_RAW_RECORD;
        ok = attr_list(r, &t->attrs);
    } else if (is_word(r, "Set") && r->t[1].kind == CEDAR_T_LT) {
        r->t += 2;
        t->kind = CEDAR_RAW_SET;
        t->element = parse_type(r);
        ok = t->element && expect(r, CEDAR_T_GT, "`>`");
    } else if (r->t->kind == CEDAR_T_IDENT) {
        ok = path(r, true, &t->name);
    } else {
        return unexpected(r, "a type");
    }
    r->nesting--;
    t->off = from->off;
    t->len = r->t[-1].off + r->t[-1].len - from->off;
    return ok ? t : NULL;
}

typedef bool read_ref(struct reader *r, struct cedar_raw_ref *ref);

static bool ref_ident(struct reader *r, struct cedar_raw_ref *ref)
{
    return ident(r, &ref->name);
}

static bool ref_path(struct reader *r, struct cedar_raw_ref *ref)
{
    return path(r, false, &ref->name);
}

static bool ref_string(struct reader *r, struct cedar_raw_ref *ref)
{
    return string(r, &ref->id);
}

static bool ref_action_name(struct reader *r, struct cedar_raw_ref *ref)
{
    return r->t->kind == CEDAR_T_STRING ? string(r, &ref->id) : any_ident(r, true, &ref->id);
}

/* name | path "::" string */
static bool ref_action(struct reader *r, struct cedar_raw_ref *ref)
{
    if (r->t->kind == CEDAR_T_STRING)
        return string(r, &ref->id);
    if (!path(r, false, &ref->name))
        return false;
    if (accept(r, CEDAR_T_PATH))
        return string(r, &ref->id);
    if (memchr(ref->name.ptr, ':', ref->name.len))
        return unexpected(r, "`::` and a string") != NULL;
    ref->id = ref->name;
    ref->name = CEDAR_S("");
    return true;
}

static bool one_ref(struct reader *r, read_ref *read, struct cedar_raw_ref ***at)
{
    struct cedar_raw_ref *ref = make(r, sizeof *ref);
    const struct cedar_token *from = r->t;
    if (!ref || !read(r, ref))
        return false;
    ref->off = from->off;
    ref->len = r->t[-1].off + r->t[-1].len - from->off;
    **at = ref;
    *at = &ref->next;
    return true;
}

/* read ( "," read )* without a trailing comma. */
static bool ref_list(struct reader *r, read_ref *read, struct cedar_raw_ref **ret)
{
    do {
        if (!one_ref(r, read, &ret))
            return false;
    } while (accept(r, CEDAR_T_COMMA));
    return true;
}

/* read | "[" list "]" */
static bool ref_or_list(struct reader *r, read_ref *read, bool may_be_empty, struct cedar_raw_ref **ret)
{
    if (!accept(r, CEDAR_T_LBRACK))
        return one_ref(r, read, &ret);
    if (may_be_empty && accept(r, CEDAR_T_RBRACK))
        return true;
    return ref_list(r, read, ret) && expect(r, CEDAR_T_RBRACK, "`,` or `]`");
}

static bool entity_body(struct reader *r, struct cedar_raw_entity *e)
{
    if (accept_word(r, "enum")) {
        e->is_enum = true;
        return expect(r, CEDAR_T_LBRACK, "`[`") && ref_list(r, ref_string, &e->ids) &&
               expect(r, CEDAR_T_RBRACK, "`,` or `]`") && expect(r, CEDAR_T_SEMI, "`;`");
    }
    if (accept_word(r, "in") && !ref_or_list(r, ref_path, true, &e->parents))
        return false;
    bool assign = accept(r, CEDAR_T_ASSIGN);
    if (assign && r->t->kind != CEDAR_T_LBRACE)
        return unexpected(r, "`{`") != NULL;
    if (r->t->kind == CEDAR_T_LBRACE) {
        e->attrs = parse_type(r);
        if (!e->attrs)
            return false;
    }
    if (accept_word(r, "tags")) {
        e->tags = parse_type(r);
        if (!e->tags)
            return false;
    }
    return expect(r, CEDAR_T_SEMI, e->attrs ? "`tags` or `;`" : "`in`, `{`, `tags` or `;`");
}

static bool applies_part(struct reader *r, struct cedar_raw_action *a, unsigned *seen)
{
    const struct cedar_token *at = r->t;
    unsigned bit = is_word(r, "principal") ? 1 : is_word(r, "resource") ? 2 : is_word(r, "context") ? 4 : 0;
    if (!bit)
        return unexpected(r, "`principal`, `resource` or `context`") != NULL;
    if (*seen & bit)
        return fail(r, at, "DuplicateKey", "`%.*s` stands twice", CEDAR_ARG(word(r))) != NULL;
    *seen |= bit;
    r->t++;
    if (!expect(r, CEDAR_T_COLON, "`:`"))
        return false;
    if (bit == 4) {
        if (is_word(r, "Set") && r->t[1].kind == CEDAR_T_LT)
            return unexpected(r, "a record or the name of a record type") != NULL;
        struct cedar_raw_type *t = parse_type(r);
        if (t && t->kind == CEDAR_RAW_NAME)
            t->sort = CEDAR_RAW_COMMON; /* only a common type can be a record here */
        a->context = t;
        return t != NULL;
    }
    return ref_or_list(r, ref_path, false, bit == 1 ? &a->principals : &a->resources);
}

static bool applies_to(struct reader *r, struct cedar_raw_action *a)
{
    const struct cedar_token *at = r->t - 1;
    unsigned seen = 0;
    a->applies = true;
    if (!expect(r, CEDAR_T_LBRACE, "`{`"))
        return false;
    do {
        if (seen && r->t->kind == CEDAR_T_RBRACE)
            break;
        if (!applies_part(r, a, &seen))
            return false;
    } while (accept(r, CEDAR_T_COMMA));
    if (!expect(r, CEDAR_T_RBRACE, "`,` or `}`"))
        return false;
    if ((seen & 3) != 3)
        return fail(r, at, "MissingAppliesTo", "`appliesTo` lacks `%s`", seen & 1 ? "resource" : "principal") != NULL;
    return true;
}

static bool action_body(struct reader *r, struct cedar_raw_action *a)
{
    if (accept_word(r, "in") && !ref_or_list(r, ref_action, false, &a->parents))
        return false;
    if (accept_word(r, "appliesTo") && !applies_to(r, a))
        return false;
    if (accept_word(r, "attributes") && (!expect(r, CEDAR_T_LBRACE, "`{`") || !expect(r, CEDAR_T_RBRACE, "`}`")))
        return false;
    return expect(r, CEDAR_T_SEMI, a->applies ? "`;`" : "`in`, `appliesTo` or `;`");
}

/* Tails of the three lists of a namespace. */
struct tails {
    struct cedar_raw_entity **entity;
    struct cedar_raw_action **action;
    struct cedar_raw_common **common;
};

static bool declaration(struct reader *r, struct tails *tails, const struct cedar_raw_annots *annots)
{
    static const char *const words[] = { "entity", "action", "type", "namespace" };
    if (accept_word(r, "entity")) {
        struct cedar_raw_entity *e = make(r, sizeof *e);
        if (!e || !ref_list(r, ref_ident, &e->names) || !entity_body(r, e))
            return false;
        e->annots = *annots;
        *tails->entity = e;
        tails->entity = &e->next;
        return true;
    }
    if (accept_word(r, "action")) {
        struct cedar_raw_action *a = make(r, sizeof *a);
        if (!a || !ref_list(r, ref_action_name, &a->names) || !action_body(r, a))
            return false;
        a->annots = *annots;
        *tails->action = a;
        tails->action = &a->next;
        return true;
    }
    if (accept_word(r, "type")) {
        struct cedar_raw_common *c = make(r, sizeof *c);
        if (!c)
            return false;
        c->name.off = r->t->off;
        c->name.len = r->t->len;
        if (!ident(r, &c->name.name) || !expect(r, CEDAR_T_ASSIGN, "`=`"))
            return false;
        c->type = parse_type(r);
        if (!c->type || !expect(r, CEDAR_T_SEMI, "`;`"))
            return false;
        c->annots = *annots;
        *tails->common = c;
        tails->common = &c->next;
        return true;
    }
    unexpected(r, "`entity`, `action`, `type` or `namespace`");
    if (r->t->kind == CEDAR_T_IDENT)
        cedar_error_suggest(r->src.err, word(r), words, 4);
    return false;
}

static bool namespace_body(struct reader *r, struct cedar_raw_namespace *ns)
{
    struct tails tails = { &ns->entities, &ns->actions, &ns->commons };
    struct cedar_raw_annots annots;
    ns->name.off = r->t->off;
    if (!path(r, false, &ns->name.name))
        return false;
    ns->name.len = r->t[-1].off + r->t[-1].len - ns->name.off;
    if (!expect(r, CEDAR_T_LBRACE, "`{`"))
        return false;
    while (!accept(r, CEDAR_T_RBRACE)) {
        if (!annotations(r, &annots))
            return false;
        if (r->t->kind == CEDAR_T_END)
            return unexpected(r, "`entity`, `action`, `type` or `}`") != NULL;
        if (!declaration(r, &tails, &annots))
            return false;
    }
    return true;
}

static bool schema(struct reader *r, struct cedar_raw_namespace **ret)
{
    struct cedar_raw_namespace *empty = make(r, sizeof *empty), **tail;
    struct cedar_raw_annots annots;
    if (!empty)
        return false;
    *ret = empty;
    tail = &empty->next;
    empty->name.name = CEDAR_S("");
    struct tails tails = { &empty->entities, &empty->actions, &empty->commons };
    while (r->t->kind != CEDAR_T_END) {
        if (!annotations(r, &annots))
            return false;
        if (!accept_word(r, "namespace")) {
            if (!declaration(r, &tails, &annots))
                return false;
            continue;
        }
        struct cedar_raw_namespace *ns = make(r, sizeof *ns);
        if (!ns || !namespace_body(r, ns))
            return false;
        ns->annots = annots;
        *tail = ns;
        tail = &ns->next;
    }
    return true;
}

int cedar_schema_read_text(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                           struct cedar_raw_namespace **ret)
{
    struct cedar_tokens tokens;
    struct reader r = { .arena = a, .src = *src };
    int rc = cedar_lex(temp, src, CEDAR_E_SCHEMA, &tokens);
    if (rc)
        return rc;
    r.t = tokens.items;
    return schema(&r, ret) ? 0 : r.rc;
}
