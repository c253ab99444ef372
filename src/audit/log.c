/* The owner's side of the audit log: opening, reserving, committing, completions, closing. */
#include "audit/log_int.h"

#include "base/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

bool fa_ring_push(struct fa_ring *r, uint32_t item)
{
    uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    if (tail - atomic_load_explicit(&r->head, memory_order_acquire) > r->mask)
        return false;
    r->items[tail & r->mask] = item;
    /* Sequential order with the reader's `sleeping` flag, or a wake-up could be missed. */
    atomic_store(&r->tail, tail + 1);
    return true;
}

bool fa_ring_pop(struct fa_ring *r, uint32_t *ret)
{
    uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    if (head == atomic_load_explicit(&r->tail, memory_order_acquire))
        return false;
    *ret = r->items[head & r->mask];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return true;
}

bool fa_ring_is_empty(struct fa_ring *r)
{
    return atomic_load(&r->head) == atomic_load(&r->tail);
}

static bool ring_init(struct fa_ring *r, uint32_t n)
{
    uint32_t size = 1;
    while (size < n)
        size *= 2;
    r->mask = size - 1;
    r->items = calloc(size, sizeof *r->items);
    return r->items != NULL;
}

static void free_log(struct fa_log *log)
{
    fa_file_done(&log->file);
    fa_held_done(&log->pending);
    fa_held_done(&log->unsynced);
    fa_held_done(&log->syncing);
    fb_buf_done(&log->lines);
    fb_buf_done(&log->scratch);
    fa_key_free(log->key);
    fa_notes_done(&log->notes);
    if (log->rooms != NULL)
        (void)munmap(log->rooms, (size_t)log->n_slots * FA_EVENT_ROOM_BYTES);
    free(log->slots);
    free(log->submitted.items);
    free(log->finished.items);
    free(log->sandbox_id);
    (void)pthread_cond_destroy(&log->cond);
    (void)pthread_cond_destroy(&log->ended_cond);
    (void)pthread_cond_destroy(&log->sync.cond);
    (void)pthread_mutex_destroy(&log->lock);
    free(log);
}

static void init_locks(struct fa_log *log)
{
    pthread_condattr_t attr;
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->cond, &attr);
    (void)pthread_cond_init(&log->ended_cond, &attr);
    (void)pthread_cond_init(&log->sync.cond, &attr);
    (void)pthread_condattr_destroy(&attr);
    fa_notes_init(&log->notes);
}

static int take_memory(struct fa_log *log, const struct fa_log_options *o, struct fb_err *err)
{
    log->slots = calloc(log->n_slots, sizeof *log->slots);
    log->sandbox_id = fb_str_dupz(o->sandbox_id);
    bool ok = log->slots != NULL && log->sandbox_id != NULL && ring_init(&log->submitted, log->n_slots) &&
              ring_init(&log->finished, log->n_slots);
    /* Address space only: a page becomes memory when a slot first uses it. */
    void *rooms = mmap(NULL, (size_t)log->n_slots * FA_EVENT_ROOM_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    log->rooms = rooms == MAP_FAILED ? NULL : rooms;
    return ok && log->rooms != NULL ? 0 : fb_err_set(err, FB_E_NOMEM, "out of memory for the audit log");
}

/* Signals are the owner's. */
static int start_threads(struct fa_log *log, struct fb_err *err)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&log->sync_thread, NULL, fa_sync_main, log);
    if (failed == 0) {
        failed = pthread_create(&log->thread, NULL, fa_worker_main, log);
        if (failed != 0) {
            fa_sync_stop(log);
            (void)pthread_join(log->sync_thread, NULL);
        }
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? 0 : fb_err_sys(err, FB_E_NOMEM, failed, "cannot start the audit threads");
}

static void tell_notes(struct fa_log *log)
{
    bool warn = true;
    char text[FA_NOTE_BYTES];
    while (fa_notes_take(&log->notes, &warn, text))
        if (log->notice != NULL)
            log->notice(log->notice_arg, warn, text);
}

int fa_log_open(const struct fa_log_options *o, struct fa_log **ret, struct fb_err *err)
{
    *ret = NULL;
    if (o->slots > FA_LOG_SLOTS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d audit slots", FA_LOG_SLOTS_MAX);
    if (o->sink == FA_LOG_FILE && o->path == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "file sink requires file_path in audit configuration");
    struct fa_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory for the audit log");
    init_locks(log);
    log->durability = o->durability;
    log->is_file = o->sink == FA_LOG_FILE;
    log->n_slots = o->slots == 0 ? FA_LOG_SLOTS_DEFAULT : o->slots;
    log->wake = o->wake;
    log->wake_arg = o->wake_arg;
    log->notice = o->notice;
    log->notice_arg = o->notice_arg;
    log->free_first = FA_NO_SLOT;
    log->file.fd = log->file.head_fd = -1;
    log->sync.fd = log->sync.head_fd = log->sync.dir_fd = -1;
    fa_held_init(&log->pending);
    fa_held_init(&log->unsynced);
    fa_held_init(&log->syncing);
    fb_buf_init(&log->lines, FA_HELD_MAX_BYTES);
    fb_buf_init(&log->scratch, FA_LINE_MAX_BYTES);
    int rc = fa_key_from_private_pem(o->key_pem, &log->key, err);
    if (rc == 0)
        rc = take_memory(log, o, err);
    if (rc == 0 && fa_file_init(&log->file, log->is_file ? o->path : NULL, o->head_path, log->key, &log->notes) < 0)
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory for the audit log");
    if (rc == 0)
        rc = fa_file_open(&log->file, err);
    if (rc == 0) {
        atomic_store(&log->last_seq, log->file.at.seq);
        fa_worker_top_up(log);
        rc = start_threads(log, err);
    }
    tell_notes(log);
    if (rc < 0) {
        free_log(log);
        return rc;
    }
    *ret = log;
    return 0;
}

static void put_back(struct fa_log *log, struct fa_slot *slot)
{
    slot->next_free = log->free_first;
    log->free_first = slot->index;
    atomic_fetch_sub_explicit(&log->in_flight, 1, memory_order_relaxed);
}

int fa_log_reserve(struct fa_log *log, struct fa_slot **ret)
{
    *ret = NULL;
    if (!fa_log_ready(log))
        return FB_E_UNAVAILABLE;
    int left = atomic_fetch_sub(&log->credits, 1);
    bool ask = left <= FA_SPACE_SLOTS / 4 && !atomic_exchange(&log->low_space, true);
    if (ask)
        fa_worker_poke(log);
    if (left <= 0 || (log->free_first == FA_NO_SLOT && log->fresh == log->n_slots)) {
        atomic_fetch_add(&log->credits, 1);
        return FB_E_UNAVAILABLE;
    }
    uint32_t index = log->free_first;
    if (index == FA_NO_SLOT)
        index = log->fresh++;
    else
        log->free_first = log->slots[index].next_free;
    struct fa_slot *slot = &log->slots[index];
    slot->index = index;
    slot->done = NULL;
    atomic_fetch_add_explicit(&log->in_flight, 1, memory_order_relaxed);
    *ret = slot;
    return 0;
}

void fa_log_release(struct fa_log *log, struct fa_slot *slot)
{
    atomic_fetch_add(&log->credits, 1);
    put_back(log, slot);
}

void fa_log_commit(struct fa_log *log, struct fa_slot *slot, const struct fa_event *ev, fa_done_fn *done, void *arg)
{
    struct fa_event copy = *ev;
    if (copy.sandbox_id.n == 0)
        copy.sandbox_id = fb_str_of(log->sandbox_id);
    fa_event_copy(&slot->ev, log->rooms + (size_t)slot->index * FA_EVENT_ROOM_BYTES, &copy);
    slot->done = done;
    slot->arg = arg;
    (void)fa_ring_push(&log->submitted, slot->index); /* as many places as slots: never full */
    fa_worker_poke(log);
}

void fa_log_forget(struct fa_log *log, struct fa_slot *slot)
{
    (void)log;
    slot->done = NULL;
}

size_t fa_log_take_completions(struct fa_log *log)
{
    size_t n = 0;
    uint32_t index;
    tell_notes(log);
    while (fa_ring_pop(&log->finished, &index)) {
        struct fa_slot *slot = &log->slots[index];
        fa_done_fn *done = slot->done;
        void *arg = slot->arg;
        int code = slot->code;
        put_back(log, slot); /* first: done may reserve again */
        if (done != NULL)
            done(arg, code);
        n++;
    }
    return n;
}

bool fa_log_ready(const struct fa_log *log)
{
    return !atomic_load(&log->failing) && !atomic_load(&log->starved);
}

void fa_log_reopen(struct fa_log *log)
{
    atomic_store(&log->reopen, true);
    fa_worker_poke(log);
}

void fa_log_stats(const struct fa_log *log, struct fa_log_stats *ret)
{
    *ret = (struct fa_log_stats){
        .written = atomic_load(&log->written),
        .failed = atomic_load(&log->failed),
        .batches = atomic_load(&log->batches),
        .syncs = atomic_load(&log->syncs),
        .in_flight = atomic_load(&log->in_flight),
        .last_seq = atomic_load(&log->last_seq),
    };
}

int fa_log_close(struct fa_log *log, int64_t timeout_ms, struct fb_err *err)
{
    if (log == NULL)
        return 0;
    const int64_t slack_ms = 3000; /* for the last sync, after the last line */
    (void)pthread_mutex_lock(&log->lock);
    log->close_by_ms = fb_clock_mono_ms() + timeout_ms;
    atomic_store(&log->closing, true);
    (void)pthread_cond_signal(&log->cond);
    int64_t until_ms = log->close_by_ms + slack_ms;
    struct timespec until = { (time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000 };
    int failed = 0;
    while (!log->ended && failed != ETIMEDOUT)
        failed = pthread_cond_timedwait(&log->ended_cond, &log->lock, &until);
    bool ended = log->ended;
    (void)pthread_mutex_unlock(&log->lock);
    if (!ended) /* stuck in the kernel: its memory must stay */
        return fb_err_set(err, FB_E_UNAVAILABLE, "the audit log's disk does not answer; the last lines may be missing");
    fa_sync_stop(log);
    (void)pthread_join(log->thread, NULL);
    (void)pthread_join(log->sync_thread, NULL);
    (void)fa_log_take_completions(log);
    tell_notes(log);
    int rc = log->close_code;
    size_t lost = log->pending.n;
    free_log(log);
    return rc == 0 ? 0
                   : fb_err_set(err, FB_E_UNAVAILABLE,
                                "the audit log could not be finished; %zu lines were not written", lost);
}
