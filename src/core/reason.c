#include "core/reason.h"

static const struct {
    const char *wire;
    const char *display;
    const char *raised_by;
} reasons[FC_REASON_COUNT + 1] = {
#define FC_REASON(sym, wire, display, raised_by) { wire, display, raised_by },
#include "core/reason_table.h"
#undef FC_REASON
    { "", "", "" }, /* FC_REASON_NONE */
};

static size_t index_of(enum fc_reason reason)
{
    /* A value out of range can only come from a defect, and a defect must read as a refusal. */
    return (unsigned)reason <= FC_REASON_NONE ? (size_t)reason : (size_t)FC_REASON_FAIL_CLOSED;
}

const char *fc_reason_wire(enum fc_reason reason)
{
    return reasons[index_of(reason)].wire;
}

const char *fc_reason_display(enum fc_reason reason)
{
    return reasons[index_of(reason)].display;
}

const char *fc_reason_raised_by(enum fc_reason reason)
{
    return reasons[index_of(reason)].raised_by;
}

bool fc_reason_find(struct fb_str wire, enum fc_reason *ret)
{
    for (size_t i = 0; i < FC_REASON_COUNT; i++) {
        if (fb_str_eqz(wire, reasons[i].wire)) {
            *ret = (enum fc_reason)i;
            return true;
        }
    }
    return false;
}
