/* The service over a real connection on one loop: what a Sidecar's two streams bring, and when. */
#include "loop_world.h"

#include "authority/service.h"
#include "base/clock.h"
#include "core/embed.h"
#include "rpc/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define OPEN "permit(principal, action, resource);\n"
#define DAY_NS (24LL * 3600 * 1000000000)

struct world {
    struct loop_world base;
    struct au_config config;
    struct au_store enforcement;
    struct au_store issuance;
    struct au_revlog revocations;
    struct au_service service;
    struct rp_server *server;
    struct rp_watch *watch;
    char url[64];
    unsigned bundles;
    unsigned stop_at_bundles;
    char last_version[AU_VERSION_BYTES];
    uint32_t last_ttl_s;
    char ids[4096]; /* revocations in the order of arrival, a blank after each */
    unsigned revocations_seen;
    unsigned stop_at_revocations;
};

static void on_bundle(void *arg, const struct rp_bundle *b)
{
    struct world *w = arg;

    w->bundles++;
    snprintf(w->last_version, sizeof(w->last_version), "%.*s", FB_STR_ARG(b->version));
    w->last_ttl_s = b->ttl_s;
    if (w->bundles == w->stop_at_bundles)
        fb_loop_stop(w->base.loop);
}

static void on_revocation(void *arg, struct fb_str id, struct fb_str reason, int64_t at_ns)
{
    struct world *w = arg;
    size_t n = strlen(w->ids);

    (void)reason;
    (void)at_ns;
    if (n + id.n + 2 < sizeof(w->ids))
        snprintf(w->ids + n, sizeof(w->ids) - n, "%.*s ", FB_STR_ARG(id));
    if (++w->revocations_seen == w->stop_at_revocations)
        fb_loop_stop(w->base.loop);
}

static void on_state(void *arg, enum rp_stream stream, bool open, const char *why)
{
    (void)arg;
    (void)stream;
    if (!open)
        fail_msg("stream lost: %s", why);
}

static struct au_policy *policy(const char *text)
{
    struct au_policy *p = NULL;

    assert_int_equal(au_policy_from_text(fb_str_of(text), fc_asset_get("schema/firma.cedarschema"), "t", &p, NULL), 0);
    return p;
}

static int set_up(void **state)
{
    static struct world w;
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(sa);

    memset(&w, 0, sizeof(w));
    world_init(&w.base);
    assert_int_equal(au_config_defaults(&w.config, NULL), 0);
    w.config.bundle_ttl_s = 40;
    w.enforcement = (struct au_store){ .dir_fd = -1, .now = policy(OPEN) };
    w.issuance = (struct au_store){ .dir_fd = -1, .now = policy(OPEN) };
    au_revlog_init(&w.revocations);
    w.service = (struct au_service){ .loop = w.base.loop,
                                     .config = &w.config,
                                     .enforcement = &w.enforcement,
                                     .issuance = &w.issuance,
                                     .revocations = &w.revocations };
    au_service_init(&w.service);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    snprintf(w.url, sizeof(w.url), "http://127.0.0.1:%u", (unsigned)ntohs(sa.sin_port));
    assert_int_equal(rp_server_new(w.base.loop, w.service.methods, &w.server, NULL), 0);
    assert_int_equal(rp_server_listen(w.server, fd, NULL), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    rp_watch_free(w->watch);
    rp_server_free(w->server);
    au_service_done(&w->service);
    au_revlog_done(&w->revocations);
    au_store_done(&w->enforcement);
    au_store_done(&w->issuance);
    au_config_done(&w->config);
    world_done(&w->base);
    return 0;
}

static void start_watch(struct world *w)
{
    static const struct rp_watch_ops ops = { on_bundle, on_revocation, on_state };

    assert_int_equal(rp_watch_new(w->base.loop, w->url, NULL, &ops, w, &w->watch, NULL), 0);
}

static void add(struct world *w, const char *id, int64_t at_ns)
{
    assert_int_equal(au_revlog_add(&w->revocations, fb_str_of(id), FB_STR("r"), at_ns, NULL), 1);
}

static void change_to(struct world *w, const char *text)
{
    au_policy_free(w->enforcement.now);
    w->enforcement.now = policy(text);
    au_service_bundle_changed(&w->service);
}

static void the_bundle_in_force_comes_at_once_with_its_time_to_live(void **state)
{
    struct world *w = *state;

    w->stop_at_bundles = 1;
    start_watch(w);
    world_run(&w->base);
    assert_string_equal(w->last_version, w->enforcement.now->version);
    assert_int_equal(w->last_ttl_s, 40);
}

static void many_changes_at_once_end_with_the_newest(void **state)
{
    struct world *w = *state;
    char text[128];

    w->stop_at_bundles = 1;
    start_watch(w);
    world_run(&w->base);
    for (int i = 0; i < 50; i++) {
        snprintf(text, sizeof(text), "// %d\n" OPEN, i);
        change_to(w, text);
    }
    for (unsigned i = 2; i <= 52 && strcmp(w->last_version, w->enforcement.now->version) != 0; i++) {
        w->stop_at_bundles = i;
        world_run(&w->base);
    }
    assert_string_equal(w->last_version, w->enforcement.now->version);
    assert_true(w->bundles < 52); /* those that were overtaken did not go out */
}

static void revocations_of_a_year_are_replayed_in_their_order_and_then_come_live(void **state)
{
    struct world *w = *state;
    int64_t now = fb_clock_wall_ns();

    add(w, "too-old", now - 366 * DAY_NS);
    add(w, "second", now - DAY_NS);
    add(w, "first", now - 364 * DAY_NS); /* the order of ingestion counts, not the time */
    w->stop_at_revocations = 2;
    start_watch(w);
    world_run(&w->base);
    assert_string_equal(w->ids, "second first ");
    add(w, "live", now);
    add(w, "live-but-old", now - 400 * DAY_NS); /* news are never filtered */
    au_service_revocations_added(&w->service);
    w->stop_at_revocations = 4;
    world_run(&w->base);
    assert_string_equal(w->ids, "second first live live-but-old ");
}

static void a_list_longer_than_one_piece_comes_whole(void **state)
{
    struct world *w = *state;
    char id[64];
    enum { MANY = 20000 };

    for (int i = 0; i < MANY; i++) {
        snprintf(id, sizeof(id), "79dd9ffb-ebc8-4883-8f1e-%012d", i);
        add(w, id, fb_clock_wall_ns());
    }
    w->stop_at_revocations = MANY;
    start_watch(w);
    world_run(&w->base);
    assert_int_equal(w->revocations_seen, MANY);
}

static void a_stream_that_is_cut_is_forgotten(void **state)
{
    struct world *w = *state;

    w->stop_at_bundles = 1;
    start_watch(w);
    world_run(&w->base);
    assert_non_null(w->service.bundle_streams);
    rp_server_free(w->server);
    w->server = NULL;
    assert_null(w->service.bundle_streams);
    assert_null(w->service.revocation_streams);
    au_service_bundle_changed(&w->service);
    au_service_revocations_added(&w->service);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(the_bundle_in_force_comes_at_once_with_its_time_to_live),
        T(many_changes_at_once_end_with_the_newest),
        T(revocations_of_a_year_are_replayed_in_their_order_and_then_come_live),
        T(a_list_longer_than_one_piece_comes_whole),
        T(a_stream_that_is_cut_is_forgotten),
    };
    return cmocka_run_group_tests_name("authority/service", tests, NULL, NULL);
}
