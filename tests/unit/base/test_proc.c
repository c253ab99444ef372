/* Processes: they end with their parent, are waited for, and never mistaken for another. */
#include "base/fd.h"
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static int give_status(void *arg)
{
    return *(int *)arg;
}

static int wait_for_ever(void *arg)
{
    (void)arg;
    while (pause() < 0)
        continue;
    return 0;
}

static int ignore_term(void *arg)
{
    signal(SIGTERM, SIG_IGN);
    char c = 'r';
    if (write(*(int *)arg, &c, 1) != 1)
        return 1;
    return wait_for_ever(NULL);
}

static void the_result_of_main_is_the_exit_status(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    int status = 42;
    assert_int_equal(fb_proc_fork(&p, give_status, &status, &err), 0);
    assert_int_equal(fcntl(p.pidfd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    int got = 0;
    assert_int_equal(fb_proc_wait(&p, -1, &got, &err), 0);
    assert_true(WIFEXITED(got) && WEXITSTATUS(got) == 42);
    assert_int_equal(fb_proc_wait(&p, 0, &got, &err), FB_E_WAIT);
    assert_int_equal(fb_proc_signal(&p, SIGKILL), 0);
    fb_proc_stop(&p, 0);
    assert_int_equal(p.pidfd, -1);
    fb_proc_stop(&p, 0);
    fb_proc_stop(NULL, 0);
    fb_proc_stop(&(struct fb_proc){ 0 }, 0);
}

static void a_running_one_is_told_from_an_ended_one(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    assert_int_equal(fb_proc_fork(&p, wait_for_ever, NULL, &err), 0);
    int status = 0;
    assert_int_equal(fb_proc_wait(&p, 0, &status, &err), 1);
    assert_int_equal(fb_proc_wait(&p, 20, &status, &err), 1);
    assert_int_equal(fb_proc_signal(&p, SIGUSR1), 0);
    assert_int_equal(fb_proc_wait(&p, -1, &status, &err), 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
    fb_proc_stop(&p, 0);
}

static void one_that_ignores_the_request_is_killed(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    int fds[2];
    char c;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fb_proc_fork(&p, ignore_term, &fds[1], &err), 0);
    assert_int_equal(read(fds[0], &c, 1), 1);
    pid_t pid = p.pid;
    fb_proc_stop(&p, 20);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
    close(fds[0]);
    close(fds[1]);
}

static void on_signal(int sig)
{
    (void)sig;
}

static int look_at_signals(void *arg)
{
    (void)arg;
    sigset_t mask;
    struct sigaction a, b;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGUSR1, NULL, &a);
    sigaction(SIGPIPE, NULL, &b);
    return sigismember(&mask, SIGUSR2) || a.sa_handler != SIG_DFL || b.sa_handler != SIG_DFL;
}

static void the_child_starts_with_plain_signals(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    sigset_t mask, now;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    signal(SIGUSR1, on_signal);
    signal(SIGPIPE, SIG_IGN);
    assert_int_equal(fb_proc_fork(&p, look_at_signals, NULL, &err), 0);
    int status = 1;
    assert_int_equal(fb_proc_wait(&p, -1, &status, &err), 0);
    assert_int_equal(status, 0);
    fb_proc_stop(&p, 0);
    sigprocmask(SIG_SETMASK, NULL, &now);
    assert_int_equal(sigismember(&now, SIGUSR2), 1);
    assert_int_equal(sigismember(&now, SIGTERM), 0);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

/* Forks a grandchild that holds the pipe open, then dies without a word. */
static int fork_and_die(void *arg)
{
    struct fb_proc p = { 0 };
    struct fb_err err = { 0 };
    char c = 'r';
    if (fb_proc_fork(&p, wait_for_ever, NULL, &err) != 0 || write(*(int *)arg, &c, 1) != 1)
        return 1;
    raise(SIGKILL);
    return 1;
}

static void a_child_dies_with_its_parent(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    int fds[2];
    char c;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fb_proc_fork(&p, fork_and_die, &fds[1], &err), 0);
    close(fds[1]);
    assert_int_equal(read(fds[0], &c, 1), 1);
    /* The end of the pipe comes only when the grandchild is gone as well. */
    struct pollfd end = { .fd = fds[0], .events = POLLIN };
    assert_int_equal(poll(&end, 1, 10000), 1);
    assert_int_equal(read(fds[0], &c, 1), 0);
    fb_proc_stop(&p, 0);
    close(fds[0]);
}

static int check_orphan(void *arg)
{
    (void)arg;
    fb_proc_die_with_parent(getppid() + 1);
    return 7;
}

static void one_whose_parent_is_already_another_ends(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    assert_int_equal(fb_proc_fork(&p, check_orphan, NULL, &err), 0);
    int status = 0;
    assert_int_equal(fb_proc_wait(&p, -1, &status, &err), 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_FAILURE);
    fb_proc_stop(&p, 0);
}

static void the_start_time_identifies_a_process_while_it_lives(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    uint64_t mine = 0, again = 0, child = 0, after;
    assert_int_equal(fb_proc_start_time(getpid(), &mine), 0);
    assert_int_equal(fb_proc_start_time(getpid(), &again), 0);
    assert_true(mine == again && mine > 0);
    assert_int_equal(fb_proc_fork(&p, wait_for_ever, NULL, &err), 0);
    assert_int_equal(fb_proc_start_time(p.pid, &child), 0);
    assert_true(child >= mine);
    pid_t pid = p.pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    struct pollfd ended = { .fd = p.pidfd, .events = POLLIN };
    assert_int_equal(poll(&ended, 1, 10000), 1);
    assert_int_equal(fb_proc_start_time(pid, &after), FB_E_NOT_FOUND); /* waits to be reaped: dead */
    fb_proc_stop(&p, 0);
    assert_int_equal(fb_proc_start_time(pid, &after), FB_E_NOT_FOUND);
    assert_int_equal(fb_proc_start_time(0, &after), FB_E_NOT_FOUND);
    assert_int_equal(fb_proc_start_time(-1, &after), FB_E_NOT_FOUND);
}

static int rename_and_wait(void *arg)
{
    int fd = open("/proc/self/comm", O_WRONLY);
    if (fb_fd_write_all(fd, ") R 1 (x) Z", 11) != 0)
        return 1;
    char c = 'r';
    if (write(*(int *)arg, &c, 1) != 1)
        return 1;
    return wait_for_ever(NULL);
}

static void a_hostile_process_name_does_not_shift_the_fields(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    int fds[2];
    char c;
    uint64_t before = 0, ticks = 0;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(fb_proc_start_time(getpid(), &before), 0);
    assert_int_equal(fb_proc_fork(&p, rename_and_wait, &fds[1], &err), 0);
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(fb_proc_start_time(p.pid, &ticks), 0);
    assert_true(ticks >= before && ticks < before + 1000000);
    fb_proc_stop(&p, 0);
    close(fds[0]);
    close(fds[1]);
}

static int close_some(void *arg)
{
    (void)arg;
    int a = dup(0), b = dup(0), c = dup(0);
    int d = fcntl(0, F_DUPFD, 900);
    const int keep[] = { 1, b, c };
    fb_proc_close_from(3, keep, 3);
    bool right = fcntl(0, F_GETFD) >= 0 && fcntl(b, F_GETFD) >= 0 && fcntl(c, F_GETFD) >= 0 && fcntl(a, F_GETFD) < 0 &&
                 fcntl(d, F_GETFD) < 0;
    return right ? 0 : 1;
}

static void all_but_the_kept_descriptors_are_closed(void **state)
{
    (void)state;
    struct fb_err err = { 0 };
    struct fb_proc p = { 0 };
    int status = 1;
    assert_int_equal(fb_proc_fork(&p, close_some, NULL, &err), 0);
    assert_int_equal(fb_proc_wait(&p, -1, &status, &err), 0);
    assert_int_equal(status, 0);
    fb_proc_stop(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_of_main_is_the_exit_status),
        cmocka_unit_test(a_running_one_is_told_from_an_ended_one),
        cmocka_unit_test(one_that_ignores_the_request_is_killed),
        cmocka_unit_test(the_child_starts_with_plain_signals),
        cmocka_unit_test(a_child_dies_with_its_parent),
        cmocka_unit_test(one_whose_parent_is_already_another_ends),
        cmocka_unit_test(the_start_time_identifies_a_process_while_it_lives),
        cmocka_unit_test(a_hostile_process_name_does_not_shift_the_fields),
        cmocka_unit_test(all_but_the_kept_descriptors_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
