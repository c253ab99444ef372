/* Inside of the audit log, for its own files only: log.c (owner's thread), worker.c (log's thread), sync.c (syncing
 * thread). Source: audit/log.h. Layer: audit (L2). Thread: each group of members says whose it is. */
#ifndef AUDIT_LOG_INT_H
#define AUDIT_LOG_INT_H

#include "audit/file.h"
#include "audit/log.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    FA_BATCH_MAX = 64,               /* events signed before the first of them is written */
    FA_HELD_MAX_BYTES = 256 << 20,   /* lines that wait for a disk */
    FA_UNSYNCED_MAX_BYTES = 4 << 20, /* written, and kept until synced */
    FA_SPACE_SLOTS = 256,            /* log space set aside for this many calls beyond twice those under way */
    FA_RETRY_FIRST_MS = 250,
    FA_RETRY_LAST_MS = 2000,
};
#define FA_NO_SLOT UINT32_MAX

struct fa_slot {
    struct fa_event ev;
    fa_done_fn *done;
    void *arg;
    int code;
    uint32_t index;
    uint32_t next_free;
};

/* One writer, one reader; holds slot numbers, and never more than there are slots. */
struct fa_ring {
    _Atomic uint32_t head; /* next to read */
    _Atomic uint32_t tail; /* next to write */
    uint32_t mask;
    uint32_t *items;
};

/* A signed event without its place in the chain: the JSON up to the chain keys, and the signature. */
struct fa_item {
    size_t head_at;
    size_t head_n;
    size_t signature_n;
    uint32_t slot; /* FA_NO_SLOT once its call has been told */
    bool counted;  /* still counts against the log space granted */
};
struct fa_held {
    struct fb_buf bytes;
    struct fa_item *items;
    size_t n;
    size_t cap;
};

/* Guarded by fa_log.lock. */
struct fa_sync {
    pthread_cond_t cond;
    bool asked;
    bool busy;
    bool done;
    bool stop;
    int os_errno; /* of the sync that is done; 0 = good */
    int fd;
    int head_fd;
    int dir_fd; /* -1: the directory needs no sync */
};

struct fa_log {
    /* Set at open. */
    enum fa_log_durability durability;
    bool is_file;
    uint32_t n_slots;
    char *sandbox_id;
    void (*wake)(void *arg);
    void *wake_arg;
    fa_notice_fn *notice;
    void *notice_arg;
    struct fa_key *key;
    struct fa_notes notes;

    /* Owner's thread. */
    struct fa_slot *slots;
    char *rooms;         /* n_slots * FA_EVENT_ROOM_BYTES, touched as needed */
    uint32_t fresh;      /* slots from here on were never used */
    uint32_t free_first; /* most recently used first: few pages stay warm */

    /* Shared. */
    struct fa_ring submitted; /* owner -> log */
    struct fa_ring finished;  /* log -> owner */
    atomic_int credits;       /* reservations that may still be made */
    atomic_bool failing;
    atomic_bool starved;
    atomic_bool low_space; /* the owner asks for more credits */
    atomic_bool reopen;
    atomic_bool closing;
    atomic_bool sleeping;
    atomic_uint_fast64_t written, failed, batches, syncs, last_seq, in_flight;
    pthread_mutex_t lock;
    pthread_cond_t cond; /* the log's thread sleeps here */
    pthread_cond_t ended_cond;
    bool ended;
    int64_t close_by_ms;
    struct fa_sync sync;
    pthread_t thread;
    pthread_t sync_thread;

    /* The log's thread. */
    struct fa_file file;
    struct fa_held pending;  /* signed, not written */
    struct fa_held unsynced; /* written since the last sync began */
    struct fa_held syncing;  /* written, and being synced */
    struct fb_buf lines;
    struct fb_buf scratch;
    int granted;         /* credits given out and not used up */
    bool file_broken;    /* never to be written again: the next try makes a new file */
    unsigned epoch;      /* counts the files */
    unsigned sync_epoch; /* of the file that is being synced */
    int64_t retry_ms;
    int64_t retry_at_ms;
    int64_t space_at_ms;
    int64_t sync_at_ms;
    bool head_warned;
    int close_code;
};

/* log.c */
bool fa_ring_push(struct fa_ring *r, uint32_t item);
bool fa_ring_pop(struct fa_ring *r, uint32_t *ret);
bool fa_ring_is_empty(struct fa_ring *r);

/* worker.c */
void *fa_worker_main(void *log);
/* Brings log space and credits in line; also called once before the thread runs. */
void fa_worker_top_up(struct fa_log *log);
/* Wakes the log's thread if it sleeps. */
void fa_worker_poke(struct fa_log *log);

/* held.c */
void fa_held_init(struct fa_held *h);
void fa_held_done(struct fa_held *h);
void fa_held_reset(struct fa_held *h);
/* Room for one more item; false when out of memory. */
bool fa_held_grow(struct fa_held *h);
/* Appends all of @from to @to; false (with @to as it was) when out of memory. */
bool fa_held_append(struct fa_held *to, const struct fa_held *from);
/* Cleans, signs and appends the event of a slot. */
int fa_held_add_event(struct fa_held *h, struct fa_log *log, const struct fa_slot *slot);

/* sync.c */
void *fa_sync_main(void *log);
/* Hands the present file to the syncing thread. Only while it is idle. */
void fa_sync_start(struct fa_log *log);
/* True when a sync has ended; *ret_errno tells how. */
bool fa_sync_take(struct fa_log *log, int *ret_errno);
bool fa_sync_is_busy(struct fa_log *log);
void fa_sync_stop(struct fa_log *log);

#endif
