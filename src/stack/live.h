/* Is the run behind a marker alive? The one rule that `run`, `status` and the collector share. Layer: stack (L2).
 * Source: [the Firma specification, run 11.3, 11.6]. */
#ifndef STACK_LIVE_H
#define STACK_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum st_live {
    ST_LIVE_NONE,   /* no such marker */
    ST_LIVE_DEAD,   /* its recorded process does not exist any more, or its pid belongs to another process now */
    ST_LIVE_YES,
    ST_LIVE_UNSURE, /* metadata unreadable or unparsable: never to be removed */
};

/* @run_fd is `<state_dir>/run`, @id a checked sandbox id. Follows no link. */
enum st_live st_live_marker(int run_fd, const char *id);

/* Does the recorded process live? @start_ticks of 0 = unknown; then @recorded_unix_s (mtime of sidecar.pid, 0 = unknown)
 * must not lie before the start of the process that has the pid now. */
bool st_live_process(pid_t pid, uint64_t start_ticks, int64_t recorded_unix_s);

#endif
