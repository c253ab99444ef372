/* What a connection is allowed in time, at each limit and one millisecond past it. */
#include "raw_peer.h"

static void who_never_greets_is_cut_after_the_preface_time(void **state)
{
    struct raw_peer *p = *state;
    int64_t t = raw_conn(p)->opened_at_ms;

    rp_conn_sweep(raw_conn(p), t + RP_PREFACE_TIMEOUT_MS);
    assert_int_equal(rp_server_connections(p->server), 1);
    rp_conn_sweep(raw_conn(p), t + RP_PREFACE_TIMEOUT_MS + 1);
    assert_int_equal(rp_server_connections(p->server), 0);
}

static void silence_gets_a_ping_and_no_answer_to_that_is_the_end(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_turn(p);
    int64_t t = raw_conn(p)->link.read_at_ms;
    rp_conn_sweep(raw_conn(p), t + RP_KEEPALIVE_MS - 1);
    raw_turn(p);
    assert_int_equal(p->frames[F_PING], 0);
    rp_conn_sweep(raw_conn(p), t + RP_KEEPALIVE_MS);
    raw_turn(p);
    assert_int_equal(p->frames[F_PING], 1);
    rp_conn_sweep(raw_conn(p), t + RP_KEEPALIVE_MS + RP_KEEPALIVE_ACK_MS);
    assert_int_equal(rp_server_connections(p->server), 1);
    rp_conn_sweep(raw_conn(p), t + RP_KEEPALIVE_MS + RP_KEEPALIVE_ACK_MS + 1);
    assert_int_equal(rp_server_connections(p->server), 0);
}

static void an_answered_ping_starts_the_clock_anew(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_turn(p);
    int64_t t = raw_conn(p)->link.read_at_ms;
    rp_conn_sweep(raw_conn(p), t + RP_KEEPALIVE_MS);
    raw_frame(p, F_PING, 1, 0, "\0\0\0\0\0\0\0\0", 8);
    raw_turn(p);
    assert_int_equal(raw_conn(p)->link.ping_at_ms, 0);
    raw_conn(p)->link.read_at_ms = t + RP_KEEPALIVE_MS; /* the answer came then */
    rp_conn_sweep(raw_conn(p), t + 2 * RP_KEEPALIVE_MS - 1);
    raw_turn(p);
    assert_int_equal(p->frames[F_PING], 1);
    assert_int_equal(rp_server_connections(p->server), 1);
}

static void a_connection_without_calls_is_sent_away_after_the_idle_time(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_turn(p);
    struct rp_conn *c = raw_conn(p);
    int64_t t = c->busy_at_ms;
    c->link.read_at_ms = t + RP_IDLE_TIMEOUT_MS; /* it answers its pings, but asks nothing */
    rp_conn_sweep(c, t + RP_IDLE_TIMEOUT_MS);
    raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY], 0);
    rp_conn_sweep(c, t + RP_IDLE_TIMEOUT_MS + 1);
    raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY], 1);
    assert_int_equal(p->last_code, 0);
    assert_true(p->closed);
}

static void an_open_call_keeps_an_idle_connection(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_non_null(p->call);
    struct rp_conn *c = raw_conn(p);
    int64_t late = c->busy_at_ms + 10 * RP_IDLE_TIMEOUT_MS;
    c->link.read_at_ms = late;
    rp_conn_sweep(c, late);
    raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY] + p->frames[F_RST], 0);
    assert_non_null(p->call);
}

static void a_request_that_does_not_come_is_reset(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_call(p, 1);
    raw_turn(p);
    struct rp_conn *c = raw_conn(p);
    int64_t t = c->calls->started_at_ms;
    c->link.read_at_ms = t + RP_REQUEST_TIMEOUT_MS;
    rp_conn_sweep(c, t + RP_REQUEST_TIMEOUT_MS);
    raw_turn(p);
    assert_int_equal(p->frames[F_RST], 0);
    rp_conn_sweep(c, t + RP_REQUEST_TIMEOUT_MS + 1);
    raw_turn(p);
    assert_int_equal(p->frames[F_RST], 1);
    assert_int_equal(p->last_code, 8); /* CANCEL */
    assert_int_equal(rp_server_connections(p->server), 1);
    assert_int_equal(c->n_calls, 0);
}

static void a_reply_that_is_not_taken_is_reset_after_the_stall_time(void **state)
{
    static const unsigned char no_window[] = { 0, 4, 0, 0, 0, 0 };
    struct raw_peer *p = *state;

    raw_greet(p, no_window, sizeof(no_window));
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_int_equal(rp_call_send(p->call, "x", 1), 0);
    raw_turn(p);
    struct rp_conn *c = raw_conn(p);
    int64_t t = p->call->progress_at_ms;
    c->link.read_at_ms = t + RP_STALL_TIMEOUT_MS;
    rp_conn_sweep(c, t + RP_STALL_TIMEOUT_MS);
    raw_turn(p);
    assert_int_equal(p->ended, 0);
    rp_conn_sweep(c, t + RP_STALL_TIMEOUT_MS + 1);
    raw_turn(p);
    assert_int_equal(p->ended, 1); /* the handler was told */
    assert_int_equal(p->frames[F_RST], 1);
    assert_int_equal(rp_server_connections(p->server), 1);
}

static void a_socket_that_takes_nothing_is_cut_after_the_stall_time(void **state)
{
    static const unsigned char wide[] = { 0, 4, 0x7f, 0xff, 0xff, 0xff };
    struct raw_peer *p = *state;
    char *big = calloc(1, RP_MESSAGE_MAX_BYTES);

    raw_greet(p, wide, sizeof(wide));
    raw_frame(p, F_WINDOW, 0, 0, "\x7f\x00\x00\x00", 4);
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_int_equal(rp_call_send(p->call, big, RP_MESSAGE_MAX_BYTES), 0);
    fb_timer_start(p->turn, 5, 0); /* without reading */
    fb_loop_run(p->loop);
    struct rp_conn *c = raw_conn(p);
    assert_true(c->link.out_n > 0);
    int64_t t = c->link.progress_at_ms;
    c->link.read_at_ms = t + RP_STALL_TIMEOUT_MS;
    rp_conn_sweep(c, t + RP_STALL_TIMEOUT_MS);
    assert_int_equal(rp_server_connections(p->server), 1);
    rp_conn_sweep(c, t + RP_STALL_TIMEOUT_MS + 1);
    assert_int_equal(rp_server_connections(p->server), 0);
    assert_int_equal(p->ended, 1);
    free(big);
}

static void resets_count_within_their_window_only(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    for (uint32_t i = 0; i < RP_RESETS_MAX; i++) {
        raw_call(p, 2 * i + 1);
        raw_frame(p, F_RST, 0, 2 * i + 1, "\0\0\0\x08", 4);
        raw_turn(p);
    }
    assert_int_equal(p->frames[F_GOAWAY], 0);
    raw_conn(p)->resets_since_ms -= RP_RESETS_WINDOW_MS + 1; /* time passes */
    raw_call(p, 1001);
    raw_frame(p, F_RST, 0, 1001, "\0\0\0\x08", 4);
    raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY], 0);
    assert_int_equal(raw_conn(p)->resets, 1);
    raw_conn(p)->resets = RP_RESETS_MAX;
    raw_call(p, 1003);
    raw_frame(p, F_RST, 0, 1003, "\0\0\0\x08", 4);
    raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY], 1);
    assert_int_equal(p->last_code, 11); /* ENHANCE_YOUR_CALM */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, raw_set_up, raw_tear_down)
    const struct CMUnitTest tests[] = {
        T(who_never_greets_is_cut_after_the_preface_time),
        T(silence_gets_a_ping_and_no_answer_to_that_is_the_end),
        T(an_answered_ping_starts_the_clock_anew),
        T(a_connection_without_calls_is_sent_away_after_the_idle_time),
        T(an_open_call_keeps_an_idle_connection),
        T(a_request_that_does_not_come_is_reset),
        T(a_reply_that_is_not_taken_is_reset_after_the_stall_time),
        T(a_socket_that_takes_nothing_is_cut_after_the_stall_time),
        T(resets_count_within_their_window_only),
    };
    return cmocka_run_group_tests_name("rpc/conn", tests, NULL, NULL);
}
