/* Names of a schema: the table, and the types they stand for. */
#include "cedar/schema_resolve.h"
#include "cedar/sort.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_DEPTH_MAX = 2 * CEDAR_MAX_NESTING };

void *cedar_resolve_fail(struct cedar_resolver *r, uint32_t off, uint32_t len, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    if (r->src.text)
        r->rc = cedar_error_at(&r->src, off, len, CEDAR_E_SCHEMA, kind, "%s", msg);
    else
        r->rc = cedar_error_set(r->src.err, CEDAR_E_SCHEMA, kind, "%s", msg);
    return NULL;
}

void *cedar_resolve_nomem(struct cedar_resolver *r)
{
    r->rc = cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return NULL;
}

struct cedar_str cedar_resolve_join(struct cedar_resolver *r, struct cedar_str ns, struct cedar_str name)
{
    if (ns.len == 0)
        return name;
    char *p = cedar_arena_alloc(r->arena, ns.len + name.len + 3);
    if (!p) {
        cedar_resolve_nomem(r);
        return (struct cedar_str){ NULL, 0 };
    }
    memcpy(p, ns.ptr, ns.len);
    memcpy(p + ns.len, "::", 2);
    memcpy(p + ns.len + 2, name.ptr, name.len);
    p[ns.len + 2 + name.len] = '\0';
    return (struct cedar_str){ p, ns.len + 2 + name.len };
}

struct cedar_def *cedar_resolve_find(const struct cedar_resolver *r, struct cedar_str ns, struct cedar_str name)
{
    char buf[256];
    struct cedar_str full = name;
    if (ns.len) {
        if (ns.len + name.len + 2 > sizeof buf)
            return NULL;
        memcpy(buf, ns.ptr, ns.len);
        memcpy(buf + ns.len, "::", 2);
        memcpy(buf + ns.len + 2, name.ptr, name.len);
        full = (struct cedar_str){ buf, ns.len + 2 + name.len };
    }
    for (size_t h = cedar_str_hash(0, full) & (r->n_slots - 1); r->slots[h]; h = (h + 1) & (r->n_slots - 1)) {
        if (cedar_str_eq(r->slots[h]->name, full))
            return r->slots[h];
    }
    return NULL;
}

struct cedar_def *cedar_resolve_define(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                       struct cedar_str name, const struct cedar_raw_ref *at)
{
    struct cedar_def *d;
    if (ns->name.name.len + name.len > 240)
        return cedar_resolve_fail(r, at->off, at->len, "NameTooLong", "name is too long");
    d = cedar_resolve_find(r, ns->name.name, name);
    if (d)
        return d;
    d = CEDAR_NEW(r->temp, struct cedar_def);
    struct cedar_str full = cedar_resolve_join(r, ns->name.name, name);
    if (!d || !full.ptr)
        return cedar_resolve_nomem(r);
    d->name = full;
    d->ns = ns;
    size_t h = cedar_str_hash(0, full) & (r->n_slots - 1);
    while (r->slots[h])
        h = (h + 1) & (r->n_slots - 1);
    r->slots[h] = d;
    return d;
}

static const struct cedar_type *builtin(struct cedar_str name)
{
    if (cedar_str_eq(name, CEDAR_S("Long")))
        return &cedar_type_long;
    if (cedar_str_eq(name, CEDAR_S("String")))
        return &cedar_type_string;
    if (cedar_str_eq(name, CEDAR_S("Bool")))
        return &cedar_type_bool;
    int kind = cedar_ext_type_kind(name);
    return kind < 0 ? NULL : cedar_type_extension((unsigned)kind);
}

static const struct cedar_type *entity_type(struct cedar_resolver *r, struct cedar_str name)
{
    struct cedar_type *t = CEDAR_NEW(r->arena, struct cedar_type);
    if (!t)
        return cedar_resolve_nomem(r);
    t->kind = CEDAR_TYPE_ENTITY;
    t->name = name;
    t->depth = 1;
    return t;
}

const struct cedar_type *cedar_resolve_common(struct cedar_resolver *r, struct cedar_def *d)
{
    if (d->state == CEDAR_DEF_OPEN)
        return cedar_resolve_fail(r, d->common->name.off, d->common->name.len, "CommonTypeCycle",
                                  "common type `%.*s` contains itself", CEDAR_ARG(d->name));
    if (d->state == CEDAR_DEF_FRESH) {
        d->state = CEDAR_DEF_OPEN;
        d->type = cedar_resolve_type(r, d->ns, d->common->type);
        d->state = CEDAR_DEF_DONE;
    }
    return d->type;
}

/* Sets *@done when the name stands for something here. */
static const struct cedar_type *try_def(struct cedar_resolver *r, struct cedar_str ns, const struct cedar_raw_type *raw,
                                        bool *done)
{
    struct cedar_def *d = cedar_resolve_find(r, ns, raw->name);
    bool common = raw->sort == CEDAR_RAW_ANY || raw->sort == CEDAR_RAW_COMMON;
    bool entity = raw->sort == CEDAR_RAW_ANY || raw->sort == CEDAR_RAW_ENTITY;
    *done = d && ((common && d->common) || (entity && (d->entity || d->is_action_type)));
    if (!*done)
        return NULL;
    return common && d->common ? cedar_resolve_common(r, d) : entity_type(r, d->name);
}

static void suggest_name(struct cedar_resolver *r, struct cedar_str name)
{
    const char *names[64] = { "Long", "String", "Bool", "ipaddr", "decimal", "datetime", "duration" };
    size_t n = 7;
    for (size_t i = 0; i < r->n_slots && n < 64; i++) {
        if (r->slots[i])
            names[n++] = cedar_name_base(r->slots[i]->name).ptr;
    }
    cedar_error_suggest(r->src.err, name, names, n);
}

static const struct cedar_type *resolve_name(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                             const struct cedar_raw_type *raw)
{
    static const char reserved[] = "__cedar::";
    const size_t n = sizeof reserved - 1;
    const struct cedar_type *t = NULL;
    bool done = false, plain = !memchr(raw->name.ptr, ':', raw->name.len);
    if (raw->name.len > n && memcmp(raw->name.ptr, reserved, n) == 0) {
        t = builtin((struct cedar_str){ raw->name.ptr + n, raw->name.len - n });
    } else if (raw->sort == CEDAR_RAW_EXTENSION) {
        int kind = cedar_ext_type_kind(raw->name);
        t = kind < 0 ? NULL : cedar_type_extension((unsigned)kind);
    } else if (raw->sort == CEDAR_RAW_BUILTIN) {
        t = builtin(raw->name);
    } else {
        if (plain && ns->name.name.len)
            t = try_def(r, ns->name.name, raw, &done);
        if (!done)
            t = try_def(r, CEDAR_S(""), raw, &done);
        if (!done && plain && raw->sort != CEDAR_RAW_ENTITY)
            t = builtin(raw->name);
    }
    if (!t && !r->rc) {
        cedar_resolve_fail(r, raw->off, raw->len, "UnknownType", "unknown type `%.*s`", CEDAR_ARG(raw->name));
        suggest_name(r, raw->name);
    }
    return t;
}

static int by_name(const void *a, const void *b)
{
    const struct cedar_raw_attr *x = *(const struct cedar_raw_attr *const *)a;
    const struct cedar_raw_attr *y = *(const struct cedar_raw_attr *const *)b;
    int c = cedar_str_cmp(x->name, y->name);
    return c ? c : x->position < y->position ? -1 : x->position > y->position;
}

static const struct cedar_type *resolve_record(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                               const struct cedar_raw_type *raw)
{
    size_t n = 0, kept = 0;
    unsigned depth = 0;
    for (const struct cedar_raw_attr *a = raw->attrs; a; a = a->next)
        n++;
    /* Sorted by name and position: of a repeated name the last counts. */
    const struct cedar_raw_attr **order = CEDAR_NEW_N(r->temp, n, const struct cedar_raw_attr *);
    struct cedar_attr *attrs = CEDAR_NEW_N(r->arena, n, struct cedar_attr);
    struct cedar_type *t = CEDAR_NEW(r->arena, struct cedar_type);
    if (!attrs || !t || !order)
        return cedar_resolve_nomem(r);
    n = 0;
    for (const struct cedar_raw_attr *a = raw->attrs; a; a = a->next)
        order[n++] = a;
    cedar_sort(order, n, sizeof *order, by_name);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && cedar_str_eq(order[i]->name, order[i + 1]->name))
            continue;
        const struct cedar_type *at = cedar_resolve_type(r, ns, order[i]->type);
        if (!at)
            return NULL;
        if (at->depth > depth)
            depth = at->depth;
        attrs[kept++] = (struct cedar_attr){ order[i]->name, order[i]->required, at };
    }
    *t = (struct cedar_type){
        .kind = CEDAR_TYPE_RECORD, .depth = (uint16_t)(depth + 1), .attrs = attrs, .n_attrs = kept
    };
    return t;
}

const struct cedar_type *cedar_resolve_type(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                            const struct cedar_raw_type *raw)
{
    const struct cedar_type *t;
    if (r->nesting >= TYPE_DEPTH_MAX) {
        cedar_resolve_fail(r, raw->off, raw->len, "NestingTooDeep", "types nested more than %d deep", TYPE_DEPTH_MAX);
        r->rc = r->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    r->nesting++;
    if (raw->kind == CEDAR_RAW_NAME) {
        t = resolve_name(r, ns, raw);
    } else if (raw->kind == CEDAR_RAW_RECORD) {
        t = resolve_record(r, ns, raw);
    } else {
        const struct cedar_type *element = cedar_resolve_type(r, ns, raw->element);
        struct cedar_type *set = element ? CEDAR_NEW(r->arena, struct cedar_type) : NULL;
        if (element && !set)
            cedar_resolve_nomem(r);
        if (set)
            *set = (struct cedar_type){ .kind = CEDAR_TYPE_SET,
                                        .depth = (uint16_t)(element->depth + 1),
                                        .element = element };
        t = set;
    }
    r->nesting--;
    if (t && t->depth > TYPE_DEPTH_MAX) {
        cedar_resolve_fail(r, raw->off, raw->len, "NestingTooDeep", "types nested more than %d deep", TYPE_DEPTH_MAX);
        r->rc = r->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    return t;
}

const struct cedar_type *cedar_resolve_to_record(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                                 const struct cedar_raw_type *raw, const char *what)
{
    if (!raw)
        return &cedar_type_empty_record;
    const struct cedar_type *t = cedar_resolve_type(r, ns, raw);
    if (t && t->kind != CEDAR_TYPE_RECORD)
        return cedar_resolve_fail(r, raw->off, raw->len, "NotARecord", "%s must be a record", what);
    return t;
}

/* An entity type by reference, or NULL with the error. */
struct cedar_def *cedar_resolve_entity_ref(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                                           const struct cedar_raw_ref *ref)
{
    bool plain = !memchr(ref->name.ptr, ':', ref->name.len);
    struct cedar_def *d = plain && ns->name.name.len ? cedar_resolve_find(r, ns->name.name, ref->name) : NULL;
    if (!d || !d->entity)
        d = cedar_resolve_find(r, CEDAR_S(""), ref->name);
    if (d && d->entity)
        return d;
    cedar_resolve_fail(r, ref->off, ref->len, "UnknownEntityType", "unknown entity type `%.*s`", CEDAR_ARG(ref->name));
    suggest_name(r, ref->name);
    return NULL;
}

size_t cedar_resolve_ref_count(const struct cedar_raw_ref *ref)
{
    size_t n = 0;
    for (; ref; ref = ref->next)
        n++;
    return n;
}
