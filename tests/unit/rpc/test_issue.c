/* The blocking call against servers that are none: each ends in time, with the name of what went wrong. */
#include "rpc_test.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/fd.h"
#include "rpc/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server of one connection: waits for the first bytes, answers @reply (none: NULL), then closes or stays silent. */
struct server {
    int listen_fd;
    const char *reply;
    size_t reply_n;
    bool stays;
    pthread_t thread;
    char url[64];
};

static void *serve(void *arg)
{
    struct server *s = arg;
    char chunk[4096];
    int fd = accept(s->listen_fd, NULL, NULL);

    if (fd < 0)
        return NULL;
    (void)!read(fd, chunk, sizeof(chunk));
    if (s->reply != NULL)
        (void)!write(fd, s->reply, s->reply_n);
    while (s->stays && read(fd, chunk, sizeof(chunk)) > 0)
        ;
    close(fd);
    return NULL;
}

static int ask(const char *reply, size_t n, bool stays, int64_t timeout_ms, struct fb_err *err)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(sa);
    struct server s = { .reply = reply, .reply_n = n, .stays = stays };
    struct fb_str actions[] = { FB_STR("code.read") };
    const struct rp_issue_request q = { FB_STR("a"), FB_STR("s"), actions, 1, FB_STR("*"), 0 };
    struct rp_issue_reply out;

    s.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s.listen_fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(s.listen_fd, 1), 0);
    assert_int_equal(getsockname(s.listen_fd, (struct sockaddr *)&sa, &len), 0);
    snprintf(s.url, sizeof(s.url), "http://127.0.0.1:%u", (unsigned)ntohs(sa.sin_port));
    assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
    *err = (struct fb_err){ 0 };
    int rc = rp_issue_capability(s.url, &q, timeout_ms, &out, err);
    assert_null(out.memory); /* on failure nothing is handed out */
    pthread_join(s.thread, NULL);
    fb_fd_close(&s.listen_fd);
    return rc;
}

#define BYTES(text) text, sizeof(text) - 1
#define SETTINGS "\0\0\0\4\0\0\0\0\0"

static void a_silent_server_costs_the_time_allowed_and_no_more(void **state)
{
    struct fb_err err;
    int64_t t = fb_clock_mono_ms();

    (void)state;
    assert_int_equal(ask(NULL, 0, true, 100, &err), FB_E_TIMEOUT);
    assert_non_null(strstr(err.msg, "did not answer in time"));
    assert_true(fb_clock_mono_ms() - t >= 100);
    assert_int_equal(ask(BYTES(SETTINGS), true, 100, &err), FB_E_TIMEOUT);
}

static void a_server_that_closes_is_unavailable(void **state)
{
    struct fb_err err;

    (void)state;
    assert_int_equal(ask(NULL, 0, false, 5000, &err), FB_E_UNAVAILABLE);
    assert_int_equal(ask(BYTES(SETTINGS), false, 5000, &err), FB_E_UNAVAILABLE);
}

static void another_protocol_is_told_apart(void **state)
{
    struct fb_err err;

    (void)state;
    assert_int_equal(ask(BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"), true, 5000, &err), FB_E_UNAVAILABLE);
    assert_int_equal(ask(BYTES("220 smtp.example.com ESMTP\r\n"), true, 5000, &err), FB_E_UNAVAILABLE);
    /* HTTP/2 without gRPC: ":status: 200", END_STREAM. */
    assert_int_equal(ask(BYTES(SETTINGS "\0\0\1\1\5\0\0\0\1\x88"), true, 5000, &err), FB_E_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "does not speak gRPC"));
    assert_int_equal(ask(BYTES(SETTINGS "\0\0\1\1\5\0\0\0\1\x8d"), true, 5000, &err), FB_E_UNAVAILABLE); /* 404 */
    assert_non_null(strstr(err.msg, "does not speak gRPC"));
}

static void an_end_without_a_status_or_a_message_is_no_grant(void **state)
{
    /* ":status: 200", "content-type: application/grpc" */
    static const char head[] = "\x88\x0f\x10\x10"
                               "application/grpc";
    static const char trailer[] = "\0\x0b"
                                  "grpc-status\1"
                                  "0";
    char reply[256];
    struct fb_err err;
    size_t n = sizeof(SETTINGS) - 1;

    (void)state;
    memcpy(reply, SETTINGS, n);
    memcpy(reply + n, "\0\0\0\1\5\0\0\0\1", 9);
    reply[n + 2] = (char)(sizeof(head) - 1);
    memcpy(reply + n + 9, head, sizeof(head) - 1);
    assert_int_equal(ask(reply, n + 9 + sizeof(head) - 1, true, 5000, &err), FB_E_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "without a status"));
    /* The same with status 0 in it, and no message at all. */
    reply[n + 2] = (char)(sizeof(head) - 1 + sizeof(trailer) - 1);
    memcpy(reply + n + 9 + sizeof(head) - 1, trailer, sizeof(trailer) - 1);
    assert_int_equal(ask(reply, n + 9 + sizeof(head) - 1 + sizeof(trailer) - 1, true, 5000, &err), FB_E_UNAVAILABLE);
    assert_non_null(strstr(err.msg, "missing or cut"));
}

static void more_actions_than_allowed_do_not_leave_the_house(void **state)
{
    static struct fb_str actions[RP_ACTIONS_MAX + 1];
    struct rp_issue_request q = { FB_STR("a"), FB_STR("s"), actions, RP_ACTIONS_MAX + 1, FB_STR("*"), 0 };
    struct rp_issue_reply out;
    struct fb_err err = { 0 };

    (void)state;
    for (size_t i = 0; i < FB_COUNT(actions); i++)
        actions[i] = FB_STR("x");
    assert_int_equal(rp_issue_capability("http://127.0.0.1:1", &q, 1000, &out, &err), FB_E_LIMIT);
    assert_non_null(strstr(err.msg, "1024"));
    q.n_actions = RP_ACTIONS_MAX; /* gets as far as the port where nobody is */
    assert_int_equal(rp_issue_capability("http://127.0.0.1:1", &q, 1000, &out, &err), FB_E_AUTHORITY_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_server_costs_the_time_allowed_and_no_more),
        cmocka_unit_test(a_server_that_closes_is_unavailable),
        cmocka_unit_test(another_protocol_is_told_apart),
        cmocka_unit_test(an_end_without_a_status_or_a_message_is_no_grant),
        cmocka_unit_test(more_actions_than_allowed_do_not_leave_the_house),
    };
    return cmocka_run_group_tests_name("rpc/issue", tests, NULL, NULL);
}
