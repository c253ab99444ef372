/* The listening side: how many connections at once, draining, and freeing with everything open. */
#include "raw_peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static int listen_here(struct raw_peer *p, struct sockaddr_in *sa)
{
    socklen_t len = sizeof(*sa);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *sa = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    assert_int_equal(bind(fd, (struct sockaddr *)sa, sizeof(*sa)), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)sa, &len), 0);
    return rp_server_listen(p->server, fd, NULL);
}

static void the_place_of_a_connection_that_goes_is_taken_by_one_that_waits(void **state)
{
    struct raw_peer *p = *state;
    struct sockaddr_in sa;
    int fds[RP_CONNECTIONS_MAX];

    assert_int_equal(listen_here(p, &sa), 0);
    for (size_t i = 0; i < FB_COUNT(fds); i++) { /* one connection is there already */
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fds[i], (struct sockaddr *)&sa, sizeof(sa)), 0);
    }
    raw_turn(p);
    assert_int_equal(rp_server_connections(p->server), RP_CONNECTIONS_MAX);
    for (int i = 0; i < 10; i++)
        raw_turn(p);
    assert_int_equal(rp_server_connections(p->server), RP_CONNECTIONS_MAX); /* one waits in the kernel */
    assert_true(p->server->accept_paused);
    close(fds[0]);
    for (int i = 0; i < 400 && p->server->accept_paused; i++)
        raw_turn(p);
    raw_turn(p);
    assert_int_equal(rp_server_connections(p->server), RP_CONNECTIONS_MAX);
    for (size_t i = 1; i < FB_COUNT(fds); i++)
        close(fds[i]);
    for (int i = 0; i < 400 && rp_server_connections(p->server) > 1; i++)
        raw_turn(p);
    assert_int_equal(rp_server_connections(p->server), 1);
}

static void on_drained(void *arg)
{
    ++*(unsigned *)arg;
}

static void draining_ends_calls_with_a_status_then_says_goaway(void **state)
{
    struct raw_peer *p = *state;
    unsigned drained = 0;

    raw_greet(p, NULL, 0);
    raw_whole_call(p, 1);
    raw_turn(p);
    rp_server_drain(p->server, 0, on_drained, &drained);
    rp_server_drain(p->server, 0, on_drained, &drained); /* once */
    for (int i = 0; i < 20 && p->frames[F_HEADERS] < 2; i++)
        raw_turn(p);
    assert_int_equal(p->ended, 1);
    assert_int_equal(p->frames[F_HEADERS], 2); /* the trailers with the status come first */
    assert_int_equal(p->frames[F_GOAWAY], 0);
    for (int i = 0; i < 100 && p->frames[F_GOAWAY] == 0; i++)
        raw_turn(p);
    assert_int_equal(p->frames[F_GOAWAY], 1);
    for (int i = 0; i < 400 && drained == 0; i++) /* a peer that stays is cut */
        raw_turn(p);
    assert_int_equal(drained, 1);
    assert_int_equal(rp_server_connections(p->server), 0);
}

static void a_server_without_connections_has_drained_at_once(void **state)
{
    struct raw_peer *p = *state;
    unsigned drained = 0;

    rp_conn_free(raw_conn(p));
    rp_server_drain(p->server, 60000, on_drained, &drained);
    assert_int_equal(drained, 0); /* never from under the caller */
    raw_turn(p);
    assert_int_equal(drained, 1);
}

static void freeing_tells_every_handler(void **state)
{
    struct raw_peer *p = *state;

    raw_greet(p, NULL, 0);
    raw_whole_call(p, 1);
    raw_turn(p);
    assert_non_null(p->call);
    rp_server_free(p->server);
    p->server = NULL;
    assert_int_equal(p->ended, 1);
    rp_server_free(NULL);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, raw_set_up, raw_tear_down)
    const struct CMUnitTest tests[] = {
        T(the_place_of_a_connection_that_goes_is_taken_by_one_that_waits),
        T(draining_ends_calls_with_a_status_then_says_goaway),
        T(a_server_without_connections_has_drained_at_once),
        T(freeing_tells_every_handler),
    };
    return cmocka_run_group_tests_name("rpc/server", tests, NULL, NULL);
}
