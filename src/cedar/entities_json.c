/* Entities from JSON. */
#include "cedar/entities.h"
#include "cedar/json_value.h"

#include <string.h>

/* What the schema says of the type; both NULL when there is no schema or for actions. */
struct expected {
    const struct cedar_type *attrs, *tags;
};

static int need(struct cedar_value_reader *r, const struct cedar_json *j, const char *key, unsigned kind,
                const struct cedar_json **ret)
{
    *ret = cedar_json_get(j, key);
    if (!*ret)
        return cedar_value_fail(r, j, "MissingField", "an entity lacks `%s`", key);
    if (kind != CEDAR_JSON_NULL && (*ret)->kind != kind)
        return cedar_value_fail(r, *ret, "WrongField", "`%s` cannot be %s", key, cedar_json_kind_name(*ret));
    return 0;
}

static int read_parents(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_entity *e)
{
    struct cedar_uid *list = cedar_arena_array(r->arena, j->n, sizeof *list);
    if (!list)
        return cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    bool action = cedar_str_eq(cedar_name_base(e->uid.type), CEDAR_S("Action"));
    for (size_t i = 0; i < j->n; i++) {
        int rc = cedar_value_read_uid(r, &j->items[i], &list[i]);
        if (rc)
            return rc;
        if (action && !cedar_str_eq(cedar_name_base(list[i].type), CEDAR_S("Action")))
            return cedar_value_fail(r, &j->items[i], "ActionParentIsNotAction",
                                    "a parent of an action must be an action");
    }
    e->parents = list;
    e->n_parents = j->n;
    return 0;
}

static int expected_of(struct cedar_value_reader *r, const struct cedar_schema *s, const struct cedar_json *j,
                       const struct cedar_uid *uid, struct expected *ret)
{
    const struct cedar_etype *t = s ? cedar_schema_etype(s, uid->type) : NULL;
    *ret = (struct expected){ t ? t->attrs : NULL, t ? t->tags : NULL };
    if (!s || t)
        return 0;
    if (cedar_schema_action(s, uid))
        return 0;
    cedar_value_fail(r, j, "UnexpectedEntityType", "entity `%.*s::\"%.*s\"` is not declared in the schema",
                     CEDAR_ARG(uid->type), CEDAR_ARG(uid->id));
    r->src.err->code = CEDAR_E_ENTITY;
    return CEDAR_E_ENTITY;
}

static int read_tags(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                     struct cedar_value *ret)
{
    struct cedar_member *m = cedar_arena_array(r->arena, j->n, sizeof *m);
    if (!m)
        return cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    for (size_t i = 0; i < j->n; i++) {
        m[i].key = j->members[i].key;
        int rc = cedar_value_read(r, &j->members[i].value, type, &m[i].value);
        if (rc)
            return rc;
    }
    return cedar_v_record_take(m, j->n, ret, NULL);
}

/* Attributes are a record even when they look like an escape. */
static int read_attrs(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                      struct cedar_value *ret)
{
    return type ? cedar_value_read(r, j, type, ret) : read_tags(r, j, NULL, ret);
}

static int read_one(struct cedar_value_reader *r, const struct cedar_schema *s, const struct cedar_json *j,
                    struct cedar_entity *e)
{
    const struct cedar_json *uid, *attrs, *parents, *tags = cedar_json_get(j, "tags");
    struct expected want;
    if (j->kind != CEDAR_JSON_OBJECT)
        return cedar_value_fail(r, j, "NotAnEntity", "an entity must be an object, not %s", cedar_json_kind_name(j));
    int rc = need(r, j, "uid", CEDAR_JSON_NULL, &uid);
    if (!rc)
        rc = need(r, j, "attrs", CEDAR_JSON_OBJECT, &attrs);
    if (!rc)
        rc = need(r, j, "parents", CEDAR_JSON_ARRAY, &parents);
    if (!rc && tags && tags->kind != CEDAR_JSON_OBJECT)
        rc = cedar_value_fail(r, tags, "WrongField", "`tags` cannot be %s", cedar_json_kind_name(tags));
    if (!rc)
        rc = cedar_value_read_uid(r, uid, &e->uid);
    if (!rc)
        rc = expected_of(r, s, uid, &e->uid, &want);
    if (!rc)
        rc = read_attrs(r, attrs, want.attrs, &e->attrs);
    if (!rc && tags)
        rc = read_tags(r, tags, want.tags, &e->tags);
    return rc ? rc : read_parents(r, parents, e);
}

static int read_all(struct cedar_value_reader *r, const struct cedar_schema *s, const struct cedar_json *j,
                    struct cedar_entities *ents)
{
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_value_fail(r, j, "NotAnArray", "entities must be an array, not %s", cedar_json_kind_name(j));
    for (size_t i = 0; i < j->n; i++) {
        struct cedar_entity e = { .attrs = cedar_empty_record, .tags = cedar_empty_record };
        int rc = read_one(r, s, &j->items[i], &e);
        if (!rc)
            rc = cedar_entities_take(ents, &e, r->src.err);
        if (rc)
            return rc;
    }
    return 0;
}

int cedar_entities_from_json(const char *text, size_t len, const struct cedar_schema *schema,
                             struct cedar_entities **ret_ents, struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_entities *ents = cedar_entities_new(schema);
    struct cedar_arena temp;
    struct cedar_json j;
    if (!err)
        err = &local;
    if (!ents)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    struct cedar_value_reader r = { ents->arena, { text, len, err } };
    cedar_arena_init(&temp, SIZE_MAX / 2);
    int rc = cedar_json_parse(ents->arena, &temp, &r.src, CEDAR_MAX_NESTING, &j);
    cedar_arena_done(&temp);
    if (!rc)
        rc = read_all(&r, schema, &j, ents);
    if (!rc)
        rc = cedar_entities_finish(ents, err);
    if (!rc && schema)
        rc = cedar_entities_validate(ents, schema, err);
    if (rc) {
        cedar_entities_free(ents);
        return rc;
    }
    *ret_ents = ents;
    return 0;
}
