/* The marker of a run, `<state_dir>/run/<sandbox_id>/`: made out of sight, shown whole, removed at the end.
 * It grows in `run/.new-<id>/`, whose `lock` file the launcher holds; publishing renames the directory. A `.new-*`
 * whose lock is free belongs to a dead launcher and is collected. Layer: stack (L2). Thread: one owner.
 * Source: [the Firma specification, run 10.1]; [the Firma design, section 4, "markers"]. */
#ifndef STACK_MARKER_H
#define STACK_MARKER_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct st_marker {
    char id[65];
    int run_fd;      /* <state_dir>/run */
    int dir_fd;      /* the marker itself, before and after publishing */
    int lock_fd;     /* held until done */
    char *path;      /* final path */
    char *grow_path; /* path until published */
    bool published;
};

/* What metadata.toml says; texts are borrowed. */
struct st_marker_meta {
    struct fb_str sandbox_id;
    struct fb_str agent_id;
    struct fb_str session_id;
    struct fb_str authority_url;
    struct fb_str policy_bundle_version;
    pid_t pid;             /* of the Sidecar */
    int64_t started_at_ns; /* Unix time */
};

/* Starts a marker; a run whose Sidecar is not its own never publishes it.
 * FB_E_CONFIG_VALIDATION when @id is in use by a live run; a stale one of the same id is removed. */
int st_marker_begin(struct st_marker *m, const char *state_dir, const char *id, struct fb_err *err);
/* Writes sidecar.pid, then metadata.toml, then renames into place. */
int st_marker_publish(struct st_marker *m, const struct st_marker_meta *meta, struct fb_err *err);
/* Removes the directory unless @keep, releases everything. Takes an empty struct. */
int st_marker_done(struct st_marker *m, bool keep, struct fb_err *err);
/* Takes the lock of @run_fd that serialises making, claiming and collecting; closing the descriptor lets go. -1 on error. */
int st_marker_lock(int run_fd);
/* True when the launcher that made the marker @dir_fd still lives: it cleans up by itself. */
bool st_marker_is_held(int dir_fd);
/* What a dead run of @id left outside its directory @name below @run_fd: empty mount points, the capability file. */
void st_marker_clear_traces(int run_fd, const char *name, const char *id);
/* Removes every `.new-*` below @run_fd whose lock is free. Errors are ignored: the next call tries again. */
void st_marker_collect_unfinished(int run_fd);

#endif
