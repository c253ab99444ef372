/* One call on the server's side: header fields, queue and message limits, the ends it may have. */
#include "raw_peer.h"

static struct rp_call *open_call(struct raw_peer *p)
{
    raw_greet(p, NULL, 0);
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_non_null(p->call);
    return p->call;
}

static bool header(struct rp_call *c, const char *name, const char *value)
{
    return rp_call_header(c, fb_str_of(name), fb_str_of(value));
}

static void header_fields_are_read_one_by_one(void **state)
{
    struct rp_call *c = open_call(*state);
    static const struct {
        const char *type;
        bool ok;
    } types[] = { { "application/grpc", true },
                  { "application/grpc+proto", true },
                  { "application/grpc;x=y", true },
                  { "application/grpc-web", false },
                  { "application/grp", false },
                  { "text/plain", false },
                  { "", false } };

    for (size_t i = 0; i < FB_COUNT(types); i++) {
        assert_true(header(c, "content-type", types[i].type));
        assert_int_equal(c->head.is_grpc, types[i].ok);
    }
    assert_true(header(c, ":method", "GET"));
    assert_false(c->head.is_post);
    assert_true(header(c, "grpc-timeout", "1S"));
    assert_int_equal(c->head.timeout_ms, 1000);
    assert_true(header(c, "grpc-timeout", "0S"));
    assert_int_equal(c->head.timeout_ms, 1); /* has passed, and is not "none" */
    assert_true(header(c, "grpc-timeout", "soon"));
    assert_true(c->head.bad_timeout);
}

static void the_header_block_ends_at_its_ceiling(void **state)
{
    struct rp_call *c = open_call(*state);
    char *value = malloc(RP_HEADERS_MAX_BYTES);

    c->head.bytes = 0;
    memset(value, 'v', RP_HEADERS_MAX_BYTES);
    assert_true(rp_call_header(c, FB_STR("n"), fb_str_n(value, RP_HEADERS_MAX_BYTES - 1)));
    assert_false(rp_call_header(c, FB_STR("n"), FB_STR("")));
    free(value);
}

static void a_path_that_is_too_long_is_no_method(void **state)
{
    struct raw_peer *p = *state;
    struct rp_call *c = open_call(p);
    char path[RP_PATH_MAX_BYTES + 1];

    memset(path, '/', sizeof(path));
    memset(c->head.path, 0, sizeof(c->head.path));
    assert_true(rp_call_header(c, FB_STR(":path"), fb_str_n(path, RP_PATH_MAX_BYTES)));
    assert_string_equal(c->head.path, "");
    assert_true(rp_call_header(c, FB_STR(":path"), fb_str_n(path, RP_PATH_MAX_BYTES - 1)));
    assert_int_equal(strlen(c->head.path), RP_PATH_MAX_BYTES - 1);
    assert_null(rp_server_find(p->server, c->head.path));
    assert_non_null(rp_server_find(p->server, "/grpc.health.v1.Health/Check"));
}

static void messages_and_the_queue_have_their_limits(void **state)
{
    static const unsigned char no_window[] = { 0, 4, 0, 0, 0, 0 };
    struct raw_peer *p = *state;
    char *big = calloc(1, RP_MESSAGE_MAX_BYTES + 1);
    size_t frame = RP_MESSAGE_MAX_BYTES + RP_FRAME_HEAD_BYTES;

    raw_greet(p, no_window, sizeof(no_window));
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_int_equal(rp_call_send(p->call, big, RP_MESSAGE_MAX_BYTES + 1), FB_E_LIMIT);
    assert_int_equal(rp_call_pending_bytes(p->call), 0);
    assert_int_equal(rp_call_send(p->call, big, RP_MESSAGE_MAX_BYTES), 0);
    assert_int_equal(rp_call_send(p->call, big, RP_MESSAGE_MAX_BYTES), 0);
    assert_int_equal(rp_call_pending_bytes(p->call), 2 * frame);
    size_t room = RP_CALL_QUEUE_MAX_BYTES - 2 * frame;
    assert_int_equal(rp_call_send(p->call, big, room - RP_FRAME_HEAD_BYTES + 1), FB_E_LIMIT);
    assert_int_equal(rp_call_pending_bytes(p->call), 2 * frame); /* nothing of it was queued */
    assert_int_equal(rp_call_send(p->call, big, room - RP_FRAME_HEAD_BYTES), 0);
    assert_int_equal(rp_call_send(p->call, "", 0), FB_E_LIMIT);
    free(big);
}

static void a_finished_call_tells_nobody_and_sends_its_status(void **state)
{
    struct raw_peer *p = *state;
    struct rp_call *c = open_call(p);

    assert_int_equal(rp_call_send(c, "x", 1), 0);
    rp_call_finish(c, RP_OK, NULL);
    raw_turn(p);
    assert_int_equal(p->ended, 0);
    assert_int_equal(p->frames[F_HEADERS], 2); /* response and trailers */
    assert_int_equal(raw_conn(p)->n_calls, 0);
}

static void a_call_that_the_peer_resets_tells_its_handler_once(void **state)
{
    struct raw_peer *p = *state;

    (void)open_call(p);
    raw_frame(p, F_RST, 0, 1, "\0\0\0\x08", 4);
    raw_turn(p);
    assert_int_equal(p->ended, 1);
    assert_int_equal(raw_conn(p)->n_calls, 0);
}

static void a_deadline_ends_the_call(void **state)
{
    struct raw_peer *p = *state;
    unsigned char block[512];
    size_t n = raw_field(block, ":method", "POST");

    raw_greet(p, NULL, 0);
    n += raw_field(block + n, ":scheme", "http");
    n += raw_field(block + n, ":path", "/t.T/M");
    n += raw_field(block + n, ":authority", "x");
    n += raw_field(block + n, "content-type", "application/grpc");
    n += raw_field(block + n, "grpc-timeout", "20m");
    raw_frame(p, F_HEADERS, 4, 1, block, n);
    raw_frame(p, F_DATA, 1, 1, "\0\0\0\0\0", 5);
    for (int i = 0; i < 400 && p->ended == 0; i++)
        raw_turn(p);
    assert_int_equal(p->ended, 1);
}

static void held_request_bytes_are_counted_and_given_back(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_call(p, 1);
    raw_frame(p, F_DATA, 0, 1, "\0\0\0\x10\0abcdefgh", 13);
    raw_turn(p);
    assert_true(p->server->inbound_bytes >= 8);
    raw_frame(p, F_RST, 0, 1, "\0\0\0\x08", 4);
    raw_turn(p);
    assert_int_equal(p->server->inbound_bytes, 0);
    p->server->inbound_bytes = RP_INBOUND_MAX_BYTES; /* others hold it all */
    raw_call(p, 3);
    raw_frame(p, F_DATA, 0, 3, "\0\0\0\x10\0abcdefgh", 13);
    raw_turn(p);
    assert_int_equal(raw_conn(p)->calls->refusal, RP_RESOURCE_EXHAUSTED);
    p->server->inbound_bytes -= RP_INBOUND_MAX_BYTES;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, raw_set_up, raw_tear_down)
    const struct CMUnitTest tests[] = {
        T(header_fields_are_read_one_by_one),
        T(the_header_block_ends_at_its_ceiling),
        T(a_path_that_is_too_long_is_no_method),
        T(messages_and_the_queue_have_their_limits),
        T(a_finished_call_tells_nobody_and_sends_its_status),
        T(a_call_that_the_peer_resets_tells_its_handler_once),
        T(a_deadline_ends_the_call),
        T(held_request_bytes_are_counted_and_given_back),
    };
    return cmocka_run_group_tests_name("rpc/call", tests, NULL, NULL);
}
