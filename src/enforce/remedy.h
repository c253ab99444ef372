/* Remediation annotations on forbids: @step_up, @defer, @modify. Source: [the Firma specification, sidecar 9.6].
 * Layer: enforce (L2). Thread: any. */
#ifndef ENFORCE_REMEDY_H
#define ENFORCE_REMEDY_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct cedar_policy_set;

enum fe_remedy_kind { FE_REMEDY_NONE, FE_REMEDY_MODIFY, FE_REMEDY_DEFER, FE_REMEDY_STEP_UP };

struct fe_remedy {
    enum fe_remedy_kind kind;
    struct fb_str text;      /* STEP_UP: the challenge; MODIFY: the header's name, as written. Borrowed from the set */
    uint64_t retry_after_ms; /* DEFER */
};

/* Reads policy @index. FB_E_POLICY_LOAD_FAILED, naming policy and line: annotation on a permit, two of them on one policy, an
 * empty value, an unknown kind of change, a bad header name, a delay that is no positive number. */
int fe_remedy_read(const struct cedar_policy_set *set, size_t index, struct fe_remedy *ret, struct fb_err *err);

#endif
