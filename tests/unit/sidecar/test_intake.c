/* What a head becomes: one authority, one path, one list of fields; and how it is written for the other side. */
#include "sidecar/intake.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

struct parsed {
    struct fb_arena arena;
    struct fn_h1_field fields[FN_H1_FIELDS_MAX];
    const struct fn_h1_head *head;
    struct sc_request req;
    char text[SC_INTAKE_TEXT_BYTES];
};

static int read_text(struct parsed *p, const char *raw)
{
    struct fn_h1 h;
    fb_arena_init(&p->arena, 1 << 20);
    fn_h1_init(&h, FN_H1_REQUEST, p->fields, FN_H1_FIELDS_MAX, 0);
    assert_int_equal(fn_h1_parse(&h, fb_str_of(raw), &p->head), 0);
    return sc_intake_read(&p->arena, p->head, &p->req, p->text);
}

static void assert_str(struct fb_str s, const char *wanted)
{
    if (!fb_str_eqz(s, wanted))
        fail_msg("wanted '%s', got '%.*s'", wanted, FB_STR_ARG(s));
}

static void test_canonical_request(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    assert_int_equal(read_text(&p, "GET http://API.Example.com.:80/a/../b//c/?q=1#x HTTP/1.1\r\nHost: api.example.com\r\n"
                                   "x-firma-agent: root\r\nProxy-Authorization: z\r\nAuthorization: y\r\n\r\n"), 0);
    assert_str(p.req.env.host, "api.example.com");
    assert_str(p.req.env.path, "/b/c");
    assert_str(p.req.env.query, "q=1");
    assert_str(p.req.env.target, "/a/../b//c/?q=1#x");
    assert_false(p.req.env.is_https);
    assert_int_equal(p.req.target.authority.port, 80);
    assert_int_equal(p.req.env.n_headers, 2);
    assert_str(p.req.env.headers[1].name, "Authorization");
    assert_true(p.req.repeatable);
    fb_arena_done(&p.arena);
}

static void test_connect(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    assert_int_equal(read_text(&p, "CONNECT Api.Example.com:443 HTTP/1.1\r\nHost: api.example.com:443\r\n\r\n"), 0);
    assert_true(p.req.is_connect && p.req.env.is_connect && p.req.env.is_https);
    assert_str(p.req.env.host, "api.example.com");
    assert_str(p.req.env.path, "/");
    fb_arena_done(&p.arena);
}

static void test_policy_sees_what_is_sent(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    assert_int_equal(read_text(&p, "GET / HTTP/1.1\r\nHost: a.example\r\nX-Ok: yes\r\nConnection: x-ok, close\r\nTE: trailers\r\n"
                                   "X-Other: 1\r\n\r\n"), 0);
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(sc_intake_write(&out, &p.req, NULL, 0, 0), 0);
    assert_str(fb_buf_str(&out), "GET / HTTP/1.1\r\nHost: a.example\r\nX-Other: 1\r\n\r\n");
    for (size_t i = 0; i < p.req.env.n_headers; i++)
        assert_false(fb_str_eq_nocase(p.req.env.headers[i].name, FB_STR("x-ok")));
    fb_buf_done(&out);
    fb_arena_done(&p.arena);
}

static void test_names_that_others_read_otherwise(void **state)
{
    (void)state;
    static const char *const bad[] = { "x_firma_agent: a", "X-Firma_Session: a", "X_FIRMA-Z: a", "Transfer_Encoding: chunked",
                                       "content_length: 5", "Proxy_Authorization: a", "Connection: Authorization" };
    static const char *const good[] = { "x_firmament: a", "content_type: a", "transfer_encodings: a", "content__length: a" };
    char raw[256];
    for (size_t i = 0; i < FB_COUNT(bad) + FB_COUNT(good); i++) {
        bool is_bad = i < FB_COUNT(bad);
        struct parsed p = { 0 };
        snprintf(raw, sizeof raw, "GET / HTTP/1.1\r\nHost: a.example\r\n%s\r\n\r\n", is_bad ? bad[i] : good[i - FB_COUNT(bad)]);
        int r = read_text(&p, raw);
        if ((r == FB_E_PARSE) != is_bad)
            fail_msg("%s: %d", raw, r);
        fb_arena_done(&p.arena);
    }
}

static void test_refusals_keep_what_is_known(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    assert_int_equal(read_text(&p, "PUT /x HTTP/1.1\r\n\r\n"), FB_E_NOT_FOUND);
    assert_string_equal(p.text, "missing host");
    assert_str(p.req.env.method, "PUT");
    assert_int_equal(p.req.env.host.n, 0);
    fb_arena_done(&p.arena);
    assert_int_equal(read_text(&p, "GET http://h.example/%00 HTTP/1.1\r\nHost: h.example\r\n\r\n"), FB_E_PARSE);
    assert_str(p.req.env.host, "h.example");
    fb_arena_done(&p.arena);
}

static void test_encoded_separators_are_told_to_the_rules(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    assert_int_equal(read_text(&p, "GET http://h.example/@a%2fb HTTP/1.1\r\nHost: h.example\r\n\r\n"), 0);
    assert_true(p.req.env.has_encoded_separator);
    fb_arena_done(&p.arena);
}

static void test_what_is_written(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    const struct fb_str drop[] = { FB_STR("x-drop") };
    assert_int_equal(read_text(&p, "POST http://h.example:8080/a/? HTTP/1.1\r\nHost: h.example:8080\r\nX-Drop: 1\r\n"
                                   "Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nA: b\r\nX-Firma-User: u\r\n"
                                   "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"), 0);
    assert_int_equal(sc_intake_write(&out, &p.req, drop, 1, 7), 0);
    assert_str(fb_buf_str(&out), "POST /a/? HTTP/1.1\r\nHost: h.example:8080\r\nA: b\r\ncontent-length: 7\r\n\r\n");
    fb_arena_done(&p.arena);
    fb_buf_reset(&out);
    assert_int_equal(read_text(&p, "GET http://h.example HTTP/1.1\r\nHost: h.example\r\n\r\n"), 0);
    assert_int_equal(sc_intake_write(&out, &p.req, NULL, 0, 0), 0);
    assert_str(fb_buf_str(&out), "GET / HTTP/1.1\r\nHost: h.example\r\n\r\n");
    fb_arena_done(&p.arena);
    fb_buf_done(&out);
}

static void test_routes_request(void **state)
{
    (void)state;
    struct parsed p = { 0 };
    (void)read_text(&p, "GET /routes HTTP/1.1\r\nHost: firma\r\n\r\n");
    assert_true(sc_intake_is_routes(p.head));
    fb_arena_done(&p.arena);
    (void)read_text(&p, "GET http://firma/routes HTTP/1.1\r\nHost: firma\r\n\r\n");
    assert_false(sc_intake_is_routes(p.head));
    fb_arena_done(&p.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_request),
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_policy_sees_what_is_sent),
        cmocka_unit_test(test_names_that_others_read_otherwise),
        cmocka_unit_test(test_refusals_keep_what_is_known),
        cmocka_unit_test(test_encoded_separators_are_told_to_the_rules),
        cmocka_unit_test(test_what_is_written),
        cmocka_unit_test(test_routes_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
