/* What firma-init must find when it looks around: every mount point of the plan, with the very file behind each that the
 * launcher saw. Names are looked up by bubblewrap long after the plan was made, and another program in the same workspace
 * may have put a link in between; a name alone therefore proves nothing.
 * Source: openat2(2), proc_pid_mountinfo(5). Layer: run (L3). Thread: any; no state. */
#ifndef RUN_VIEW_H
#define RUN_VIEW_H

#include "base/err.h"
#include "base/macros.h"
#include "run/mounts.h"

/* Opens @path without following any link. The descriptor (O_PATH, close-on-exec), or -1 with errno. */
int run_view_open(const char *path);

/* Looks at every source of @m now and writes down what must be where: the file behind INIT_FD_VIEW. Returns the
 * descriptor; FB_E_BACKEND when a source of the profile is reached by a link or has gone, FB_E_LIMIT, FB_E_IO, FB_E_NOMEM. */
int run_view_file(const struct run_mounts *m, const char *init_path, struct fb_err *err) FB_MUST_USE;

#endif
