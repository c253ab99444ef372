#include "rpc/backoff_priv.h"

enum { MINUTE_MS = 60000 };

void rp_backoff_init(struct rp_backoff *b, int64_t min_ms, int64_t max_ms)
{
    *b = (struct rp_backoff){ .min_ms = min_ms, .max_ms = max_ms < min_ms ? min_ms : max_ms };
}

void rp_backoff_attempt(struct rp_backoff *b, int64_t now_ms)
{
    b->attempts_ms[b->next] = now_ms;
    b->next = (b->next + 1) % RP_RECONNECTS_PER_MINUTE;
}

void rp_backoff_good(struct rp_backoff *b)
{
    b->failures = 0;
}

int64_t rp_backoff_wait_ms(struct rp_backoff *b, int64_t now_ms, uint32_t random)
{
    int64_t full = b->min_ms;

    for (unsigned i = 0; i < b->failures && full < b->max_ms; i++)
        full *= 2;
    if (full > b->max_ms)
        full = b->max_ms;
    b->failures++;
    int64_t wait = full / 2 + (int64_t)(random % (uint64_t)(full - full / 2 + 1));
    int64_t oldest = b->attempts_ms[b->next];
    if (oldest != 0 && oldest + MINUTE_MS - now_ms > wait)
        wait = oldest + MINUTE_MS - now_ms;
    return wait;
}
