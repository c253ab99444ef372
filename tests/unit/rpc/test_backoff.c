/* Waiting between attempts: grows, jitters, and never exceeds twelve attempts a minute. */
#include "rpc_test.h"

#include "rpc/backoff_priv.h"

static void waits_double_up_to_the_maximum_with_jitter_in_the_upper_half(void **state)
{
    struct rp_backoff b;

    (void)state;
    for (uint32_t random = 0; random < 5; random++) {
        int64_t full = 250;
        rp_backoff_init(&b, 250, 30000);
        for (int i = 0; i < 10; i++) {
            int64_t wait = rp_backoff_wait_ms(&b, 1, random * 1000003u);
            assert_true(wait >= full / 2 && wait <= full);
            full = full * 2 > 30000 ? 30000 : full * 2;
        }
        rp_backoff_good(&b);
        assert_true(rp_backoff_wait_ms(&b, 1, 0) <= 250);
    }
}

static void no_minute_holds_more_than_twelve_attempts(void **state)
{
    struct rp_backoff b;
    int64_t at[200];
    int64_t now = 1;

    (void)state;
    rp_backoff_init(&b, 250, 30000);
    for (size_t i = 0; i < 200; i++) {
        at[i] = now;
        rp_backoff_attempt(&b, now);
        rp_backoff_good(&b); /* a server that accepts and hangs up at once */
        now += rp_backoff_wait_ms(&b, now, 0);
    }
    for (size_t i = RP_RECONNECTS_PER_MINUTE; i < 200; i++)
        assert_true(at[i] - at[i - RP_RECONNECTS_PER_MINUTE] >= 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_double_up_to_the_maximum_with_jitter_in_the_upper_half),
        cmocka_unit_test(no_minute_holds_more_than_twelve_attempts),
    };
    return cmocka_run_group_tests_name("rpc/backoff", tests, NULL, NULL);
}
