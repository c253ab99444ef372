/* Stage 1: does this session hold a live capability for this call? Signatures were verified when the capabilities were
 * loaded; what can change since (time, revocation) is looked at here, for each call. */
#include "enforce/engine_priv.h"

#include "core/action.h"

static int64_t to_ns(int64_t ms)
{
    if (ms > INT64_MAX / 1000000)
        return INT64_MAX;
    return ms < 0 ? 0 : ms * 1000000;
}

static bool deny_fault(struct fe_call *c, enum fc_reason reason, const struct fe_cap *cap)
{
    if (reason == FC_REASON_TOKEN_EXPIRED)
        return fe_call_deny(c, reason, "capability token '%.*s' has expired; issue a new one for session '%.*s'",
                            FB_STR_ARG(cap->claims.token_id), FB_STR_ARG(cap->claims.session_id));
    if (reason == FC_REASON_TOKEN_REVOKED)
        return fe_call_deny(c, reason, "capability token '%.*s' has been revoked", FB_STR_ARG(cap->claims.token_id));
    if (reason == FC_REASON_TENANT_MISMATCH)
        return fe_call_deny(c, reason, "capability token '%.*s' belongs to another agent",
                            FB_STR_ARG(cap->claims.token_id));
    if (cap != NULL)
        return fe_call_deny(c, FC_REASON_TOKEN_INVALID, "capability token '%.*s' is not yet valid: it was issued after the "
                                                        "time of this machine's clock", FB_STR_ARG(cap->claims.token_id));
    return fe_call_deny(c, FC_REASON_TOKEN_INVALID, "no capability token covers action '%s' on resource '%.*s'",
                        fc_action_at(c->action)->name, FB_STR_ARG(c->v->resource));
}

bool fe_stage1(struct fe_call *c)
{
    struct fe_engine *e = c->engine;
    if (atomic_load(&e->revoked.broken))
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "a revocation could not be kept; failing closed");
    struct fe_cap_query q = {
        .action = c->action,
        .resource = c->v->resource,
        .session_hint = c->env->session_hint,
        .agent_hint = c->env->agent_hint,
        .now_ns = to_ns(c->now_ms),
        .wall_ns = to_ns(c->env->now_wall_ms),
        .leeway_ns = e->leeway_ns,
        .revoked = &e->revoked,
        .tenant = fb_str_of(e->tenant),
    };
    enum fc_reason reason = FC_REASON_FAIL_CLOSED;
    const struct fe_cap *fault_cap = NULL;
    c->cap = fe_capmap_select(atomic_load(&e->caps), &q, &reason, &fault_cap);
    if (c->cap == NULL)
        return deny_fault(c, reason, fault_cap);
    return true;
}
