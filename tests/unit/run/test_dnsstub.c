/* The DNS stub over real loopback sockets: loopback for routed names, NXDOMAIN for all others, silence for what is no query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/dnsmsg.h"
#include "run/dnsstub.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_MS = 10 * 1000, BIG_BYTES = FN_DNSMSG_QUERY_MAX_BYTES };

struct world {
    struct fb_loop *loop;
    struct fb_timer *guard;
    struct run_routes routes;
    struct run_dnsstub *stub;
    struct sockaddr_in udp;
    struct sockaddr_in tcp;
};

static struct world w;

static void too_late(void *arg)
{
    (void)arg;
    fail_msg("the stub did not answer");
}

static void ready_now(void *arg, int ready)
{
    (void)arg;
    (void)ready;
    fb_loop_stop(w.loop);
}

/* Runs the loop until @fd can be read. */
static void wait_readable(int fd)
{
    struct fb_watch *watch = NULL;
    assert_int_equal(fb_watch_new(w.loop, fd, ready_now, NULL, &watch, NULL), 0);
    assert_int_equal(fb_watch_set(watch, FB_READABLE), 0);
    fb_timer_start(w.guard, GUARD_MS, 0);
    fb_loop_run(w.loop);
    fb_timer_stop(w.guard);
    fb_watch_free(watch);
}

static int bound(int type, struct sockaddr_in *ret)
{
    *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof *ret;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)ret, sizeof *ret), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
    return fd;
}

static int enter(void **state)
{
    (void)state;
    w = (struct world){ 0 };
    int udp = bound(SOCK_DGRAM, &w.udp);
    int tcp = bound(SOCK_STREAM, &w.tcp);
    assert_int_equal(listen(tcp, 64), 0);
    assert_int_equal(run_routes_set(&w.routes, FB_STR("api.example\n"), NULL), 0);
    assert_int_equal(fb_loop_new(&w.loop, NULL), 0);
    assert_int_equal(fb_timer_new(w.loop, too_late, NULL, &w.guard, NULL), 0);
    return run_dnsstub_new(w.loop, udp, tcp, &w.routes, &w.stub, NULL);
}

static int leave(void **state)
{
    (void)state;
    run_dnsstub_free(w.stub);
    fb_timer_free(w.guard);
    fb_loop_free(w.loop);
    run_routes_done(&w.routes);
    return 0;
}

static int dial(int type, const struct sockaddr_in *to)
{
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)to, sizeof *to), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

/* A query for LABEL.example with one question. */
static size_t query(uint8_t *out, uint8_t id, const char *label, uint8_t type)
{
    size_t n = strlen(label);
    memset(out, 0, 12);
    out[1] = id;
    out[2] = 1;
    out[5] = 1;
    out[12] = (uint8_t)n;
    memcpy(out + 13, label, n);
    memcpy(out + 13 + n, "\7example\0\0\0\0\1", 13);
    out[13 + n + 10] = type;
    return 13 + n + 13;
}

static void expect(const uint8_t *reply, ssize_t n, uint8_t id, unsigned rcode, unsigned answers)
{
    assert_true(n >= 12);
    assert_int_equal(reply[1], id);
    assert_true((reply[2] & 0x80) != 0);
    assert_int_equal(reply[3] & 15, rcode);
    assert_int_equal(reply[7], answers);
    if (answers == 1)
        assert_memory_equal(reply + n - 4, "\177\0\0\1", 4);
}

static void ask_udp(int fd, uint8_t id, const char *label, uint8_t type, unsigned rcode, unsigned answers)
{
    uint8_t p[512];
    size_t n = query(p, id, label, type);
    assert_int_equal(send(fd, p, n, 0), (ssize_t)n);
    wait_readable(fd);
    expect(p, recv(fd, p, sizeof p, 0), id, rcode, answers);
}

static void udp_answers_for_routed_names_only(void **state)
{
    (void)state;
    int fd = dial(SOCK_DGRAM, &w.udp);
    ask_udp(fd, 1, "api", FN_DNSMSG_TYPE_A, FN_DNSMSG_NOERROR, 1);
    ask_udp(fd, 2, "API", FN_DNSMSG_TYPE_A, FN_DNSMSG_NOERROR, 1);
    ask_udp(fd, 3, "api", FN_DNSMSG_TYPE_AAAA, FN_DNSMSG_NOERROR, 0);
    ask_udp(fd, 4, "other", FN_DNSMSG_TYPE_A, FN_DNSMSG_NXDOMAIN, 0);
    assert_int_equal(run_routes_set(&w.routes, FB_STR("other.example\n"), NULL), 0); /* the list may change meanwhile */
    ask_udp(fd, 5, "other", FN_DNSMSG_TYPE_A, FN_DNSMSG_NOERROR, 1);
    ask_udp(fd, 6, "api", FN_DNSMSG_TYPE_A, FN_DNSMSG_NXDOMAIN, 0);
    (void)close(fd);
}

static void replies_fragments_and_giants_get_no_answer(void **state)
{
    static uint8_t p[BIG_BYTES + 1];
    (void)state;
    int fd = dial(SOCK_DGRAM, &w.udp);
    size_t n = query(p, 1, "api", FN_DNSMSG_TYPE_A);
    assert_int_equal(send(fd, p, 11, 0), 11);
    p[2] |= 0x80;
    assert_int_equal(send(fd, p, n, 0), (ssize_t)n);
    p[2] = 1;
    memset(p + n, 0, sizeof p - n);
    assert_int_equal(send(fd, p, sizeof p, 0), (ssize_t)sizeof p);
    ask_udp(fd, 9, "api", FN_DNSMSG_TYPE_A, FN_DNSMSG_NOERROR, 1); /* the first answer of all is this one's */
    uint8_t more;
    assert_int_equal(recv(fd, &more, 1, 0), -1);
    (void)close(fd);
}

/* Reads exactly one framed reply. */
static ssize_t read_tcp(int fd, uint8_t *out)
{
    size_t have = 0;
    uint8_t head[2];
    for (;;) {
        uint8_t *to = have < 2 ? head + have : out + have - 2;
        size_t want = have < 2 ? 2 - have : (size_t)(head[0] << 8 | head[1]) + 2 - have;
        wait_readable(fd);
        ssize_t n = recv(fd, to, want, 0);
        if (n <= 0)
            return n;
        have += (size_t)n;
        if (have > 2 && have == (size_t)(head[0] << 8 | head[1]) + 2)
            return (ssize_t)have - 2;
    }
}

static void send_framed(int fd, const uint8_t *p, size_t n)
{
    const uint8_t head[2] = { (uint8_t)(n >> 8), (uint8_t)n };
    assert_int_equal(send(fd, head, 2, MSG_NOSIGNAL), 2);
    assert_int_equal(send(fd, p, n, MSG_NOSIGNAL), (ssize_t)n);
}

static void tcp_answers_queries_in_order(void **state)
{
    uint8_t p[FN_DNSMSG_REPLY_MAX_BYTES];
    (void)state;
    int fd = dial(SOCK_STREAM, &w.tcp);
    for (uint8_t id = 1; id <= 3; id++)
        send_framed(fd, p, query(p, id, id == 2 ? "other" : "api", FN_DNSMSG_TYPE_A));
    expect(p, read_tcp(fd, p), 1, FN_DNSMSG_NOERROR, 1);
    expect(p, read_tcp(fd, p), 2, FN_DNSMSG_NXDOMAIN, 0);
    expect(p, read_tcp(fd, p), 3, FN_DNSMSG_NOERROR, 1);
    (void)close(fd);
}

static void tcp_takes_a_message_at_the_limit_and_closes_past_it(void **state)
{
    static uint8_t p[BIG_BYTES];
    static const uint8_t past[2] = { (BIG_BYTES + 1) >> 8, (BIG_BYTES + 1) & 255 };
    static const uint8_t empty[2] = { 0, 0 };
    (void)state;
    int fd = dial(SOCK_STREAM, &w.tcp);
    memset(p, 0, sizeof p);
    (void)query(p, 7, "api", FN_DNSMSG_TYPE_A);
    send_framed(fd, p, sizeof p);
    expect(p, read_tcp(fd, p), 7, FN_DNSMSG_FORMERR, 0); /* read whole, and then more than a question */
    assert_int_equal(send(fd, past, 2, MSG_NOSIGNAL), 2);
    assert_int_equal(read_tcp(fd, p), 0);
    (void)close(fd);
    fd = dial(SOCK_STREAM, &w.tcp);
    assert_int_equal(send(fd, empty, 2, MSG_NOSIGNAL), 2);
    assert_int_equal(read_tcp(fd, p), 0);
    (void)close(fd);
}

static void one_more_connection_than_the_limit_waits_for_a_place(void **state)
{
    uint8_t p[FN_DNSMSG_REPLY_MAX_BYTES];
    int fds[RUN_DNSSTUB_TCP_MAX];
    (void)state;
    for (int i = 0; i < RUN_DNSSTUB_TCP_MAX; i++) {
        fds[i] = dial(SOCK_STREAM, &w.tcp);
        send_framed(fds[i], p, query(p, 1, "api", FN_DNSMSG_TYPE_A));
        expect(p, read_tcp(fds[i], p), 1, FN_DNSMSG_NOERROR, 1);
    }
    int late = dial(SOCK_STREAM, &w.tcp);
    send_framed(late, p, query(p, 2, "api", FN_DNSMSG_TYPE_A));
    send_framed(fds[1], p, query(p, 3, "api", FN_DNSMSG_TYPE_A));
    expect(p, read_tcp(fds[1], p), 3, FN_DNSMSG_NOERROR, 1);
    assert_int_equal(recv(late, p, sizeof p, 0), -1);
    (void)close(fds[0]);
    expect(p, read_tcp(late, p), 2, FN_DNSMSG_NOERROR, 1);
    (void)close(late);
    for (int i = 1; i < RUN_DNSSTUB_TCP_MAX; i++)
        (void)close(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(udp_answers_for_routed_names_only, enter, leave),
        cmocka_unit_test_setup_teardown(replies_fragments_and_giants_get_no_answer, enter, leave),
        cmocka_unit_test_setup_teardown(tcp_answers_queries_in_order, enter, leave),
        cmocka_unit_test_setup_teardown(tcp_takes_a_message_at_the_limit_and_closes_past_it, enter, leave),
        cmocka_unit_test_setup_teardown(one_more_connection_than_the_limit_waits_for_a_place, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
