/* Which part of the room for request bodies one session, or one process, may hold. */
#include "sidecar/server.h"

#include "sidecar/conn.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOTAL = 1000, ONE = 200 };

struct fixture {
    struct sc_server *server;
    struct sc_conn *conns;
};

static int setup(void **state)
{
    static struct fixture f;
    f.server = calloc(1, sizeof *f.server);
    f.conns = calloc(3, sizeof *f.conns);
    f.server->limits.bodies_bytes = TOTAL;
    f.server->limits.body_bytes = ONE;
    for (size_t i = 0; i < 3; i++) {
        f.conns[i].peer_pid = 10 + (pid_t)i;
        f.conns[i].next = f.server->conns;
        f.server->conns = &f.conns[i];
    }
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    free(f->server);
    free(f->conns);
    return 0;
}

static void hold(struct fixture *f, size_t conn, size_t bytes)
{
    f->conns[conn].body_charged += bytes;
    f->server->body_bytes += bytes;
}

static void name(struct fixture *f, size_t conn, const char *session)
{
    snprintf(f->conns[conn].ident.session_id, sizeof f->conns[conn].ident.session_id, "%s", session);
}

static void test_half_for_one_process(void **state)
{
    struct fixture *f = *state;
    hold(f, 0, TOTAL / 2);
    hold(f, 1, 1);
    assert_false(sc_server_share(f->server, &f->conns[0], 1));
    assert_true(sc_server_share(f->server, &f->conns[1], TOTAL / 2 - 1));
    assert_false(sc_server_share(f->server, &f->conns[1], TOTAL / 2));
}

static void test_half_for_one_session_over_processes(void **state)
{
    struct fixture *f = *state;
    name(f, 0, "a");
    name(f, 1, "a");
    name(f, 2, "b");
    hold(f, 0, TOTAL / 4);
    hold(f, 1, TOTAL / 4);
    assert_false(sc_server_share(f->server, &f->conns[0], 1));
    assert_false(sc_server_share(f->server, &f->conns[1], 1));
    assert_true(sc_server_share(f->server, &f->conns[2], TOTAL / 2));
}

static void test_one_whole_body_always_fits_the_share(void **state)
{
    struct fixture *f = *state;
    f->server->limits.body_bytes = TOTAL;
    hold(f, 0, TOTAL / 2);
    assert_true(sc_server_share(f->server, &f->conns[0], TOTAL / 2));
}

static void test_who_cannot_be_told_apart_is_not_divided(void **state)
{
    struct fixture *f = *state;
    hold(f, 0, TOTAL / 2);
    f->conns[0].peer_pid = 0;
    assert_true(sc_server_share(f->server, &f->conns[0], 1));
    f->conns[0].peer_pid = 10;
    f->server->ident_fixed = true;
    assert_true(sc_server_share(f->server, &f->conns[0], 1));
}

static void test_connections_are_counted_by_process(void **state)
{
    struct fixture *f = *state;
    f->conns[1].peer_pid = 10;
    assert_int_equal(sc_server_count_peer(f->server, 10), 2);
    assert_int_equal(sc_server_count_peer(f->server, 12), 1);
    assert_int_equal(sc_server_count_peer(f->server, 99), 0);
    f->conns[0].peer_pid = 0;
    assert_int_equal(sc_server_count_peer(f->server, 0), 0);
}

int main(void)
{
#define WITH_THREE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_THREE(test_half_for_one_process),
        WITH_THREE(test_half_for_one_session_over_processes),
        WITH_THREE(test_one_whole_body_always_fits_the_share),
        WITH_THREE(test_who_cannot_be_told_apart_is_not_divided),
        WITH_THREE(test_connections_are_counted_by_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
