#include "enforce/epoch.h"

int fe_epoch_init(struct fe_epoch *e)
{
    atomic_init(&e->now, 1);
    atomic_init(&e->has_retired, false);
    e->readers = NULL;
    e->retired = NULL;
    return pthread_mutex_init(&e->lock, NULL) == 0 ? 0 : -1;
}

void fe_epoch_done(struct fe_epoch *e)
{
    while (e->retired != NULL) {
        struct fe_retired *r = e->retired;
        e->retired = r->next;
        r->free(r);
    }
    pthread_mutex_destroy(&e->lock);
}

void fe_epoch_lock(struct fe_epoch *e)
{
    pthread_mutex_lock(&e->lock);
}

void fe_epoch_unlock(struct fe_epoch *e)
{
    pthread_mutex_unlock(&e->lock);
}

void fe_epoch_add_reader(struct fe_epoch *e, struct fe_reader *r)
{
    atomic_init(&r->active, 0);
    fe_epoch_lock(e);
    r->next = e->readers;
    e->readers = r;
    fe_epoch_unlock(e);
}

void fe_epoch_remove_reader(struct fe_epoch *e, struct fe_reader *r)
{
    fe_epoch_lock(e);
    for (struct fe_reader **at = &e->readers; *at != NULL; at = &(*at)->next) {
        if (*at == r) {
            *at = r->next;
            break;
        }
    }
    fe_epoch_unlock(e);
}

/* An object retired in epoch E may be seen by readers that announced an epoch before E. With the lock held. */
static void reclaim(struct fe_epoch *e)
{
    uint64_t oldest = UINT64_MAX;
    for (struct fe_reader *r = e->readers; r != NULL; r = r->next) {
        uint64_t active = atomic_load(&r->active);
        if (active != 0 && active < oldest)
            oldest = active;
    }
    for (struct fe_retired **at = &e->retired; *at != NULL;) {
        struct fe_retired *old = *at;
        if (old->epoch <= oldest) {
            *at = old->next;
            old->free(old);
        } else {
            at = &old->next;
        }
    }
    atomic_store(&e->has_retired, e->retired != NULL);
}

void fe_epoch_retire(struct fe_epoch *e, struct fe_retired *old)
{
    if (old == NULL)
        return;
    /* Whoever enters from now on announces the new epoch and can only load the new pointer. */
    old->epoch = atomic_fetch_add(&e->now, 1) + 1;
    old->next = e->retired;
    e->retired = old;
    atomic_store(&e->has_retired, true);
    reclaim(e);
}

void fe_epoch_enter(struct fe_epoch *e, struct fe_reader *r)
{
    atomic_store(&r->active, atomic_load(&e->now));
}

void fe_epoch_leave(struct fe_epoch *e, struct fe_reader *r)
{
    atomic_store_explicit(&r->active, 0, memory_order_release);
    /* The last reader to leave frees; a writer at work does it itself, so nobody waits here. */
    if (atomic_load_explicit(&e->has_retired, memory_order_relaxed) && pthread_mutex_trylock(&e->lock) == 0) {
        reclaim(e);
        fe_epoch_unlock(e);
    }
}
