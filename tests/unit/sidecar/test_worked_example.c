/* The worked example of [the Firma specification, sidecar appendix B], byte for byte: the shipped token, a clock in May
 * 2026, one allowed GET and one denied POST through a socket, the audit lines afterwards; and the variations of B.4 that
 * depend on time. */
#include "serve.h"

#include "base/clock.h"
#include "base/fs.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char policies[] =
    "permit (principal, action == Firma::Action::\"communication.external.send\", resource)\n"
    "when { context.risk_score < 80 };\n"
    "\n"
    "forbid (principal, action == Firma::Action::\"communication.external.send\",\n"
    "        resource == Firma::Resource::\"127.0.0.1:9100/deny\");\n";

static const char rules[] =
    "[[rules]]\nmethod = \"GET\"\nhost = \"127.0.0.1:9100\"\npath = \"/allow\"\n"
    "action_class = \"communication.external.send\"\n"
    "[[rules]]\nmethod = \"POST\"\nhost = \"127.0.0.1:9100\"\npath = \"/deny\"\n"
    "action_class = \"communication.external.send\"\n";

static const char seed[] =
    "raw_token = \"v4.public.eyJpYXQiOiIyMDI2LTA1LTE4VDA4OjAwOjAwKzAwOjAwIiwibmJmIjoiMjAyNi0wNS0xOFQwODowMDowMFoiLCJleHAiOiIyMDI2LTA1LTE4VDA5OjAwOjAwKzAwOjAwIiwidG9rZW5faWQiOiI3OWRkOWZmYi1lYmM4LTQ4ODMtOGYxZS03MmViNzRhMjZlMzMiLCJhZ2VudF9pZCI6ImFnZW50XzEiLCJzZXNzaW9uX2lkIjoic2Vzc18xIiwiYWN0aW9uX3NldCI6WyJjb21tdW5pY2F0aW9uLmV4dGVybmFsLnNlbmQiXSwicmVzb3VyY2Vfc2NvcGUiOiIxMjcuMC4wLjE6OTEwMCIsImNvbnRleHRfaGFzaCI6IjhkNzBhYzQ5NzkzYmJmMDc5Y2M0NjllMmMwM2VmOWNlMDlkOTBhMzE0ZDRhZjM5ODU3NjY1YTU2OTZkZmY4YjcifZ0TP1fzhYo-aZMmUbPi16u54N4nxeT8GI4ps3SKt66CFz-gShL6Ou3dQBSaz-z2D-6YEpI2omqnKeEQ2empIQo\"\n"
    "token_id = \"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\"\n"
    "agent_id = \"agent_1\"\n"
    "session_id = \"sess_1\"\n"
    "action_set = [\n    \"communication.external.send\",\n]\n"
    "resource_scope = \"127.0.0.1:9100\"\n"
    "issued_at = \"2026-05-18T08:00:00+00:00\"\n"
    "expiry = \"2026-05-18T09:00:00+00:00\"\n"
    "context_hash = \"8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7\"\n";

static const char authority_key[] = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
static const char version[] = "9b3f9f382ae984b9f21629b589a4a4a87e84769b5b3cd9021f8027821d741dff";

struct fixture {
    char dir[64];
    char audit[96];
    char addr[SERVE_ADDR_BYTES];
    pid_t pid;
    int upstream;
};

/* A server whose clock says @when; 0 when it started. */
static void start(struct fixture *f, const char *when)
{
    int64_t ns = 0;
    assert_int_equal(fb_clock_parse(fb_str_of(when), &ns, NULL), 0);
    snprintf(f->dir, sizeof f->dir, "/tmp/firma-test-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->audit, sizeof f->audit, "%s/audit.jsonl", f->dir);
    fb_clock_set_offset_ms(0);
    const struct serve_options o = {
        .rules = rules,
        .policies = policies,
        .version = version,
        .seed = seed,
        .seed_key_hex = authority_key,
        .audit_path = f->audit,
        .clock_offset_ms = ns / 1000000 - fb_clock_wall_ms(),
    };
    f->pid = serve_fork(&o, f->addr);
    assert_true(f->pid > 0);
}

static void listen_as_fixture(struct fixture *f)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(9100) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    f->upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(setsockopt(f->upstream, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one), 0);
    if (bind(f->upstream, (struct sockaddr *)&in, sizeof in) < 0 || listen(f->upstream, 4) < 0) {
        print_message("port 9100 of the worked example is taken here\n");
        close(f->upstream);
        f->upstream = -1;
    }
}

static void stop(struct fixture *f)
{
    assert_int_equal(serve_stop(f->pid), 0);
    if (f->upstream >= 0)
        close(f->upstream);
}

static int dial(const struct fixture *f)
{
    unsigned port = 0;
    assert_int_equal(sscanf(f->addr, "127.0.0.1:%u", &port), 1);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Reads until @mark has come and nothing is behind it, or the end. */
static size_t hear(int fd, char *buf, size_t cap, const char *mark)
{
    size_t n = 0;
    while (n + 1 < cap) {
        ssize_t r = recv(fd, buf + n, cap - 1 - n, 0);
        if (r <= 0)
            break;
        n += (size_t)r;
        buf[n] = '\0';
        if (strstr(buf, mark) != NULL)
            break;
    }
    buf[n] = '\0';
    return n;
}

static const char get_allow[] = "GET http://127.0.0.1:9100/allow HTTP/1.1\r\n"
                                "Host: 127.0.0.1:9100\r\n"
                                "User-Agent: curl/7.88.1\r\n"
                                "Accept: */*\r\n"
                                "Proxy-Connection: Keep-Alive\r\n"
                                "x-firma-session-id: sess_1\r\n\r\n";
static const char post_deny[] = "POST http://127.0.0.1:9100/deny HTTP/1.1\r\n"
                                "Host: 127.0.0.1:9100\r\n"
                                "User-Agent: curl/7.88.1\r\n"
                                "Accept: */*\r\n"
                                "Proxy-Connection: Keep-Alive\r\n"
                                "x-firma-session-id: sess_1\r\n"
                                "Content-Length: 4\r\n"
                                "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
                                "leak";
static const char fixture_answer[] = "HTTP/1.1 200 OK\r\n"
                                     "content-type: application/json\r\n"
                                     "content-length: 27\r\n\r\n"
                                     "{\"ok\":true,\"path\":\"/allow\"}";

static void test_allowed_get_and_denied_post(void **state)
{
    (void)state;
    struct fixture f = { .upstream = -1 };
    char buf[4096];
    listen_as_fixture(&f);
    if (f.upstream < 0)
        skip();
    start(&f, "2026-05-18T08:00:05.123Z");
    int c = dial(&f);
    say(c, get_allow);
    int u = accept(f.upstream, NULL, NULL);
    hear(u, buf, sizeof buf, "\r\n\r\n");
    assert_string_equal(buf, "GET /allow HTTP/1.1\r\nHost: 127.0.0.1:9100\r\nUser-Agent: curl/7.88.1\r\nAccept: */*\r\n\r\n");
    say(u, fixture_answer);
    hear(c, buf, sizeof buf, "/allow\"}");
    assert_string_equal(buf, fixture_answer);
    say(c, post_deny);
    hear(c, buf, sizeof buf, "PolicyDenied");
    const char *body = strstr(buf, "\r\n\r\n");
    assert_non_null(body);
    assert_string_equal(body + 4, "{\"denied\":true,\"detail\":\"policy denied action 'communication.external.send' on "
                                  "resource '127.0.0.1:9100/deny'\",\"reason\":\"PolicyDenied\"}");
    assert_ptr_equal(strstr(buf, "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 135\r\n"
                                 "cache-control: no-store\r\n"),
                     buf);
    close(c);
    close(u);
    stop(&f);

    struct fb_buf lines;
    fb_buf_init(&lines, 1 << 16);
    assert_int_equal(fb_fs_read(f.audit, FB_FS_ANY, &lines, NULL), 0);
    static const char first[] =
        "\"session_id\":\"sess_1\",\"token_id\":\"79dd9ffb-ebc8-4883-8f1e-72eb74a26e33\",\"agent_id\":\"agent_1\","
        "\"action\":\"communication.external.send\",\"resource\":\"127.0.0.1:9100/allow\",\"decision\":1,\"deny_reason\":\"\",";
    static const char second[] =
        "\"resource\":\"127.0.0.1:9100/deny\",\"decision\":2,\"deny_reason\":\"policy denied: policy denied action "
        "'communication.external.send' on resource '127.0.0.1:9100/deny'\",";
    static const char tail[] =
        "\"context_hash\":\"8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7\","
        "\"bundle_version\":\"9b3f9f382ae984b9f21629b589a4a4a87e84769b5b3cd9021f8027821d741dff\",\"timestamp\":17790912";
    assert_non_null(strstr(lines.p, first));
    assert_non_null(strstr(lines.p, second));
    assert_non_null(strstr(lines.p, tail));
    fb_buf_done(&lines);
}

/* What the GET gets at a given second. */
static void get_at(const char *when, const char *wanted)
{
    struct fixture f = { .upstream = -1 };
    char buf[4096];
    start(&f, when);
    int c = dial(&f);
    say(c, get_allow);
    hear(c, buf, sizeof buf, "}");
    if (strstr(buf, wanted) == NULL)
        fail_msg("%s: wanted '%s', got: %s", when, wanted, buf);
    close(c);
    stop(&f);
}

static void test_the_last_second_still_counts(void **state)
{
    (void)state;
    /* Nothing listens on port 9100: an abort of the connector means that the call was allowed. */
    get_at("2026-05-18T08:59:58Z", "CONNECTOR_FAILURE");
}

static void test_an_expired_seed_is_refused(void **state)
{
    (void)state;
    struct fixture f = { .upstream = -1 };
    int64_t ns = 0;
    assert_int_equal(fb_clock_parse(FB_STR("2026-05-18T09:00:00Z"), &ns, NULL), 0);
    fb_clock_set_offset_ms(0);
    const struct serve_options o = {
        .rules = rules, .policies = policies, .seed = seed, .seed_key_hex = authority_key,
        .audit_path = "/tmp/firma-test-never", .clock_offset_ms = ns / 1000000 - fb_clock_wall_ms(),
    };
    f.pid = serve_fork(&o, f.addr);
    assert_true(f.pid == -1);
    int status;
    assert_true(wait(&status) > 0);
    assert_int_equal(WEXITSTATUS(status), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowed_get_and_denied_post),
        cmocka_unit_test(test_the_last_second_still_counts),
        cmocka_unit_test(test_an_expired_seed_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
