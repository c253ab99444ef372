/* Shows that heads are read strictly, that every deviation has its own name, and that neither the cutting of the input
 * nor a moving buffer changes the answer. */
#include "h1_test.h"

static void a_request(void **state)
{
    (void)state;
    struct h1_run r;
    const char *text = "GET /a?b HTTP/1.1\r\nHost: example.com\r\nX-A:  b c\t\r\nEmpty:\r\n\r\nBODY";
    h1_ok(&r, FN_H1_REQUEST, text);
    assert_text(r.head->method, "GET");
    assert_text(r.head->target, "/a?b");
    assert_int_equal(r.head->minor, 1);
    assert_int_equal(r.head->n_fields, 3);
    assert_text(r.head->fields[1].name, "X-A");
    assert_text(r.head->fields[1].value, "b c");
    assert_text(r.head->fields[2].value, "");
    assert_text(r.head->host, "example.com");
    assert_int_equal(r.head->head_bytes, strlen(text) - 4);
    assert_int_equal(r.head->framing, FN_H1_BODY_NONE);
    assert_true(r.head->keep_alive);
    h1_run_done(&r);
}

static void more_is_wanted_until_the_empty_line(void **state)
{
    (void)state;
    const char *text = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (size_t n = 0; n < strlen(text); n++) {
        struct h1_run r;
        h1_feed(&r, FN_H1_REQUEST, fb_str_n(text, n), 0);
        assert_int_equal(r.rc, FN_H1_MORE);
        h1_run_done(&r);
    }
}

static void one_empty_line_before_a_request(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, "\r\nGET / HTTP/1.1\r\n\r\n");
    assert_text(r.head->method, "GET");
    assert_int_equal(r.head->head_bytes, 20);
    assert_null(r.head->host.p);
    h1_run_done(&r);
    h1_refused("\r\n\r\nGET / HTTP/1.1\r\n\r\n", FN_H1_BAD_EMPTY_LINES);
    h1_refused("\nGET / HTTP/1.1\r\n\r\n", FN_H1_BAD_BARE_LF);
    h1_response_refused("\r\nHTTP/1.1 200 OK\r\n\r\n", FN_H1_BAD_EMPTY_LINES);
}

static void line_ends(void **state)
{
    (void)state;
    h1_refused("GET / HTTP/1.1\nHost: a\r\n\r\n", FN_H1_BAD_BARE_LF);
    h1_refused("GET / HTTP/1.1\r\nHost: a\n\r\n", FN_H1_BAD_BARE_LF);
    h1_refused("GET / HTTP/1.1\r\nHost: a\r\n\n", FN_H1_BAD_BARE_LF);
    h1_refused("GET / HTTP/1.1\r\nHost: a\n\n", FN_H1_BAD_BARE_LF);
    h1_refused("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", FN_H1_BAD_BARE_CR);
    h1_refused("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", FN_H1_BAD_BARE_CR);
    h1_refused("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", FN_H1_BAD_BARE_CR);
    h1_refused("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", FN_H1_BAD_BARE_CR);
}

static void request_lines(void **state)
{
    (void)state;
    h1_refused("GET /\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / \r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused(" GET / HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
    h1_refused("GET  / HTTP/1.1\r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("GET /  HTTP/1.1\r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("GET / HTTP/1.1 \r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("GET /a b HTTP/1.1\r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("GET\t/ HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
    h1_refused("GET /\tx HTTP/1.1\r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("GET /\x0b HTTP/1.1\r\n\r\n", FN_H1_BAD_CONTROL);
    h1_refused("GET /\x7f HTTP/1.1\r\n\r\n", FN_H1_BAD_CONTROL);
    h1_refused("GET /\xc3\xa9 HTTP/1.1\r\n\r\n", FN_H1_BAD_TARGET);
    h1_refused("G(T / HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
    h1_refused("G\xc3\xa9T / HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
    h1_refused(": / HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
    h1_refused_n(FN_H1_REQUEST, FB_STR("GET /\0 HTTP/1.1\r\n\r\n"), FN_H1_BAD_CONTROL);
}

static void methods_have_a_limit(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n\r\n");
    assert_int_equal(r.head->method.n, 32);
    h1_run_done(&r);
    h1_refused("ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n\r\n", FN_H1_BAD_METHOD);
}

static void versions(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, "GET / HTTP/1.0\r\n\r\n");
    assert_int_equal(r.head->minor, 0);
    assert_false(r.head->keep_alive);
    h1_run_done(&r);
    h1_refused("GET / HTTP/0.9\r\n\r\n", FN_H1_BAD_VERSION);
    h1_refused("GET / HTTP/1.2\r\n\r\n", FN_H1_BAD_VERSION);
    h1_refused("GET / HTTP/2.0\r\n\r\n", FN_H1_BAD_VERSION);
    h1_refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", FN_H1_BAD_VERSION);
    h1_refused("GET / HTTP/1.10\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / HTTP/1,1\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / http/1.1\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / HTTP/11\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / HTTP/1.\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_refused("GET / FTP/1.1\r\n\r\n", FN_H1_BAD_START_LINE);
    assert_int_equal(fn_h1_refusal_status(FN_H1_BAD_VERSION), 505);
}

static void fields(void **state)
{
    (void)state;
#define FIELD(line) "GET / HTTP/1.1\r\nHost: a\r\n" line "\r\n\r\n"
    h1_refused(FIELD(" folded: a"), FN_H1_BAD_OBS_FOLD);
    h1_refused(FIELD("X: a\r\n b"), FN_H1_BAD_OBS_FOLD);
    h1_refused(FIELD("X: a\r\n\tb"), FN_H1_BAD_OBS_FOLD);
    h1_refused("GET / HTTP/1.1\r\n \r\n\r\n", FN_H1_BAD_OBS_FOLD);
    h1_refused(FIELD("nocolon"), FN_H1_BAD_NO_COLON);
    h1_refused(FIELD(": empty"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("X : a"), FN_H1_BAD_BLANK_BEFORE_COLON);
    h1_refused(FIELD("X\t: a"), FN_H1_BAD_BLANK_BEFORE_COLON);
    h1_refused(FIELD("X Y: a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("X\tY: a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("X\x01: a"), FN_H1_BAD_CONTROL);
    h1_refused(FIELD("X\xc3\xa9: a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("(X): a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("X[0]: a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("\"X\": a"), FN_H1_BAD_FIELD_NAME);
    h1_refused(FIELD("X: a\x01"), FN_H1_BAD_CONTROL);
    h1_refused(FIELD("X: a\x0b"), FN_H1_BAD_CONTROL);
    h1_refused(FIELD("X: a\x0c"), FN_H1_BAD_CONTROL);
    h1_refused(FIELD("X: a\x7f"), FN_H1_BAD_CONTROL);
    h1_refused_n(FN_H1_REQUEST, FB_STR(FIELD("X: a\0b")), FN_H1_BAD_CONTROL);
    h1_refused_n(FN_H1_REQUEST, FB_STR(FIELD("X\0: a")), FN_H1_BAD_CONTROL);
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, FIELD("X: caf\xc3\xa9 a\tb: c"));
    assert_text(r.head->fields[1].value, "caf\xc3\xa9 a\tb: c");
    h1_run_done(&r);
}

/* A head with @n fields. */
static char *many(size_t n)
{
    static const char front[] = "GET / HTTP/1.1\r\n";
    char *text = malloc(n * 6 + 64);
    size_t at = sizeof front - 1;
    memcpy(text, front, at);
    for (size_t i = 0; i < n; i++) {
        memcpy(text + at, "X: a\r\n", 6);
        at += 6;
    }
    memcpy(text + at, "\r\n", 3);
    return text;
}

static void field_count_limit(void **state)
{
    (void)state;
    struct h1_run r;
    char *text = many(FN_H1_FIELDS_MAX);
    h1_ok(&r, FN_H1_REQUEST, text);
    assert_int_equal(r.head->n_fields, FN_H1_FIELDS_MAX);
    h1_run_done(&r);
    free(text);
    text = many(FN_H1_FIELDS_MAX + 1);
    h1_refused(text, FN_H1_BAD_TOO_MANY_FIELDS);
    free(text);
    assert_int_equal(fn_h1_refusal_status(FN_H1_BAD_TOO_MANY_FIELDS), 431);
}

/* A head of exactly @n bytes. */
static char *sized(size_t n)
{
    static const char front[] = "GET / HTTP/1.1\r\nX: ";
    char *text = malloc(n + 1);
    memset(text, 'a', n);
    memcpy(text, front, sizeof front - 1);
    memcpy(text + n - 4, "\r\n\r\n", 5);
    return text;
}

static void head_size_limit(void **state)
{
    (void)state;
    struct h1_run r;
    char *text = sized(FN_H1_HEAD_MAX_BYTES);
    h1_feed(&r, FN_H1_REQUEST, fb_str_of(text), 0);
    assert_int_equal(r.rc, 0);
    h1_run_done(&r);
    h1_feed(&r, FN_H1_REQUEST, fb_str_of(text), 1000);
    assert_int_equal(r.rc, 0);
    h1_run_done(&r);
    free(text);
    text = sized(FN_H1_HEAD_MAX_BYTES + 1);
    for (size_t step = 0; step <= 4000; step += 1000) {
        h1_feed(&r, FN_H1_REQUEST, fb_str_of(text), step);
        assert_int_equal(r.rc, FB_E_LIMIT);
        assert_int_equal(r.h.refusal, FN_H1_BAD_HEAD_TOO_LARGE);
        h1_run_done(&r);
    }
    free(text);
}

static void a_head_that_never_ends_is_refused_at_the_limit(void **state)
{
    (void)state;
    struct fn_h1 h;
    struct fn_h1_field f[2];
    const struct fn_h1_head *head;
    char text[64];
    memset(text, 'a', sizeof text);
    fn_h1_init(&h, FN_H1_REQUEST, f, 2, sizeof text);
    assert_int_equal(fn_h1_parse(&h, fb_str_n(text, 63), &head), FN_H1_MORE);
    assert_int_equal(fn_h1_parse(&h, fb_str_n(text, 64), &head), FB_E_LIMIT);
    /* And stays refused. */
    assert_int_equal(fn_h1_parse(&h, fb_str_n(text, 1), &head), FB_E_LIMIT);
}

static void a_response(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_RESPONSE, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(r.head->status, 404);
    assert_text(r.head->reason, "Not Found");
    h1_run_done(&r);
    h1_ok(&r, FN_H1_RESPONSE, "HTTP/1.0 200 \r\n\r\n");
    assert_text(r.head->reason, "");
    h1_run_done(&r);
    h1_ok(&r, FN_H1_RESPONSE, "HTTP/1.1 999\r\n\r\n");
    assert_int_equal(r.head->status, 999);
    h1_run_done(&r);
}

static void status_lines(void **state)
{
    (void)state;
    h1_response_refused("HTTP/1.1 20 OK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1 2000 OK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1 099 OK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1 2x0 OK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1  200 OK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1 200\tOK\r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1 \r\n\r\n", FN_H1_BAD_STATUS);
    h1_response_refused("HTTP/1.1\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_response_refused("HTTP/1.1200 OK\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_response_refused("HTTP/2.0 200 OK\r\n\r\n", FN_H1_BAD_VERSION);
    h1_response_refused("ICY 200 OK\r\n\r\n", FN_H1_BAD_START_LINE);
    h1_response_refused("HTTP/1.1 200 O\x01K\r\n\r\n", FN_H1_BAD_CONTROL);
    h1_response_refused("H\r\n\r\n", FN_H1_BAD_START_LINE);
}

static void the_second_message_is_not_touched(void **state)
{
    (void)state;
    const char *text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: b\r\n\r\n";
    struct h1_run r;
    h1_feed(&r, FN_H1_REQUEST, fb_str_of(text), 0);
    assert_int_equal(r.rc, 0);
    size_t n = r.head->head_bytes;
    h1_run_done(&r);
    h1_feed(&r, FN_H1_REQUEST, fb_str_n(text + n, strlen(text) - n), 0);
    assert_int_equal(r.rc, 0);
    assert_text(r.head->target, "/2");
    h1_run_done(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request),
        cmocka_unit_test(more_is_wanted_until_the_empty_line),
        cmocka_unit_test(one_empty_line_before_a_request),
        cmocka_unit_test(line_ends),
        cmocka_unit_test(request_lines),
        cmocka_unit_test(methods_have_a_limit),
        cmocka_unit_test(versions),
        cmocka_unit_test(fields),
        cmocka_unit_test(field_count_limit),
        cmocka_unit_test(head_size_limit),
        cmocka_unit_test(a_head_that_never_ends_is_refused_at_the_limit),
        cmocka_unit_test(a_response),
        cmocka_unit_test(status_lines),
        cmocka_unit_test(the_second_message_is_not_touched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
