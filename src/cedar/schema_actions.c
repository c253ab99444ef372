/* Actions of a schema: groups, what they apply to. */
#include "cedar/schema_resolve.h"

#include <string.h>

static bool applies_list(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                         const struct cedar_raw_ref *refs, const struct cedar_etype ***ret, size_t *ret_n)
{
    size_t n = 0;
    const struct cedar_etype **list = CEDAR_NEW_N(r->arena, cedar_resolve_ref_count(refs), const struct cedar_etype *);
    if (!list)
        return cedar_resolve_nomem(r) != NULL;
    for (; refs; refs = refs->next) {
        const struct cedar_def *d = cedar_resolve_entity_ref(r, ns, refs);
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

static bool has_action(const struct cedar_resolver *r, struct cedar_str type, struct cedar_str id)
{
    struct cedar_uid u = cedar_uid_make(type, id);
    return cedar_entities_find_own(&r->s->action_entities, &u) != NULL;
}

static bool action_parent(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                          const struct cedar_raw_ref *ref, struct cedar_uid *ret)
{
    struct cedar_str type = cedar_resolve_join(r, ns->name.name, ref->name.len ? ref->name : CEDAR_S("Action"));
    if (!type.ptr)
        return false;
    bool plain = ref->name.len == 0 || !memchr(ref->name.ptr, ':', ref->name.len);
    if (!plain || !has_action(r, type, ref->id))
        type = ref->name.len ? ref->name : CEDAR_S("Action");
    *ret = cedar_uid_make(type, ref->id);
    if (has_action(r, type, ref->id))
        return true;
    return cedar_resolve_fail(r, ref->off, ref->len, "UnknownAction", "unknown action `%.*s::\"%.*s\"`",
                              CEDAR_ARG(type), CEDAR_ARG(ref->id)) != NULL;
}

static bool fill_action(struct cedar_resolver *r, const struct cedar_raw_namespace *ns,
                        const struct cedar_raw_action *raw, struct cedar_action *a)
{
    struct cedar_uid *parents = CEDAR_NEW_N(r->arena, cedar_resolve_ref_count(raw->parents), struct cedar_uid);
    if (!parents)
        return cedar_resolve_nomem(r) != NULL;
    a->parents = parents;
    for (const struct cedar_raw_ref *p = raw->parents; p; p = p->next) {
        if (!action_parent(r, ns, p, &parents[a->n_parents++]))
            return false;
    }
    a->context = cedar_resolve_to_record(r, ns, raw->context, "a context");
    return a->context && applies_list(r, ns, raw->principals, &a->principals, &a->n_principals) &&
           applies_list(r, ns, raw->resources, &a->resources, &a->n_resources);
}

static bool declare_actions(struct cedar_resolver *r, const struct cedar_raw_namespace *ns, size_t *n)
{
    struct cedar_str type = cedar_resolve_join(r, ns->name.name, CEDAR_S("Action"));
    if (!type.ptr)
        return false;
    for (const struct cedar_raw_action *raw = ns->actions; raw; raw = raw->next) {
        for (const struct cedar_raw_ref *name = raw->names; name; name = name->next) {
            struct cedar_action *a = &r->s->actions[(*n)++];
            a->uid = cedar_uid_make(type, name->id);
            if (has_action(r, type, name->id))
                return cedar_resolve_fail(r, name->off, name->len, "DuplicateAction", "action `%.*s` is declared twice",
                                          CEDAR_ARG(name->id)) != NULL;
            if (ns->name.name.len && has_action(r, CEDAR_S("Action"), name->id))
                return cedar_resolve_fail(r, name->off, name->len, "ActionShadowing",
                                          "action `%.*s` shadows the one in the empty namespace",
                                          CEDAR_ARG(name->id)) != NULL;
            struct cedar_entity e = { .uid = a->uid, .attrs = cedar_empty_record, .tags = cedar_empty_record };
            r->rc = cedar_entities_take(&r->s->action_entities, &e, r->src.err);
            if (r->rc)
                return false;
        }
    }
    return true;
}

/* The empty namespace first, for the shadowing check. */
static bool each_namespace(struct cedar_resolver *r,
                           bool (*fn)(struct cedar_resolver *, const struct cedar_raw_namespace *, size_t *))
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

static bool fill_actions(struct cedar_resolver *r, const struct cedar_raw_namespace *ns, size_t *n)
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

bool cedar_resolve_actions(struct cedar_resolver *r)
{
    r->s->actions = CEDAR_NEW_N(r->arena, r->s->n_actions, struct cedar_action);
    if (!r->s->actions)
        return cedar_resolve_nomem(r) != NULL;
    cedar_entities_init(&r->s->action_entities, NULL);
    if (!each_namespace(r, declare_actions) || !each_namespace(r, fill_actions))
        return false;
    r->s->action_entities.finished = false;
    r->rc = cedar_entities_finish(&r->s->action_entities, r->src.err);
    if (r->rc == CEDAR_E_ENTITY)
        r->rc = r->src.err->code = CEDAR_E_SCHEMA;
    return r->rc == 0;
}
