/* The control socket: what goes over, and what is refused. */
#include "stack/child.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int set_up(void **state)
{
    static int fds[2];
    *state = fds;
    return st_child_pair(fds, NULL);
}

static int tear_down(void **state)
{
    int *fds = *state;
    fb_fd_close(&fds[0]);
    fb_fd_close(&fds[1]);
    return 0;
}

static void both_ends_are_close_on_exec(void **state)
{
    int *fds = *state;
    assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
}

static void pairs_and_descriptors_arrive(void **state)
{
    int *fds = *state;
    const struct st_pair pairs[] = { { FB_STR("addr"), FB_STR("127.0.0.1:1") }, { FB_STR("empty"), FB_STR("") } };
    struct st_msg m;
    struct fb_err err = { 0 };
    assert_int_equal(st_child_send(fds[0], ST_MSG_READY, pairs, 2, &fds[0], 1, &err), 0);
    assert_int_equal(st_child_recv(fds[1], &m, &err), 0);
    assert_int_equal(m.type, ST_MSG_READY);
    assert_true(fb_str_eqz(st_msg_get(&m, "addr"), "127.0.0.1:1"));
    assert_non_null(st_msg_get(&m, "empty").p);
    assert_int_equal(st_msg_get(&m, "empty").n, 0);
    assert_null(st_msg_get(&m, "other").p);
    assert_int_equal(m.n_fds, 1);
    int fd = fb_fd_take(&m.fds[0]);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    st_msg_done(&m);
    close(fd);
}

static void the_largest_message_passes_and_one_more_byte_does_not(void **state)
{
    int *fds = *state;
    static char big[ST_CHILD_MSG_MAX_BYTES];
    memset(big, 'x', sizeof big);
    size_t most = ST_CHILD_MSG_MAX_BYTES - 4; /* type, "k", two NULs */
    struct st_pair pair = { FB_STR("k"), fb_str_n(big, most) };
    struct st_msg m;
    struct fb_err err = { 0 };
    assert_int_equal(st_child_send(fds[0], ST_MSG_ROUTES, &pair, 1, NULL, 0, &err), 0);
    assert_int_equal(st_child_recv(fds[1], &m, &err), 0);
    assert_int_equal(st_msg_get(&m, "k").n, most);
    st_msg_done(&m);
    pair.value.n++;
    assert_int_equal(st_child_send(fds[0], ST_MSG_ROUTES, &pair, 1, NULL, 0, &err), FB_E_LIMIT);
}

static void too_many_pairs_and_a_nul_inside_are_refused(void **state)
{
    int *fds = *state;
    char keys[ST_CHILD_PAIRS_MAX + 1][8];
    struct st_pair pairs[ST_CHILD_PAIRS_MAX + 1];
    struct st_msg m;
    struct fb_err err = { 0 };
    for (int i = 0; i <= ST_CHILD_PAIRS_MAX; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        pairs[i] = (struct st_pair){ fb_str_of(keys[i]), FB_STR("v") };
    }
    assert_int_equal(st_child_send(fds[0], ST_MSG_START, pairs, ST_CHILD_PAIRS_MAX, NULL, 0, &err), 0);
    assert_int_equal(st_child_recv(fds[1], &m, &err), 0);
    assert_int_equal(m.n_pairs, ST_CHILD_PAIRS_MAX);
    st_msg_done(&m);
    assert_int_equal(st_child_send(fds[0], ST_MSG_START, pairs, ST_CHILD_PAIRS_MAX + 1, NULL, 0, &err), FB_E_LIMIT);
    pairs[0].value = FB_STR("a\0b");
    assert_int_equal(st_child_send(fds[0], ST_MSG_START, pairs, 1, NULL, 0, &err), FB_E_LIMIT);
}

static void malformed_messages_are_refused_and_leak_nothing(void **state)
{
    int *fds = *state;
    static const struct { const char *p; size_t n; } bad[] = {
        { "?", 1 },          { "\0", 1 },          { "Rkey", 4 },        { "Rkey\0", 5 },
        { "Rkey\0value", 10 }, { "R\0value\0", 8 }, { "Rk\0v\0k\0w\0", 9 }, { "Rk\0v\0x", 6 },
    };
    struct fb_err err = { 0 };
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        struct st_msg m;
        assert_int_equal(fb_fd_send(fds[0], bad[i].p, bad[i].n, &fds[0], 1), 0);
        int next = dup(0);
        close(next);
        assert_int_equal(st_child_recv(fds[1], &m, &err), FB_E_PARSE);
        int after = dup(0);
        close(after);
        assert_int_equal(next, after);
        assert_null(m.bytes);
    }
}

static void a_closed_and_an_empty_socket_are_told_apart(void **state)
{
    int *fds = *state;
    struct st_msg m;
    struct fb_err err = { 0 };
    assert_int_equal(fb_fd_set_nonblock(fds[1]), 0);
    assert_int_equal(st_child_recv(fds[1], &m, &err), 2);
    fb_fd_close(&fds[0]);
    assert_int_equal(st_child_recv(fds[1], &m, &err), 1);
    assert_int_equal(st_child_send(fds[1], ST_MSG_STOP, NULL, 0, NULL, 0, &err), FB_E_UNAVAILABLE);
}

static void a_failure_keeps_name_text_and_remedy(void **state)
{
    int *fds = *state;
    struct st_msg m;
    struct fb_err err = { 0 }, back = { 0 };
    (void)fb_err_set(&err, FB_E_CONFIG_VALIDATION, "key 'x' is wrong");
    fb_err_remedy(&err, "remove it");
    st_child_fail(fds[0], &err);
    assert_int_equal(st_child_recv(fds[1], &m, &back), 0);
    assert_int_equal(m.type, ST_MSG_FAILED);
    st_msg_to_err(&m, FB_E_SIDECAR_STARTUP_FAILED, &back);
    assert_int_equal(back.code, FB_E_CONFIG_VALIDATION);
    assert_string_equal(back.msg, "key 'x' is wrong");
    assert_string_equal(back.remedy, "remove it");
    st_msg_done(&m);
    const struct st_pair odd[] = { { FB_STR("name"), FB_STR("NoSuchName") } };
    assert_int_equal(st_child_send(fds[0], ST_MSG_FAILED, odd, 1, NULL, 0, NULL), 0);
    assert_int_equal(st_child_recv(fds[1], &m, &back), 0);
    st_msg_to_err(&m, FB_E_SIDECAR_STARTUP_FAILED, &back);
    assert_int_equal(back.code, FB_E_SIDECAR_STARTUP_FAILED);
    st_msg_done(&m);
}

int main(void)
{
#define ON_PAIR(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_PAIR(both_ends_are_close_on_exec),
        ON_PAIR(pairs_and_descriptors_arrive),
        ON_PAIR(the_largest_message_passes_and_one_more_byte_does_not),
        ON_PAIR(too_many_pairs_and_a_nul_inside_are_refused),
        ON_PAIR(malformed_messages_are_refused_and_leak_nothing),
        ON_PAIR(a_closed_and_an_empty_socket_are_told_apart),
        ON_PAIR(a_failure_keeps_name_text_and_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
