/* Is a recorded process alive, and does its socket answer? The one rule that `run`, `status` and the collector share.
 * Layer: stack (L2). Thread: any. Source: [the Firma specification, run 11.3, 11.6]. */
#ifndef STACK_LIVE_H
#define STACK_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum st_live {
    ST_LIVE_NONE,   /* no such marker */
    ST_LIVE_DEAD,   /* its recorded process does not exist any more, or its pid belongs to another process now */
    ST_LIVE_YES,
    ST_LIVE_UNSURE, /* metadata unreadable or unparsable, or no pid recorded: never to be removed */
};

enum { ST_LIVE_CONNECT_MS = 500 };

/* @run_fd is `<state_dir>/run`, @id a checked sandbox id. Follows no link. */
enum st_live st_live_marker(int run_fd, const char *id);

/* Does the recorded process live? A zombie does not. @start_ticks of 0 = unknown; then @recorded_unix_s (mtime of
 * sidecar.pid, 0 = unknown) must not lie before the start of the process that has the pid now. */
bool st_live_process(pid_t pid, uint64_t start_ticks, int64_t recorded_unix_s);
/* True when the process is stopped by a signal: its sockets still accept, but nobody serves them. */
bool st_live_is_frozen(pid_t pid);

enum st_probe { ST_PROBE_ACCEPTS, ST_PROBE_CLOSED, ST_PROBE_UNSURE };
/* Connects within ST_LIVE_CONNECT_MS. */
enum st_probe st_live_probe(const struct sockaddr *addr, socklen_t n);
/* The same for the Unix socket @name below @dir_fd, whatever the length of the path; only for a real socket. */
enum st_probe st_live_probe_unix_at(int dir_fd, const char *name);

#endif
