/* Definitions of a schema and the rules about them; entity types. */
#include "cedar/schema_resolve.h"
#include "cedar/sort.h"

#include <string.h>

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
static bool shadows(struct cedar_resolver *r, const struct cedar_raw_namespace *ns, const struct cedar_raw_ref *name)
{
    const struct cedar_def *d = ns->name.name.len ? cedar_resolve_find(r, CEDAR_S(""), name->name) : NULL;
    if (!d || (!d->common && !d->entity))
        return false;
    cedar_resolve_fail(r, name->off, name->len, "TypeShadowing", "`%.*s` shadows the definition in the empty namespace",
                       CEDAR_ARG(name->name));
    return true;
}

static bool collect_entity(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                           const struct cedar_raw_entity *e)
{
    for (const struct cedar_raw_ref *n = e->names; n; n = n->next) {
        if (cedar_str_eq(n->name, CEDAR_S("Action")))
            return cedar_resolve_fail(r, n->off, n->len, "ReservedName", "`Action` cannot be an entity type") != NULL;
        struct cedar_def *d = cedar_resolve_define(r, ns, n->name, n);
        if (!d)
            return false;
        if (d->entity)
            return cedar_resolve_fail(r, n->off, n->len, "DuplicateEntityType", "entity type `%.*s` is declared twice",
                                      CEDAR_ARG(d->name)) != NULL;
        d->entity = e;
        r->s->n_etypes++;
    }
    return true;
}

static bool collect_common(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                           const struct cedar_raw_common *c)
{
    const struct cedar_raw_ref *n = &c->name;
    if (reserved_common(n->name))
        return cedar_resolve_fail(r, n->off, n->len, "ReservedName", "`%.*s` is the name of a built-in type",
                                  CEDAR_ARG(n->name)) != NULL;
    struct cedar_def *d = cedar_resolve_define(r, ns, n->name, n);
    if (!d)
        return false;
    if (d->common)
        return cedar_resolve_fail(r, n->off, n->len, "DuplicateCommonType", "common type `%.*s` is declared twice",
                                  CEDAR_ARG(d->name)) != NULL;
    d->common = c;
    return true;
}

static bool collect(struct cedar_resolver *r, const struct cedar_raw_namespace *ns)
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
        struct cedar_def *d = cedar_resolve_define(r, ns, CEDAR_S("Action"), a->names);
        if (!d)
            return false;
        d->is_action_type = true;
        for (const struct cedar_raw_ref *n = a->names; n; n = n->next)
            r->s->n_actions++;
    }
    return true;
}

static bool check_shadowing(struct cedar_resolver *r)
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
static bool prepare(struct cedar_resolver *r)
{
    size_t n = 8;
    for (const struct cedar_raw_namespace *ns = r->raw; ns; ns = ns->next) {
        n++;
        for (const struct cedar_raw_namespace *o = r->raw; o != ns; o = o->next) {
            if (cedar_str_eq(o->name.name, ns->name.name))
                return cedar_resolve_fail(r, ns->name.off, ns->name.len, "DuplicateNamespace",
                                          "namespace `%.*s` stands twice", CEDAR_ARG(ns->name.name)) != NULL;
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
    r->slots = CEDAR_NEW_N(r->temp, r->n_slots, struct cedar_def *);
    return r->slots || cedar_resolve_nomem(r) != NULL;
}

static bool fill_etype(struct cedar_resolver *r, const struct cedar_def *d, struct cedar_etype *t)
{
    const struct cedar_raw_entity *e = d->entity;
    struct cedar_str *parents = CEDAR_NEW_N(r->arena, cedar_resolve_ref_count(e->parents), struct cedar_str);
    struct cedar_str *ids = CEDAR_NEW_N(r->arena, cedar_resolve_ref_count(e->ids), struct cedar_str);
    if (!parents || !ids)
        return cedar_resolve_nomem(r) != NULL;
    t->parents = parents;
    t->ids = ids;
    t->is_enum = e->is_enum;
    for (const struct cedar_raw_ref *p = e->parents; p; p = p->next) {
        const struct cedar_def *pd = cedar_resolve_entity_ref(r, d->ns, p);
        if (!pd)
            return false;
        parents[t->n_parents++] = pd->name;
    }
    for (const struct cedar_raw_ref *id = e->ids; id; id = id->next)
        ids[t->n_ids++] = id->id;
    t->attrs = cedar_resolve_to_record(r, d->ns, e->attrs, "the attributes of an entity type");
    t->tags = e->tags ? cedar_resolve_type(r, d->ns, e->tags) : NULL;
    return t->attrs && (t->tags || !e->tags);
}

static int by_etype_name(const void *a, const void *b)
{
    return cedar_str_cmp(((const struct cedar_etype *)a)->name, ((const struct cedar_etype *)b)->name);
}

static int by_address(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t) * (const void *const *)a, y = (uintptr_t) * (const void *const *)b;
    return x < y ? -1 : x > y;
}

/* Everything reachable through parents. */
static bool etype_ancestors(struct cedar_resolver *r, struct cedar_etype *t, uint8_t *seen,
                            const struct cedar_etype **queue)
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
        return cedar_resolve_nomem(r) != NULL;
    memcpy(t->ancestors, queue, n * sizeof *queue);
    cedar_sort(t->ancestors, n, sizeof *queue, by_address);
    t->n_ancestors = n;
    return true;
}

static bool resolve_entities(struct cedar_resolver *r)
{
    struct cedar_schema *s = r->s;
    size_t n = 0;
    s->etypes = CEDAR_NEW_N(r->arena, s->n_etypes, struct cedar_etype);
    const struct cedar_etype **queue = CEDAR_NEW_N(r->temp, s->n_etypes, const struct cedar_etype *);
    uint8_t *seen = CEDAR_NEW_N(r->temp, s->n_etypes, uint8_t);
    if (!s->etypes || !queue || !seen)
        return cedar_resolve_nomem(r) != NULL;
    for (size_t i = 0; i < r->n_slots; i++) {
        if (r->slots[i] && r->slots[i]->entity)
            s->etypes[n++].name = r->slots[i]->name;
    }
    cedar_sort(s->etypes, n, sizeof *s->etypes, by_etype_name);
    for (size_t i = 0; i < n; i++) {
        if (!fill_etype(r, cedar_resolve_find(r, CEDAR_S(""), s->etypes[i].name), &s->etypes[i]))
            return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!etype_ancestors(r, &s->etypes[i], seen, queue))
            return false;
    }
    return true;
}

/* Types that nothing uses must resolve as well. */
static bool resolve_commons(struct cedar_resolver *r)
{
    for (size_t i = 0; i < r->n_slots; i++) {
        if (r->slots[i] && r->slots[i]->common && !cedar_resolve_common(r, r->slots[i]))
            return false;
    }
    return true;
}

int cedar_schema_resolve(struct cedar_schema *s, struct cedar_arena *temp, const struct cedar_source *src,
                         const struct cedar_raw_namespace *raw)
{
    struct cedar_resolver r = { .s = s, .arena = &s->arena, .temp = temp, .src = *src, .raw = raw };
    if (!prepare(&r))
        return r.rc;
    for (const struct cedar_raw_namespace *ns = raw; ns; ns = ns->next) {
        if (!collect(&r, ns))
            return r.rc;
    }
    if (!check_shadowing(&r) || !resolve_entities(&r) || !resolve_commons(&r) || !cedar_resolve_actions(&r))
        return r.rc;
    return 0;
}
