/* Schema handles: loading, and what callers may ask. */
#include "cedar/schema.h"

#include "cedar/schema_raw.h"

#include <stdlib.h>
#include <string.h>

static const size_t SCHEMA_MAX_BYTES = (size_t)2 << 30;

typedef int read_fn(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                    struct cedar_raw_namespace **ret);

static int load(const char *text, size_t len, read_fn *read, struct cedar_schema **ret_schema, struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_schema *s = calloc(1, sizeof *s);
    struct cedar_raw_namespace *raw;
    struct cedar_arena temp;
    int rc = 0;
    if (!err)
        err = &local;
    if (!s)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    cedar_arena_init(&s->arena, SCHEMA_MAX_BYTES);
    cedar_arena_init(&temp, SCHEMA_MAX_BYTES);
    s->text = (struct cedar_str){ text, len };
    if (len <= CEDAR_MAX_TEXT_BYTES) { /* else the reader refuses it */
        s->text = cedar_arena_str(&s->arena, s->text);
        if (!s->text.ptr)
            rc = cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    }
    struct cedar_source src = { s->text.ptr, s->text.len, err };
    if (!rc)
        rc = read(&s->arena, &temp, &src, &raw);
    if (!rc) {
        s->raw = raw;
        rc = cedar_schema_resolve(s, &temp, &src, raw);
    }
    cedar_arena_done(&temp);
    if (rc) {
        cedar_schema_free(s);
        return rc;
    }
    *ret_schema = s;
    return 0;
}

int cedar_schema_parse(const char *text, size_t len, struct cedar_schema **ret_schema, struct cedar_error *err)
{
    return load(text, len, cedar_schema_read_text, ret_schema, err);
}

int cedar_schema_from_json(const char *text, size_t len, struct cedar_schema **ret_schema, struct cedar_error *err)
{
    return load(text, len, cedar_schema_read_json, ret_schema, err);
}

void cedar_schema_free(struct cedar_schema *schema)
{
    if (!schema)
        return;
    cedar_entities_done(&schema->action_entities);
    cedar_arena_done(&schema->arena);
    free(schema);
}

const struct cedar_etype *cedar_schema_etype(const struct cedar_schema *s, struct cedar_str name)
{
    size_t lo = 0, hi = s->n_etypes;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = cedar_str_cmp(s->etypes[mid].name, name);
        if (c == 0)
            return &s->etypes[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const struct cedar_action *cedar_schema_action(const struct cedar_schema *s, const struct cedar_uid *uid)
{
    const struct cedar_entity *e = cedar_entities_find_own(&s->action_entities, uid);
    return e ? &s->actions[e - s->action_entities.items] : NULL;
}

bool cedar_etype_has_id(const struct cedar_etype *t, struct cedar_str id)
{
    if (!t->is_enum)
        return true;
    for (size_t i = 0; i < t->n_ids; i++) {
        if (cedar_str_eq(t->ids[i], id))
            return true;
    }
    return false;
}

bool cedar_etype_below(const struct cedar_etype *a, const struct cedar_etype *b)
{
    size_t lo = 0, hi = a->n_ancestors;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (a->ancestors[mid] == b)
            return true;
        if ((uintptr_t)a->ancestors[mid] < (uintptr_t)b)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

bool cedar_schema_is_action_type(const struct cedar_schema *s, struct cedar_str name)
{
    for (size_t i = 0; i < s->n_actions; i++) {
        if (cedar_str_eq(s->actions[i].uid.type, name))
            return true;
    }
    return false;
}

enum cedar_type_kind cedar_type_kind(const struct cedar_type *t)
{
    return (enum cedar_type_kind)t->kind;
}

struct cedar_str cedar_type_name(const struct cedar_type *t)
{
    return t->name.ptr ? t->name : CEDAR_S("");
}

const struct cedar_type *cedar_type_element(const struct cedar_type *t)
{
    return t->element;
}

size_t cedar_type_attr_count(const struct cedar_type *t)
{
    return t->n_attrs;
}

bool cedar_type_attr_at(const struct cedar_type *t, size_t i, struct cedar_attr *ret_attr)
{
    if (i >= t->n_attrs)
        return false;
    *ret_attr = t->attrs[i];
    return true;
}

bool cedar_type_attr_find(const struct cedar_type *t, struct cedar_str name, struct cedar_attr *ret_attr)
{
    size_t lo = 0, hi = t->n_attrs;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = cedar_str_cmp(t->attrs[mid].name, name);
        if (c == 0) {
            *ret_attr = t->attrs[mid];
            return true;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

size_t cedar_schema_entity_count(const struct cedar_schema *schema)
{
    return schema->n_etypes;
}

struct cedar_str cedar_schema_entity_at(const struct cedar_schema *schema, size_t i)
{
    return i < schema->n_etypes ? schema->etypes[i].name : CEDAR_S("");
}

const struct cedar_type *cedar_schema_entity_attrs(const struct cedar_schema *schema, struct cedar_str type)
{
    const struct cedar_etype *t = cedar_schema_etype(schema, type);
    return t ? t->attrs : NULL;
}

const struct cedar_type *cedar_schema_entity_tags(const struct cedar_schema *schema, struct cedar_str type)
{
    const struct cedar_etype *t = cedar_schema_etype(schema, type);
    return t ? t->tags : NULL;
}

size_t cedar_schema_action_count(const struct cedar_schema *schema)
{
    return schema->n_actions;
}

bool cedar_schema_action_at(const struct cedar_schema *schema, size_t i, struct cedar_str *ret_type,
                            struct cedar_str *ret_id)
{
    if (i >= schema->n_actions)
        return false;
    *ret_type = schema->actions[i].uid.type;
    *ret_id = schema->actions[i].uid.id;
    return true;
}

static const struct cedar_action *action_by(const struct cedar_schema *s, struct cedar_str type, struct cedar_str id)
{
    struct cedar_uid u = cedar_uid_make(type, id);
    return cedar_schema_action(s, &u);
}

bool cedar_schema_has_action(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str id)
{
    return action_by(schema, type, id) != NULL;
}

const struct cedar_type *cedar_schema_action_context(const struct cedar_schema *schema, struct cedar_str type,
                                                     struct cedar_str id)
{
    const struct cedar_action *a = action_by(schema, type, id);
    return a ? a->context : NULL;
}

static bool listed(const struct cedar_etype *const *list, size_t n, struct cedar_str name)
{
    for (size_t i = 0; i < n; i++) {
        if (cedar_str_eq(list[i]->name, name))
            return true;
    }
    return false;
}

bool cedar_schema_action_applies(const struct cedar_schema *schema, struct cedar_str type, struct cedar_str id,
                                 struct cedar_str principal_type, struct cedar_str resource_type)
{
    const struct cedar_action *a = action_by(schema, type, id);
    return a && listed(a->principals, a->n_principals, principal_type) &&
           listed(a->resources, a->n_resources, resource_type);
}
