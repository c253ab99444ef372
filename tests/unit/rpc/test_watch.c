/* The standing watch against a real server on the same loop: what arrives, what a broken peer does, how it comes back.
 */
#include "rpc_test.h"

#include "base/err.h"
#include "base/fd.h"
#include "rpc/client.h"
#include "rpc/msg.h"
#include "rpc/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { GUARD_MS = 20000 };

struct world {
    struct fb_loop *loop;
    struct fb_timer *guard;
    struct rp_server *server;
    struct rp_watch *watch;
    uint16_t port;
    char url[64];
    /* the server's side */
    bool send_garbage; /* on the next policy stream, after the bundle */
    unsigned bundle_calls;
    bool version_was_empty;
    struct rp_call *bundle_call;
    /* the client's side */
    unsigned bundles, revocations, opened, lost;
    char last_version[16];
    char last_id[16];
    bool free_in_callback;
    unsigned stop_after_opened;
    unsigned stop_after_lost;
    bool timed_out;
};

static void on_end(void *arg, struct rp_call *call)
{
    struct world *w = arg;

    (void)call;
    w->bundle_call = NULL;
}

static void send_bundle(struct rp_call *call, const char *version)
{
    const struct rp_bundle b = { fb_str_of(version), FB_STR("p"), FB_STR("s"), 30, 1 };
    struct fb_buf out;

    fb_buf_init(&out, 4096);
    assert_int_equal(rp_msg_put_bundle(&out, &b), 0);
    assert_int_equal(rp_call_send(call, out.p, out.n), 0);
    fb_buf_done(&out);
}

static void on_bundle_call(void *arg, struct rp_call *call, struct fb_str message)
{
    struct world *w = arg;
    struct fb_arena a;
    struct fb_str version;

    fb_arena_init(&a, 4096);
    assert_int_equal(rp_msg_get_watch_bundle(&a, message, &version), 0);
    w->version_was_empty = version.n == 0;
    fb_arena_done(&a);
    w->bundle_calls++;
    w->bundle_call = call;
    rp_call_on_end(call, on_end, w);
    send_bundle(call, "v1");
    if (w->send_garbage) {
        w->send_garbage = false;
        assert_int_equal(rp_call_send(call, "\x0a\x7f", 2), 0);
    }
}

static void on_revocation_call(void *arg, struct rp_call *call, struct fb_str message)
{
    struct fb_buf out;

    (void)arg;
    (void)message;
    rp_call_open(call);
    fb_buf_init(&out, 4096);
    assert_int_equal(rp_msg_put_revocation(&out, FB_STR("tok"), FB_STR("r"), 9), 0);
    assert_int_equal(rp_call_send(call, out.p, out.n), 0);
    fb_buf_done(&out);
}

static struct rp_method methods[] = {
    { "/firma.v1.AuthorityService/WatchPolicyBundle", on_bundle_call, NULL },
    { "/firma.v1.AuthorityService/WatchRevocations", on_revocation_call, NULL },
    { NULL, NULL, NULL },
};

static void start_server(struct world *w)
{
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_addr = { htonl(INADDR_LOOPBACK) },
                              .sin_port = htons(w->port) };
    socklen_t len = sizeof(sa);
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    w->port = ntohs(sa.sin_port);
    snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u", (unsigned)w->port);
    methods[0].arg = methods[1].arg = w;
    assert_int_equal(rp_server_new(w->loop, methods, &w->server, NULL), 0);
    assert_int_equal(rp_server_listen(w->server, fd, NULL), 0);
}

static void on_bundle(void *arg, const struct rp_bundle *b)
{
    struct world *w = arg;

    w->bundles++;
    snprintf(w->last_version, sizeof(w->last_version), "%.*s", FB_STR_ARG(b->version));
    if (w->free_in_callback) {
        rp_watch_free(w->watch);
        w->watch = NULL;
        fb_loop_stop(w->loop);
    }
}

static void maybe_stop(struct world *w)
{
    if (w->stop_after_opened != 0 && w->opened >= w->stop_after_opened && w->bundles > 0 && w->revocations > 0)
        fb_loop_stop(w->loop);
    if (w->stop_after_lost != 0 && w->lost >= w->stop_after_lost)
        fb_loop_stop(w->loop);
}

static void on_bundle_then(void *arg, const struct rp_bundle *b)
{
    on_bundle(arg, b);
    if (((struct world *)arg)->watch != NULL)
        maybe_stop(arg);
}

static void on_revocation(void *arg, struct fb_str id, struct fb_str reason, int64_t at_ns)
{
    struct world *w = arg;

    (void)reason;
    assert_int_equal(at_ns, 9);
    w->revocations++;
    snprintf(w->last_id, sizeof(w->last_id), "%.*s", FB_STR_ARG(id));
    maybe_stop(w);
}

static void on_state(void *arg, enum rp_stream stream, bool open, const char *why)
{
    struct world *w = arg;

    (void)stream;
    if (open)
        w->opened++;
    else
        w->lost++;
    assert_true(open == (why[0] == '\0'));
    maybe_stop(w);
}

static void on_guard(void *arg)
{
    struct world *w = arg;

    w->timed_out = true;
    fb_loop_stop(w->loop);
}

static int set_up(void **state)
{
    static struct world w;
    const struct rp_watch_ops ops = { on_bundle_then, on_revocation, on_state };
    const struct rp_watch_opts opts = { .backoff_min_ms = 10, .backoff_max_ms = 50 };

    memset(&w, 0, sizeof(w));
    assert_int_equal(fb_loop_new(&w.loop, NULL), 0);
    assert_int_equal(fb_timer_new(w.loop, on_guard, &w, &w.guard, NULL), 0);
    fb_timer_start(w.guard, GUARD_MS, 0);
    start_server(&w);
    assert_int_equal(rp_watch_new(w.loop, w.url, &opts, &ops, &w, &w.watch, NULL), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    rp_watch_free(w->watch);
    rp_server_free(w->server);
    fb_timer_free(w->guard);
    fb_loop_free(w->loop);
    return 0;
}

static void both_streams_open_and_bring_what_the_server_sends(void **state)
{
    struct world *w = *state;

    w->stop_after_opened = 2;
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
    assert_string_equal(w->last_version, "v1");
    assert_string_equal(w->last_id, "tok");
    assert_true(w->version_was_empty);
    assert_int_equal(w->lost, 0);
}

static void a_malformed_message_is_dropped_and_everything_comes_anew(void **state)
{
    struct world *w = *state;

    w->send_garbage = true;
    w->stop_after_opened = 3; /* after the loss at least one stream opens again */
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
    assert_true(w->lost >= 1);
    assert_int_equal(w->bundle_calls, 2);
    assert_true(w->version_was_empty);
    assert_string_equal(w->last_version, "v1");
}

static void a_server_that_went_away_is_found_again_on_its_port(void **state)
{
    struct world *w = *state;

    w->stop_after_opened = 2;
    fb_loop_run(w->loop);
    rp_server_free(w->server);
    w->server = NULL;
    w->stop_after_opened = 0;
    w->stop_after_lost = 2;
    fb_loop_run(w->loop);
    assert_int_equal(w->lost, 2);
    start_server(w);
    w->stop_after_lost = 0;
    w->stop_after_opened = 4;
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
    assert_int_equal(w->opened, 4);
}

static void a_draining_server_sends_its_clients_away_and_closes(void **state)
{
    struct world *w = *state;

    w->stop_after_opened = 2;
    fb_loop_run(w->loop);
    rp_server_drain(w->server, 0, NULL, NULL);
    w->stop_after_opened = 0;
    w->stop_after_lost = 2;
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
    assert_null(w->bundle_call); /* the handler was told */
}

static void the_watch_may_be_freed_from_its_own_callback(void **state)
{
    struct world *w = *state;

    w->free_in_callback = true;
    fb_loop_run(w->loop);
    assert_false(w->timed_out);
    assert_null(w->watch);
    assert_int_equal(w->bundles, 1);
}

static void urls_are_judged_by_their_text(void **state)
{
    static const char *const loopback[] = { "http://localhost:1", "http://127.0.0.1:50051", "http://127.9.9.9:1",
                                            "http://[::1]:50051", "http://[::1]:50051/" };
    static const char *const others[] = { "http://10.0.0.1:1",
                                          "http://example.com:1",
                                          "http://localhost.evil.com:1",
                                          "http://127.0.0.1.x.y:1",
                                          "http://[::2]:1",
                                          "http://localhost",
                                          "https://localhost:1",
                                          "http://user@localhost:1",
                                          "localhost:1",
                                          "http://0x7f.0.0.1:1",
                                          "" };

    (void)state;
    for (size_t i = 0; i < FB_COUNT(loopback); i++)
        assert_true(rp_url_is_loopback(loopback[i]));
    for (size_t i = 0; i < FB_COUNT(others); i++)
        assert_false(rp_url_is_loopback(others[i]));
    assert_false(rp_url_is_loopback(NULL));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(both_streams_open_and_bring_what_the_server_sends),
        T(a_malformed_message_is_dropped_and_everything_comes_anew),
        T(a_server_that_went_away_is_found_again_on_its_port),
        T(a_draining_server_sends_its_clients_away_and_closes),
        T(the_watch_may_be_freed_from_its_own_callback),
        cmocka_unit_test(urls_are_judged_by_their_text),
    };
    return cmocka_run_group_tests_name("rpc/watch", tests, NULL, NULL);
}
