/* The relay over real sockets: the header first, bytes unchanged both ways, half-close passed on, a dead Sidecar cuts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "run/relay.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { GUARD_MS = 10 * 1000, HEADER_MAX_BYTES = 1024 };

struct world {
    struct fb_loop *loop;
    struct fb_timer *guard;
    struct sockaddr_in front; /* where the agent dials */
    struct run_endpoint to;
    int front_fd;
    int sidecar_fd;
};

static struct world w;

static void too_late(void *arg)
{
    (void)arg;
    fail_msg("nothing came through");
}

static void ready_now(void *arg, int ready)
{
    (void)arg;
    (void)ready;
    fb_loop_stop(w.loop);
}

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

static int listener(struct sockaddr_in *ret)
{
    *ret = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof *ret;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)ret, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static int enter(void **state)
{
    struct sockaddr_in back;
    char text[64];
    (void)state;
    w = (struct world){ 0 };
    w.front_fd = listener(&w.front);
    w.sidecar_fd = listener(&back);
    (void)snprintf(text, sizeof text, "tcp://127.0.0.1:%u", (unsigned)ntohs(back.sin_port));
    assert_int_equal(run_endpoint_parse(text, &w.to, NULL), 0);
    assert_int_equal(fb_loop_new(&w.loop, NULL), 0);
    return fb_timer_new(w.loop, too_late, NULL, &w.guard, NULL);
}

static int leave(void **state)
{
    (void)state;
    fb_timer_free(w.guard);
    fb_loop_free(w.loop);
    if (w.sidecar_fd >= 0)
        (void)close(w.sidecar_fd);
    return 0;
}

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&w.front, sizeof w.front), 0);
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    return fd;
}

static int take(void)
{
    wait_readable(w.sidecar_fd);
    int fd = accept4(w.sidecar_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void expect(int fd, const char *wanted, size_t n)
{
    char got[4096];
    size_t have = 0;
    while (have < n) {
        wait_readable(fd);
        ssize_t r = recv(fd, got + have, n - have, 0);
        assert_true(r > 0);
        have += (size_t)r;
    }
    assert_memory_equal(got, wanted, n);
}

static void expect_end(int fd)
{
    char c;
    wait_readable(fd);
    assert_true(recv(fd, &c, 1, 0) <= 0);
}

static void bytes_and_half_closes_pass_both_ways(void **state)
{
    struct run_relay *r = NULL;
    (void)state;
    assert_int_equal(run_relay_new(w.loop, w.front_fd, &w.to, FB_STR("HEAD"), &r, NULL), 0);
    int agent = dial();
    assert_int_equal(send(agent, "up", 2, MSG_NOSIGNAL), 2);
    int sidecar = take();
    expect(sidecar, "HEADup", 6);
    assert_int_equal(shutdown(agent, SHUT_WR), 0);
    expect_end(sidecar);
    assert_int_equal(send(sidecar, "down", 4, MSG_NOSIGNAL), 4); /* still open this way */
    expect(agent, "down", 4);
    (void)close(sidecar);
    expect_end(agent);
    (void)close(agent);
    run_relay_free(r);
    run_relay_free(NULL);
}

static void a_header_of_1024_bytes_fits_one_more_does_not(void **state)
{
    char header[HEADER_MAX_BYTES + 1];
    struct run_relay *r = NULL;
    struct sockaddr_in unused;
    (void)state;
    memset(header, 'h', sizeof header);
    assert_true(run_relay_new(w.loop, listener(&unused), &w.to, fb_str_n(header, sizeof header), &r, NULL) < 0);
    assert_null(r);
    assert_int_equal(run_relay_new(w.loop, w.front_fd, &w.to, fb_str_n(header, HEADER_MAX_BYTES), &r, NULL), 0);
    int agent = dial();
    int sidecar = take();
    expect(sidecar, header, HEADER_MAX_BYTES);
    (void)close(agent);
    (void)close(sidecar);
    run_relay_free(r);
}

static void without_a_sidecar_the_agent_is_cut_off(void **state)
{
    struct run_relay *r = NULL;
    (void)state;
    assert_int_equal(run_relay_new(w.loop, w.front_fd, &w.to, FB_STR(""), &r, NULL), 0);
    (void)close(w.sidecar_fd);
    w.sidecar_fd = -1;
    int agent = dial();
    expect_end(agent);
    (void)close(agent);
    run_relay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_and_half_closes_pass_both_ways, enter, leave),
        cmocka_unit_test_setup_teardown(a_header_of_1024_bytes_fits_one_more_does_not, enter, leave),
        cmocka_unit_test_setup_teardown(without_a_sidecar_the_agent_is_cut_off, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
