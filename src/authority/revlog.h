/* Revocations: the text file an operator or `revocations add` writes, and the running server's list of what it has
 * seen. Source: [the Firma specification, authority 13]. Layer: authority (L3). Thread: one owner. A line is `token_id
 * TAB revoked_at TAB reason`; the list only grows. */
#ifndef AUTHORITY_REVLOG_H
#define AUTHORITY_REVLOG_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    AU_REVOCATION_FILE_MAX_BYTES = 32 << 20,
    AU_REVOCATIONS_MAX = 262144,
    AU_REVOCATION_REASON_MAX_BYTES = 1024,
    AU_REVOCATION_ID_MAX_BYTES = 64
};

#define AU_REVOCATION_DEFAULT_REASON "file-based revocation"

struct au_revocation {
    char *token_id;
    char *reason;
    int64_t at_ns;
};

struct au_revlog {
    struct au_revocation *items; /* in the order of ingestion */
    size_t n;
    size_t cap;
    uint32_t *index; /* open addressing over items, value + 1 */
    size_t index_cap;
};

void au_revlog_init(struct au_revlog *l);
void au_revlog_done(struct au_revlog *l);
bool au_revlog_has(const struct au_revlog *l, struct fb_str token_id);
/* 1 when added, 0 when the id was there. FB_E_LIMIT, FB_E_NOMEM. */
int au_revlog_add(struct au_revlog *l, struct fb_str token_id, struct fb_str reason, int64_t at_ns, struct fb_err *err);

/* Takes every line of @text that is new and unexpired (at + max_ttl >= now). Unreadable ids are warned about with their
 * line number (@name) and skipped. Returns how many were added, or a negative code with what came before kept. */
int au_revlog_merge(struct au_revlog *l, struct fb_str text, const char *name, int64_t now_ns, int64_t max_ttl_s,
                    struct fb_err *err);

/* ---- the file, from the command line (never the server) ---- */

/* Appends under a lock; makes the file 0600 when absent. 1: the id is there already. FB_E_CONFIG_VALIDATION, FB_E_IO,
 * FB_E_INSECURE; FB_E_LIMIT when a server could not read the line any more. */
int au_revlog_file_add(const char *path, struct fb_str token_id, struct fb_str reason, int64_t now_ns,
                       struct fb_err *err);
/* Rewrites atomically under the same lock: unexpired entries, sorted, times normalised. */
int au_revlog_file_compact(const char *path, int64_t now_ns, int64_t max_ttl_s, struct fb_err *err);

#endif
