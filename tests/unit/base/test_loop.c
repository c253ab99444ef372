/* The event loop: readiness, timers, signals, wake-ups, and silence after closing. */
#include "base/clock.h"
#include "base/loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

struct seen {
    struct fb_loop *loop;
    struct fb_watch *watch;
    struct fb_timer *timer;
    struct fb_wake *wake;
    int fds[2];
    int calls;
    int ready;
};

static int set_up(void **state)
{
    static struct seen seen;
    seen = (struct seen){ 0 };
    *state = &seen;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, seen.fds) != 0)
        return -1;
    return fb_loop_new(&seen.loop, NULL);
}

static int tear_down(void **state)
{
    struct seen *s = *state;
    fb_loop_free(s->loop);
    close(s->fds[0]);
    close(s->fds[1]);
    return 0;
}

static void note_and_free_watch(void *arg, int ready)
{
    struct seen *s = arg;
    s->calls++;
    s->ready = ready;
    fb_watch_free(s->watch);
    s->watch = NULL;
}

static void a_loop_with_nothing_to_watch_ends(void **state)
{
    struct seen *s = *state;
    fb_loop_run(s->loop);
    fb_loop_free(NULL);
}

static void readable_and_writable_are_told_and_no_call_comes_after_free(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_watch_new(s->loop, s->fds[0], note_and_free_watch, s, &s->watch, NULL), 0);
    assert_int_equal(write(s->fds[1], "x", 1), 1);
    assert_int_equal(fb_watch_set(s->watch, FB_READABLE), 0);
    fb_loop_run(s->loop);
    assert_int_equal(s->calls, 1);
    assert_int_equal(s->ready, FB_READABLE);
    assert_int_equal(fb_watch_new(s->loop, s->fds[0], note_and_free_watch, s, &s->watch, NULL), 0);
    assert_int_equal(fb_watch_set(s->watch, FB_READABLE | FB_WRITABLE), 0);
    fb_loop_run(s->loop);
    assert_int_equal(s->ready, FB_READABLE | FB_WRITABLE);
}

static void a_paused_watch_is_silent_until_set_again(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_watch_new(s->loop, s->fds[0], note_and_free_watch, s, &s->watch, NULL), 0);
    assert_int_equal(write(s->fds[1], "x", 1), 1);
    assert_int_equal(fb_watch_set(s->watch, FB_READABLE), 0);
    assert_int_equal(fb_watch_set(s->watch, 0), 0);
    fb_loop_run(s->loop); /* nothing active: ends */
    assert_int_equal(s->calls, 0);
    assert_int_equal(fb_watch_set(s->watch, FB_READABLE), 0);
    fb_loop_run(s->loop);
    assert_int_equal(s->calls, 1);
}

static void a_regular_file_is_refused(void **state)
{
    struct seen *s = *state;
    struct fb_err err = { 0 };
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fb_watch_new(s->loop, fd, note_and_free_watch, s, &s->watch, &err), FB_E_IO);
    close(fd);
}

static void a_peer_that_closes_shows_as_ready(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_watch_new(s->loop, s->fds[0], note_and_free_watch, s, &s->watch, NULL), 0);
    assert_int_equal(fb_watch_set(s->watch, FB_READABLE), 0);
    close(s->fds[1]);
    s->fds[1] = dup(s->fds[0]);
    fb_loop_run(s->loop);
    assert_true((s->ready & FB_READABLE) != 0);
}

static void count_to_three(void *arg)
{
    struct seen *s = arg;
    if (++s->calls == 3)
        fb_timer_stop(s->timer);
}

static void stop_loop(void *arg)
{
    struct seen *s = arg;
    s->calls++;
    fb_loop_stop(s->loop);
}

static void a_timer_repeats_until_stopped_and_never_comes_early(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_timer_new(s->loop, count_to_three, s, &s->timer, NULL), 0);
    /* The loop's cached time is old by now; the timer counts from its start all the same. */
    int64_t before = fb_clock_mono_ms();
    while (fb_clock_mono_ms() - before < 15)
        ;
    before = fb_clock_mono_ms();
    fb_timer_start(s->timer, 10, 2);
    fb_loop_run(s->loop);
    assert_int_equal(s->calls, 3);
    assert_true(fb_clock_mono_ms() - before >= 13);
    fb_timer_free(s->timer);
    fb_timer_free(NULL);
}

static void a_freed_timer_never_fires(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_timer_new(s->loop, stop_loop, s, &s->timer, NULL), 0);
    fb_timer_start(s->timer, 0, 0);
    fb_timer_free(s->timer);
    fb_loop_run(s->loop);
    assert_int_equal(s->calls, 0);
}

static void note_signal(void *arg, int sig)
{
    struct seen *s = arg;
    s->ready = sig;
    fb_loop_stop(s->loop);
}

static void signals_arrive_as_calls(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_loop_on_signal(s->loop, SIGUSR1, note_signal, NULL, NULL), 0);
    assert_int_equal(fb_loop_on_signal(s->loop, SIGUSR1, note_signal, s, NULL), 0); /* replaces */
    fb_loop_run(s->loop); /* a signal alone keeps nothing going */
    assert_int_equal(fb_wake_new(s->loop, stop_loop, s, &s->wake, NULL), 0);
    raise(SIGUSR1);
    fb_loop_run(s->loop);
    assert_int_equal(s->ready, SIGUSR1);
    assert_int_not_equal(fb_loop_on_signal(s->loop, SIGKILL, note_signal, s, NULL), 0);
    fb_wake_free(s->wake);
}

static void *send_many(void *arg)
{
    struct seen *s = arg;
    for (int i = 0; i < 1000; i++)
        fb_wake_send(s->wake);
    return NULL;
}

static void another_thread_can_wake_the_loop(void **state)
{
    struct seen *s = *state;
    pthread_t thread;
    assert_int_equal(fb_wake_new(s->loop, stop_loop, s, &s->wake, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, send_many, s), 0);
    fb_loop_run(s->loop);
    pthread_join(thread, NULL);
    assert_true(s->calls >= 1 && s->calls <= 1000);
    fb_wake_free(s->wake);
    fb_wake_free(NULL);
}

static void freeing_the_loop_frees_forgotten_watchers(void **state)
{
    struct seen *s = *state;
    assert_int_equal(fb_watch_new(s->loop, s->fds[0], note_and_free_watch, s, &s->watch, NULL), 0);
    assert_int_equal(fb_timer_new(s->loop, stop_loop, s, &s->timer, NULL), 0);
    fb_timer_start(s->timer, 1000000, 0);
    assert_true(fb_loop_now_ms(s->loop) > 0);
}

int main(void)
{
#define ON_LOOP(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ON_LOOP(a_loop_with_nothing_to_watch_ends),
        ON_LOOP(readable_and_writable_are_told_and_no_call_comes_after_free),
        ON_LOOP(a_paused_watch_is_silent_until_set_again),
        ON_LOOP(a_regular_file_is_refused),
        ON_LOOP(a_peer_that_closes_shows_as_ready),
        ON_LOOP(a_timer_repeats_until_stopped_and_never_comes_early),
        ON_LOOP(a_freed_timer_never_fires),
        ON_LOOP(signals_arrive_as_calls),
        ON_LOOP(another_thread_can_wake_the_loop),
        ON_LOOP(freeing_the_loop_frees_forgotten_watchers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
