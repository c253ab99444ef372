/* An HTTP/2 session on a socket: what ends it, and what a full socket does. */
#include "rpc_test.h"

#include "base/fd.h"
#include "rpc/link_priv.h"

#include <sys/socket.h>
#include <unistd.h>

struct pair {
    struct rp_link link;
    int peer;
};

static int set_up(void **state)
{
    static struct pair p;
    nghttp2_session_callbacks *cb = NULL;
    int fds[2];

    p = (struct pair){ 0 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    p.link.fd = fds[0];
    p.peer = fds[1];
    p.link.read_at_ms = 1000;
    assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
    assert_int_equal(nghttp2_session_client_new(&p.link.session, cb, NULL), 0);
    nghttp2_session_callbacks_del(cb);
    assert_int_equal(nghttp2_submit_settings(p.link.session, 0, NULL, 0), 0);
    *state = &p;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *p = *state;

    rp_link_done(&p->link);
    assert_int_equal(p->link.fd, -1);
    if (p->peer >= 0)
        close(p->peer);
    return 0;
}

static void what_is_queued_goes_out_and_counts_as_progress(void **state)
{
    struct pair *p = *state;
    char text[64];

    assert_int_equal(rp_link_flush(&p->link, 1234), 0);
    assert_int_equal(p->link.progress_at_ms, 1234);
    assert_false(p->link.wants_write);
    assert_true(recv(p->peer, text, sizeof(text), MSG_DONTWAIT) >= 24);
    assert_memory_equal(text, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
}

static void a_full_socket_asks_to_be_told_and_is_no_progress(void **state)
{
    struct pair *p = *state;
    char fill[4096] = { 0 };

    while (send(p->link.fd, fill, sizeof(fill), MSG_DONTWAIT) > 0)
        ;
    p->link.progress_at_ms = 7;
    assert_int_equal(rp_link_flush(&p->link, 1234), 0);
    assert_true(p->link.wants_write);
    assert_true(p->link.out_n > 0);
    assert_int_equal(p->link.progress_at_ms, 7);
    while (recv(p->peer, fill, sizeof(fill), MSG_DONTWAIT) > 0)
        ;
    assert_int_equal(rp_link_flush(&p->link, 1235), 0);
    assert_false(p->link.wants_write);
    assert_int_equal(p->link.out_n, 0);
}

static void a_closed_peer_ends_it_with_a_reason(void **state)
{
    struct pair *p = *state;

    fb_fd_close(&p->peer);
    assert_int_equal(rp_link_read(&p->link, 5), RP_LINK_ENDED);
    assert_string_equal(p->link.why, "connection closed by the peer");
    assert_int_equal(rp_link_flush(&p->link, 6), RP_LINK_ENDED);
    assert_string_equal(p->link.why, "connection closed by the peer"); /* the first reason stays */
}

static void what_is_no_http2_ends_it(void **state)
{
    struct pair *p = *state;

    assert_int_equal(send(p->peer, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, 0), 28);
    assert_int_equal(rp_link_read(&p->link, 5), RP_LINK_ENDED);
    assert_non_null(p->link.why);
    assert_int_equal(p->link.read_at_ms, 5);
}

static void a_ping_is_sent_at_the_silence_and_must_be_answered_in_time(void **state)
{
    struct pair *p = *state;

    assert_int_equal(rp_link_keepalive(&p->link, 1099, 100, 50), 0);
    assert_int_equal(p->link.ping_at_ms, 0);
    assert_int_equal(rp_link_keepalive(&p->link, 1100, 100, 50), 0);
    assert_int_equal(p->link.ping_at_ms, 1100);
    assert_int_equal(rp_link_keepalive(&p->link, 1150, 100, 50), 0);
    assert_int_equal(rp_link_keepalive(&p->link, 1151, 100, 50), RP_LINK_ENDED);
    assert_string_equal(p->link.why, "keepalive time-out");
    rp_link_pong(&p->link);
    assert_int_equal(rp_link_keepalive(&p->link, 1151, 1000, 50), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(what_is_queued_goes_out_and_counts_as_progress),
        T(a_full_socket_asks_to_be_told_and_is_no_progress),
        T(a_closed_peer_ends_it_with_a_reason),
        T(what_is_no_http2_ends_it),
        T(a_ping_is_sent_at_the_silence_and_must_be_answered_in_time),
    };
    return cmocka_run_group_tests_name("rpc/link", tests, NULL, NULL);
}
