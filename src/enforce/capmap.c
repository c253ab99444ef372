#include "enforce/capmap.h"

#include "core/action.h"
#include "enforce/engine.h"
#include "token/scope.h"

#include <cedar/cedar.h>
#include <stdlib.h>

enum { SCORE_EXACT_ACTION = 100, SCORE_ANY_ACTION = 10, SCORE_SCOPE = 50, SCORE_ANY_SCOPE = 1 };

/* The capabilities of one session by class: those of class c are items[from[c]] up to items[from[c + 1]]; the last row
 * holds the ones with "*". */
struct cap_session {
    struct fb_str id;
    const struct fe_cap **items;
    uint32_t *from; /* fc_action_count() + 2 */
    struct cap_session *next; /* in its hash chain */
};

struct fe_capmap {
    struct fe_retired retired;
    struct fe_cap *caps;
    size_t n_caps;
    struct cap_session *sessions;
    size_t n_sessions;
    struct cap_session **slots;
    size_t n_slots; /* power of two */
    struct cedar_scratch *values; /* what every call with a capability needs again */
};

struct fe_retired *fe_capmap_retired(struct fe_capmap *m)
{
    return m == NULL ? NULL : &m->retired;
}

void fe_capmap_free(struct fe_capmap *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_caps; i++)
        tk_claims_done(&m->caps[i].claims);
    for (size_t i = 0; i < m->n_sessions; i++) {
        free(m->sessions[i].items);
        free(m->sessions[i].from);
    }
    cedar_scratch_free(m->values);
    free(m->caps);
    free(m->sessions);
    free(m->slots);
    free(m);
}

static void free_retired(struct fe_retired *self)
{
    fe_capmap_free((struct fe_capmap *)self);
}

static int64_t budget_of(const struct tk_claims *c)
{
    if (!c->has_budget_ceiling || c->budget_ceiling >= 9.2e18)
        return INT64_MAX;
    /* Also for NaN: nothing is left. */
    if (!(c->budget_ceiling > 0))
        return 0;
    return (int64_t)c->budget_ceiling;
}

static int fill_cap(struct fe_cap *cap, const struct tk_claims *claims, struct cedar_scratch *values, struct fb_err *err)
{
    int rc = tk_claims_copy(&cap->claims, claims, err);
    if (rc < 0)
        return rc;
    const struct tk_claims *c = &cap->claims;
    cap->revoke_hash = fe_revoke_hash(c->token_id);
    cap->scope_any = fb_str_eqz(c->resource_scope, "*");
    cap->scope_none = tk_scope_check(c->resource_scope, NULL) != 0;
    cap->budget = budget_of(c);
    for (size_t i = 0; i < c->n_actions; i++) {
        size_t class = fc_action_find(c->action_set[i]);
        if (class < fc_action_count())
            cap->classes |= UINT64_C(1) << class;
        else if (fb_str_eqz(c->action_set[i], "*"))
            cap->any_action = true;
    }
    cap->principal = cedar_value_entity(values, cedar_str_c("Firma::Agent"),
                                        (struct cedar_str){ c->agent_id.p, c->agent_id.n });
    cap->agent_id = cedar_value_string_ref(values, c->agent_id.p, c->agent_id.n);
    cap->session_id = cedar_value_string_ref(values, c->session_id.p, c->session_id.n);
    if (cap->principal == NULL || cap->agent_id == NULL || cap->session_id == NULL)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "capability '%.*s' holds an id that is not text",
                          FB_STR_ARG(c->token_id));
    return 0;
}

static uint32_t hash_session(struct fb_str id)
{
    return (uint32_t)fe_revoke_hash(id);
}

static struct cap_session *session_of(const struct fe_capmap *m, struct fb_str id)
{
    struct cap_session *s = m->slots[hash_session(id) & (m->n_slots - 1)];
    while (s != NULL && !fb_str_eq(s->id, id))
        s = s->next;
    return s;
}

static bool in_row(const struct fe_cap *cap, size_t row, size_t n_classes)
{
    return row < n_classes ? (cap->classes >> row & 1) != 0 : cap->any_action;
}

/* Fills one session's rows; called once for each session with the capabilities that belong to it. */
static int index_session(struct cap_session *s, const struct fe_cap *const *mine, size_t n_mine)
{
    size_t n_classes = fc_action_count();
    size_t total = 0;
    for (size_t i = 0; i < n_mine; i++)
        total += (size_t)__builtin_popcountll(mine[i]->classes) + mine[i]->any_action;
    s->from = calloc(n_classes + 2, sizeof(*s->from));
    s->items = calloc(total == 0 ? 1 : total, sizeof(*s->items));
    if (s->from == NULL || s->items == NULL)
        return FB_E_NOMEM;
    uint32_t at = 0;
    for (size_t row = 0; row <= n_classes; row++) {
        s->from[row] = at;
        for (size_t i = 0; i < n_mine; i++) {
            if (in_row(mine[i], row, n_classes))
                s->items[at++] = mine[i];
        }
    }
    s->from[n_classes + 1] = at;
    return 0;
}

static int compare_session(const void *pa, const void *pb)
{
    const struct fe_cap *a = *(const struct fe_cap *const *)pa;
    const struct fe_cap *b = *(const struct fe_cap *const *)pb;
    int c = fb_str_cmp(a->claims.session_id, b->claims.session_id);
    return c != 0 ? c : (a > b) - (a < b);
}

static int index_sessions(struct fe_capmap *m)
{
    m->n_slots = 16;
    while (m->n_slots < m->n_caps)
        m->n_slots *= 2;
    m->slots = calloc(m->n_slots, sizeof(*m->slots));
    m->sessions = calloc(m->n_caps == 0 ? 1 : m->n_caps, sizeof(*m->sessions));
    const struct fe_cap **sorted = calloc(m->n_caps == 0 ? 1 : m->n_caps, sizeof(*sorted));
    int rc = m->slots == NULL || m->sessions == NULL || sorted == NULL ? FB_E_NOMEM : 0;
    for (size_t i = 0; rc == 0 && i < m->n_caps; i++)
        sorted[i] = &m->caps[i];
    if (rc == 0)
        qsort(sorted, m->n_caps, sizeof(*sorted), compare_session);
    for (size_t i = 0; rc == 0 && i < m->n_caps;) {
        size_t end = i + 1;
        while (end < m->n_caps && fb_str_eq(sorted[end]->claims.session_id, sorted[i]->claims.session_id))
            end++;
        struct cap_session *s = &m->sessions[m->n_sessions++];
        s->id = sorted[i]->claims.session_id;
        struct cap_session **slot = &m->slots[hash_session(s->id) & (m->n_slots - 1)];
        s->next = *slot;
        *slot = s;
        rc = index_session(s, sorted + i, end - i);
        i = end;
    }
    free(sorted);
    return rc;
}

int fe_capmap_new(const struct tk_claims *const *claims, size_t n, struct fe_capmap **ret, size_t *ret_useless,
                  struct fb_err *err)
{
    if (n > FE_CAPABILITIES_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d capabilities", FE_CAPABILITIES_MAX);
    struct fe_capmap *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for capabilities");
    m->retired.free = free_retired;
    m->caps = calloc(n == 0 ? 1 : n, sizeof(*m->caps));
    m->values = cedar_scratch_new((size_t)256 << 20);
    int rc = m->caps == NULL || m->values == NULL ? fb_err_set(err, FB_E_NOMEM, "no memory for capabilities") : 0;
    size_t useless = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = fill_cap(&m->caps[i], claims[i], m->values, err);
        m->n_caps = i + 1;
        useless += rc == 0 && m->caps[i].scope_none;
    }
    if (rc == 0 && index_sessions(m) < 0)
        rc = fb_err_set(err, FB_E_NOMEM, "no memory for capabilities");
    if (rc < 0) {
        fe_capmap_free(m);
        return rc;
    }
    if (ret_useless != NULL)
        *ret_useless = useless;
    *ret = m;
    return 0;
}

struct pick {
    const struct fe_cap *cap;
    unsigned score;
};

/* Higher score; then fewer actions, a scope that is not `*`, the later issue. */
static bool is_better(const struct fe_cap *cap, unsigned score, const struct pick *best)
{
    if (best->cap == NULL || score != best->score)
        return best->cap == NULL || score > best->score;
    const struct tk_claims *a = &cap->claims;
    const struct tk_claims *b = &best->cap->claims;
    if (a->n_actions != b->n_actions)
        return a->n_actions < b->n_actions;
    if (cap->scope_any != best->cap->scope_any)
        return !cap->scope_any;
    return a->issued_at_ns > b->issued_at_ns;
}

static bool not_yet_valid(const struct fe_cap *cap, const struct fe_cap_query *q)
{
    int64_t ahead = q->leeway_ns > FE_ISSUED_AHEAD_NS ? q->leeway_ns : FE_ISSUED_AHEAD_NS;
    int64_t latest = q->wall_ns > INT64_MAX - ahead ? INT64_MAX : q->wall_ns + ahead;
    return cap->claims.issued_at_ns > latest;
}

static bool is_anothers(const struct fe_cap *cap, struct fb_str agent)
{
    return agent.n > 0 && !fb_str_eq(agent, cap->claims.agent_id);
}

static enum fc_reason fault_of(const struct fe_cap *cap, const struct fe_cap_query *q)
{
    if (tk_claims_expired(&cap->claims, q->now_ns, q->leeway_ns))
        return FC_REASON_TOKEN_EXPIRED;
    if (fe_revoke_has(q->revoked, cap->claims.token_id, cap->revoke_hash))
        return FC_REASON_TOKEN_REVOKED;
    if (is_anothers(cap, q->tenant) || is_anothers(cap, q->agent_hint))
        return FC_REASON_TENANT_MISMATCH;
    if (not_yet_valid(cap, q))
        return FC_REASON_TOKEN_INVALID;
    return FC_REASON_NONE;
}

static void consider(const struct fe_cap *cap, unsigned score, const struct fe_cap_query *q, struct pick *valid,
                     struct pick *any)
{
    if (cap->scope_none || (!cap->scope_any && !tk_scope_match(cap->claims.resource_scope, q->resource)))
        return;
    score += cap->scope_any ? SCORE_ANY_SCOPE : SCORE_SCOPE;
    if (is_better(cap, score, any))
        *any = (struct pick){ cap, score };
    if (is_better(cap, score, valid) && fault_of(cap, q) == FC_REASON_NONE)
        *valid = (struct pick){ cap, score };
}

const struct fe_cap *fe_capmap_select(const struct fe_capmap *m, const struct fe_cap_query *q, enum fc_reason *ret_reason,
                                      const struct fe_cap **ret_fault_cap)
{
    *ret_reason = FC_REASON_TOKEN_INVALID;
    *ret_fault_cap = NULL;
    if (m == NULL || m->n_sessions == 0)
        return NULL;
    /* A connection that says its session gets that one's and no other; one that says nothing gets the only one there is. */
    const struct cap_session *s = NULL;
    if (q->session_hint.n > 0)
        s = session_of(m, q->session_hint);
    else if (m->n_sessions == 1)
        s = &m->sessions[0];
    if (s == NULL)
        return NULL;
    struct pick valid = { NULL, 0 };
    struct pick any = { NULL, 0 };
    for (uint32_t i = s->from[q->action]; i < s->from[q->action + 1]; i++)
        consider(s->items[i], SCORE_EXACT_ACTION, q, &valid, &any);
    size_t star = fc_action_count();
    for (uint32_t i = s->from[star]; i < s->from[star + 1]; i++)
        consider(s->items[i], SCORE_ANY_ACTION, q, &valid, &any);
    if (valid.cap != NULL) {
        *ret_reason = FC_REASON_NONE;
        return valid.cap;
    }
    if (any.cap != NULL) {
        *ret_reason = fault_of(any.cap, q);
        *ret_fault_cap = any.cap;
    }
    return NULL;
}
