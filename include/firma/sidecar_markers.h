/* Markers of per-run Sidecars: list, look up, probe, collect. The library behind `firma sidecar status`.
 *
 * A run keeps a directory `<runtime_dir>/run/<sandbox_id>/` with metadata.toml, sidecar.pid and sidecar.sock.
 * Layer: stack (L2). Thread: any; no global state. Every text of an entry comes from a file that another program wrote:
 * escape it before it reaches a terminal. Errors are Io and MarkerParse, as documented; memory running out reads as Io. */
#ifndef FIRMA_SIDECAR_MARKERS_H
#define FIRMA_SIDECAR_MARKERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum firma_markers_result {
    FIRMA_MARKERS_OK = 0,
    FIRMA_MARKERS_NONE = 1, /* get: there is no such marker */
    FIRMA_MARKERS_IO = -1,
    FIRMA_MARKERS_PARSE = -2, /* MarkerParse: metadata.toml is not what it must be */
};

/* Why a call failed; set on negative results only. May be NULL everywhere. */
struct firma_markers_error {
    enum firma_markers_result kind;
    int os_errno; /* Io: errno, 0 when there is none */
    char message[1280];
};

enum firma_state {
    FIRMA_STATE_RUNNING,   /* pid alive, socket accepts a connection */
    FIRMA_STATE_UNHEALTHY, /* pid alive, socket closed or unresponsive */
    FIRMA_STATE_STOPPED,   /* pid dead, or none recorded */
    FIRMA_STATE_UNKNOWN,   /* the probe was inconclusive */
};

/* One row of `firma sidecar status`. Owned texts; never NULL. */
struct firma_sidecar_entry {
    char *sandbox_id;
    char *agent_id;
    char *session_id;
    char *authority_url;
    char *policy_bundle_version;
    uint32_t pid; /* 0 = none recorded */
    char *started_at; /* RFC 3339 UTC, as written */
    enum firma_state state;
    char *listen; /* <marker_dir>/sidecar.sock */
    bool has_uptime; /* false: sidecar.pid is missing, or its time lies in the future */
    uint64_t uptime_secs;
};

struct firma_sidecar_list {
    struct firma_sidecar_entry *entries; /* sorted by sandbox_id, bytewise */
    size_t count;
};

/* Frees the texts; takes an empty one. */
void firma_sidecar_entry_done(struct firma_sidecar_entry *entry);
void firma_sidecar_list_done(struct firma_sidecar_list *list);
/* "running", "unhealthy", "stopped", "unknown". */
const char *firma_state_name(enum firma_state state);

/* Reads and probes one marker directory (connect limit 500 ms). Io when metadata.toml cannot be read, MarkerParse when it
 * does not parse: an unreadable marker is never taken for a healthy one. */
int firma_sidecar_markers_probe_entry(const char *marker_dir, struct firma_sidecar_entry *ret,
                                      struct firma_markers_error *error);

/* One marker by id. FIRMA_MARKERS_NONE when there is no such directory, also for text that can be no id. Collects nothing. */
int firma_sidecar_markers_get(const char *runtime_dir, const char *sandbox_id, struct firma_sidecar_entry *ret,
                              struct firma_markers_error *error);

/* Live markers, after stale ones have been removed. Corrupt or vanishing markers are skipped. A missing run/ is an empty
 * list. Io when run/ exists but cannot be enumerated. */
int firma_sidecar_markers_list(const char *runtime_dir, struct firma_sidecar_list *ret, struct firma_markers_error *error);

/* Every readable marker, dead ones as `stopped`; removes nothing. What the command shows before it collects. */
int firma_sidecar_markers_survey(const char *runtime_dir, struct firma_sidecar_list *ret,
                                 struct firma_markers_error *error);

/* Removes every marker whose recorded process is dead, never one with unreadable or unparsable metadata; follows no link
 * and stays inside run/. *@ret_ids (may be NULL) gets the ids, sorted, as a NULL-terminated array that one call of free()
 * gives back. A missing run/ is no error. */
int firma_sidecar_markers_gc_stale(const char *runtime_dir, char ***ret_ids, size_t *ret_count,
                                   struct firma_markers_error *error);

#endif
