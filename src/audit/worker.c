/* The log's thread: signs, writes in batches, tells the owner, keeps trying when the disk does not. */
#include "audit/log_int.h"

#include "base/clock.h"

#include <errno.h>
#include <unistd.h>

void fa_worker_poke(struct fa_log *log)
{
    if (!atomic_load(&log->sleeping))
        return;
    (void)pthread_mutex_lock(&log->lock);
    (void)pthread_cond_signal(&log->cond);
    (void)pthread_mutex_unlock(&log->lock);
}

static void finish_slot(struct fa_log *log, struct fa_item *item, int code)
{
    if (item->slot == FA_NO_SLOT)
        return;
    log->slots[item->slot].code = code;
    if (code == 0)
        atomic_fetch_add(&log->written, 1);
    else
        atomic_fetch_add(&log->failed, 1);
    (void)fa_ring_push(&log->finished, item->slot);
    item->slot = FA_NO_SLOT;
}

static void wake_owner(struct fa_log *log)
{
    if (log->wake != NULL)
        log->wake(log->wake_arg);
}

void fa_worker_top_up(struct fa_log *log)
{
    struct fa_file *f = &log->file;
    int cap = (int)log->n_slots;
    int target = cap;
    if (log->is_file && f->can_reserve) {
        int in_use = log->granted - atomic_load(&log->credits);
        int want = 2 * in_use + FA_SPACE_SLOTS;
        want = want > cap ? cap : want;
        uint64_t have = f->space_end > f->bytes ? (f->space_end - f->bytes) / FA_LINE_RESERVE_BYTES : 0;
        if (have < (uint64_t)(want - want / 4)) {
            fa_file_reserve_space(f, f->bytes + (uint64_t)(want + FA_SPACE_SLOTS / 2) * FA_LINE_RESERVE_BYTES);
            have = f->space_end > f->bytes ? (f->space_end - f->bytes) / FA_LINE_RESERVE_BYTES : 0;
        }
        if (f->can_reserve)
            target = have > (uint64_t)cap ? cap : (int)have;
    }
    int change = target - log->granted;
    if (change > 0) {
        log->granted += change;
        atomic_fetch_add(&log->credits, change);
    }
    /* Space that others used up: what is not yet promised is taken back. */
    for (; change < 0; change++) {
        int left = atomic_load(&log->credits);
        if (left <= 0 || !atomic_compare_exchange_strong(&log->credits, &left, left - 1))
            break;
        log->granted--;
    }
}

/* Sets and clears the state in which there is no room for another call. */
static void watch_space(struct fa_log *log, int64_t now)
{
    atomic_store(&log->low_space, false);
    fa_worker_top_up(log);
    bool starved = log->granted < (int)log->n_slots && atomic_load(&log->credits) <= 0;
    if (starved)
        log->space_at_ms = now + FA_RETRY_FIRST_MS;
    if (starved == atomic_load(&log->starved))
        return;
    atomic_store(&log->starved, starved);
    fa_notes_add(&log->notes, starved, "%s",
                 starved ? "no room for the audit log: calls are denied until there is"
                         : "there is room for the audit log again");
    wake_owner(log);
}

static void release_counts(struct fa_log *log, struct fa_held *h)
{
    for (size_t i = 0; i < h->n; i++) {
        if (h->items[i].counted)
            log->granted--;
        h->items[i].counted = false;
    }
}

/* Under the lock: gives the pending events their places and writes them. */
static int write_lines(struct fa_log *log, struct fb_err *err)
{
    struct fa_file *f = &log->file;
    struct fa_held *h = &log->pending;
    int rc = fa_file_refresh(f, err);
    if (rc < 0)
        return rc;
    struct fa_chain after = f->at;
    fb_buf_reset(&log->lines);
    for (size_t i = 0; rc == 0 && i < h->n; i++) {
        const struct fa_item *it = &h->items[i];
        const char *at = h->bytes.p + it->head_at;
        rc = fa_line_finish(&log->lines, fb_str_n(at, it->head_n), fb_str_n(at + it->head_n, it->signature_n), log->key,
                            &after);
    }
    if (rc < 0)
        return fb_err_set(err, FB_E_NOMEM, "out of memory for the audit log");
    rc = fa_file_write(f, fb_buf_str(&log->lines), &after, err);
    if (rc == 0 && log->is_file && log->durability == FA_LOG_FSYNC) {
        atomic_fetch_add(&log->syncs, 1);
        if (fdatasync(f->fd) != 0) {
            rc = fb_err_sys(err, FB_E_IO, errno, "cannot sync the audit log '%s'", f->path);
            log->file_broken = true; /* what the kernel dropped cannot be known: never again this descriptor */
        }
    }
    return rc;
}

static void write_head(struct fa_log *log)
{
    struct fb_err err = { 0 };
    if (fa_file_write_head(&log->file, false, &err) == 0) {
        log->head_warned = false;
    } else if (!log->head_warned) {
        log->head_warned = true;
        fa_notes_add(&log->notes, true, "%s", err.msg);
    }
}

static void keep_until_synced(struct fa_log *log)
{
    if (!log->is_file || log->durability == FA_LOG_FSYNC)
        return;
    if (log->unsynced.n == 0)
        log->sync_at_ms = log->sync_at_ms > fb_clock_mono_ms() ? log->sync_at_ms : fb_clock_mono_ms();
    if (!fa_held_append(&log->unsynced, &log->pending))
        fa_notes_add(&log->notes, true, "out of memory: %zu lines could not be kept until the disk has confirmed them",
                     log->pending.n);
}

static void batch_done(struct fa_log *log)
{
    struct fa_held *h = &log->pending;
    for (size_t i = 0; i < h->n; i++)
        finish_slot(log, &h->items[i], 0);
    atomic_fetch_add(&log->batches, 1);
    atomic_store(&log->last_seq, log->file.at.seq);
    wake_owner(log);
    keep_until_synced(log);
    release_counts(log, h);
    if (atomic_load(&log->failing)) {
        atomic_store(&log->failing, false);
        fa_notes_add(&log->notes, false, "the audit log is written again%s%s; %zu held lines are in it",
                     log->is_file ? ", to " : "", log->is_file ? log->file.path : "", h->n);
        wake_owner(log);
    }
    log->retry_ms = 0;
    fa_held_reset(h);
}

static void batch_failed(struct fa_log *log, const struct fb_err *err)
{
    struct fa_held *h = &log->pending;
    for (size_t i = 0; i < h->n; i++)
        finish_slot(log, &h->items[i], FB_E_UNAVAILABLE);
    /* Room can come back and a lock be let go; anything else says that this file is not to be trusted any more. */
    bool passing =
        err->os_errno == ENOSPC || err->os_errno == EDQUOT || err->code == FB_E_TIMEOUT || err->code == FB_E_NOMEM;
    if (!passing && log->is_file)
        log->file_broken = true;
    if (!atomic_load(&log->failing)) {
        atomic_store(&log->failing, true);
        fa_notes_add(&log->notes, true, "%s: calls are denied until the audit log can be written", err->msg);
    }
    log->retry_ms = log->retry_ms == 0 ? FA_RETRY_FIRST_MS : 2 * log->retry_ms;
    if (log->retry_ms > FA_RETRY_LAST_MS)
        log->retry_ms = FA_RETRY_LAST_MS;
    log->retry_at_ms = fb_clock_mono_ms() + log->retry_ms;
    wake_owner(log);
}

/* Everything not known to be on disk goes in front of what waits, in its order. */
static void take_back_unsynced(struct fa_log *log)
{
    struct fa_held all;
    fa_held_init(&all);
    if (!fa_held_append(&all, &log->syncing) || !fa_held_append(&all, &log->unsynced) ||
        !fa_held_append(&all, &log->pending)) {
        fa_notes_add(&log->notes, true, "out of memory: %zu lines may be lost with the disk",
                     log->syncing.n + log->unsynced.n);
        fa_held_done(&all);
        return;
    }
    fa_held_reset(&log->syncing);
    fa_held_reset(&log->unsynced);
    fa_held_done(&log->pending);
    log->pending = all;
}

static void flush(struct fa_log *log)
{
    struct fb_err err = { 0 };
    int rc = 0;
    if (log->file_broken) {
        rc = fa_file_next(&log->file, &err);
        if (rc == 0) {
            log->file_broken = false;
            log->epoch++;
            take_back_unsynced(log);
            fa_notes_add(
                &log->notes, true,
                "the audit log goes on in a new file, '%s'; lines not confirmed by the disk are repeated there",
                log->file.path);
        }
    } else if (log->file.fd < 0) {
        rc = fa_file_open(&log->file, &err);
    }
    if (rc == 0)
        rc = fa_file_lock(&log->file, &err);
    if (rc == 0) {
        rc = write_lines(log, &err);
        if (rc == 0) {
            batch_done(log);
            write_head(log);
        }
        fa_file_unlock(&log->file);
    }
    if (rc < 0)
        batch_failed(log, &err);
}

/* Signs up to FA_BATCH_MAX submitted events. */
static void collect(struct fa_log *log)
{
    uint32_t index;
    for (int i = 0; i < FA_BATCH_MAX && fa_ring_pop(&log->submitted, &index); i++) {
        int rc = fa_held_add_event(&log->pending, log, &log->slots[index]);
        if (rc == 0)
            continue;
        struct fa_item lost = { .slot = index };
        fa_notes_add(&log->notes, true, "an audit event could not be signed (%s)", fb_err_name(rc));
        finish_slot(log, &lost, FB_E_UNAVAILABLE);
        log->granted--;
        wake_owner(log);
    }
    if (!atomic_load(&log->failing) || log->pending.n == 0)
        return;
    for (size_t i = 0; i < log->pending.n; i++) /* reserved before the fault: told now, written when it is over */
        finish_slot(log, &log->pending.items[i], FB_E_UNAVAILABLE);
    wake_owner(log);
}

static void sync_ended(struct fa_log *log, int failed)
{
    atomic_fetch_add(&log->syncs, 1);
    log->sync_at_ms = fb_clock_mono_ms() + FA_SYNC_MS;
    if (log->sync_epoch != log->epoch)
        return; /* of a file that was left since; its lines were taken care of then */
    if (failed == 0) {
        fa_held_reset(&log->syncing);
        return;
    }
    struct fb_err err = { 0 };
    (void)fb_err_sys(&err, FB_E_IO, failed, "cannot sync the audit log '%s'", log->file.path);
    log->file_broken = true;
    batch_failed(log, &err);
    log->retry_at_ms = 0; /* a new file may work at once */
}

static void drive_sync(struct fa_log *log, int64_t now)
{
    int failed;
    if (fa_sync_take(log, &failed))
        sync_ended(log, failed);
    if (log->file_broken || log->unsynced.n == 0 || fa_sync_is_busy(log))
        return;
    if (now < log->sync_at_ms && log->unsynced.bytes.n < FA_UNSYNCED_MAX_BYTES)
        return;
    struct fa_held swap = log->syncing;
    log->syncing = log->unsynced;
    log->unsynced = swap;
    fa_held_reset(&log->unsynced);
    log->sync_epoch = log->epoch;
    fa_sync_start(log);
}

static void reopen(struct fa_log *log)
{
    struct fb_err err = { 0 };
    if (!log->is_file)
        return;
    int rc = 0;
    if (log->file.fd >= 0 && fdatasync(log->file.fd) != 0) {
        rc = fb_err_sys(&err, FB_E_IO, errno, "cannot sync the audit log '%s'", log->file.path);
    } else {
        fa_held_reset(&log->unsynced);
        fa_held_reset(&log->syncing);
        log->epoch++;
        log->file_broken = false;
        (void)fa_file_close(&log->file, false, NULL);
        rc = fa_file_open(&log->file, &err);
    }
    if (rc == 0)
        fa_notes_add(&log->notes, false, "audit log reopened");
    else
        batch_failed(log, &err);
}

/* Lines that wait for a try, or a file that waits for one. */
static bool wants_flush(const struct fa_log *log)
{
    return log->pending.n > 0 || atomic_load(&log->failing);
}

/* Under log->lock. */
static bool has_work(struct fa_log *log)
{
    /* With too much unsynced, only the end of the sync is work: the ring holds the callers back. */
    bool held_up = log->unsynced.bytes.n > FA_UNSYNCED_MAX_BYTES && log->sync.busy;
    return (!fa_ring_is_empty(&log->submitted) && !held_up) || atomic_load(&log->reopen) || log->sync.done ||
           atomic_load(&log->low_space) || (atomic_load(&log->closing) && !wants_flush(log));
}

static void sooner(int64_t *at, int64_t other)
{
    if (*at < 0 || other < *at)
        *at = other;
}

/* Under log->lock: the earliest thing that the clock will bring, or -1. */
static int64_t next_time(struct fa_log *log)
{
    int64_t at = -1;
    if (wants_flush(log))
        sooner(&at, log->retry_at_ms);
    if (log->unsynced.n > 0 && !log->sync.busy && !log->file_broken)
        sooner(&at, log->sync_at_ms);
    if (atomic_load(&log->starved))
        sooner(&at, log->space_at_ms);
    if (atomic_load(&log->closing))
        sooner(&at, log->close_by_ms);
    return at;
}

static void sleep_until_work(struct fa_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    atomic_store(&log->sleeping, true);
    if (!has_work(log)) {
        int64_t at = next_time(log);
        struct timespec until = { (time_t)(at / 1000), (long)(at % 1000) * 1000000 };
        if (at < 0)
            (void)pthread_cond_wait(&log->cond, &log->lock);
        else if (at > fb_clock_mono_ms())
            (void)pthread_cond_timedwait(&log->cond, &log->lock, &until);
    }
    atomic_store(&log->sleeping, false);
    (void)pthread_mutex_unlock(&log->lock);
}

static void end(struct fa_log *log)
{
    struct fb_err err = { 0 };
    if (log->pending.n > 0)
        log->close_code = FB_E_UNAVAILABLE;
    if (fa_file_close(&log->file, !log->file_broken, &err) < 0) {
        log->close_code = FB_E_UNAVAILABLE;
        fa_notes_add(&log->notes, true, "%s", err.msg);
    }
    (void)pthread_mutex_lock(&log->lock);
    log->ended = true;
    (void)pthread_cond_signal(&log->ended_cond);
    (void)pthread_mutex_unlock(&log->lock);
}

void *fa_worker_main(void *arg)
{
    struct fa_log *log = arg;
    for (;;) {
        int64_t now = fb_clock_mono_ms();
        bool held_up = log->unsynced.bytes.n > FA_UNSYNCED_MAX_BYTES && fa_sync_is_busy(log);
        if (!held_up)
            collect(log);
        if (wants_flush(log) && (log->retry_ms == 0 || now >= log->retry_at_ms))
            flush(log);
        if (atomic_load(&log->reopen)) {
            atomic_store(&log->reopen, false);
            reopen(log);
        }
        drive_sync(log, now);
        watch_space(log, now);
        if (fa_notes_any(&log->notes))
            wake_owner(log);
        bool drained = fa_ring_is_empty(&log->submitted) && !wants_flush(log);
        if (atomic_load(&log->closing) && (drained || now >= log->close_by_ms))
            break;
        sleep_until_work(log);
    }
    end(log);
    return NULL;
}
