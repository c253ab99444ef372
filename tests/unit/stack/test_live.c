/* Alive, dead, frozen, reused, unsure: what is said of recorded processes and of sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/proc.h"
#include "stack/live.h"
#include "scratch.h"

#include <netinet/in.h>
#include <signal.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

enum { NO_PID = 0x7ffffff0 }; /* above the kernel's greatest */

static pid_t start_child(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        for (;;)
            pause();
    return pid;
}

static void end_child(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_pid_is_alive_dead_or_another_process(void **state)
{
    uint64_t ticks = 0;
    (void)state;
    assert_int_equal(fb_proc_start_time(getpid(), &ticks), 0);
    assert_true(st_live_process(getpid(), ticks, 0));
    assert_false(st_live_process(getpid(), ticks + 1, 0));
    assert_true(st_live_process(getpid(), 0, 0));
    assert_false(st_live_process(0, 0, 0));
    assert_false(st_live_process(-1, 0, 0));
    assert_false(st_live_process(NO_PID, 0, 0));
    assert_true(st_live_process(1, 0, 0)); /* maybe somebody else's */
}

static void without_ticks_the_time_of_the_record_decides(void **state)
{
    int64_t now = (int64_t)time(NULL);
    (void)state;
    assert_true(st_live_process(getpid(), 0, now + 1));
    assert_false(st_live_process(getpid(), 0, now - 3600)); /* recorded an hour before this process began */
    assert_false(st_live_process(getpid(), 0, 1));
}

static void a_zombie_is_dead_and_a_stopped_one_frozen(void **state)
{
    siginfo_t info;
    (void)state;
    pid_t pid = start_child();
    assert_true(st_live_process(pid, 0, 0));
    assert_false(st_live_is_frozen(pid));
    assert_int_equal(kill(pid, SIGSTOP), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED), 0);
    assert_true(st_live_is_frozen(pid));
    assert_true(st_live_process(pid, 0, 0));
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(st_live_process(pid, 0, 0)); /* not collected yet */
    assert_false(st_live_is_frozen(pid));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(st_live_process(pid, 0, 0));
    assert_false(st_live_is_frozen(NO_PID));
}

static void write_meta(const struct scratch *s, const char *rest)
{
    char text[512];
    int n = snprintf(text, sizeof text,
                     "sandbox_id = \"b\"\nagent_id = \"a\"\nsession_id = \"s\"\nauthority_url = \"\"\n"
                     "policy_bundle_version = \"\"\nstarted_at = \"\"\n%s",
                     rest);
    scratch_file(s, "box/metadata.toml", text, (size_t)n);
}

static void a_marker_without_a_readable_pid_is_unsure(void **state)
{
    struct scratch *s = *state;
    char rest[64];
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_NONE);
    assert_int_equal(mkdirat(s->fd, "box", 0700), 0);
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_UNSURE);
    scratch_file(s, "box/metadata.toml", "pid =", 5);
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_UNSURE);
    write_meta(s, "");
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_UNSURE);
    write_meta(s, "pid = 0\n");
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_UNSURE);
    (void)snprintf(rest, sizeof rest, "pid = %d\n", (int)getpid());
    write_meta(s, rest);
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_YES);
    write_meta(s, "pid = 4294967295\n"); /* no pid_t: -1 would mean everybody */
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_DEAD);
    assert_int_equal(symlinkat("box", s->fd, "link"), 0);
    assert_int_equal(st_live_marker(s->fd, "link"), ST_LIVE_UNSURE);
    scratch_file(s, "file", "x", 1);
    assert_int_equal(st_live_marker(s->fd, "file"), ST_LIVE_UNSURE);
}

static void the_marker_of_an_ended_process_is_dead(void **state)
{
    struct scratch *s = *state;
    char rest[64];
    pid_t pid = start_child();
    end_child(pid);
    assert_int_equal(mkdirat(s->fd, "box", 0700), 0);
    (void)snprintf(rest, sizeof rest, "pid = %d\npid_start_ticks = 1\n", (int)pid);
    write_meta(s, rest);
    assert_int_equal(st_live_marker(s->fd, "box"), ST_LIVE_DEAD);
}

static int listen_unix(const struct scratch *s, const char *name)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)snprintf(addr.sun_path, sizeof addr.sun_path, "/proc/self/fd/%d/%s", s->fd, name);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void a_unix_socket_accepts_or_is_closed(void **state)
{
    struct scratch *s = *state;
    char name[256];
    assert_int_equal(st_live_probe_unix_at(s->fd, "sock"), ST_PROBE_CLOSED);
    int fd = listen_unix(s, "sock");
    assert_int_equal(st_live_probe_unix_at(s->fd, "sock"), ST_PROBE_ACCEPTS);
    assert_int_equal(symlinkat("sock", s->fd, "link"), 0);
    assert_int_equal(st_live_probe_unix_at(s->fd, "link"), ST_PROBE_CLOSED); /* a link is no real socket */
    (void)close(fd);
    assert_int_equal(st_live_probe_unix_at(s->fd, "sock"), ST_PROBE_CLOSED);
    scratch_file(s, "file", "x", 1);
    assert_int_equal(st_live_probe_unix_at(s->fd, "file"), ST_PROBE_CLOSED);
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    scratch_file(s, name, "x", 1);
    assert_int_equal(st_live_probe_unix_at(s->fd, name), ST_PROBE_CLOSED);
}

static void a_tcp_port_accepts_or_is_closed(void **state)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof addr;
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
    assert_int_equal(st_live_probe((const struct sockaddr *)&addr, n), ST_PROBE_CLOSED); /* bound, not listening */
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(st_live_probe((const struct sockaddr *)&addr, n), ST_PROBE_ACCEPTS);
    (void)close(fd);
    struct sockaddr_storage strange = { .ss_family = AF_UNSPEC };
    assert_int_equal(st_live_probe((const struct sockaddr *)&strange, sizeof strange), ST_PROBE_UNSURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pid_is_alive_dead_or_another_process),
        cmocka_unit_test(without_ticks_the_time_of_the_record_decides),
        cmocka_unit_test(a_zombie_is_dead_and_a_stopped_one_frozen),
        cmocka_unit_test_setup_teardown(a_marker_without_a_readable_pid_is_unsure, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(the_marker_of_an_ended_process_is_dead, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(a_unix_socket_accepts_or_is_closed, scratch_enter, scratch_leave),
        cmocka_unit_test(a_tcp_port_accepts_or_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
