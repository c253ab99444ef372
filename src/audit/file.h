/* The log file and its head, shared by every Sidecar that writes to the same path. Source: [the Firma design, audit and
 * audit order]. Layer: audit (L2). Thread: one owner at a time (opened by the loop's thread, then the log's thread).
 * Discipline: lock, refresh, write, head, unlock. The lock is flock(2) on the log file, held only while lines go out.
 */
#ifndef AUDIT_FILE_H
#define AUDIT_FILE_H

#include "audit/head.h"

#include <pthread.h>

/* Texts for a person, carried from the log's thread to the owner. */
enum { FA_NOTES_MAX = 16, FA_NOTE_BYTES = 512 };
struct fa_notes {
    pthread_mutex_t lock;
    unsigned n;
    unsigned dropped;
    bool warn[FA_NOTES_MAX];
    char text[FA_NOTES_MAX][FA_NOTE_BYTES];
};
void fa_notes_init(struct fa_notes *n);
void fa_notes_done(struct fa_notes *n);
void fa_notes_add(struct fa_notes *n, bool warn, const char *fmt, ...) FB_PRINTF(3, 4);
bool fa_notes_any(struct fa_notes *n);
/* Takes the oldest; false when there is none. */
bool fa_notes_take(struct fa_notes *n, bool *ret_warn, char text[FA_NOTE_BYTES]);

struct fa_file {
    struct fa_key *key;     /* borrowed */
    struct fa_notes *notes; /* borrowed */
    char *base;             /* the configured path; NULL for stdout */
    char *base_head;        /* NULL: no head */
    char *path;             /* in use: base, or base.N after a storage fault */
    char *head_path;
    int fd;
    int head_fd;
    struct fa_chain at;
    uint64_t bytes;                     /* length after line at.seq */
    uint64_t generation;                /* of the head */
    char head_seen[FA_HEAD_FILE_BYTES]; /* the head file as it was last read or written by us */
    size_t head_seen_n;
    uint64_t space_end; /* log space set aside up to here */
    bool can_reserve;   /* the file system knows fallocate */
    bool torn;          /* a pipe holds half a line */
    bool unsynced_dir;  /* the file was created and its directory not synced yet */
};

/* @path NULL: standard output. @head_path NULL with a path: path + ".head". Nothing is opened yet. FB_E_NOMEM. */
int fa_file_init(struct fa_file *f, const char *path, const char *head_path, struct fa_key *key,
                 struct fa_notes *notes);
/* Opens the configured path and reconciles file and head. FB_E_IO, FB_E_INSECURE, FB_E_TIMEOUT (lock). */
int fa_file_open(struct fa_file *f, struct fb_err *err);
/* After a fault: leaves the present file as it is and begins `<base>.N` with a chain of its own. */
int fa_file_next(struct fa_file *f, struct fb_err *err);

/* Waits up to FA_LOCK_WAIT_MS. FB_E_TIMEOUT, FB_E_IO. */
enum { FA_LOCK_WAIT_MS = 2000 };
int fa_file_lock(struct fa_file *f, struct fb_err *err);
void fa_file_unlock(struct fa_file *f);
/* Under the lock: takes over what other writers did, notices rotation and damage. */
int fa_file_refresh(struct fa_file *f, struct fb_err *err);
/* Under the lock: whole lines in one write(2). On failure nothing of them remains in the file. err->os_errno tells why.
 * @after is the chain behind them. */
int fa_file_write(struct fa_file *f, struct fb_str lines, const struct fa_chain *after, struct fb_err *err);
/* Under the lock: writes the head for the present state. */
int fa_file_write_head(struct fa_file *f, bool sealed, struct fb_err *err);
/* Sets log space aside up to @end; *f.space_end tells what was reached. */
void fa_file_reserve_space(struct fa_file *f, uint64_t end);
/* Closes; @seal: sync, seal the head and give unused space back first. */
int fa_file_close(struct fa_file *f, bool seal, struct fb_err *err);
void fa_file_done(struct fa_file *f);

/* file_recover.c: under the lock, brings f->at and f->bytes in line with file and head. @at_open: the file was just
 * opened. A file that cannot be trusted is moved aside: returns FA_FILE_MOVED, and the caller opens again. */
enum { FA_FILE_MOVED = 1 };
int fa_file_reconcile(struct fa_file *f, bool at_open, struct fb_err *err);

#endif
