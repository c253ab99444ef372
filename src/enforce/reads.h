/* What a policy text can look at, so that a call need not prepare what nobody reads. Doubt counts as "reads it".
 * Source: [the Firma specification, sidecar 7.4]. Layer: enforce (L2). Thread: any. */
#ifndef ENFORCE_READS_H
#define ENFORCE_READS_H

#include "base/str.h"

#include <stdint.h>

struct fe_reads {
    uint64_t context;   /* bit i: names[i] may be read; all bits when `context` is used as a whole */
    bool resource_attrs; /* the resource entity's attributes or tags may be read */
    bool principal_attrs;
};

/* @text must be a text that the Cedar parser has accepted. At most 64 names. */
struct fe_reads fe_reads_scan(struct fb_str text, const char *const *names, size_t n_names);

#endif
