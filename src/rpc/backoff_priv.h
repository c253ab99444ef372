/* How long to wait before the next attempt. Layer: rpc (L2), private. Thread: one owner. */
#ifndef RPC_BACKOFF_PRIV_H
#define RPC_BACKOFF_PRIV_H

#include "rpc/bounds.h"

#include <stdint.h>

struct rp_backoff {
    int64_t min_ms;
    int64_t max_ms;
    unsigned failures;                              /* in a row */
    int64_t attempts_ms[RP_RECONNECTS_PER_MINUTE]; /* when the last ones began, a ring */
    unsigned next;
};

void rp_backoff_init(struct rp_backoff *b, int64_t min_ms, int64_t max_ms);
/* An attempt begins at @now_ms (never 0). */
void rp_backoff_attempt(struct rp_backoff *b, int64_t now_ms);
/* The connection proved good. */
void rp_backoff_good(struct rp_backoff *b);
/* Milliseconds to wait from @now_ms: between half and all of min * 2^failures (at most max), and long enough that no minute
 * holds more than RP_RECONNECTS_PER_MINUTE attempts. @random is any number. Counts a failure. */
int64_t rp_backoff_wait_ms(struct rp_backoff *b, int64_t now_ms, uint32_t random);

#endif
