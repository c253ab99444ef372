/* Do the entities fit the schema? */
#include "cedar/diag.h"
#include "cedar/schema.h"

static int misfit(struct cedar_error *err, const struct cedar_entity *e, const char *kind, struct cedar_str what,
                  const char *how)
{
    return cedar_error_set(err, CEDAR_E_ENTITY, kind, "entity `%.*s::\"%.*s\"`: `%.*s` %s", CEDAR_ARG(e->uid.type),
                           CEDAR_ARG(e->uid.id), CEDAR_ARG(what), how);
}

static int check_action(const struct cedar_schema *s, const struct cedar_entity *e, struct cedar_error *err)
{
    const struct cedar_entity *want = cedar_entities_find_own(&s->action_entities, &e->uid);
    if (!want)
        return misfit(err, e, "UndeclaredAction", e->uid.id, "is not a declared action");
    bool same = e->attrs.n == 0 && e->tags.n == 0 && e->n_ancestors == want->n_ancestors;
    for (size_t i = 0; same && i < e->n_ancestors; i++)
        same = cedar_uid_eq(e->ancestors[i], want->ancestors[i]);
    return same ? 0 : misfit(err, e, "ActionDeclarationMismatch", e->uid.id, "differs from its declaration");
}

static int check_ancestors(const struct cedar_schema *s, const struct cedar_etype *t, const struct cedar_entity *e,
                           struct cedar_error *err)
{
    for (size_t i = 0; i < e->n_ancestors; i++) {
        const struct cedar_uid *u = e->ancestors[i];
        const struct cedar_etype *at = cedar_schema_etype(s, u->type);
        if (!at || !cedar_etype_below(t, at))
            return misfit(err, e, "InvalidAncestorType", u->type, "is not an allowed ancestor type");
        if (!cedar_etype_has_id(at, u->id))
            return misfit(err, e, "InvalidEnumEntity", u->id, "is not one of the ids of its enumerated type");
    }
    return 0;
}

static int check_tags(const struct cedar_schema *s, const struct cedar_etype *t, const struct cedar_entity *e,
                      struct cedar_error *err)
{
    for (uint32_t i = 0; i < e->tags.n; i++) {
        const struct cedar_member *m = &e->tags.fields[i];
        struct cedar_mismatch why = { 0 };
        if (!t->tags)
            return misfit(err, e, "UnexpectedTag", m->key, "is a tag, but the type has none");
        if (!cedar_type_admits(s, t->tags, &m->value, &why))
            return misfit(err, e, "TypeMismatch", m->key, why.what);
    }
    return 0;
}

static int check(const struct cedar_schema *s, const struct cedar_entity *e, struct cedar_error *err)
{
    const struct cedar_etype *t = cedar_schema_etype(s, e->uid.type);
    struct cedar_mismatch why = { 0 };
    if (!t && cedar_str_eq(cedar_name_base(e->uid.type), CEDAR_S("Action")))
        return check_action(s, e, err);
    if (!t)
        return misfit(err, e, "UnexpectedEntityType", e->uid.type, "is not a declared entity type");
    if (!cedar_etype_has_id(t, e->uid.id))
        return misfit(err, e, "InvalidEnumEntity", e->uid.id, "is not one of the ids of its enumerated type");
    if (!cedar_type_admits(s, t->attrs, &e->attrs, &why))
        return misfit(err, e, "TypeMismatch", why.attr, why.what);
    int rc = check_ancestors(s, t, e, err);
    return rc ? rc : check_tags(s, t, e, err);
}

int cedar_entities_validate(const struct cedar_entities *ents, const struct cedar_schema *schema,
                            struct cedar_error *err)
{
    for (size_t i = 0; i < ents->n; i++) {
        int rc = check(schema, &ents->items[i], err);
        if (rc)
            return rc;
    }
    return 0;
}
