/* Where run-time state lives, and the check that it is ours alone. Layer: stack (L2). Thread: start-up.
 * Source: [the Firma specification, operate 2]; [the Firma design, section 7]: a fallback below /tmp is hostile ground. */
#ifndef STACK_STATEDIR_H
#define STACK_STATEDIR_H

#include "base/err.h"

/* @flag (--state-dir) if not NULL, else FIRMA_STATE_DIR, else XDG_RUNTIME_DIR/firma, else /tmp/firma-$UID; empty texts
 * count as absent. An absolute heap path (a relative one is joined to the working directory), NULL when out of memory. */
char *st_statedir_resolve(const char *flag) FB_MUST_USE;
/* Makes it (0700) if absent and opens it. Refuses what is not a directory of ours, is a link, or is wider than 0700:
 * FB_E_INSECURE. Returns the descriptor. */
int st_statedir_open(const char *path, struct fb_err *err) FB_MUST_USE;
/* Opens an existing one with the same checks; -1 without an error when there is none. */
int st_statedir_open_existing(const char *path, struct fb_err *err) FB_MUST_USE;

#endif
