/* The Cedar context of an issuance question, built from the schema in force. Source: [the Firma specification,
 * authority 7 and 10]. Layer: authority (L3). Thread: any, one scratch at a time. */
#ifndef AUTHORITY_CONTEXT_H
#define AUTHORITY_CONTEXT_H

#include "base/err.h"
#include "base/str.h"

#include <cedar/cedar.h>
#include <stdint.h>

struct au_context_input {
    struct fb_str session_id;
    int64_t now_ms;
};

/* Fills what @type (the record of an action's context) requires with the neutral values of a session that has done nothing.
 * Optional attributes are left out. FB_E_POLICY_LOAD_FAILED with the attribute named when the schema requires one that is
 * not known or has another type; FB_E_NOMEM. */
int au_context_build(struct cedar_scratch *s, const struct cedar_type *type, const struct au_context_input *in,
                     const struct cedar_value **ret, struct fb_err *err);

#endif
