/* Validation of a set: what every policy names is declared, some action fits its scope, and it is typed in every
 * request environment. */
#include "cedar/policyset.h"
#include "cedar/typecheck.h"

#include <stdlib.h>
#include <string.h>

enum { REPORT_MAX = 10000, ARENA_MAX_BYTES = 1 << 29 };
static const uint64_t STEPS_MAX = 200000000;

struct cedar_report {
    struct cedar_finding *items;
    size_t n, cap;
};

struct validator {
    const struct cedar_policy_set *set;
    const struct cedar_schema *schema;
    const struct cedar_policy *policy;
    size_t index;
    struct cedar_report *report;
    struct cedar_arena arena; /* of one policy */
    struct cedar_error err;
    struct cedar_validate_options opt;
    uint64_t steps;
    size_t n_errors;
    int rc; /* a code that stops all */
};

/* The error in v->err becomes a finding, once. */
static void report(struct validator *v, enum cedar_severity severity)
{
    struct cedar_report *r = v->report;
    for (size_t i = r->n; i-- > 0 && r->items[i].policy == v->index;) {
        const struct cedar_error *e = &r->items[i].error;
        if (e->offset == v->err.offset && e->length == v->err.length && strcmp(e->kind, v->err.kind) == 0 &&
            strcmp(e->msg, v->err.msg) == 0)
            return;
    }
    v->n_errors += severity == CEDAR_SEV_ERROR;
    if (r->n == REPORT_MAX)
        return;
    if (r->n == r->cap) {
        size_t cap = r->cap ? r->cap * 2 : 8;
        struct cedar_finding *items = realloc(r->items, cap * sizeof *items);
        if (!items) {
            v->rc = CEDAR_E_NOMEM;
            return;
        }
        r->items = items;
        r->cap = cap;
    }
    r->items[r->n++] = (struct cedar_finding){ severity, v->index, v->err };
}

static void found(struct validator *v, enum cedar_severity severity, uint32_t off, uint32_t len, const char *kind,
                  const char *fmt, struct cedar_str name)
{
    struct cedar_source src = { v->set->text.ptr, v->set->text.len, &v->err };
    if (len)
        cedar_error_at(&src, off, len, CEDAR_E_POLICY, kind, fmt, CEDAR_ARG(name));
    else
        cedar_error_set(&v->err, CEDAR_E_POLICY, kind, fmt, CEDAR_ARG(name));
    report(v, severity);
}

/* Suggests a declared entity type close to @name in the finding just made. */
static void suggest_type(struct validator *v, struct cedar_str name)
{
    if (v->report->n == 0)
        return;
    for (size_t i = 0; i < v->schema->n_etypes; i++) {
        if (cedar_str_distance(name, v->schema->etypes[i].name, 2) > 2)
            continue;
        cedar_error_hint(&v->report->items[v->report->n - 1].error, "did you mean `%.*s`?",
                         CEDAR_ARG(v->schema->etypes[i].name));
        return;
    }
}

static bool action_like(struct cedar_str type)
{
    return cedar_str_eq(cedar_name_base(type), CEDAR_S("Action"));
}

static void declared_type(struct validator *v, struct cedar_str type, uint32_t off, uint32_t len)
{
    if (cedar_schema_etype(v->schema, type) || action_like(type))
        return;
    found(v, CEDAR_SEV_ERROR, off, len, "UnrecognizedEntityType", "entity type `%.*s` is not declared", type);
    suggest_type(v, type);
}

static void declared_uid(struct validator *v, const struct cedar_uid *u, uint32_t off, uint32_t len)
{
    const struct cedar_etype *t = cedar_schema_etype(v->schema, u->type);
    if (!t && action_like(u->type)) {
        if (!cedar_schema_action(v->schema, u))
            found(v, CEDAR_SEV_ERROR, off, len, "UnrecognizedActionId", "action `%.*s` is not declared", u->id);
        return;
    }
    declared_type(v, u->type, off, len);
    if (t && !cedar_etype_has_id(t, u->id))
        found(v, CEDAR_SEV_ERROR, off, len, "InvalidEnumEntity", "`%.*s` is not an id of its enumerated type", u->id);
}

/* Every name in the text, dead code too. */
static void declared_node(struct validator *v, const struct cedar_node *n)
{
    if (n->op == CEDAR_OP_LIT && n->lit.kind == CEDAR_VALUE_ENTITY)
        declared_uid(v, n->lit.uid, n->off, n->len);
    if (n->op == CEDAR_OP_IS)
        declared_type(v, n->names[0], n->off, n->len);
    for (uint32_t i = 0; i < n->n_kids; i++)
        declared_node(v, n->kids[i]);
}

static void declared_scope(struct validator *v, const struct cedar_scope *s)
{
    if (s->kind == CEDAR_SCOPE_IS || s->kind == CEDAR_SCOPE_IS_IN)
        declared_type(v, s->type, s->off, s->len);
    for (uint32_t i = 0; i < s->n_uids; i++)
        declared_uid(v, &s->uids[i], s->off, s->len);
}

/* May an entity of this type satisfy the scope part? */
static bool type_satisfies(const struct validator *v, const struct cedar_scope *s, const struct cedar_etype *t)
{
    bool is = cedar_str_eq(s->type, t->name);
    bool eq = s->slot || (s->n_uids && cedar_str_eq(s->uids->type, t->name));
    const struct cedar_etype *group = s->n_uids ? cedar_schema_etype(v->schema, s->uids->type) : NULL;
    bool in = eq || (group && cedar_etype_below(t, group));
    switch ((enum cedar_scope_kind)s->kind) {
    case CEDAR_SCOPE_EQ:
        return eq;
    case CEDAR_SCOPE_IN:
        return in;
    case CEDAR_SCOPE_IS:
        return is;
    case CEDAR_SCOPE_IS_IN:
        return is && in;
    default:
        return true;
    }
}

static bool action_satisfies(const struct validator *v, const struct cedar_scope *s, const struct cedar_action *a)
{
    if (s->kind == CEDAR_SCOPE_ANY)
        return true;
    for (uint32_t i = 0; i < s->n_uids; i++) {
        if (s->kind == CEDAR_SCOPE_EQ ? cedar_uid_eq(&a->uid, &s->uids[i])
                                      : cedar_entities_in_relation(&v->schema->action_entities, &a->uid, &s->uids[i]))
            return true;
    }
    return false;
}

static bool some_type(const struct validator *v, const struct cedar_scope *s, const struct cedar_etype *const *list,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (type_satisfies(v, s, list[i]))
            return true;
    }
    return false;
}

static void check_applicable(struct validator *v)
{
    const struct cedar_policy *p = v->policy;
    for (size_t i = 0; i < v->schema->n_actions; i++) {
        const struct cedar_action *a = &v->schema->actions[i];
        if (action_satisfies(v, &p->action, a) && some_type(v, &p->principal, a->principals, a->n_principals) &&
            some_type(v, &p->resource, a->resources, a->n_resources))
            return;
    }
    found(v, v->opt.inapplicable_is_warning ? CEDAR_SEV_WARNING : CEDAR_SEV_ERROR, p->off, p->len,
          "InvalidActionApplication", "no action fits the scope of policy `%.*s`", p->id);
}

/* The conditions in one environment whose scope can hold. *@ret_false: they never do. */
static bool check_conditions(struct validator *v, struct cedar_checker *c, bool *ret_false)
{
    const struct cedar_policy *p = v->policy;
    const struct cedar_capability *caps = NULL;
    *ret_false = false;
    for (size_t i = 0; i < p->n_conds && !*ret_false; i++) {
        struct cedar_typing t;
        if (!cedar_check_node(c, p->conds[i].expr, caps, &t))
            return false;
        if (t.type->kind != CEDAR_TYPE_BOOL)
            return cedar_check_unexpected(c, p->conds[i].expr, "Bool", t.type);
        *ret_false = t.type->truth == (p->conds[i].unless ? CEDAR_TRUTH_TRUE : CEDAR_TRUTH_FALSE);
        if (!p->conds[i].unless)
            caps = cedar_caps_union(c, caps, t.caps);
    }
    return c->rc == 0;
}

/* True when the policy can hold there or is wrong there. */
static bool check_environment(struct validator *v, const struct cedar_action *a, const struct cedar_etype *principal,
                              const struct cedar_etype *resource)
{
    struct cedar_checker c = { .schema = v->schema,
                               .action = a,
                               .principal = principal,
                               .resource = resource,
                               .arena = &v->arena,
                               .src = { v->set->text.ptr, v->set->text.len, &v->err },
                               .steps = v->steps };
    bool is_false;
    cedar_arena_reset(&v->arena);
    bool ok = check_conditions(v, &c, &is_false);
    v->steps = c.steps;
    if (ok)
        return !is_false;
    if (c.rc == CEDAR_E_POLICY)
        report(v, CEDAR_SEV_ERROR);
    else
        v->rc = c.rc;
    return true;
}

static bool check_action(struct validator *v, const struct cedar_action *a)
{
    const struct cedar_policy *p = v->policy;
    bool possible = false;
    for (size_t i = 0; i < a->n_principals; i++) {
        if (!type_satisfies(v, &p->principal, a->principals[i]))
            continue;
        for (size_t k = 0; k < a->n_resources && !v->rc; k++) {
            if (type_satisfies(v, &p->resource, a->resources[k]))
                possible |= check_environment(v, a, a->principals[i], a->resources[k]);
        }
    }
    return possible;
}

/* A list of actions must be of one type, as a set literal must. */
static void check_action_list(struct validator *v)
{
    const struct cedar_scope *s = &v->policy->action;
    if (s->kind != CEDAR_SCOPE_IN_LIST)
        return;
    if (s->n_uids == 0)
        found(v, CEDAR_SEV_ERROR, s->off, s->len, "EmptySetForbidden", "%.*sthe list of actions is empty", CEDAR_S(""));
    for (uint32_t i = 1; i < s->n_uids; i++) {
        if (cedar_str_eq(s->uids[i].type, s->uids[0].type))
            continue;
        found(v, CEDAR_SEV_ERROR, s->off, s->len, "IncompatibleTypes", "action type `%.*s` differs from the others",
              s->uids[i].type);
        return;
    }
}

static void validate_policy(struct validator *v)
{
    const struct cedar_policy *p = v->policy;
    size_t before = v->n_errors;
    declared_scope(v, &p->principal);
    declared_scope(v, &p->action);
    declared_scope(v, &p->resource);
    for (size_t i = 0; i < p->n_conds; i++)
        declared_node(v, p->conds[i].expr);
    check_action_list(v);
    check_applicable(v);
    bool possible = false;
    for (size_t i = 0; i < v->schema->n_actions && !v->rc; i++) {
        if (action_satisfies(v, &p->action, &v->schema->actions[i]))
            possible |= check_action(v, &v->schema->actions[i]);
    }
    if (!possible && v->n_errors == before)
        found(v, CEDAR_SEV_WARNING, p->off, p->len, "ImpossiblePolicy", "policy `%.*s` can never hold", p->id);
}

int cedar_validate(const struct cedar_policy_set *set, const struct cedar_schema *schema,
                   const struct cedar_validate_options *opt, struct cedar_report **ret_report, struct cedar_error *err)
{
    struct validator v = { .set = set, .schema = schema, .steps = STEPS_MAX };
    v.opt = opt ? *opt : (struct cedar_validate_options){ false, -1 };
    if (v.opt.level >= 0)
        return cedar_error_set(err, CEDAR_E_ARG, "BadArgument", "level validation is not available");
    v.report = calloc(1, sizeof *v.report);
    if (!v.report)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    cedar_arena_init(&v.arena, ARENA_MAX_BYTES);
    for (size_t i = 0; i < set->n && !v.rc; i++) {
        v.policy = &set->items[i];
        v.index = i;
        validate_policy(&v);
    }
    cedar_arena_done(&v.arena);
    int rc = v.rc ? v.rc : v.n_errors ? CEDAR_E_POLICY : 0;
    if (v.rc)
        cedar_error_set(err, v.rc, "", v.rc == CEDAR_E_NOMEM ? "out of memory" : "validation took too many steps");
    for (size_t i = 0; rc == CEDAR_E_POLICY && err && i < v.report->n; i++) {
        if (v.report->items[i].severity != CEDAR_SEV_ERROR)
            continue;
        *err = v.report->items[i].error;
        break;
    }
    if (v.rc || !ret_report)
        cedar_report_free(v.report);
    else
        *ret_report = v.report;
    return rc;
}

void cedar_report_free(struct cedar_report *report)
{
    if (!report)
        return;
    free(report->items);
    free(report);
}

size_t cedar_report_count(const struct cedar_report *report)
{
    return report->n;
}

const struct cedar_finding *cedar_report_at(const struct cedar_report *report, size_t i)
{
    return i < report->n ? &report->items[i] : NULL;
}
