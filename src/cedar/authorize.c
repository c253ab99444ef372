/* Forbid overrides permit; a policy that errs counts as absent. */
#include "cedar/diag.h"
#include "cedar/eval.h"
#include "cedar/parse.h"
#include "cedar/policyset.h"
#include "cedar/sort.h"

#include <string.h>

/* A list of policy indices in the scratch. */
struct hits {
    size_t *items;
    size_t n, cap;
};

struct run {
    const struct cedar_policy_set *set;
    struct cedar_eval ev;
    struct hits permits, forbids;
    struct cedar_policy_error *errors;
    size_t n_errors, cap_errors;
    int rc;
};

static bool hit(struct run *r, struct hits *h, uint32_t policy)
{
    if (h->n == h->cap) {
        size_t cap = h->cap ? h->cap * 2 : 8;
        size_t *items = cedar_arena_array(r->ev.arena, cap, sizeof *items);
        if (!items) {
            r->rc = CEDAR_E_NOMEM;
            return false;
        }
        if (h->n)
            memcpy(items, h->items, h->n * sizeof *items);
        h->items = items;
        h->cap = cap;
    }
    h->items[h->n++] = policy;
    return true;
}

static bool erred(struct run *r, uint32_t policy)
{
    if (r->n_errors == r->cap_errors) {
        size_t cap = r->cap_errors ? r->cap_errors * 2 : 4;
        struct cedar_policy_error *items = cedar_arena_array(r->ev.arena, cap, sizeof *items);
        if (!items) {
            r->rc = CEDAR_E_NOMEM;
            return false;
        }
        if (r->n_errors)
            memcpy(items, r->errors, r->n_errors * sizeof *items);
        r->errors = items;
        r->cap_errors = cap;
    }
    r->errors[r->n_errors++] = (struct cedar_policy_error){ policy, r->ev.kind, r->ev.msg };
    return true;
}

/* Both lists begin their items with the index. */
static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return x < y ? -1 : x > y;
}

/* The scope cannot err. */
static bool scope_holds(const struct cedar_scope *s, const struct cedar_uid *u, const struct cedar_entities *ents)
{
    switch ((enum cedar_scope_kind)s->kind) {
    case CEDAR_SCOPE_ANY:
        return true;
    case CEDAR_SCOPE_EQ:
        return cedar_uid_eq(s->uids, u);
    case CEDAR_SCOPE_IN:
        return cedar_entities_in_relation(ents, u, s->uids);
    case CEDAR_SCOPE_IS:
        return cedar_str_eq(s->type, u->type);
    case CEDAR_SCOPE_IS_IN:
        return cedar_str_eq(s->type, u->type) && cedar_entities_in_relation(ents, u, s->uids);
    case CEDAR_SCOPE_IN_LIST:
        for (uint32_t i = 0; i < s->n_uids; i++) {
            if (cedar_entities_in_relation(ents, u, &s->uids[i]))
                return true;
        }
        return false;
    }
    return false;
}

/* 1 satisfied, 0 not, negative erred (r->ev says why). */
static int satisfied(struct run *r, const struct cedar_policy *p)
{
    const struct cedar_entities *ents = r->ev.ents;
    if (!scope_holds(&p->principal, r->ev.uids[0], ents) || !scope_holds(&p->action, r->ev.uids[1], ents) ||
        !scope_holds(&p->resource, r->ev.uids[2], ents))
        return 0;
    for (size_t i = 0; i < p->n_conds; i++) {
        struct cedar_value v;
        if (!cedar_eval_node(&r->ev, p->conds[i].expr, &v))
            return -1;
        if (v.kind != CEDAR_VALUE_BOOL) {
            cedar_eval_type_error(&r->ev, "bool", &v);
            return -1;
        }
        if (v.b == p->conds[i].unless)
            return 0;
    }
    return 1;
}

static bool consider(void *ctx, uint32_t policy)
{
    struct run *r = ctx;
    const struct cedar_policy *p = &r->set->items[policy];
    int s = satisfied(r, p);
    if (s == 0)
        return true;
    if (s > 0)
        return hit(r, p->effect == CEDAR_PERMIT ? &r->permits : &r->forbids, policy);
    if (r->ev.rc == CEDAR_E_NOMEM || r->ev.rc == CEDAR_E_LIMIT) {
        r->rc = r->ev.rc;
        return false;
    }
    return erred(r, policy);
}

/* In the order of the policies, each once: a policy may have been visited through several keys. */
static void tidy_hits(struct hits *h)
{
    size_t kept = 0;
    cedar_sort(h->items, h->n, sizeof *h->items, by_index);
    for (size_t i = 0; i < h->n; i++) {
        if (kept == 0 || h->items[kept - 1] != h->items[i])
            h->items[kept++] = h->items[i];
    }
    h->n = kept;
}

static void tidy_errors(struct run *r)
{
    size_t kept = 0;
    cedar_sort(r->errors, r->n_errors, sizeof *r->errors, by_index);
    for (size_t i = 0; i < r->n_errors; i++) {
        if (kept == 0 || r->errors[kept - 1].policy != r->errors[i].policy)
            r->errors[kept++] = r->errors[i];
    }
    r->n_errors = kept;
}

static bool is_entity(const struct cedar_value *v)
{
    return v && v->kind == CEDAR_VALUE_ENTITY;
}

int cedar_authorize(const struct cedar_policy_set *set, const struct cedar_request *req,
                    const struct cedar_entities *ents, struct cedar_scratch *s, struct cedar_answer *ret_answer)
{
    *ret_answer = (struct cedar_answer){ .decision = CEDAR_DENY };
    if (!is_entity(req->principal) || !is_entity(req->action) || !is_entity(req->resource) ||
        (req->context && req->context->kind != CEDAR_VALUE_RECORD))
        return CEDAR_E_ARG;
    struct run r = { .set = set };
    r.ev = (struct cedar_eval){ .uids = { req->principal->uid, req->action->uid, req->resource->uid },
                                .context = req->context ? req->context : &cedar_empty_record,
                                .ents = ents ? ents : &cedar_no_entities,
                                .arena = &s->arena,
                                .steps = s->max_steps };
    struct cedar_index_query q = { r.ev.uids[0], r.ev.uids[1], r.ev.uids[2], r.ev.ents };
    if (!cedar_index_visit(&set->index, &q, consider, &r))
        return r.rc ? r.rc : CEDAR_E_NOMEM;
    bool denied = r.forbids.n > 0;
    struct hits *why = denied ? &r.forbids : &r.permits;
    tidy_hits(why);
    tidy_errors(&r);
    ret_answer->reasons = why->items;
    ret_answer->n_reasons = why->n;
    ret_answer->errors = r.errors;
    ret_answer->n_errors = r.n_errors;
    if (!denied && r.permits.n > 0)
        ret_answer->decision = CEDAR_ALLOW;
    return 0;
}

int cedar_evaluate(const char *expr, size_t len, const struct cedar_request *req, const struct cedar_entities *ents,
                   struct cedar_scratch *s, const struct cedar_value **ret_value, struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_parser p;
    if (!err)
        err = &local;
    if (!cedar_parser_init(&p, &s->arena, &s->arena, expr, len, err))
        return p.rc;
    const struct cedar_node *n = cedar_parse_expr(&p);
    if (n && p.t->kind != CEDAR_T_END)
        n = cedar_parse_unexpected(&p, "an operator or the end of the expression");
    struct cedar_value *out = CEDAR_NEW(&s->arena, struct cedar_value);
    if (!n || !out)
        return n ? cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory") : p.rc;
    struct cedar_eval e = { .ents = ents ? ents : &cedar_no_entities, .arena = &s->arena, .steps = s->max_steps };
    if (req) {
        const struct cedar_value *vars[] = { req->principal, req->action, req->resource };
        for (int i = 0; i < 3; i++)
            e.uids[i] = is_entity(vars[i]) ? vars[i]->uid : NULL;
        e.context = req->context ? req->context : &cedar_empty_record;
    }
    if (!cedar_eval_node(&e, n, out))
        return cedar_error_set(err, e.rc, e.kind, "%s", e.msg);
    *ret_value = out;
    return 0;
}
