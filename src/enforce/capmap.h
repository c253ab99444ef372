/* The capabilities of a Sidecar, arranged so that the one for a call is found without looking at the others.
 * Source: [the Firma specification, sidecar 8.1-8.2]. Layer: enforce (L2). Thread: immutable once made. */
#ifndef ENFORCE_CAPMAP_H
#define ENFORCE_CAPMAP_H

#include "core/reason.h"
#include "enforce/epoch.h"
#include "enforce/revoke.h"
#include "token/claims.h"

struct cedar_value;

struct fe_cap {
    struct tk_claims claims;
    uint64_t revoke_hash;
    bool any_action;        /* action_set holds "*" */
    bool scope_any;         /* resource_scope is "*" */
    bool scope_none;        /* the scope can match nothing */
    uint64_t classes;       /* bit i: class i of the registry is in action_set */
    int64_t budget;         /* ceiling as a Long; INT64_MAX without one */
    const struct cedar_value *principal; /* Firma::Agent::"<agent_id>" */
    const struct cedar_value *agent_id;
    const struct cedar_value *session_id;
};

struct fe_capmap;

/* How far issued_at may lie ahead of the clock; clock_skew_s counts when it is more. */
#define FE_ISSUED_AHEAD_NS (INT64_C(60) * 1000000000)

/* FB_E_LIMIT, FB_E_NOMEM. @ret_useless may be NULL. */
int fe_capmap_new(const struct tk_claims *const *claims, size_t n, struct fe_capmap **ret, size_t *ret_useless,
                  struct fb_err *err);
void fe_capmap_free(struct fe_capmap *m); /* takes NULL */
struct fe_retired *fe_capmap_retired(struct fe_capmap *m);

struct fe_cap_query {
    unsigned action; /* class */
    struct fb_str resource; /* display form */
    struct fb_str session_hint; /* empty: not said; the only session of the map, if there is only one */
    struct fb_str agent_hint;   /* empty: not said */
    int64_t now_ns;             /* never runs backwards: expiry */
    int64_t wall_ns;            /* the clock as it is: issued_at */
    int64_t leeway_ns;
    struct fe_revoke *revoked;
    struct fb_str tenant; /* empty: any agent */
};

/* The capability that covers the call, or NULL with the reason. A token that is expired, revoked, another agent's or not
 * yet valid (TokenInvalid) is passed over when a valid one also matches; when none is left, the best one's fault is told and
 * *@ret_fault_cap points to it. */
const struct fe_cap *fe_capmap_select(const struct fe_capmap *m, const struct fe_cap_query *q, enum fc_reason *ret_reason,
                                      const struct fe_cap **ret_fault_cap);

#endif
