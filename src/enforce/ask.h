/* One call as Cedar sees it. Source: [the Firma specification, sidecar 9.3-9.4]. Layer: enforce (L2), private. */
#ifndef ENFORCE_ASK_H
#define ENFORCE_ASK_H

#include "enforce/engine_priv.h"

struct fe_ask {
    struct cedar_request request;
    const struct cedar_entities *entities;
};

/* Builds request and entities in the call's scratch. False: a value could not be made, see cedar_scratch_error; deny. */
bool fe_ask_build(const struct fe_call *c, struct fe_ask *ret);
/* Only the context once more, as if the session had taken @action_count actions. */
bool fe_ask_recount(const struct fe_call *c, struct fe_ask *ask, uint64_t action_count);

#endif
