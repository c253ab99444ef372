/* Descriptors: exact transfers, passing over a socket, nothing leaked on refusal. */
#include "base/fd.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int count_open(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static void close_keeps_errno_and_takes_minus_one(void **state)
{
    (void)state;
    int fd = -1;
    fb_fd_close(&fd);
    fd = dup(0);
    errno = 42;
    fb_fd_close(&fd);
    assert_int_equal(errno, 42);
    assert_int_equal(fd, -1);
}

static void flags_are_set(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fb_fd_set_nonblock(fds[0]), 0);
    assert_true((fcntl(fds[0], F_GETFL) & O_NONBLOCK) != 0);
    assert_int_equal(fb_fd_set_cloexec(fds[0], true), 0);
    assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(fb_fd_set_cloexec(fds[0], false), 0);
    assert_int_equal(fcntl(fds[0], F_GETFD), 0);
    close(fds[0]);
    close(fds[1]);
    assert_int_equal(fb_fd_set_nonblock(fds[0]), FB_E_IO);
    assert_int_equal(fb_fd_set_cloexec(fds[0], true), FB_E_IO);
}

static void writes_are_whole_and_reads_stop_at_the_end(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fb_fd_write_all(fds[1], "hello", 5), 0);
    close(fds[1]);
    char text[10];
    size_t n = 99;
    assert_int_equal(fb_fd_read_full(fds[0], text, 3, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(fb_fd_read_full(fds[0], text, sizeof text, &n), 0);
    assert_int_equal(n, 2);
    close(fds[0]);
    assert_int_equal(fb_fd_write_all(fds[1], "x", 1), FB_E_IO);
}

static void descriptors_travel_and_arrive_close_on_exec(void **state)
{
    (void)state;
    int s[2], p[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fb_fd_send(s[0], "msg", 3, p, 2), 0);
    char text[8];
    size_t n, n_fds;
    int got[FB_FD_PASS_MAX];
    assert_int_equal(fb_fd_recv(s[1], text, sizeof text, &n, got, FB_FD_PASS_MAX, &n_fds), 0);
    assert_int_equal(n, 3);
    assert_memory_equal(text, "msg", 3);
    assert_int_equal(n_fds, 2);
    assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(got[1], "x", 1), 1);
    assert_int_equal(read(p[0], text, 1), 1);
    for (int i = 0; i < 2; i++) {
        close(got[i]);
        close(p[i]);
    }
    close(s[0]);
    assert_int_equal(fb_fd_recv(s[1], text, sizeof text, &n, got, FB_FD_PASS_MAX, &n_fds), 1);
    close(s[1]);
    assert_int_equal(fb_fd_send(s[0], "x", 1, NULL, 0), FB_E_IO);
}

static void too_many_descriptors_or_bytes_are_refused_and_none_leaks(void **state)
{
    (void)state;
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s), 0);
    int many[FB_FD_PASS_MAX + 1] = { 0 };
    char text[4];
    size_t n, n_fds;
    int got[FB_FD_PASS_MAX];
    assert_int_equal(fb_fd_send(s[0], "x", 1, many, FB_FD_PASS_MAX + 1), FB_E_LIMIT);
    int before = count_open();
    assert_int_equal(fb_fd_send(s[0], "x", 1, many, FB_FD_PASS_MAX), 0);
    assert_int_equal(fb_fd_recv(s[1], text, sizeof text, &n, got, FB_FD_PASS_MAX - 1, &n_fds), FB_E_LIMIT);
    assert_int_equal(n_fds, 0);
    assert_int_equal(count_open(), before);
    assert_int_equal(fb_fd_send(s[0], "abcd", 4, many, 1), 0);
    assert_int_equal(fb_fd_recv(s[1], text, 3, &n, got, 1, &n_fds), FB_E_LIMIT);
    assert_int_equal(count_open(), before);
    assert_int_equal(fb_fd_send(s[0], "abcd", 4, many, 1), 0);
    assert_int_equal(fb_fd_recv(s[1], text, 4, &n, NULL, 0, &n_fds), FB_E_LIMIT);
    assert_int_equal(count_open(), before);
    close(s[0]);
    close(s[1]);
}

static void a_non_blocking_socket_with_nothing_says_so(void **state)
{
    (void)state;
    int s[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, s), 0);
    char text[4];
    size_t n, n_fds;
    assert_int_equal(fb_fd_recv(s[1], text, 4, &n, NULL, 0, &n_fds), FB_E_IO);
    assert_int_equal(errno, EAGAIN);
    close(s[0]);
    close(s[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_keeps_errno_and_takes_minus_one),
        cmocka_unit_test(flags_are_set),
        cmocka_unit_test(writes_are_whole_and_reads_stop_at_the_end),
        cmocka_unit_test(descriptors_travel_and_arrive_close_on_exec),
        cmocka_unit_test(too_many_descriptors_or_bytes_are_refused_and_none_leaks),
        cmocka_unit_test(a_non_blocking_socket_with_nothing_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
