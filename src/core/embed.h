/* Files of data/ that are built into the program: schema, postures, mappings, profiles. Layer: core (L1). Thread: any. */
#ifndef CORE_EMBED_H
#define CORE_EMBED_H

#include "base/str.h"

/* The content of data/<name> ("postures/dev.cedar"), NUL-terminated after .n bytes; .p is NULL when there is no such file. */
struct fb_str fc_asset_get(const char *name);
/* Names in bytewise order; NULL past the end. */
const char *fc_asset_name(size_t index);

#endif
