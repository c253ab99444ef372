/* Tells when something in a directory changed, once per burst. Layer: authority (L3). Thread: the loop's. */
#ifndef AUTHORITY_DIRWATCH_H
#define AUTHORITY_DIRWATCH_H

#include "base/err.h"
#include "base/loop.h"

#include <stdbool.h>

enum { AU_DIRWATCH_QUIET_MS = 50 }; /* after the first event of a burst */

struct au_dirwatch;

/* @replaced: the directory itself went away and a new one stands at its path. */
typedef void au_dirwatch_fn(void *arg, bool replaced);

/* Watches @dir for files that were written, moved, made or removed; @only (may be NULL, copied): just that name. A
 * directory that vanishes is looked for again once a second. FB_E_IO. */
int au_dirwatch_new(struct fb_loop *loop, const char *dir, const char *only, au_dirwatch_fn *fn, void *arg,
                    struct au_dirwatch **ret, struct fb_err *err) FB_MUST_USE;
void au_dirwatch_free(struct au_dirwatch *w); /* takes NULL */

#endif
