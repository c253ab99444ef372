/* Capability seeds: what stops a start, what a reload changes, and that time only goes forward. */
#include "sidecar/seeds.h"

#include "../token/fixture.h"
#include "base/clock.h"
#include "base/fs.h"
#include "enforce/engine.h"

#include <stdio.h>

struct fixture {
    char *dir;
    char path[128];
    struct tk_public_key key;
    struct fb_loop *loop;
    struct fe_engine *engine;
};

static void set_time(int64_t unix_ns)
{
    fb_clock_set_offset_ms(0);
    fb_clock_set_offset_ms((unix_ns - fb_clock_wall_ns()) / 1000000);
}

static void put(const char *path, const char *text)
{
    assert_int_equal(fb_fs_write_atomic(path, 0600, text, strlen(text), NULL), 0);
}

static int setup(void **state)
{
    static struct fixture f;
    struct tk_secret_key secret;
    example_keys(&secret, &f.key);
    f.dir = fresh_dir();
    snprintf(f.path, sizeof f.path, "%s/seed.toml", f.dir);
    put(f.path, EXAMPLE_SEED);
    set_time(ISSUED_NS + 10 * SECOND_NS);
    *state = &f;
    return fb_loop_new(&f.loop, NULL) == 0 && fe_engine_new(NULL, &f.engine, NULL) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fe_engine_free(f->engine);
    fb_loop_free(f->loop);
    (void)unlink(f->path);
    (void)rmdir(f->dir);
    free(f->dir);
    fb_clock_set_offset_ms(0);
    return 0;
}

static int make(struct fixture *f, const char *session, bool watch, struct sc_seeds **ret, size_t *loaded)
{
    const char *paths[] = { f->path };
    const struct sc_seeds_options o = { .paths = paths, .n_paths = 1, .key = &f->key, .session_id = fb_str_of(session),
                                        .watch = watch };
    *ret = NULL;
    return sc_seeds_new(f->loop, f->engine, &o, loaded, ret, NULL);
}

static void test_a_good_seed_counts(void **state)
{
    struct sc_seeds *s;
    size_t n = 0;
    assert_int_equal(make(*state, "sess_1", false, &s, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(sc_seeds_reload(s), 0);
    sc_seeds_free(s);
}

static void test_another_sessions_seed_stops_the_start(void **state)
{
    struct sc_seeds *s;
    size_t n = 0;
    assert_int_equal(make(*state, "sess_2", false, &s, &n), FB_E_CAPABILITY);
    assert_null(s);
}

static void test_an_expired_one_stops_the_start(void **state)
{
    struct sc_seeds *s;
    size_t n = 0;
    set_time(EXPIRY_NS + SECOND_NS);
    assert_int_equal(make(*state, "", false, &s, &n), FB_E_TOKEN_EXPIRED);
}

static void test_an_altered_one_is_not_loaded(void **state)
{
    struct fixture *f = *state;
    struct sc_seeds *s;
    size_t n = 0;
    assert_int_equal(make(f, "", true, &s, &n), 0);
    put(f->path, "raw_token = \"" EXAMPLE_TOKEN "\"\n");
    assert_true(sc_seeds_reload(s) < 0);
    (void)unlink(f->path);
    assert_true(sc_seeds_reload(s) < 0);
    put(f->path, EXAMPLE_SEED);
    assert_int_equal(sc_seeds_reload(s), 0);
    sc_seeds_free(s);
}

static void test_a_clock_set_back_revives_nothing(void **state)
{
    struct sc_seeds *s;
    size_t n = 0;
    assert_int_equal(make(*state, "", false, &s, &n), 0);
    set_time(EXPIRY_NS + SECOND_NS);
    assert_int_equal(sc_seeds_reload(s), FB_E_TOKEN_EXPIRED);
    set_time(ISSUED_NS + 10 * SECOND_NS);
    assert_int_equal(sc_seeds_reload(s), FB_E_TOKEN_EXPIRED);
    sc_seeds_free(s);
}

int main(void)
{
#define WITH_SEED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SEED(test_a_good_seed_counts),           WITH_SEED(test_another_sessions_seed_stops_the_start),
        WITH_SEED(test_an_expired_one_stops_the_start), WITH_SEED(test_an_altered_one_is_not_loaded),
        WITH_SEED(test_a_clock_set_back_revives_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
