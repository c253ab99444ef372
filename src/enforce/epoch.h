/* Frees replaced snapshots once no reader can still see them, without a lock on the reading side.
 * A reader announces the epoch in which it began; a writer swaps its pointer, advances the epoch and keeps the old object
 * until every announced epoch is younger. Layer: enforce (L2). Thread: as said for each call. */
#ifndef ENFORCE_EPOCH_H
#define ENFORCE_EPOCH_H

#include "base/macros.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* First member of every object that can be replaced. */
struct fe_retired {
    struct fe_retired *next;
    uint64_t epoch;
    void (*free)(struct fe_retired *self);
};

struct fe_reader {
    _Atomic uint64_t active; /* 0: not reading */
    struct fe_reader *next;
};

struct fe_epoch {
    _Atomic uint64_t now; /* from 1 */
    atomic_bool has_retired;
    pthread_mutex_t lock; /* writers, and the lists below */
    struct fe_reader *readers;
    struct fe_retired *retired;
};

int fe_epoch_init(struct fe_epoch *e);
/* Frees what is still retired; no reader may be left. */
void fe_epoch_done(struct fe_epoch *e);

void fe_epoch_add_reader(struct fe_epoch *e, struct fe_reader *r);
void fe_epoch_remove_reader(struct fe_epoch *e, struct fe_reader *r);

/* Between these two, every pointer loaded with memory order seq_cst stays valid. One thread a reader. */
void fe_epoch_enter(struct fe_epoch *e, struct fe_reader *r);
void fe_epoch_leave(struct fe_epoch *e, struct fe_reader *r);

void fe_epoch_lock(struct fe_epoch *e);
void fe_epoch_unlock(struct fe_epoch *e);
/* Hands over an object that no pointer leads to any more (NULL is fine). With the lock held. */
void fe_epoch_retire(struct fe_epoch *e, struct fe_retired *old);

#endif
