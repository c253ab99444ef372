/* The header with which a relay says for whom it speaks: read once, whole, and only with ids that can be ids. */
#include "sidecar/preface.h"

#include "net/proxyv2.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>

static struct sc_conn *with(const char *bytes, size_t n)
{
    struct sc_conn *c = calloc(1, sizeof *c);
    assert_non_null(c);
    fb_buf_init(&c->in, 4096);
    assert_int_equal(fb_buf_add(&c->in, bytes, n), 0);
    return c;
}

static void done(struct sc_conn *c)
{
    fb_buf_done(&c->in);
    free(c);
}

static struct fb_buf header(const char *sandbox, const char *session, const char *agent)
{
    const struct fn_proxyv2 ids = { .sandbox = fb_str_of(sandbox), .session = fb_str_of(session), .agent = fb_str_of(agent) };
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(fn_proxyv2_write(&out, &ids), 0);
    return out;
}

static void test_ids_are_taken_and_the_rest_stays(void **state)
{
    (void)state;
    struct fb_buf h = header("box", "sess", "agent");
    assert_int_equal(fb_buf_addz(&h, "GET"), 0);
    struct sc_conn *c = with(h.p, h.n);
    assert_int_equal(sc_preface_read(c), 0);
    assert_string_equal(c->ident.sandbox_id, "box");
    assert_string_equal(c->ident.session_id, "sess");
    assert_string_equal(c->ident.agent_id, "agent");
    assert_true(c->prefaced);
    assert_true(fb_str_eqz(fb_buf_str(&c->in), "GET"));
    done(c);
    fb_buf_done(&h);
}

static void test_every_cut_waits_for_more(void **state)
{
    (void)state;
    struct fb_buf h = header("box", "sess", "agent");
    for (size_t n = 0; n < h.n; n++) {
        struct sc_conn *c = with(h.p, n);
        assert_int_equal(sc_preface_read(c), SC_PREFACE_MORE);
        assert_false(c->prefaced);
        done(c);
    }
    fb_buf_done(&h);
}

static void test_a_request_without_it_is_left_alone(void **state)
{
    (void)state;
    struct sc_conn *c = with("GET / HTTP/1.1\r\n", 16);
    assert_int_equal(sc_preface_read(c), 0);
    assert_false(c->prefaced);
    assert_string_equal(c->ident.session_id, "");
    assert_int_equal(c->in.n, 16);
    done(c);
}

static void test_a_broken_one_is_refused(void **state)
{
    (void)state;
    struct fb_buf h = header("box", "sess", "agent");
    h.p[12] = 0x11; /* another version */
    struct sc_conn *c = with(h.p, h.n);
    assert_true(sc_preface_read(c) < 0);
    assert_false(c->prefaced);
    done(c);
    fb_buf_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_are_taken_and_the_rest_stays),
        cmocka_unit_test(test_every_cut_waits_for_more),
        cmocka_unit_test(test_a_request_without_it_is_left_alone),
        cmocka_unit_test(test_a_broken_one_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
