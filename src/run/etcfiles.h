/* The generated files of the sandbox's /etc. Nothing of the host is in them but, in host-user mode, one name.
 * Source: [the Firma specification, run 6.2, 6.4, 7.3]; passwd(5), group(5), hosts(5), resolv.conf(5), nsswitch.conf(5).
 * Layer: run (L3). Thread: any. */
#ifndef RUN_ETCFILES_H
#define RUN_ETCFILES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/macros.h"
#include "run/identity.h"

#include <stddef.h>

struct run_etcfile {
    const char *target; /* absolute, inside */
    int (*write)(struct fb_buf *out, const struct run_identity *id, const char *home, const char *hostname);
};

/* The table, *@ret_n entries; constant. Each writer appends the whole content to @out and returns fb_buf's result. */
const struct run_etcfile *run_etcfiles_table(size_t *ret_n);

/* 0, or FB_E_CONFIG_VALIDATION when @home or @hostname cannot stand in these files (colon, control character, blank,
 * too long) or @home is not an absolute path without "." and "..". */
int run_etcfiles_check(const char *home, const char *hostname, struct fb_err *err) FB_MUST_USE;

#endif
