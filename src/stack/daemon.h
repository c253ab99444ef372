/* What the long-lived pair of `firma sidecar start` records in the state directory. Layer: stack (L2). Thread: any.
 * Source: [the Firma specification, operate 2, 5, 6]. Files: `<name>.pid` (decimal and a line feed), `<name>.listen` (address as
 * configured: host:port, or the path of a Unix socket), for the names authority and sidecar; `stack.pid`; `stack.lock`. */
#ifndef STACK_DAEMON_H
#define STACK_DAEMON_H

#include <firma/sidecar_markers.h>

#include "base/err.h"
#include "stack/live.h"

#include <sys/types.h>

/* The daemon Sidecar as a list of none (nothing recorded) or one row. */
int st_daemon_survey(const char *state_dir, struct firma_sidecar_list *ret, struct firma_markers_error *error);

/* Does something accept at @listen (host:port, or the path of a Unix socket)? */
enum st_probe st_daemon_probe(const char *listen);
/* Writes `<name>.pid` and, when @listen is not NULL, `<name>.listen`. */
int st_daemon_record(int state_fd, const char *name, pid_t pid, const char *listen, struct fb_err *err);
/* The recorded pid if that very process is alive, 0 when there is none or it is gone. */
pid_t st_daemon_pid(int state_fd, const char *name);
/* Removes both files. */
void st_daemon_forget(int state_fd, const char *name);

#endif
