/* Identifier grammars. Layer: stack (L2). Source: [the Firma specification, run 5.1; authority 6]. */
#ifndef STACK_IDS_H
#define STACK_IDS_H

#include "base/str.h"

enum { ST_IDS_SANDBOX_MAX_BYTES = 64, ST_IDS_NAME_MAX_BYTES = 128 };

/* [A-Za-z0-9._-]{1,64}, but not "." and "..", and no leading ".new-" (reserved for markers in the making). */
bool st_ids_sandbox_ok(struct fb_str id);
/* Agent and session ids: [A-Za-z0-9_-]{1,128}. */
bool st_ids_name_ok(struct fb_str id);

#endif
