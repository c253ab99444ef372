/* The closed list of denial reasons. Source: [the Firma specification, sidecar 8.3]. Layer: core (L1). Thread: any. */
#ifndef CORE_REASON_H
#define CORE_REASON_H

#include "base/str.h"

enum fc_reason {
#define FC_REASON(sym, wire, display, raised_by) FC_REASON_##sym,
#include "core/reason_table.h"
#undef FC_REASON
    FC_REASON_COUNT,
    FC_REASON_NONE = FC_REASON_COUNT /* the call was not refused */
};

/* "PolicyDenied": the `reason` of a denial reply. FC_REASON_NONE gives "", a value out of range "FailClosed". */
const char *fc_reason_wire(enum fc_reason reason);
/* "policy denied": the beginning of an audit `deny_reason`. Same rule for other values. */
const char *fc_reason_display(enum fc_reason reason);
/* Who raises it, for the reference page. */
const char *fc_reason_raised_by(enum fc_reason reason);
/* The reason with that wire name; false when there is none. */
bool fc_reason_find(struct fb_str wire, enum fc_reason *ret);

#endif
