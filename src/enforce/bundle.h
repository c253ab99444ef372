/* A policy bundle in force: compiled policies, the schema, and for each action class what its context is made of. Which
 * attributes go into a context, and whether an action can be asked at all, is settled here once and not for each call.
 * Source: [the Firma specification, sidecar 9.3-9.6]. Layer: enforce (L2). Thread: immutable but for the two atomics. */
#ifndef ENFORCE_BUNDLE_H
#define ENFORCE_BUNDLE_H

#include "base/arena.h"
#include "enforce/epoch.h"
#include "enforce/remedy.h"

#include <cedar/cedar.h>

/* Context attributes we know how to fill, in bytewise order of their names. */
enum fe_field {
    FE_FIELD_ACTION_COUNT,
    FE_FIELD_BUDGET_REMAINING,
    FE_FIELD_DAILY_CUMULATIVE_AMOUNT,
    FE_FIELD_DENY_COUNT,
    FE_FIELD_LAST_RESOURCE,
    FE_FIELD_PARAMS,
    FE_FIELD_PRIOR_ACTION_CLASSES,
    FE_FIELD_RAW_TRANSPORT,
    FE_FIELD_RISK_SCORE,
    FE_FIELD_SAME_PAYEE_COUNT_30M,
    FE_FIELD_SESSION_DURATION_S,
    FE_FIELD_SESSION_ID,
    FE_FIELD_SESSION_TRANSFER_COUNT,
    FE_FIELD_TIMESTAMP_MS,
    FE_FIELD_TRANSFER_AMOUNT,
    FE_FIELD_TRANSFERS_LAST_10M,
    FE_FIELD_COUNT
};
const char *fe_field_name(enum fe_field f);

/* Attributes of the resource entity that we know how to fill. */
enum fe_attr { FE_ATTR_HOST, FE_ATTR_ID, FE_ATTR_METHOD, FE_ATTR_PATH, FE_ATTR_PORT, FE_ATTR_PROVIDER, FE_ATTR_SCHEME, FE_ATTR_COUNT };
const char *fe_attr_name(enum fe_attr a);

/* One action class. */
struct fe_plan {
    const char *unfit; /* why it cannot be asked; NULL when it can */
    const struct cedar_value *action;
    uint32_t declared; /* bit per enum fe_field: the schema has it for this action */
    uint32_t needed;   /* those of them that some policy may read: what a context is made of */
};

struct fe_bundle {
    struct fe_retired retired;
    struct fb_arena arena;
    struct fb_str version;
    struct fb_str policies;
    struct fb_str schema_text;
    _Atomic uint32_t ttl_s;
    _Atomic int64_t received_ms;

    struct cedar_policy_set *set;
    struct cedar_policy_set *without_modify; /* the set less its @modify forbids; NULL when there is none */
    struct cedar_schema *schema;
    struct fe_remedy *remedies; /* one a policy; NULL when there is none at all */
    struct fb_str default_advice;

    struct cedar_entities *actions; /* the schema's actions with their groups, for calls that need no other entity */
    struct fe_plan *plans; /* one a class */
    size_t n_plans;
    bool resource_attrs;  /* some policy may read them */
    bool principal_attrs;
    uint32_t attrs;       /* bit per enum fe_attr: may be given (not declared with another type) */

    struct cedar_scratch *values; /* constants of every call */
    const struct cedar_value *zero;
    const struct cedar_value *one;
    const struct cedar_value *http;
    const struct cedar_value *https;
    const struct cedar_value *no_params;
};

/* FB_E_POLICY_LOAD_FAILED or FB_E_NOMEM. */
int fe_bundle_new(struct fb_str policies, struct fb_str schema, struct fb_str version, uint32_t ttl_s, int64_t now_ms,
                  struct fe_bundle **ret, struct fb_err *err);
void fe_bundle_free(struct fe_bundle *b); /* takes NULL */
bool fe_bundle_fresh(const struct fe_bundle *b, int64_t now_ms);
/* The text of @advice on policy @index; empty when there is none. */
struct fb_str fe_bundle_advice(const struct fe_bundle *b, size_t index);

#endif
