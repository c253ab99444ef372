/* Revoked token ids: an exact set that only grows; past its capacity a Bloom filter takes over, which may deny too much but
 * never too little. Source: [the Firma specification, sidecar 10.3]. Layer: enforce (L2).
 * Thread: lookups from any reader of @epoch without a lock, additions from any thread. */
#ifndef ENFORCE_REVOKE_H
#define ENFORCE_REVOKE_H

#include "base/str.h"
#include "enforce/epoch.h"

enum { FE_REVOKE_BLOOM_BITS = 1 << 25, FE_REVOKE_BLOOM_HASHES = 14 };

struct fe_revoke_table;

struct fe_revoke {
    struct fe_epoch *epoch;
    size_t capacity;
    _Atomic(struct fe_revoke_table *) table;
    _Atomic(_Atomic uint64_t *) bloom; /* NULL until the exact set is full */
    _Atomic uint64_t count;
    atomic_bool broken; /* an id could not be kept: nothing may be allowed any more */
};

void fe_revoke_init(struct fe_revoke *r, struct fe_epoch *epoch, size_t capacity);
void fe_revoke_done(struct fe_revoke *r);
/* True when the id was new. */
bool fe_revoke_add(struct fe_revoke *r, struct fb_str id);
/* For lookups of the same id again and again. */
uint64_t fe_revoke_hash(struct fb_str id);
bool fe_revoke_has(struct fe_revoke *r, struct fb_str id, uint64_t hash);

#endif
