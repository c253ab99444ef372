/* Stage 2: the policy bundle's answer. Every way out but one named ALLOW is a refusal. */
#include "enforce/engine_priv.h"

#include "core/action.h"
#include "enforce/ask.h"

#include <inttypes.h>

static const char *class_name(const struct fe_call *c)
{
    return fc_action_at(c->action)->name;
}

static bool deny_scope(struct fe_call *c)
{
    struct fb_buf *text = &c->scratch->text;
    fb_buf_reset(text);
    for (size_t i = 0; i < c->cap->claims.n_actions; i++) {
        if (i > 0)
            fb_buf_addz(text, ", ");
        fb_buf_adds(text, c->cap->claims.action_set[i]);
    }
    return fe_call_deny(c, FC_REASON_SCOPE_VIOLATION, "action '%s' not in token's allowed set: [%.*s]", class_name(c),
                        FB_STR_ARG(fb_buf_str(text)));
}

static bool deny_evaluation(struct fe_call *c, int code, const char *why)
{
    if (code == CEDAR_E_LIMIT)
        return fe_call_deny(c, FC_REASON_ENFORCEMENT_TIMEOUT, "stage 2 policy evaluation timed out after %u ms",
                            c->engine->timeout_ms);
    return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "policy evaluation failed; failing closed: %s", why);
}

/* Cedar skips a policy that errs. For a permit that is a refusal anyway; a forbid that could not be judged must not let the call
 * through. */
static bool allow_is_sound(struct fe_call *c, const struct cedar_answer *a)
{
    for (size_t i = 0; i < a->n_errors; i++) {
        if (cedar_policy_effect(c->bundle->set, a->errors[i].policy) != CEDAR_FORBID)
            continue;
        struct cedar_str id = cedar_policy_id(c->bundle->set, a->errors[i].policy);
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "policy evaluation failed; failing closed: %.*s: %s", (int)id.len,
                            id.ptr, a->errors[i].msg);
    }
    return true;
}

static const struct fe_remedy *remedy_of(const struct fe_bundle *b, size_t policy)
{
    return b->remedies == NULL || b->remedies[policy].kind == FE_REMEDY_NONE ? NULL : &b->remedies[policy];
}

/* The strongest remedy of the forbids that fired; NULL when one of them has none: a plain forbid beats all. */
static const struct fe_remedy *pick_remedy(const struct fe_bundle *b, const struct cedar_answer *a)
{
    const struct fe_remedy *best = NULL;
    for (size_t i = 0; i < a->n_reasons; i++) {
        const struct fe_remedy *r = remedy_of(b, a->reasons[i]);
        if (r == NULL)
            return NULL;
        if (best == NULL || r->kind > best->kind)
            best = r;
    }
    return best;
}

/* Would fewer actions in this session have been let through? Then the count is the reason, and the caller is told so. */
static bool count_is_the_reason(struct fe_call *c, struct fe_ask *ask)
{
    if (c->session.action_count <= 1 ||
        (c->bundle->plans[c->action].needed >> FE_FIELD_ACTION_COUNT & 1) == 0)
        return false;
    struct cedar_answer a;
    if (!fe_ask_recount(c, ask, 1) ||
        cedar_authorize(c->bundle->set, &ask->request, ask->entities, c->scratch->cedar, &a) < 0)
        return false;
    return a.decision == CEDAR_ALLOW;
}

static struct fb_str advice_for(const struct fe_call *c, const struct cedar_answer *a)
{
    for (size_t i = 0; i < a->n_reasons; i++) {
        struct fb_str advice = fe_bundle_advice(c->bundle, a->reasons[i]);
        if (advice.n > 0)
            return advice;
    }
    return c->bundle->default_advice;
}

static bool deny_by_policy(struct fe_call *c, struct fe_ask *ask, const struct cedar_answer *a)
{
    struct fb_str advice = advice_for(c, a);
    const char *joint = advice.n > 0 ? "; " : "";
    if (count_is_the_reason(c, ask))
        return fe_call_deny(c, FC_REASON_CAPABILITY_SCOPE_MISMATCH,
                            "policy denied action '%s' on resource '%.*s' because of action_count %" PRIu64
                            ": the same call would be allowed at action_count 1",
                            class_name(c), FB_STR_ARG(c->v->resource), c->session.action_count);
    return fe_call_deny(c, FC_REASON_POLICY_DENIED, "policy denied action '%s' on resource '%.*s'%s%.*s", class_name(c),
                        FB_STR_ARG(c->v->resource), joint, FB_STR_ARG(advice));
}

static void allow(struct fe_call *c, enum fe_decision decision)
{
    c->v->bundle_version = fb_arena_str(c->arena, c->bundle->version);
    if (c->v->bundle_version.p == NULL) {
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
        return;
    }
    c->v->decision = decision;
    c->v->reason = FC_REASON_NONE;
}

/* Lower-case copies of the names of every @modify that fired. */
static bool list_headers(struct fe_call *c, const struct cedar_answer *a)
{
    struct fb_str *names = fb_arena_calloc(c->arena, a->n_reasons, sizeof(*names));
    if (names == NULL)
        return false;
    for (size_t i = 0; i < a->n_reasons; i++) {
        struct fb_str name = remedy_of(c->bundle, a->reasons[i])->text;
        char *p = fb_arena_alloc(c->arena, name.n);
        if (p == NULL)
            return false;
        for (size_t j = 0; j < name.n; j++)
            p[j] = name.p[j] >= 'A' && name.p[j] <= 'Z' ? (char)(name.p[j] - 'A' + 'a') : name.p[j];
        names[i] = fb_str_n(p, name.n);
    }
    c->v->redact_headers = names;
    c->v->n_redact_headers = a->n_reasons;
    return true;
}

/* The forbids ask for nothing but headers to go: the call may pass if the other policies allow it. */
static void modify(struct fe_call *c, struct fe_ask *ask, const struct cedar_answer *a)
{
    if (c->env->is_connect) {
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "a policy wants a header removed, which a tunnel does not allow");
        return;
    }
    if (!allow_is_sound(c, a))
        return;
    if (!list_headers(c, a)) {
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
        return;
    }
    struct cedar_answer rest;
    int rc = cedar_authorize(c->bundle->without_modify, &ask->request, ask->entities, c->scratch->cedar, &rest);
    if (rc < 0)
        (void)deny_evaluation(c, rc, cedar_code_name(rc));
    else if (rest.decision != CEDAR_ALLOW)
        (void)deny_by_policy(c, ask, &rest);
    else
        allow(c, FE_MODIFY);
}

static void refuse_for_now(struct fe_call *c, const struct fe_remedy *r)
{
    if (r->kind == FE_REMEDY_STEP_UP) {
        (void)fe_call_deny(c, FC_REASON_STEP_UP_REQUIRED, "%.*s", FB_STR_ARG(r->text));
        c->v->decision = FE_STEP_UP;
    } else {
        (void)fe_call_deny(c, FC_REASON_DEFERRED, "retry_after_ms: %" PRIu64, r->retry_after_ms);
        c->v->decision = FE_DEFER;
        c->v->retry_after_ms = r->retry_after_ms;
    }
}

static void evaluate(struct fe_call *c)
{
    struct fe_ask ask;
    const struct fe_plan *plan = &c->bundle->plans[c->action];
    if (plan->unfit != NULL) {
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "policy evaluation failed; failing closed: action '%s': %s",
                           class_name(c), plan->unfit);
        return;
    }
    if (!fe_ask_build(c, &ask)) {
        if (c->scratch->too_much) {
            (void)deny_evaluation(c, CEDAR_E_LIMIT, "");
            return;
        }
        const struct cedar_error *e = cedar_scratch_error(c->scratch->cedar);
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "policy evaluation failed; failing closed: %s",
                           e->msg[0] == '\0' ? "the request could not be built" : e->msg);
        return;
    }
    struct cedar_answer a;
    int rc = cedar_authorize(c->bundle->set, &ask.request, ask.entities, c->scratch->cedar, &a);
    if (rc < 0) {
        (void)deny_evaluation(c, rc, cedar_code_name(rc));
        return;
    }
    if (a.decision == CEDAR_ALLOW) {
        if (allow_is_sound(c, &a))
            allow(c, FE_ALLOW);
        return;
    }
    const struct fe_remedy *remedy = pick_remedy(c->bundle, &a);
    if (remedy == NULL)
        (void)deny_by_policy(c, &ask, &a);
    else if (remedy->kind == FE_REMEDY_MODIFY)
        modify(c, &ask, &a);
    else
        refuse_for_now(c, remedy);
}

static bool check_bundle(struct fe_call *c)
{
    if (!c->cap->any_action && (c->cap->classes >> c->action & 1) == 0)
        return deny_scope(c);
    if (c->bundle == NULL)
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "policy bundle unavailable; failing closed");
    if (!fe_bundle_fresh(c->bundle, c->env->now_mono_ms))
        return fe_call_deny(c, FC_REASON_POLICY_BUNDLE_STALE, "policy bundle unavailable or stale");
    return true;
}

void fe_stage2(struct fe_call *c)
{
    struct fb_str session = c->cap->claims.session_id;
    /* One snapshot for the whole evaluation. */
    c->bundle = atomic_load(&c->engine->bundle);
    bool wants_past = c->bundle != NULL &&
                      (c->bundle->plans[c->action].needed >> FE_FIELD_LAST_RESOURCE & 1) != 0;
    if (!fe_sessions_begin(&c->engine->sessions, session, wants_past ? &c->scratch->arena : NULL, &c->session)) {
        (void)fe_call_deny(c, FC_REASON_FAIL_CLOSED, "session state unavailable; failing closed");
        return;
    }
    c->v->action_count = c->session.action_count;
    if (check_bundle(c))
        evaluate(c);
    fe_sessions_end(&c->engine->sessions, session, c->action, c->v->decision == FE_DENY, c->v->resource);
}
