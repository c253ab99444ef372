/* Policies and sets from the JSON policy format. */
#include "cedar/est.h"
#include "cedar/policyset.h"

#include <stdio.h>
#include <string.h>

bool cedar_est_uid(struct cedar_est *e, const struct cedar_json *j, bool strict, struct cedar_uid *ret)
{
    struct cedar_str type, id;
    if (strict && j->kind == CEDAR_JSON_OBJECT && j->n == 1 && cedar_json_get(j, "__entity"))
        j = cedar_json_get(j, "__entity");
    const struct cedar_json *t = cedar_json_get(j, "type"), *i = cedar_json_get(j, "id");
    if (!t || !i)
        return cedar_est_fail(e, j, "ExpectedEntity", "an entity needs `type` and `id`") != NULL;
    if (!cedar_est_type(e, t, &type) || !cedar_est_string(e, i, &id))
        return false;
    *ret = cedar_uid_make(type, id);
    return true;
}

/* "entity" or "slot" of @j into the scope. */
static bool scope_entity(struct cedar_est *e, const struct cedar_json *j, const char *slot, struct cedar_scope *s)
{
    const struct cedar_json *entity = cedar_json_get(j, "entity"), *given = cedar_json_get(j, "slot");
    struct cedar_str name;
    if (!entity == !given)
        return cedar_est_fail(e, j, "InvalidForm", "exactly one of `entity` and `slot` is needed") != NULL;
    if (given) {
        s->slot = true;
        if (!cedar_est_string(e, given, &name))
            return false;
        return (slot && cedar_str_eq(name, cedar_str_c(slot))) ||
               cedar_est_fail(e, given, "InvalidSlot", "slot `%.*s` cannot stand here", CEDAR_ARG(name)) != NULL;
    }
    struct cedar_uid *u = CEDAR_NEW(e->arena, struct cedar_uid);
    if (!u)
        return cedar_est_nomem(e) != NULL;
    s->uids = u;
    s->n_uids = 1;
    return cedar_est_uid(e, entity, true, u);
}

static bool action_type_ok(struct cedar_est *e, const struct cedar_json *at, const struct cedar_scope *s)
{
    for (uint32_t i = 0; i < s->n_uids; i++) {
        if (!cedar_str_eq(cedar_name_base(s->uids[i].type), CEDAR_S("Action")))
            return cedar_est_fail(e, at, "InvalidActionType", "`%.*s` is not an action type",
                                  CEDAR_ARG(s->uids[i].type)) != NULL;
    }
    return true;
}

static bool scope_list(struct cedar_est *e, const struct cedar_json *j, struct cedar_scope *s)
{
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_est_fail(e, j, "InvalidForm", "`entities` takes an array") != NULL;
    struct cedar_uid *list = CEDAR_NEW_N(e->arena, j->n, struct cedar_uid);
    if (!list)
        return cedar_est_nomem(e) != NULL;
    for (size_t i = 0; i < j->n; i++) {
        if (!cedar_est_uid(e, &j->items[i], true, &list[i]))
            return false;
    }
    s->kind = CEDAR_SCOPE_IN_LIST;
    s->uids = list;
    s->n_uids = (uint32_t)j->n;
    return true;
}

static bool scope_is(struct cedar_est *e, const struct cedar_json *j, const char *slot, struct cedar_scope *s)
{
    static const char *const keys[] = { "op", "entity_type", "in" }, *const in_keys[] = { "entity", "slot" };
    const struct cedar_json *in = cedar_json_get(j, "in");
    if (!cedar_est_keys(e, j, keys, 3, 2) || !cedar_est_type(e, cedar_json_get(j, "entity_type"), &s->type))
        return false;
    s->kind = in ? CEDAR_SCOPE_IS_IN : CEDAR_SCOPE_IS;
    return !in || (cedar_est_keys(e, in, in_keys, 2, 0) && scope_entity(e, in, slot, s));
}

/* @slot: NULL for the action. */
static bool scope(struct cedar_est *e, const struct cedar_json *j, const char *slot, struct cedar_scope *s)
{
    static const char *const keys[] = { "op", "entity", "slot", "entities" };
    const struct cedar_json *op = cedar_json_get(j, "op");
    struct cedar_str name;
    if (!op)
        return cedar_est_fail(e, j, "MissingField", "`op` is missing") != NULL;
    if (!cedar_est_string(e, op, &name))
        return false;
    if (cedar_str_eq(name, CEDAR_S("All")))
        return cedar_est_keys(e, j, keys, 1, 1);
    if (cedar_str_eq(name, CEDAR_S("is")) && slot)
        return scope_is(e, j, slot, s);
    bool eq = cedar_str_eq(name, CEDAR_S("=="));
    if (!eq && !cedar_str_eq(name, CEDAR_S("in")))
        return cedar_est_fail(e, op, slot ? "InvalidScopeOperator" : "InvalidActionScopeOperator",
                              "`%.*s` cannot stand in the scope", CEDAR_ARG(name)) != NULL;
    s->kind = eq ? CEDAR_SCOPE_EQ : CEDAR_SCOPE_IN;
    if (!cedar_est_keys(e, j, keys, !eq && !slot ? 4 : 3, 1))
        return false;
    if (!eq && !slot && cedar_json_get(j, "entities")) {
        if (cedar_json_get(j, "entity"))
            return cedar_est_fail(e, j, "InvalidForm", "`entity` and `entities` exclude each other") != NULL;
        return scope_list(e, cedar_json_get(j, "entities"), s) && action_type_ok(e, j, s);
    }
    return scope_entity(e, j, slot, s) && (slot || action_type_ok(e, j, s));
}

static bool conditions(struct cedar_est *e, const struct cedar_json *j, struct cedar_policy *p)
{
    static const char *const keys[] = { "kind", "body" };
    if (j->kind != CEDAR_JSON_ARRAY)
        return cedar_est_fail(e, j, "InvalidForm", "`conditions` takes an array") != NULL;
    struct cedar_cond *list = CEDAR_NEW_N(e->arena, j->n, struct cedar_cond);
    if (!list)
        return cedar_est_nomem(e) != NULL;
    for (size_t i = 0; i < j->n; i++) {
        struct cedar_str kind;
        if (!cedar_est_keys(e, &j->items[i], keys, 2, 2) ||
            !cedar_est_string(e, cedar_json_get(&j->items[i], "kind"), &kind))
            return false;
        list[i].unless = cedar_str_eq(kind, CEDAR_S("unless"));
        if (!list[i].unless && !cedar_str_eq(kind, CEDAR_S("when")))
            return cedar_est_fail(e, &j->items[i], "InvalidCondition", "`%.*s` is not a condition", CEDAR_ARG(kind)) !=
                   NULL;
        list[i].expr = cedar_est_expr(e, cedar_json_get(&j->items[i], "body"));
        if (!list[i].expr)
            return false;
    }
    p->conds = list;
    p->n_conds = j->n;
    return true;
}

static bool is_any_ident(struct cedar_str s)
{
    if (s.len == 0 || !cedar_is_ident_start((unsigned char)s.ptr[0]))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (!cedar_is_ident_char((unsigned char)s.ptr[i]))
            return false;
    }
    return true;
}

static bool annotations(struct cedar_est *e, const struct cedar_json *j, struct cedar_policy *p)
{
    if (j->kind != CEDAR_JSON_OBJECT || j->n > CEDAR_MAX_ANNOTATIONS)
        return cedar_est_fail(e, j, "InvalidForm", "`annotations` takes an object") != NULL;
    struct cedar_annotation *list = CEDAR_NEW_N(e->arena, j->n, struct cedar_annotation);
    if (!list)
        return cedar_est_nomem(e) != NULL;
    for (size_t i = 0; i < j->n; i++) {
        const struct cedar_json *v = &j->members[i].value;
        if (!is_any_ident(j->members[i].key))
            return cedar_est_fail(e, j, "InvalidAnnotation", "`%.*s` is not an annotation name",
                                  CEDAR_ARG(j->members[i].key)) != NULL;
        list[i] = (struct cedar_annotation){ j->members[i].key, CEDAR_S(""), v->kind != CEDAR_JSON_NULL };
        if (list[i].has_value && !cedar_est_string(e, v, &list[i].value))
            return false;
    }
    p->annots = list;
    p->n_annots = j->n;
    return true;
}

bool cedar_est_policy(struct cedar_est *e, const struct cedar_json *j, struct cedar_policy *ret)
{
    static const char *const keys[] = { "effect", "principal", "action", "resource", "conditions", "annotations" };
    struct cedar_str effect;
    *ret = (struct cedar_policy){ .template_index = SIZE_MAX };
    if (!cedar_est_keys(e, j, keys, 6, 5) || !cedar_est_string(e, cedar_json_get(j, "effect"), &effect))
        return false;
    bool permit = cedar_str_eq(effect, CEDAR_S("permit"));
    if (!permit && !cedar_str_eq(effect, CEDAR_S("forbid")))
        return cedar_est_fail(e, cedar_json_get(j, "effect"), "InvalidEffect", "`%.*s` is not an effect",
                              CEDAR_ARG(effect)) != NULL;
    ret->effect = permit ? CEDAR_PERMIT : CEDAR_FORBID;
    const struct cedar_json *a = cedar_json_get(j, "annotations");
    if (!scope(e, cedar_json_get(j, "principal"), "?principal", &ret->principal) ||
        !scope(e, cedar_json_get(j, "action"), NULL, &ret->action) ||
        !scope(e, cedar_json_get(j, "resource"), "?resource", &ret->resource) ||
        !conditions(e, cedar_json_get(j, "conditions"), ret) || (a && !annotations(e, a, ret)))
        return false;
    ret->is_template = ret->principal.slot || ret->resource.slot;
    return true;
}

static int add(struct cedar_est *e, struct cedar_policy_set *set, const struct cedar_json *j, struct cedar_str id)
{
    struct cedar_policy p;
    if (!cedar_est_policy(e, j, &p))
        return e->rc;
    p.id = id;
    return cedar_policy_set_add(set, &p, e->src.err);
}

static int add_all(struct cedar_est *e, struct cedar_policy_set *set, const struct cedar_json *j, bool templates)
{
    if (j->kind != CEDAR_JSON_OBJECT) {
        cedar_est_fail(e, j, "InvalidForm", "expected an object of policies by id");
        return e->rc;
    }
    for (size_t i = 0; i < j->n; i++) {
        int rc = add(e, set, &j->members[i].value, j->members[i].key);
        if (rc)
            return rc;
        if (set->items[set->n - 1].is_template == templates)
            continue;
        cedar_est_fail(e, &j->members[i].value, "WrongPlace",
                       templates ? "policy `%.*s` has no slot" : "static policy set includes a template: `%.*s`",
                       CEDAR_ARG(j->members[i].key));
        return e->rc;
    }
    return 0;
}

static int add_link(struct cedar_est *e, struct cedar_policy_set *set, const struct cedar_json *j)
{
    static const char *const keys[] = { "templateId", "newId", "values" }, *const slots[] = { "?principal",
                                                                                              "?resource" };
    struct cedar_str template_id, new_id;
    struct cedar_uid uids[2];
    struct cedar_value values[2];
    const struct cedar_value *given[2] = { NULL, NULL };
    if (!cedar_est_keys(e, j, keys, 3, 3) || !cedar_est_string(e, cedar_json_get(j, "templateId"), &template_id) ||
        !cedar_est_string(e, cedar_json_get(j, "newId"), &new_id) ||
        !cedar_est_keys(e, cedar_json_get(j, "values"), slots, 2, 0))
        return e->rc;
    for (int i = 0; i < 2; i++) {
        const struct cedar_json *v = cedar_json_get(cedar_json_get(j, "values"), slots[i]);
        if (!v)
            continue;
        if (!cedar_est_uid(e, v, true, &uids[i]))
            return e->rc;
        values[i] = cedar_v_uid(&uids[i]);
        given[i] = &values[i];
    }
    return cedar_policy_set_link(set, template_id, new_id, given[0], given[1], e->src.err);
}

static int read_set(struct cedar_est *e, struct cedar_policy_set *set, const struct cedar_json *j)
{
    static const char *const keys[] = { "staticPolicies", "templates", "templateLinks" };
    if (!cedar_est_keys(e, j, keys, 3, 0))
        return e->rc;
    for (int i = 0; i < 2; i++) {
        const struct cedar_json *part = cedar_json_get(j, keys[i]);
        int rc = part ? add_all(e, set, part, i == 1) : 0;
        if (rc)
            return rc;
    }
    const struct cedar_json *links = cedar_json_get(j, "templateLinks");
    if (links && links->kind != CEDAR_JSON_ARRAY) {
        cedar_est_fail(e, links, "InvalidForm", "`templateLinks` takes an array");
        return e->rc;
    }
    for (size_t i = 0; links && i < links->n; i++) {
        int rc = add_link(e, set, &links->items[i]);
        if (rc)
            return rc;
    }
    return 0;
}

static int load(const char *text, size_t len, bool whole_set, struct cedar_policy_set **ret_set,
                struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_policy_set *set = cedar_policy_set_new();
    struct cedar_arena temp;
    struct cedar_json j;
    if (!err)
        err = &local;
    if (!set)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    struct cedar_est e = { .arena = &set->arena, .src = { text, len, err }, .code = CEDAR_E_PARSE };
    cedar_arena_init(&temp, SIZE_MAX / 2);
    int rc = cedar_json_parse(&set->arena, &temp, &e.src, CEDAR_MAX_POLICY_JSON, &j);
    cedar_arena_done(&temp);
    if (!rc)
        rc = whole_set ? read_set(&e, set, &j) : add(&e, set, &j, CEDAR_S("policy0"));
    set->text = CEDAR_S("");
    if (rc) {
        cedar_policy_set_free(set);
        return rc;
    }
    *ret_set = set;
    return 0;
}

int cedar_policy_set_from_json(const char *text, size_t len, struct cedar_policy_set **ret_set, struct cedar_error *err)
{
    return load(text, len, true, ret_set, err);
}

int cedar_policy_from_json(const char *text, size_t len, struct cedar_policy_set **ret_set, struct cedar_error *err)
{
    return load(text, len, false, ret_set, err);
}
