/* Tells when something in a directory changed, once per burst. Layer: authority (L3). Thread: the loop's.
 * One hub a process holds the one kernel descriptor: closing one costs 5 to 15 ms, so each more would slow every end.
 */
#ifndef AUTHORITY_DIRWATCH_H
#define AUTHORITY_DIRWATCH_H

#include "base/err.h"
#include "base/loop.h"

#include <stdbool.h>

enum {
    AU_DIRWATCH_QUIET_MS = 50, /* after the first event of a burst */
    AU_DIRWATCH_DELAY_MS = 150 /* what a short-lived process should give to au_dirhub_new */
};

struct au_dirhub;
struct au_dirwatch;

/* @delay_ms of 0: watchers watch at once. Else after so long, each is then told once whatever happened before: a
 * process that has ended by then never pays for the kernel's part. FB_E_IO, FB_E_NOMEM. */
int au_dirhub_new(struct fb_loop *loop, uint64_t delay_ms, struct au_dirhub **ret, struct fb_err *err) FB_MUST_USE;
/* No callback comes after this; the kernel lets go in the background, so that a later free is quick. Takes NULL. */
void au_dirhub_stop(struct au_dirhub *hub);
/* Frees its watchers too; no callback comes after this. Takes NULL. */
void au_dirhub_free(struct au_dirhub *hub);

/* @replaced: the directory itself went away and a new one stands at its path. */
typedef void au_dirwatch_fn(void *arg, bool replaced);

/* Watches @dir for files that were written, moved, made or removed; @only (may be NULL, copied): just that name.
 * Several watchers may share a directory; each is told. The directory is held from here on, under whatever name; one
 * that vanishes is looked for again once a second. The callback may not free the hub. FB_E_IO, FB_E_NOMEM. The watcher
 * is the hub's. */
int au_dirwatch_add(struct au_dirhub *hub, const char *dir, const char *only, au_dirwatch_fn *fn, void *arg,
                    struct fb_err *err) FB_MUST_USE;

#endif
