/* The registry of action classes: 44 names, fixed when the program is built. Source: data/actions/registry.toml,
 * [the Firma specification, action classes 1-2]. Layer: core (L1). Thread: any. */
#ifndef CORE_ACTION_H
#define CORE_ACTION_H

#include "base/str.h"

enum { FC_ACTION_NAME_MAX_BYTES = 64 };

/* For review and telemetry; it decides nothing. */
enum fc_risk { FC_RISK_LOW, FC_RISK_MEDIUM, FC_RISK_HIGH, FC_RISK_CRITICAL };

struct fc_action {
    const char *name;
    enum fc_risk risk;
    const char *meaning;
};

/* Classes are numbered from 0 in the order of the file. */
size_t fc_action_count(void);
/* NULL past the end. */
const struct fc_action *fc_action_at(size_t index);
/* Position of the class with exactly this name; fc_action_count() when there is none. Constant time. */
size_t fc_action_find(struct fb_str name);
/* The registered name nearest to a misspelt one, NULL when none is near. */
const char *fc_action_nearest(struct fb_str name);
/* Does @name follow the rule for class names: 2 to 4 dot-separated words of lower-case letters, digits and '_'? It need
 * not be registered. */
bool fc_action_name_valid(struct fb_str name);
/* "low" .. "critical". */
const char *fc_action_risk_name(enum fc_risk risk);

#endif
