/* Idle upstream connections: who gets one, and which are thrown away instead. */
#include "sidecar/pool_priv.h"
#include "sidecar/upstream.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct fb_loop *loop;
    struct sc_pool *pool;
    int peer; /* the upstream's end of the connection made last */
};

static int setup(void **state)
{
    static struct fixture f;
    f.peer = -1;
    *state = &f;
    return fb_loop_new(&f.loop, NULL) == 0 && sc_pool_new(f.loop, &f.pool, NULL) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sc_pool_free(f->pool);
    fb_loop_free(f->loop);
    if (f->peer >= 0)
        close(f->peer);
    return 0;
}

static void on_event(void *arg, int ready)
{
    (void)arg;
    (void)ready;
}

/* A connection of the pool that was dialled at @addr. */
static struct sc_up *make(struct fixture *f, const char *host, const char *addr)
{
    int pair[2];
    struct sc_ip ip;
    struct sc_up *up = NULL;
    if (f->peer >= 0)
        close(f->peer);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    assert_true(sc_ip_parse(fb_str_of(addr), &ip));
    assert_int_equal(sc_up_wrap(f->pool, pair[0], host, 80, &ip, &up), 0);
    f->peer = pair[1];
    return up;
}

static struct sc_up *take(struct fixture *f, const char *host, enum sc_exempt exempt)
{
    return sc_pool_take(f->pool, fb_str_of(host), 80, exempt, on_event, f);
}

static void test_found_by_name_and_port_only(void **state)
{
    struct fixture *f = *state;
    struct sc_up *up = make(f, "a.example", "1.1.1.1");
    sc_pool_give(up);
    assert_null(take(f, "b.example", SC_EXEMPT_NONE));
    assert_null(sc_pool_take(f->pool, FB_STR("a.example"), 81, SC_EXEMPT_NONE, on_event, f));
    assert_ptr_equal(take(f, "a.example", SC_EXEMPT_NONE), up);
    assert_true(up->reused);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
    sc_up_close(up);
}

static void test_bytes_nobody_asked_for_end_it(void **state)
{
    struct fixture *f = *state;
    sc_pool_give(make(f, "a.example", "1.1.1.1"));
    assert_int_equal(write(f->peer, "H", 1), 1);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
    assert_int_equal(f->pool->n_idle, 0);
}

static void test_an_end_ends_it(void **state)
{
    struct fixture *f = *state;
    sc_pool_give(make(f, "a.example", "1.1.1.1"));
    assert_int_equal(shutdown(f->peer, SHUT_WR), 0);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
    assert_int_equal(f->pool->n_idle, 0);
}

static void test_surplus_bytes_are_never_pooled(void **state)
{
    struct fixture *f = *state;
    struct sc_up *up = make(f, "a.example", "1.1.1.1");
    assert_int_equal(fb_buf_addz(&up->in, "x"), 0);
    sc_pool_give(up);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
}

static void test_the_guard_is_asked_again(void **state)
{
    struct fixture *f = *state;
    struct sc_up *inside = make(f, "a.example", "10.0.0.1");
    sc_pool_give(inside);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
    assert_ptr_equal(take(f, "a.example", SC_EXEMPT_PRIVATE), inside);
    sc_up_close(inside);
    struct sc_up *machine = make(f, "a.example", "127.0.0.1");
    sc_pool_give(machine);
    assert_null(take(f, "a.example", SC_EXEMPT_PRIVATE));
    assert_ptr_equal(take(f, "a.example", SC_EXEMPT_ALL), machine);
    machine->from_table = true; /* then the operator vouches for the name, whoever asks */
    sc_pool_give(machine);
    assert_ptr_equal(take(f, "a.example", SC_EXEMPT_NONE), machine);
    sc_up_close(machine);
}

static void test_old_ones_are_swept(void **state)
{
    struct fixture *f = *state;
    struct sc_up *up = make(f, "a.example", "1.1.1.1");
    sc_pool_give(up);
    assert_int_equal(sc_pool_sweep(f->pool, up->idle_since_ms + SC_POOL_IDLE_MS - 1), 1);
    assert_int_equal(sc_pool_sweep(f->pool, up->idle_since_ms + SC_POOL_IDLE_MS), 0);
    assert_null(take(f, "a.example", SC_EXEMPT_NONE));
}

static void test_one_host_keeps_no_more_than_its_share(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i <= SC_POOL_IDLE_PER_HOST; i++) {
        int pair[2];
        struct sc_ip ip;
        struct sc_up *up = NULL;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
        assert_true(sc_ip_parse(FB_STR("1.1.1.1"), &ip));
        assert_int_equal(sc_up_wrap(f->pool, pair[0], "a.example", 80, &ip, &up), 0);
        close(pair[1]);
        sc_pool_give(up);
    }
    assert_int_equal(f->pool->n_idle, SC_POOL_IDLE_PER_HOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_found_by_name_and_port_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes_nobody_asked_for_end_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_end_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_surplus_bytes_are_never_pooled, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_guard_is_asked_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_ones_are_swept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_host_keeps_no_more_than_its_share, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
