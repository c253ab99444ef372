/* The directories that an agent has had for writing. What lies below one may be an agent's work, and a configuration
 * there must not be obeyed only because the walk finds it. Kept in $XDG_DATA_HOME/firma/workspaces, else
 * ~/.local/share/firma/workspaces, a canonical path a line.
 * Source: [the Firma specification, run 6.3]; [the Firma design, section 4, "protected names"].
 * Layer: run (L3). Thread: start-up. */
#ifndef RUN_WORKSPACES_H
#define RUN_WORKSPACES_H

#include "base/err.h"
#include "core/config.h"
#include "run/mounts.h"

enum {
    RUN_WORKSPACES_MAX = 4096,               /* the list stays shorter; directories that are gone make room */
    RUN_WORKSPACES_FILE_MAX_BYTES = 4 << 20, /* of the file */
};

/* Where the list is. Heap string; NULL when neither XDG_DATA_HOME nor HOME nor the user database says, or without memory. */
char *run_workspaces_path(void) FB_MUST_USE;

/* Makes the directory of the list, so that a mount can hide it. What fails here is said by run_workspaces_record. */
void run_workspaces_prepare(const char *list_path);

/* Remembers the source of each writable directory among @mounts, unless it or one above it is there already. 0;
 * FB_E_LIMIT for RUN_WORKSPACES_MAX living ones, FB_E_IO (also when @list_path is NULL), FB_E_INSECURE, FB_E_NOMEM. */
int run_workspaces_record(const char *list_path, const struct run_mount *mounts, size_t n, struct fb_err *err) FB_MUST_USE;

/* Judges a configuration that the walk has found (source FC_CONFIG_PROJECT; any other is 0). FB_E_INSECURE when it belongs
 * to a directory strictly below a remembered one; errors of reading the list. No list, or no @list_path, is an
 * empty list. */
int run_workspaces_check(const char *list_path, const struct fc_config *c, struct fb_err *err) FB_MUST_USE;

#endif
