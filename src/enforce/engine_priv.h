/* Inside of the engine. Layer: enforce (L2), private to its folder. */
#ifndef ENFORCE_ENGINE_PRIV_H
#define ENFORCE_ENGINE_PRIV_H

#include "base/buf.h"
#include "enforce/bundle.h"
#include "enforce/capmap.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "enforce/epoch.h"
#include "enforce/mapping.h"
#include "enforce/revoke.h"
#include "enforce/session.h"

struct fe_engine {
    bool default_unprotected;
    int64_t leeway_ns;
    unsigned timeout_ms;
    char *tenant; /* NULL: any agent */
    struct fe_epoch epoch;
    _Atomic(struct fe_mapping *) mapping;
    _Atomic(struct fe_capmap *) caps;
    _Atomic(struct fe_bundle *) bundle;
    atomic_bool bundle_ready;
    atomic_bool revocations_ready;
    struct fe_revoke revoked;
    struct fe_sessions sessions;
    _Atomic int64_t wall_ahead_ms; /* the most that the wall clock ever was ahead of the monotonic one */
};

struct fe_scratch {
    struct fe_engine *engine;
    struct fe_reader reader;
    struct cedar_scratch *cedar;
    struct fb_buf params;
    struct fb_buf text; /* redaction, header values */
    struct fb_arena arena;
    uint64_t steps; /* of one call */
    bool too_much;  /* params alone would take more */
};

/* One call on its way through the stages. */
struct fe_call {
    struct fe_engine *engine;
    struct fe_scratch *scratch;
    const struct fe_envelope *env;
    struct fb_arena *arena; /* the caller's, for the verdict */
    struct fe_verdict *v;
    const struct fe_rule *rule;
    const struct fe_cap *cap;
    const struct fe_bundle *bundle;
    struct fe_session_view session;
    enum fe_method method;
    int64_t now_ms; /* wall clock, never set back */
    unsigned action;
};

/* Sets decision, reason and detail; always returns false, so that a stage ends with `return fe_call_deny(...)`. */
bool fe_call_deny(struct fe_call *c, enum fc_reason reason, const char *fmt, ...) FB_PRINTF(3, 4);

/* Stage 1: the capability. False: denied. */
bool fe_stage1(struct fe_call *c);
/* Stage 2: scope, bundle, Cedar. Fills in the decision. */
void fe_stage2(struct fe_call *c);

#endif
