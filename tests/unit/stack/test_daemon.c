/* What the daemon pair records: written, believed only while true, probed, forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "stack/daemon.h"
#include "scratch.h"

#include <netinet/in.h>

static void a_record_is_kept_and_forgotten(void **state)
{
    struct scratch *s = *state;
    struct stat st;
    assert_int_equal(st_daemon_pid(s->fd, "sidecar"), 0);
    assert_int_equal(st_daemon_record(s->fd, "sidecar", getpid(), "[::1]:80", NULL), 0);
    assert_int_equal(st_daemon_pid(s->fd, "sidecar"), getpid());
    assert_int_equal(st_daemon_pid(s->fd, "authority"), 0);
    assert_int_equal(fstatat(s->fd, "sidecar.listen", &st, 0), 0);
    assert_int_equal(st.st_size, strlen("[::1]:80\n"));
    assert_int_equal(st.st_mode & 07777, 0600);
    st_daemon_forget(s->fd, "sidecar");
    assert_false(scratch_has(s, "sidecar.pid"));
    assert_false(scratch_has(s, "sidecar.listen"));
    st_daemon_forget(s->fd, "sidecar");
    assert_int_equal(st_daemon_record(s->fd, "stack", getpid(), NULL, NULL), 0);
    assert_false(scratch_has(s, "stack.listen"));
}

static void only_a_living_pid_in_range_counts(void **state)
{
    static const char *const bad[] = { "", "\n", "0\n", "-1\n", "x\n", "1x\n", "2147483648\n", "2147483632\n" };
    struct scratch *s = *state;
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        scratch_file(s, "sidecar.pid", bad[i], strlen(bad[i]));
        assert_int_equal(st_daemon_pid(s->fd, "sidecar"), 0);
    }
    struct timespec old[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
    assert_int_equal(st_daemon_record(s->fd, "sidecar", getpid(), NULL, NULL), 0);
    assert_int_equal(utimensat(s->fd, "sidecar.pid", old, 0), 0); /* recorded before this process began: reused */
    assert_int_equal(st_daemon_pid(s->fd, "sidecar"), 0);
}

static void an_address_that_fits_and_one_that_does_not(void **state)
{
    struct scratch *s = *state;
    char text[4096];
    memset(text, 'a', sizeof text);
    text[4094] = '\0';
    assert_int_equal(st_daemon_record(s->fd, "sidecar", getpid(), text, NULL), 0);
    text[4094] = 'a';
    text[4095] = '\0';
    assert_int_equal(st_daemon_record(s->fd, "sidecar", getpid(), text, NULL), FB_E_LIMIT);
}

static int listen_loopback(char *ret_port, size_t size)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t n = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&addr, n), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &n), 0);
    assert_int_equal(listen(fd, 8), 0);
    (void)snprintf(ret_port, size, "%u", (unsigned)ntohs(addr.sin_port));
    return fd;
}

static void addresses_are_probed(void **state)
{
    struct scratch *s = *state;
    char port[8];
    char text[160];
    int fd = listen_loopback(port, sizeof port);
    (void)snprintf(text, sizeof text, "127.0.0.1:%s", port);
    assert_int_equal(st_daemon_probe(text), ST_PROBE_ACCEPTS);
    (void)snprintf(text, sizeof text, "0.0.0.0:%s", port); /* a wildcard is reached by loopback */
    assert_int_equal(st_daemon_probe(text), ST_PROBE_ACCEPTS);
    (void)close(fd);
    assert_int_equal(st_daemon_probe(text), ST_PROBE_CLOSED);
    assert_int_equal(st_daemon_probe(scratch_at(s, "none.sock")), ST_PROBE_CLOSED);
    assert_int_equal(st_daemon_probe(""), ST_PROBE_UNSURE);
    assert_int_equal(st_daemon_probe("nocolon"), ST_PROBE_UNSURE);
    assert_int_equal(st_daemon_probe("name.example:80"), ST_PROBE_UNSURE); /* no look-up */
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[108] = '\0';
    assert_int_equal(st_daemon_probe(text), ST_PROBE_UNSURE);
    text[107] = '\0';
    assert_int_equal(st_daemon_probe(text), ST_PROBE_CLOSED);
}

static void the_survey_is_one_row_or_none(void **state)
{
    struct scratch *s = *state;
    struct firma_sidecar_list list;
    struct firma_markers_error error = { 0 };
    char port[8];
    char text[64];
    assert_int_equal(st_daemon_survey(scratch_at(s, "absent"), &list, &error), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(st_daemon_survey(s->path, &list, &error), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 0);
    int fd = listen_loopback(port, sizeof port);
    (void)snprintf(text, sizeof text, "127.0.0.1:%s", port);
    assert_int_equal(st_daemon_record(s->fd, "authority", getpid(), "[::1]:7", NULL), 0);
    assert_int_equal(st_daemon_record(s->fd, "sidecar", getpid(), text, NULL), 0);
    assert_int_equal(st_daemon_survey(s->path, &list, &error), FIRMA_MARKERS_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.entries[0].state, FIRMA_STATE_RUNNING);
    assert_string_equal(list.entries[0].sandbox_id, "daemon");
    assert_string_equal(list.entries[0].listen, text);
    assert_string_equal(list.entries[0].authority_url, "http://[::1]:7");
    assert_int_equal(list.entries[0].pid, getpid());
    assert_true(list.entries[0].has_uptime);
    firma_sidecar_list_done(&list);
    (void)close(fd);
    assert_int_equal(st_daemon_survey(s->path, &list, &error), FIRMA_MARKERS_OK);
    assert_int_equal(list.entries[0].state, FIRMA_STATE_UNHEALTHY);
    firma_sidecar_list_done(&list);
    scratch_file(s, "sidecar.pid", "2147483632\n", 11);
    assert_int_equal(st_daemon_survey(s->path, &list, &error), FIRMA_MARKERS_OK);
    assert_int_equal(list.entries[0].state, FIRMA_STATE_STOPPED);
    firma_sidecar_list_done(&list);
    assert_int_equal(fchmod(s->fd, 0755), 0);
    assert_int_equal(st_daemon_survey(s->path, &list, &error), FIRMA_MARKERS_IO);
    assert_int_equal(error.kind, FIRMA_MARKERS_IO);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_is_kept_and_forgotten, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(only_a_living_pid_in_range_counts, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(an_address_that_fits_and_one_that_does_not, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(addresses_are_probed, scratch_enter, scratch_leave),
        cmocka_unit_test_setup_teardown(the_survey_is_one_row_or_none, scratch_enter, scratch_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
