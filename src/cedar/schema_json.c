/* Schemas in JSON syntax: JSON to the unresolved form. */
#include "cedar/est.h"
#include "cedar/schema_raw.h"

#include <string.h>

static void *make(struct cedar_est *e, size_t size)
{
    void *p = cedar_arena_zalloc(e->arena, 1, size);
    return p ? p : cedar_est_nomem(e);
}

static bool is_ident_any(struct cedar_str s)
{
    return cedar_is_ident(s) || cedar_str_eq(s, CEDAR_S("__cedar"));
}

static bool annotations(struct cedar_est *e, const struct cedar_json *j, struct cedar_raw_annots *ret)
{
    if (!j)
        return true;
    if (j->kind != CEDAR_JSON_OBJECT)
        return cedar_est_fail(e, j, "InvalidForm", "`annotations` takes an object") != NULL;
    ret->items = CEDAR_NEW_N(e->arena, j->n, struct cedar_annotation);
    if (!ret->items)
        return cedar_est_nomem(e) != NULL;
    for (; ret->n < j->n; ret->n++) {
        const struct cedar_json *v = &j->members[ret->n].value;
        struct cedar_annotation *a = &ret->items[ret->n];
        *a = (struct cedar_annotation){ j->members[ret->n].key, CEDAR_S(""), v->kind != CEDAR_JSON_NULL };
        if (!is_ident_any(a->key) && !cedar_is_reserved(a->key))
            return cedar_est_fail(e, j, "InvalidAnnotation", "`%.*s` is not an annotation name", CEDAR_ARG(a->key)) !=
                   NULL;
        if (a->has_value && !cedar_est_string(e, v, &a->value))
            return false;
    }
    return true;
}

static const struct cedar_raw_type *type(struct cedar_est *e, const struct cedar_json *j, bool in_record);

static bool attributes(struct cedar_est *e, const struct cedar_json *j, struct cedar_raw_type *t)
{
    struct cedar_raw_attr **tail = &t->attrs;
    if (j->kind != CEDAR_JSON_OBJECT)
        return cedar_est_fail(e, j, "InvalidForm", "`attributes` takes an object") != NULL;
    for (size_t i = 0; i < j->n; i++) {
        const struct cedar_json *v = &j->members[i].value;
        const struct cedar_json *required = cedar_json_get(v, "required");
        struct cedar_raw_attr *a = make(e, sizeof *a);
        if (!a)
            return false;
        a->name = j->members[i].key;
        a->position = (uint32_t)i;
        a->required = !required || (required->kind == CEDAR_JSON_BOOL && required->b);
        if (required && required->kind != CEDAR_JSON_BOOL)
            return cedar_est_fail(e, required, "InvalidForm", "`required` takes a boolean") != NULL;
        a->type = type(e, v, true);
        if (!a->type || !annotations(e, cedar_json_get(v, "annotations"), &a->annots))
            return false;
        *tail = a;
        tail = &a->next;
    }
    return true;
}

/* Besides `type`, these keys; inside a record also `required` and `annotations`. */
static bool type_keys(struct cedar_est *e, const struct cedar_json *j, bool in_record, const char *key,
                      const char *key2)
{
    const char *keys[5] = { "type" };
    size_t n = 1, need = 1;
    if (key) {
        keys[n++] = key;
        need++;
    }
    if (key2)
        keys[n++] = key2;
    if (in_record) {
        keys[n++] = "required";
        keys[n++] = "annotations";
    }
    return cedar_est_keys(e, j, keys, n, need);
}

static bool record_type(struct cedar_est *e, const struct cedar_json *j, bool in_record, struct cedar_raw_type *t)
{
    t->kind = CEDAR_RAW_RECORD;
    if (!type_keys(e, j, in_record, "attributes", "additionalAttributes"))
        return false;
    const struct cedar_json *more = cedar_json_get(j, "additionalAttributes");
    if (more && (more->kind != CEDAR_JSON_BOOL || more->b))
        return cedar_est_fail(e, more, "UnsupportedFeature", "`additionalAttributes` can only be false") != NULL;
    return attributes(e, cedar_json_get(j, "attributes"), t);
}

static bool named_type(struct cedar_est *e, const struct cedar_json *j, bool in_record, enum cedar_raw_sort sort,
                       struct cedar_raw_type *t)
{
    t->sort = (uint8_t)sort;
    if (!type_keys(e, j, in_record, "name", NULL) || !cedar_est_string(e, cedar_json_get(j, "name"), &t->name))
        return false;
    bool builtin = sort == CEDAR_RAW_ANY && t->name.len > 9 && memcmp(t->name.ptr, "__cedar::", 9) == 0;
    struct cedar_str rest = builtin ? (struct cedar_str){ t->name.ptr + 9, t->name.len - 9 } : t->name;
    return cedar_is_name(rest) ||
           cedar_est_fail(e, j, "InvalidTypeName", "`%.*s` is not a type name", CEDAR_ARG(t->name)) != NULL;
}

static bool type_body(struct cedar_est *e, const struct cedar_json *j, bool in_record, struct cedar_raw_type *t)
{
    const struct cedar_json *kind = cedar_json_get(j, "type");
    struct cedar_str name;
    if (!kind)
        return cedar_est_fail(e, j, "MissingField", "a type needs `type`") != NULL;
    if (!cedar_est_string(e, kind, &name))
        return false;
    if (cedar_str_eq(name, CEDAR_S("Record")))
        return record_type(e, j, in_record, t);
    if (cedar_str_eq(name, CEDAR_S("Set"))) {
        t->kind = CEDAR_RAW_SET;
        if (!type_keys(e, j, in_record, "element", NULL))
            return false;
        t->element = type(e, cedar_json_get(j, "element"), false);
        return t->element != NULL;
    }
    if (cedar_str_eq(name, CEDAR_S("Entity")))
        return named_type(e, j, in_record, CEDAR_RAW_ENTITY, t);
    if (cedar_str_eq(name, CEDAR_S("Extension")))
        return named_type(e, j, in_record, CEDAR_RAW_EXTENSION, t);
    if (cedar_str_eq(name, CEDAR_S("EntityOrCommon")))
        return named_type(e, j, in_record, CEDAR_RAW_ANY, t);
    bool boolean = cedar_str_eq(name, CEDAR_S("Boolean"));
    bool primitive = boolean || cedar_str_eq(name, CEDAR_S("Long")) || cedar_str_eq(name, CEDAR_S("String"));
    t->name = boolean ? CEDAR_S("Bool") : name;
    t->sort = primitive ? CEDAR_RAW_BUILTIN : CEDAR_RAW_COMMON;
    return type_keys(e, j, in_record, NULL, NULL);
}

/* Recursion is bounded by the nesting of the JSON. */
static const struct cedar_raw_type *type(struct cedar_est *e, const struct cedar_json *j, bool in_record)
{
    struct cedar_raw_type *t = make(e, sizeof *t);
    if (!t)
        return NULL;
    t->off = j->off;
    t->len = j->len;
    if (j->kind != CEDAR_JSON_OBJECT)
        return cedar_est_fail(e, j, "InvalidForm", "a type must be an object, not %s", cedar_json_kind_name(j));
    return type_body(e, j, in_record, t) ? t : NULL;
}

static struct cedar_raw_ref *ref(struct cedar_est *e, const struct cedar_json *at, struct cedar_str name,
                                 struct cedar_str id)
{
    struct cedar_raw_ref *r = make(e, sizeof *r);
    if (r)
        *r = (struct cedar_raw_ref){ NULL, name, id, at->off, at->len };
    return r;
}

/* An array of names (of types) or of ids. */
static bool refs(struct cedar_est *e, const struct cedar_json *j, bool ids, struct cedar_raw_ref **ret)
{
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_est_fail(e, j, "InvalidForm", "expected an array, got %s", cedar_json_kind_name(j)) != NULL;
    for (size_t i = 0; i < j->n; i++) {
        struct cedar_str s;
        if (ids ? !cedar_est_string(e, &j->items[i], &s) : !cedar_est_type(e, &j->items[i], &s))
            return false;
        *ret = ref(e, &j->items[i], ids ? CEDAR_S("") : s, ids ? s : CEDAR_S(""));
        if (!*ret)
            return false;
        ret = &(*ret)->next;
    }
    return true;
}

static bool member_of(struct cedar_est *e, const struct cedar_json *j, struct cedar_raw_ref **ret)
{
    static const char *const keys[] = { "id", "type" };
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_est_fail(e, j, "InvalidForm", "`memberOf` takes an array") != NULL;
    for (size_t i = 0; i < j->n; i++) {
        const struct cedar_json *t = cedar_json_get(&j->items[i], "type");
        struct cedar_str id, name = CEDAR_S("");
        if (!cedar_est_keys(e, &j->items[i], keys, 2, 1) ||
            !cedar_est_string(e, cedar_json_get(&j->items[i], "id"), &id) ||
            (t && t->kind != CEDAR_JSON_NULL && !cedar_est_type(e, t, &name)))
            return false;
        *ret = ref(e, &j->items[i], name, id);
        if (!*ret)
            return false;
        ret = &(*ret)->next;
    }
    return true;
}

static struct cedar_raw_entity *entity(struct cedar_est *e, const struct cedar_json_member *m)
{
    static const char *const keys[] = { "memberOfTypes", "shape", "tags", "annotations" };
    static const char *const enum_keys[] = { "enum", "annotations" };
    const struct cedar_json *j = &m->value, *ids = cedar_json_get(j, "enum"), *v;
    struct cedar_raw_entity *t = make(e, sizeof *t);
    struct cedar_json at = { .off = m->off, .len = m->len };
    if (!t || !(t->names = ref(e, &at, m->key, CEDAR_S(""))))
        return NULL;
    if (!cedar_is_ident(m->key))
        return cedar_est_fail(e, &at, "InvalidTypeName", "`%.*s` is not a type name", CEDAR_ARG(m->key));
    if (!annotations(e, cedar_json_get(j, "annotations"), &t->annots))
        return NULL;
    if (ids) {
        t->is_enum = true;
        if (!cedar_est_keys(e, j, enum_keys, 2, 1) || !refs(e, ids, true, &t->ids))
            return NULL;
        return t->ids ? t : cedar_est_fail(e, ids, "EmptyEnum", "an enumerated type needs an id");
    }
    if (!cedar_est_keys(e, j, keys, 4, 0))
        return NULL;
    if ((v = cedar_json_get(j, "memberOfTypes")) && !refs(e, v, false, &t->parents))
        return NULL;
    if ((v = cedar_json_get(j, "shape")) && !(t->attrs = type(e, v, false)))
        return NULL;
    if ((v = cedar_json_get(j, "tags")) && !(t->tags = type(e, v, false)))
        return NULL;
    return t;
}

static bool applies_to(struct cedar_est *e, const struct cedar_json *j, struct cedar_raw_action *a)
{
    static const char *const keys[] = { "principalTypes", "resourceTypes", "context" };
    const struct cedar_json *context = cedar_json_get(j, "context");
    a->applies = true;
    if (!cedar_est_keys(e, j, keys, 3, 2) || !refs(e, cedar_json_get(j, keys[0]), false, &a->principals) ||
        !refs(e, cedar_json_get(j, keys[1]), false, &a->resources))
        return false;
    if (context)
        a->context = type(e, context, false);
    return !context || a->context;
}

static struct cedar_raw_action *action(struct cedar_est *e, const struct cedar_json_member *m)
{
    static const char *const keys[] = { "memberOf", "appliesTo", "annotations", "attributes" };
    const struct cedar_json *j = &m->value;
    struct cedar_raw_action *a = make(e, sizeof *a);
    struct cedar_json at = { .off = m->off, .len = m->len };
    if (!a || !(a->names = ref(e, &at, CEDAR_S(""), m->key)) || !cedar_est_keys(e, j, keys, 4, 0))
        return NULL;
    const struct cedar_json *parents = cedar_json_get(j, "memberOf"), *applies = cedar_json_get(j, "appliesTo");
    const struct cedar_json *attrs = cedar_json_get(j, "attributes");
    if (attrs && attrs->kind != CEDAR_JSON_NULL)
        return cedar_est_fail(e, attrs, "UnsupportedFeature", "actions have no attributes");
    if (parents && parents->kind != CEDAR_JSON_NULL && !member_of(e, parents, &a->parents))
        return NULL;
    if (applies && applies->kind != CEDAR_JSON_NULL && !applies_to(e, applies, a))
        return NULL;
    return annotations(e, cedar_json_get(j, "annotations"), &a->annots) ? a : NULL;
}

static struct cedar_raw_common *common(struct cedar_est *e, const struct cedar_json_member *m)
{
    struct cedar_raw_common *c = make(e, sizeof *c);
    struct cedar_json at = { .off = m->off, .len = m->len };
    if (!c)
        return NULL;
    if (!cedar_is_ident(m->key))
        return cedar_est_fail(e, &at, "InvalidTypeName", "`%.*s` is not a type name", CEDAR_ARG(m->key));
    c->name = (struct cedar_raw_ref){ NULL, m->key, CEDAR_S(""), m->off, m->len };
    /* Annotations stand in the type object itself. */
    const struct cedar_json *v = cedar_json_get(&m->value, "annotations");
    if (cedar_json_get(&m->value, "required"))
        return cedar_est_fail(e, &m->value, "UnknownField", "`required` cannot stand here");
    c->type = type(e, &m->value, true);
    return c->type && annotations(e, v, &c->annots) ? c : NULL;
}

static bool is_object(struct cedar_est *e, const struct cedar_json *j)
{
    return j->kind == CEDAR_JSON_OBJECT ||
           cedar_est_fail(e, j, "InvalidForm", "expected an object, got %s", cedar_json_kind_name(j)) != NULL;
}

static struct cedar_raw_namespace *namespace_of(struct cedar_est *e, const struct cedar_json_member *m)
{
    static const char *const keys[] = { "entityTypes", "actions", "commonTypes", "annotations" };
    struct cedar_raw_namespace *ns = make(e, sizeof *ns);
    struct cedar_json at = { .off = m->off, .len = m->len };
    if (!ns)
        return NULL;
    ns->name = (struct cedar_raw_ref){ NULL, m->key, CEDAR_S(""), m->off, m->len };
    if (m->key.len && !cedar_is_name(m->key))
        return cedar_est_fail(e, &at, "InvalidNamespace", "`%.*s` is not a namespace", CEDAR_ARG(m->key));
    const struct cedar_json *annots = cedar_json_get(&m->value, keys[3]);
    bool may_annotate = m->key.len || (annots && annots->kind == CEDAR_JSON_OBJECT && annots->n == 0);
    if (!cedar_est_keys(e, &m->value, keys, may_annotate ? 4 : 3, 2))
        return NULL;
    const struct cedar_json *types = cedar_json_get(&m->value, keys[0]), *actions = cedar_json_get(&m->value, keys[1]);
    const struct cedar_json *commons = cedar_json_get(&m->value, keys[2]);
    if (!is_object(e, types) || !is_object(e, actions) || (commons && !is_object(e, commons)))
        return NULL;
    struct cedar_raw_entity **et = &ns->entities;
    for (size_t i = 0; i < types->n; i++, et = &(*et)->next) {
        if (!(*et = entity(e, &types->members[i])))
            return NULL;
    }
    struct cedar_raw_action **at_action = &ns->actions;
    for (size_t i = 0; i < actions->n; i++, at_action = &(*at_action)->next) {
        if (!(*at_action = action(e, &actions->members[i])))
            return NULL;
    }
    struct cedar_raw_common **ct = &ns->commons;
    for (size_t i = 0; commons && i < commons->n; i++, ct = &(*ct)->next) {
        if (!(*ct = common(e, &commons->members[i])))
            return NULL;
    }
    return annotations(e, annots, &ns->annots) ? ns : NULL;
}

int cedar_schema_read_json(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                           struct cedar_raw_namespace **ret)
{
    struct cedar_est e = { .arena = a, .src = *src, .code = CEDAR_E_SCHEMA };
    struct cedar_json j;
    int rc = cedar_json_parse(a, temp, src, CEDAR_MAX_NESTING, &j);
    if (rc)
        return rc;
    *ret = NULL;
    if (!is_object(&e, &j))
        return e.rc;
    for (size_t i = 0; i < j.n; i++, ret = &(*ret)->next) {
        if (!(*ret = namespace_of(&e, &j.members[i])))
            return e.rc;
    }
    return 0;
}
