/* Names of a schema to what they stand for, with every rule about definitions. */
#include "cedar/schema.h"
#include "cedar/schema_raw.h"
#include "cedar/sort.h"

#include <stdio.h>
#include <string.h>

enum { TYPE_DEPTH_MAX = 2 * CEDAR_MAX_NESTING };
enum { FRESH, OPEN, DONE };

/* All that a full name stands for. */
struct def {
    struct cedar_str name;
    const struct cedar_raw_common *common;
    const struct cedar_raw_namespace *ns;
    uint8_t state; /* of the common type */
    const struct cedar_type *type;
    const struct cedar_raw_entity *entity;
    uint32_t etype;
    bool is_action_type;
};

struct resolver {
    struct cedar_schema *s;
    struct cedar_arena *arena, *temp;
    struct cedar_source src;
    const struct cedar_raw_namespace *raw;
    struct def **slots;
    size_t n_slots, n_defs;
    int rc;
    unsigned nesting;
};

static void *fail(struct resolver *r, uint32_t off, uint32_t len, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
static void *fail(struct resolver *r, uint32_t off, uint32_t len, const char *kind, const char *fmt, ...)
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

static void *nomem(struct resolver *r)
{
    r->rc = cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    return NULL;
}

static struct cedar_str join(struct resolver *r, struct cedar_str ns, struct cedar_str name)
{
    if (ns.len == 0)
        return name;
    char *p = cedar_arena_alloc(r->arena, ns.len + name.len + 3);
    if (!p) {
        nomem(r);
        return (struct cedar_str){ NULL, 0 };
    }
    memcpy(p, ns.ptr, ns.len);
    memcpy(p + ns.len, "::", 2);
    memcpy(p + ns.len + 2, name.ptr, name.len);
    p[ns.len + 2 + name.len] = '\0';
    return (struct cedar_str){ p, ns.len + 2 + name.len };
}

static struct def *find(const struct resolver *r, struct cedar_str ns, struct cedar_str name)
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

static struct def *define(struct resolver *r, const struct cedar_raw_namespace *ns, struct cedar_str name,
                          const struct cedar_raw_ref *at)
{
    struct def *d;
    if (ns->name.name.len + name.len > 240)
        return fail(r, at->off, at->len, "NameTooLong", "name is too long");
    d = find(r, ns->name.name, name);
    if (d)
        return d;
    d = CEDAR_NEW(r->temp, struct def);
    struct cedar_str full = join(r, ns->name.name, name);
    if (!d || !full.ptr)
        return nomem(r);
    d->name = full;
    d->ns = ns;
    size_t h = cedar_str_hash(0, full) & (r->n_slots - 1);
    while (r->slots[h])
        h = (h + 1) & (r->n_slots - 1);
    r->slots[h] = d;
    return d;
}

static bool reserved_common(struct cedar_str s)
{
    static const char *const words[] = { "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String" };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (cedar_str_eq(s, cedar_str_c(words[i])))
            return true;
    }
    return false;
}

/* A name of the empty namespace may not come again in another one. */
static bool shadows(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_ref *name)
{
    const struct def *d = ns->name.name.len ? find(r, CEDAR_S(""), name->name) : NULL;
    if (!d || (!d->common && !d->entity))
        return false;
    fail(r, name->off, name->len, "TypeShadowing", "`%.*s` shadows the definition in the empty namespace",
         CEDAR_ARG(name->name));
    return true;
}

static bool collect_entity(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_entity *e)
{
    for (const struct cedar_raw_ref *n = e->names; n; n = n->next) {
        if (cedar_str_eq(n->name, CEDAR_S("Action")))
            return fail(r, n->off, n->len, "ReservedName", "`Action` cannot be an entity type") != NULL;
        struct def *d = define(r, ns, n->name, n);
        if (!d)
            return false;
        if (d->entity)
            return fail(r, n->off, n->len, "DuplicateEntityType", "entity type `%.*s` is declared twice",
                        CEDAR_ARG(d->name)) != NULL;
        d->entity = e;
        r->s->n_etypes++;
    }
    return true;
}

static bool collect_common(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_common *c)
{
    const struct cedar_raw_ref *n = &c->name;
    if (reserved_common(n->name))
        return fail(r, n->off, n->len, "ReservedName", "`%.*s` is the name of a built-in type", CEDAR_ARG(n->name)) !=
               NULL;
    struct def *d = define(r, ns, n->name, n);
    if (!d)
        return false;
    if (d->common)
        return fail(r, n->off, n->len, "DuplicateCommonType", "common type `%.*s` is declared twice",
                    CEDAR_ARG(d->name)) != NULL;
    d->common = c;
    return true;
}

static bool collect(struct resolver *r, const struct cedar_raw_namespace *ns)
{
    for (const struct cedar_raw_entity *e = ns->entities; e; e = e->next) {
        if (!collect_entity(r, ns, e))
            return false;
    }
    for (const struct cedar_raw_common *c = ns->commons; c; c = c->next) {
        if (!collect_common(r, ns, c))
            return false;
    }
    for (const struct cedar_raw_action *a = ns->actions; a; a = a->next) {
        struct def *d = define(r, ns, CEDAR_S("Action"), a->names);
        if (!d)
            return false;
        d->is_action_type = true;
        for (const struct cedar_raw_ref *n = a->names; n; n = n->next)
            r->s->n_actions++;
    }
    return true;
}

static bool check_shadowing(struct resolver *r)
{
    for (const struct cedar_raw_namespace *ns = r->raw; ns; ns = ns->next) {
        for (const struct cedar_raw_entity *e = ns->entities; e; e = e->next) {
            for (const struct cedar_raw_ref *n = e->names; n; n = n->next) {
                if (shadows(r, ns, n))
                    return false;
            }
        }
        for (const struct cedar_raw_common *c = ns->commons; c; c = c->next) {
            if (shadows(r, ns, &c->name))
                return false;
        }
    }
    return true;
}

/* Room for every definition, and one namespace each. */
static bool prepare(struct resolver *r)
{
    size_t n = 8;
    for (const struct cedar_raw_namespace *ns = r->raw; ns; ns = ns->next) {
        n++;
        for (const struct cedar_raw_namespace *o = r->raw; o != ns; o = o->next) {
            if (cedar_str_eq(o->name.name, ns->name.name))
                return fail(r, ns->name.off, ns->name.len, "DuplicateNamespace", "namespace `%.*s` stands twice",
                            CEDAR_ARG(ns->name.name)) != NULL;
        }
        for (const struct cedar_raw_entity *e = ns->entities; e; e = e->next) {
            for (const struct cedar_raw_ref *x = e->names; x; x = x->next)
                n++;
        }
        for (const struct cedar_raw_common *c = ns->commons; c; c = c->next)
            n++;
    }
    for (r->n_slots = 16; r->n_slots < 2 * n;)
        r->n_slots *= 2;
    r->slots = CEDAR_NEW_N(r->temp, r->n_slots, struct def *);
    return r->slots || nomem(r) != NULL;
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

static const struct cedar_type *entity_type(struct resolver *r, struct cedar_str name)
{
    struct cedar_type *t = CEDAR_NEW(r->arena, struct cedar_type);
    if (!t)
        return nomem(r);
    t->kind = CEDAR_TYPE_ENTITY;
    t->name = name;
    t->depth = 1;
    return t;
}

static const struct cedar_type *resolve_type(struct resolver *r, const struct cedar_raw_namespace *ns,
                                             const struct cedar_raw_type *raw);

static const struct cedar_type *resolve_common(struct resolver *r, struct def *d)
{
    if (d->state == OPEN)
        return fail(r, d->common->name.off, d->common->name.len, "CommonTypeCycle", "common type `%.*s` contains itself",
                    CEDAR_ARG(d->name));
    if (d->state == FRESH) {
        d->state = OPEN;
        d->type = resolve_type(r, d->ns, d->common->type);
        d->state = DONE;
    }
    return d->type;
}

/* Sets *@done when the name stands for something here. */
static const struct cedar_type *try_def(struct resolver *r, struct cedar_str ns, const struct cedar_raw_type *raw,
                                        bool *done)
{
    struct def *d = find(r, ns, raw->name);
    bool common = raw->sort == CEDAR_RAW_ANY || raw->sort == CEDAR_RAW_COMMON;
    bool entity = raw->sort == CEDAR_RAW_ANY || raw->sort == CEDAR_RAW_ENTITY;
    *done = d && ((common && d->common) || (entity && (d->entity || d->is_action_type)));
    if (!*done)
        return NULL;
    return common && d->common ? resolve_common(r, d) : entity_type(r, d->name);
}

static void suggest_name(struct resolver *r, struct cedar_str name)
{
    const char *names[64] = { "Long", "String", "Bool", "ipaddr", "decimal", "datetime", "duration" };
    size_t n = 7;
    for (size_t i = 0; i < r->n_slots && n < 64; i++) {
        if (r->slots[i])
            names[n++] = cedar_name_base(r->slots[i]->name).ptr;
    }
    cedar_error_suggest(r->src.err, name, names, n);
}

static const struct cedar_type *resolve_name(struct resolver *r, const struct cedar_raw_namespace *ns,
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
        fail(r, raw->off, raw->len, "UnknownType", "unknown type `%.*s`", CEDAR_ARG(raw->name));
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

static const struct cedar_type *resolve_record(struct resolver *r, const struct cedar_raw_namespace *ns,
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
        return nomem(r);
    n = 0;
    for (const struct cedar_raw_attr *a = raw->attrs; a; a = a->next)
        order[n++] = a;
    cedar_sort(order, n, sizeof *order, by_name);
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && cedar_str_eq(order[i]->name, order[i + 1]->name))
            continue;
        const struct cedar_type *at = resolve_type(r, ns, order[i]->type);
        if (!at)
            return NULL;
        if (at->depth > depth)
            depth = at->depth;
        attrs[kept++] = (struct cedar_attr){ order[i]->name, order[i]->required, at };
    }
    *t = (struct cedar_type){ .kind = CEDAR_TYPE_RECORD, .depth = (uint16_t)(depth + 1), .attrs = attrs, .n_attrs = kept };
    return t;
}

static const struct cedar_type *resolve_type(struct resolver *r, const struct cedar_raw_namespace *ns,
                                             const struct cedar_raw_type *raw)
{
    const struct cedar_type *t;
    if (r->nesting >= TYPE_DEPTH_MAX) {
        fail(r, raw->off, raw->len, "NestingTooDeep", "types nested more than %d deep", TYPE_DEPTH_MAX);
        r->rc = r->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    r->nesting++;
    if (raw->kind == CEDAR_RAW_NAME) {
        t = resolve_name(r, ns, raw);
    } else if (raw->kind == CEDAR_RAW_RECORD) {
        t = resolve_record(r, ns, raw);
    } else {
        const struct cedar_type *element = resolve_type(r, ns, raw->element);
        struct cedar_type *set = element ? CEDAR_NEW(r->arena, struct cedar_type) : NULL;
        if (element && !set)
            nomem(r);
        if (set)
            *set = (struct cedar_type){ .kind = CEDAR_TYPE_SET, .depth = (uint16_t)(element->depth + 1), .element = element };
        t = set;
    }
    r->nesting--;
    if (t && t->depth > TYPE_DEPTH_MAX) {
        fail(r, raw->off, raw->len, "NestingTooDeep", "types nested more than %d deep", TYPE_DEPTH_MAX);
        r->rc = r->src.err->code = CEDAR_E_LIMIT;
        return NULL;
    }
    return t;
}

static const struct cedar_type *resolve_to_record(struct resolver *r, const struct cedar_raw_namespace *ns,
                                                  const struct cedar_raw_type *raw, const char *what)
{
    if (!raw)
        return &cedar_type_empty_record;
    const struct cedar_type *t = resolve_type(r, ns, raw);
    if (t && t->kind != CEDAR_TYPE_RECORD)
        return fail(r, raw->off, raw->len, "NotARecord", "%s must be a record", what);
    return t;
}

/* An entity type by reference, or NULL with the error. */
static struct def *entity_ref(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_ref *ref)
{
    bool plain = !memchr(ref->name.ptr, ':', ref->name.len);
    struct def *d = plain && ns->name.name.len ? find(r, ns->name.name, ref->name) : NULL;
    if (!d || !d->entity)
        d = find(r, CEDAR_S(""), ref->name);
    if (d && d->entity)
        return d;
    fail(r, ref->off, ref->len, "UnknownEntityType", "unknown entity type `%.*s`", CEDAR_ARG(ref->name));
    suggest_name(r, ref->name);
    return NULL;
}

static size_t ref_count(const struct cedar_raw_ref *ref)
{
    size_t n = 0;
    for (; ref; ref = ref->next)
        n++;
    return n;
}

static bool fill_etype(struct resolver *r, const struct def *d, struct cedar_etype *t)
{
    const struct cedar_raw_entity *e = d->entity;
    struct cedar_str *parents = CEDAR_NEW_N(r->arena, ref_count(e->parents), struct cedar_str);
    struct cedar_str *ids = CEDAR_NEW_N(r->arena, ref_count(e->ids), struct cedar_str);
    if (!parents || !ids)
        return nomem(r) != NULL;
    t->parents = parents;
    t->ids = ids;
    t->is_enum = e->is_enum;
    for (const struct cedar_raw_ref *p = e->parents; p; p = p->next) {
        const struct def *pd = entity_ref(r, d->ns, p);
        if (!pd)
            return false;
        parents[t->n_parents++] = pd->name;
    }
    for (const struct cedar_raw_ref *id = e->ids; id; id = id->next)
        ids[t->n_ids++] = id->id;
    t->attrs = resolve_to_record(r, d->ns, e->attrs, "the attributes of an entity type");
    t->tags = e->tags ? resolve_type(r, d->ns, e->tags) : NULL;
    return t->attrs && (t->tags || !e->tags);
}

static int by_etype_name(const void *a, const void *b)
{
    return cedar_str_cmp(((const struct cedar_etype *)a)->name, ((const struct cedar_etype *)b)->name);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)*(const void *const *)a, y = (uintptr_t)*(const void *const *)b;
    return x < y ? -1 : x > y;
}

/* Everything reachable through parents. */
static bool etype_ancestors(struct resolver *r, struct cedar_etype *t, uint8_t *seen, const struct cedar_etype **queue)
{
    size_t n = 0;
    memset(seen, 0, r->s->n_etypes);
    for (size_t i = 0; i <= n; i++) {
        const struct cedar_etype *at = i == 0 ? t : queue[i - 1];
        for (size_t k = 0; k < at->n_parents; k++) {
            const struct cedar_etype *p = cedar_schema_etype(r->s, at->parents[k]);
            size_t index = (size_t)(p - r->s->etypes);
            if (seen[index])
                continue;
            seen[index] = 1;
            queue[n++] = p;
        }
    }
    t->ancestors = CEDAR_NEW_N(r->arena, n, const struct cedar_etype *);
    if (!t->ancestors)
        return nomem(r) != NULL;
    memcpy(t->ancestors, queue, n * sizeof *queue);
    cedar_sort(t->ancestors, n, sizeof *queue, by_address);
    t->n_ancestors = n;
    return true;
}

static bool resolve_entities(struct resolver *r)
{
    struct cedar_schema *s = r->s;
    size_t n = 0;
    s->etypes = CEDAR_NEW_N(r->arena, s->n_etypes, struct cedar_etype);
    const struct cedar_etype **queue = CEDAR_NEW_N(r->temp, s->n_etypes, const struct cedar_etype *);
    uint8_t *seen = CEDAR_NEW_N(r->temp, s->n_etypes, uint8_t);
    if (!s->etypes || !queue || !seen)
        return nomem(r) != NULL;
    for (size_t i = 0; i < r->n_slots; i++) {
        if (r->slots[i] && r->slots[i]->entity)
            s->etypes[n++].name = r->slots[i]->name;
    }
    cedar_sort(s->etypes, n, sizeof *s->etypes, by_etype_name);
    for (size_t i = 0; i < n; i++) {
        if (!fill_etype(r, find(r, CEDAR_S(""), s->etypes[i].name), &s->etypes[i]))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!etype_ancestors(r, &s->etypes[i], seen, queue))
            return false;
    }
    return true;
}

static bool applies_list(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_ref *refs,
                         const struct cedar_etype ***ret, size_t *ret_n)
{
    size_t n = 0;
    const struct cedar_etype **list = CEDAR_NEW_N(r->arena, ref_count(refs), const struct cedar_etype *);
    if (!list)
        return nomem(r) != NULL;
    for (; refs; refs = refs->next) {
        const struct def *d = entity_ref(r, ns, refs);
        if (!d)
            return false;
        const struct cedar_etype *t = cedar_schema_etype(r->s, d->name);
        bool again = false;
        for (size_t i = 0; i < n; i++)
            again |= list[i] == t;
        if (!again)
            list[n++] = t;
    }
    *ret = list;
    *ret_n = n;
    return true;
}

static bool has_action(const struct resolver *r, struct cedar_str type, struct cedar_str id)
{
    struct cedar_uid u = cedar_uid_make(type, id);
    return cedar_entities_find_own(&r->s->action_entities, &u) != NULL;
}

static bool action_parent(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_ref *ref,
                          struct cedar_uid *ret)
{
    struct cedar_str type = join(r, ns->name.name, ref->name.len ? ref->name : CEDAR_S("Action"));
    if (!type.ptr)
        return false;
    bool plain = ref->name.len == 0 || !memchr(ref->name.ptr, ':', ref->name.len);
    if (!plain || (ref->name.len && !has_action(r, type, ref->id)))
        type = ref->name;
    *ret = cedar_uid_make(type, ref->id);
    if (has_action(r, type, ref->id))
        return true;
    return fail(r, ref->off, ref->len, "UnknownAction", "unknown action `%.*s::\"%.*s\"`", CEDAR_ARG(type),
                CEDAR_ARG(ref->id)) != NULL;
}

static bool fill_action(struct resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_action *raw,
                        struct cedar_action *a)
{
    struct cedar_uid *parents = CEDAR_NEW_N(r->arena, ref_count(raw->parents), struct cedar_uid);
    if (!parents)
        return nomem(r) != NULL;
    a->parents = parents;
    for (const struct cedar_raw_ref *p = raw->parents; p; p = p->next) {
        if (!action_parent(r, ns, p, &parents[a->n_parents++]))
            return false;
    }
    a->context = resolve_to_record(r, ns, raw->context, "a context");
    return a->context && applies_list(r, ns, raw->principals, &a->principals, &a->n_principals) &&
           applies_list(r, ns, raw->resources, &a->resources, &a->n_resources);
}

static bool declare_actions(struct resolver *r, const struct cedar_raw_namespace *ns, size_t *n)
{
    struct cedar_str type = join(r, ns->name.name, CEDAR_S("Action"));
    if (!type.ptr)
        return false;
    for (const struct cedar_raw_action *raw = ns->actions; raw; raw = raw->next) {
        for (const struct cedar_raw_ref *name = raw->names; name; name = name->next) {
            struct cedar_action *a = &r->s->actions[(*n)++];
            a->uid = cedar_uid_make(type, name->id);
            if (has_action(r, type, name->id))
                return fail(r, name->off, name->len, "DuplicateAction", "action `%.*s` is declared twice",
                            CEDAR_ARG(name->id)) != NULL;
            if (ns->name.name.len && has_action(r, CEDAR_S("Action"), name->id))
                return fail(r, name->off, name->len, "ActionShadowing",
                            "action `%.*s` shadows the one in the empty namespace", CEDAR_ARG(name->id)) != NULL;
            struct cedar_entity e = { .uid = a->uid, .attrs = cedar_empty_record, .tags = cedar_empty_record };
            r->rc = cedar_entities_take(&r->s->action_entities, &e, r->src.err);
            if (r->rc)
                return false;
        }
    }
    return true;
}

/* The empty namespace first, for the shadowing check. */
static bool each_namespace(struct resolver *r, bool (*fn)(struct resolver *, const struct cedar_raw_namespace *, size_t *))
{
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (const struct cedar_raw_namespace *ns = r->raw; ns; ns = ns->next) {
            if ((ns->name.name.len == 0) == (pass == 0) && !fn(r, ns, &n))
                return false;
        }
    }
    return true;
}

static bool fill_actions(struct resolver *r, const struct cedar_raw_namespace *ns, size_t *n)
{
    for (const struct cedar_raw_action *raw = ns->actions; raw; raw = raw->next) {
        for (const struct cedar_raw_ref *name = raw->names; name; name = name->next) {
            struct cedar_action *a = &r->s->actions[*n];
            if (!fill_action(r, ns, raw, a))
                return false;
            r->s->action_entities.items[*n].parents = a->parents;
            r->s->action_entities.items[*n].n_parents = a->n_parents;
            ++*n;
        }
    }
    return true;
}

static bool resolve_actions(struct resolver *r)
{
    r->s->actions = CEDAR_NEW_N(r->arena, r->s->n_actions, struct cedar_action);
    if (!r->s->actions)
        return nomem(r) != NULL;
    cedar_entities_init(&r->s->action_entities, NULL);
    if (!each_namespace(r, declare_actions) || !each_namespace(r, fill_actions))
        return false;
    r->s->action_entities.finished = false;
    r->rc = cedar_entities_finish(&r->s->action_entities, r->src.err);
    if (r->rc == CEDAR_E_ENTITY)
        r->rc = r->src.err->code = CEDAR_E_SCHEMA;
    return r->rc == 0;
}

/* Types that nothing uses must resolve as well. */
static bool resolve_commons(struct resolver *r)
{
    for (size_t i = 0; i < r->n_slots; i++) {
        if (r->slots[i] && r->slots[i]->common && !resolve_common(r, r->slots[i]))
            return false;
    }
    return true;
}

int cedar_schema_resolve(struct cedar_schema *s, struct cedar_arena *temp, const struct cedar_source *src,
                         const struct cedar_raw_namespace *raw)
{
    struct resolver r = { .s = s, .arena = &s->arena, .temp = temp, .src = *src, .raw = raw };
    if (!prepare(&r))
        return r.rc;
    for (const struct cedar_raw_namespace *ns = raw; ns; ns = ns->next) {
        if (!collect(&r, ns))
            return r.rc;
    }
    if (!check_shadowing(&r) || !resolve_entities(&r) || !resolve_commons(&r) || !resolve_actions(&r))
        return r.rc;
    return 0;
}
