/* Messages and anonymous files between the launcher and firma-init: complete, bounded, in form or refused. */
#include "run/handover.h"

#include "base/fd.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char *whole(int fd, size_t *n)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    char *p = malloc((size_t)st.st_size + 1);
    assert_non_null(p);
    assert_int_equal(pread(fd, p, (size_t)st.st_size, 0), st.st_size);
    *n = (size_t)st.st_size;
    (void)close(fd);
    return p;
}

static void test_go_carries_everything(void **state)
{
    (void)state;
    const char *const argv[] = { "cmd", "", NULL };
    const char *const envp[] = { "A=1", NULL };
    const struct run_file files[] = { { "/run/firma/ca.crt", "PEM", 3, 0444 } };
    const struct run_sandbox_go go = { .argv = argv, .envp = envp, .cwd = "/w", .files = files, .n_files = 1 };
    size_t n;
    int fd = run_handover_go(&go, NULL);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    char *p = whole(fd, &n);
    struct init_go header;
    memcpy(&header, p, sizeof(header));
    assert_int_equal(header.magic, INIT_GO_MAGIC);
    assert_int_equal(header.total_bytes, n);
    assert_int_equal(header.n_argv, 2);
    assert_int_equal(header.n_envp, 1);
    assert_memory_equal(p + header.strings_offset, "/w\0cmd\0\0A=1\0", header.strings_bytes);
    assert_string_equal(p + header.files[0].path_offset, "ca.crt");
    assert_memory_equal(p + header.files[0].data_offset, "PEM", 3);
    assert_int_equal(header.files[0].data_bytes, 3);
    free(p);
}

static void test_go_has_limits(void **state)
{
    (void)state;
    struct fb_err err;
    const char **argv = calloc(INIT_GO_STRINGS_MAX + 2, sizeof(*argv));
    const char *const none[] = { NULL };
    struct run_sandbox_go go = { .argv = argv, .envp = none };
    assert_int_equal(run_handover_go(&go, &err), FB_E_MISSING_COMMAND);
    for (int i = 0; i < INIT_GO_STRINGS_MAX; i++)
        argv[i] = "x";
    int fd = run_handover_go(&go, &err); /* at the limit */
    assert_true(fd >= 0);
    (void)close(fd);
    argv[INIT_GO_STRINGS_MAX] = "x";
    assert_int_equal(run_handover_go(&go, &err), FB_E_LIMIT);
    argv[1] = NULL;
    char *big = malloc(INIT_GO_MAX_BYTES + 1);
    memset(big, 'x', INIT_GO_MAX_BYTES);
    big[INIT_GO_MAX_BYTES] = '\0';
    argv[0] = big;
    assert_int_equal(run_handover_go(&go, &err), FB_E_LIMIT);
    big[INIT_GO_MAX_BYTES - (int)sizeof(struct init_go) - 3] = '\0'; /* cwd "/" and the NULs make it exactly full */
    fd = run_handover_go(&go, &err);
    assert_true(fd >= 0);
    (void)close(fd);
    free(big);
    free(argv);
}

static void test_go_files_lie_in_one_directory(void **state)
{
    (void)state;
    static const char *const bad[] = { "/etc/passwd", "/run/firma/", "/run/firma/a/b", "/run/firma/../x", "/run/firma/.x", "x" };
    const char *const argv[] = { "cmd", NULL };
    const char *const none[] = { NULL };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct run_file file = { bad[i], "", 0, 0444 };
        const struct run_sandbox_go go = { .argv = argv, .envp = none, .files = &file, .n_files = 1 };
        assert_int_equal(run_handover_go(&go, NULL), FB_E_CONFIG_VALIDATION);
    }
    struct run_file many[INIT_GO_FILES_MAX + 1];
    for (size_t i = 0; i <= INIT_GO_FILES_MAX; i++)
        many[i] = (struct run_file){ "/run/firma/f", "", 0, 0444 };
    struct run_sandbox_go go = { .argv = argv, .envp = none, .files = many, .n_files = INIT_GO_FILES_MAX };
    int fd = run_handover_go(&go, NULL);
    assert_true(fd >= 0);
    (void)close(fd);
    go.n_files++;
    assert_int_equal(run_handover_go(&go, NULL), FB_E_LIMIT);
}

static void test_filters_are_the_baseline_and_the_managed_one(void **state)
{
    (void)state;
    const struct sock_filter allow = { 0x06, 0, 0, 0x7fff0000 };
    size_t n;
    char *p = whole(run_handover_filters(&allow, sizeof(allow), NULL), &n);
    struct init_filters header;
    memcpy(&header, p, sizeof(header));
    assert_int_equal(header.n_filters, 2);
    assert_int_equal(header.n_bytes[1], 8);
    assert_int_equal(n, sizeof(header) + header.n_bytes[0] + 8);
    assert_memory_equal(p + n - 8, &allow, 8);
    free(p);
    p = whole(run_handover_filters(NULL, 0, NULL), &n);
    memcpy(&header, p, sizeof(header));
    assert_int_equal(header.n_filters, 1); /* never none */
    free(p);
}

static void test_filters_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static char code[INIT_FILTER_MAX_BYTES + 8];
    assert_int_equal(run_handover_filters(code, 0, NULL), FB_E_LIMIT);
    assert_int_equal(run_handover_filters(code, 7, NULL), FB_E_LIMIT);
    assert_int_equal(run_handover_filters(code, sizeof(code), NULL), FB_E_LIMIT);
    int fd = run_handover_filters(code, INIT_FILTER_MAX_BYTES, NULL);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void test_messages_in_and_out(void **state)
{
    (void)state;
    int pair[2];
    int fds[3];
    size_t n;
    struct init_msg msg;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), 1); /* nothing yet */
    assert_int_equal(run_handover_send(pair[1], INIT_MSG_SIGNAL, 15, -1, NULL), 0);
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), 0);
    assert_int_equal(msg.type, INIT_MSG_SIGNAL);
    assert_int_equal(msg.value, 15);
    assert_int_equal(n, 0);
    (void)close(pair[1]);
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), 2); /* gone */
    assert_int_equal(run_handover_send(pair[0], INIT_MSG_GO, 0, -1, NULL), FB_E_UNAVAILABLE);
    (void)close(pair[0]);
}

static int open_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void test_messages_out_of_form_are_refused_without_a_leak(void **state)
{
    (void)state;
    int pair[2];
    int fds[3];
    size_t n;
    struct init_msg msg = { .type = INIT_MSG_READY };
    const int extra[2] = { 0, 1 };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    const int before = open_descriptors();
    assert_int_equal(fb_fd_send(pair[1], &msg, sizeof(msg), extra, 2), 0); /* READY brings no descriptor */
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), FB_E_PARSE);
    msg.type = INIT_MSG_LISTENERS;
    assert_int_equal(fb_fd_send(pair[1], &msg, sizeof(msg), extra, 2), 0); /* LISTENERS brings three */
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), FB_E_PARSE);
    assert_int_equal(fb_fd_send(pair[1], "x", 1, NULL, 0), 0);
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), FB_E_PARSE);
    char big[64] = { 0 };
    assert_int_equal(fb_fd_send(pair[1], big, sizeof(big), NULL, 0), 0);
    assert_int_equal(run_handover_recv(pair[0], &msg, fds, &n, NULL), FB_E_PARSE);
    assert_int_equal(open_descriptors(), before);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_go_carries_everything),
        cmocka_unit_test(test_go_has_limits),
        cmocka_unit_test(test_go_files_lie_in_one_directory),
        cmocka_unit_test(test_filters_are_the_baseline_and_the_managed_one),
        cmocka_unit_test(test_filters_that_cannot_be_are_refused),
        cmocka_unit_test(test_messages_in_and_out),
        cmocka_unit_test(test_messages_out_of_form_are_refused_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
