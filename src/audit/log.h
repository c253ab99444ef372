/* The audit log of a process: a bounded ring, one thread that signs and writes, one that syncs.
 *
 *   int rc = fa_log_reserve(log, &slot);        before forwarding; refused -> deny with FA_UNAVAILABLE_DETAIL
 *   fa_log_commit(log, slot, &event, done, arg); when the outcome is known
 *   done(arg, 0)                                 the line is written: release the last byte of the response
 *
 * Promise: a line is in the file (write(2) has returned) before done(arg, 0); kill -9 loses no such call; a power loss
 * at most the last FA_SYNC_MS, or nothing with FA_LOG_FSYNC. When a line cannot be written, done gets FB_E_UNAVAILABLE,
 * the log is not ready and every reserve is refused until writing works again; the lines themselves are kept and
 * written then. Source: [the Firma specification, sidecar 16-17; the Firma design, audit order]. Layer: audit (L2).
 * Thread: every function belongs to the owner's thread (the loop), which is also where done and notice are called. */
#ifndef AUDIT_LOG_H
#define AUDIT_LOG_H

#include "audit/event.h"
#include "base/err.h"

#define FA_UNAVAILABLE_DETAIL "AUDIT_UNAVAILABLE" /* detail of the FailClosed denial */

enum {
    FA_LOG_SLOTS_DEFAULT = 4096,
    FA_LOG_SLOTS_MAX = 65536,
    FA_SYNC_MS = 100,
    FA_LINE_RESERVE_BYTES = 4096, /* log space set aside for each reservation */
};

enum fa_log_sink { FA_LOG_FILE, FA_LOG_STDOUT };
enum fa_log_durability {
    FA_LOG_BATCH, /* written at once, synced within FA_SYNC_MS */
    FA_LOG_FSYNC, /* synced before done */
};

struct fa_log;  /* opaque */
struct fa_slot; /* a reservation; owned by the log */

/* @code: 0, the line is written; FB_E_UNAVAILABLE, it is not (yet). */
typedef void fa_done_fn(void *arg, int code);
/* Something a person must hear of; @warn is false for good news. The text is one line, not escaped for a terminal. */
typedef void fa_notice_fn(void *arg, bool warn, const char *text);

struct fa_log_options {
    enum fa_log_sink sink;
    const char *path;      /* FA_LOG_FILE; the directory must exist */
    const char *head_path; /* signed head; NULL: path + ".head"; for stdout NULL means none */
    struct fb_str key_pem; /* P-256 private key, PKCS#8 or SEC1; copied in parsed form, not kept */
    enum fa_log_durability durability;
    unsigned slots; /* 0: FA_LOG_SLOTS_DEFAULT */
    struct fb_str sandbox_id;
    /* Called from the log's thread when completions wait: must only wake the owner (fb_wake_send), who then calls
     * fa_log_take_completions. May be NULL (then poll). */
    void (*wake)(void *arg);
    void *wake_arg;
    fa_notice_fn *notice; /* may be NULL */
    void *notice_arg;
};

/* Opens the sink and starts the threads: call after the last fork. An existing file is continued: its end is compared
 * with the head, a torn last line is removed, complete lines past the head are checked and taken over; a file that is
 * shorter than, or other than, its head says is moved aside to `<path>.mismatch-N` with a notice and a new one is
 * begun. FB_E_CONFIG_VALIDATION ("invalid signing key: ..."), FB_E_IO, FB_E_INSECURE, FB_E_LIMIT, FB_E_NOMEM. */
int fa_log_open(const struct fa_log_options *o, struct fa_log **ret, struct fb_err *err) FB_MUST_USE;

/* Takes a ring slot and log space; never waits. FB_E_UNAVAILABLE when there is none or the log is failing. */
int fa_log_reserve(struct fa_log *log, struct fa_slot **ret) FB_MUST_USE;
/* Gives an unused reservation back. */
void fa_log_release(struct fa_log *log, struct fa_slot *slot);
/* Copies @ev and hands it to the thread. Always accepted. @done may be NULL. The slot is the log's from here on (only
 * fa_log_forget may still name it, until done has been called). */
void fa_log_commit(struct fa_log *log, struct fa_slot *slot, const struct fa_event *ev, fa_done_fn *done, void *arg);
/* The caller goes away before done: it will not be called; the event is written all the same. */
void fa_log_forget(struct fa_log *log, struct fa_slot *slot);
/* Calls done for whatever has finished, and notice for what happened. Returns the number of events finished. done may
 * call any function of this header but fa_log_close and fa_log_take_completions. */
size_t fa_log_take_completions(struct fa_log *log);

/* False while writing or syncing fails. */
bool fa_log_ready(const struct fa_log *log);
/* SIGHUP: the file at the path is opened afresh; the chain goes on. */
void fa_log_reopen(struct fa_log *log);

struct fa_log_stats {
    uint64_t written; /* lines on file */
    uint64_t failed;  /* completions with an error */
    uint64_t batches;
    uint64_t syncs;
    uint64_t in_flight; /* reserved or committed, not finished */
    uint64_t last_seq;
};
void fa_log_stats(const struct fa_log *log, struct fa_log_stats *ret);

/* Writes what is committed (bounded: @timeout_ms), syncs, seals the head, calls the outstanding done functions, ends
 * the threads, frees. 0, or FB_E_UNAVAILABLE when lines could not be written. Reservations still open are dropped.
 * Takes NULL. */
int fa_log_close(struct fa_log *log, int64_t timeout_ms, struct fb_err *err);

#endif
