/* Shows that a message has one length or is refused, and what Connection, Host and Expect may say. */
#include "h1_test.h"

#define REQ(lines) "POST / HTTP/1.1\r\n" lines "\r\n\r\n"
#define RES(lines) "HTTP/1.1 200 OK\r\n" lines "\r\n\r\n"

static void request_is(const char *text, enum fn_h1_framing framing, uint64_t length)
{
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, text);
    assert_int_equal(r.head->framing, framing);
    assert_true(r.head->content_length == length);
    h1_run_done(&r);
}

static void lengths(void **state)
{
    (void)state;
    request_is(REQ("Host: a"), FN_H1_BODY_NONE, 0);
    request_is(REQ("Content-Length: 0"), FN_H1_BODY_LENGTH, 0);
    request_is(REQ("content-LENGTH: 42"), FN_H1_BODY_LENGTH, 42);
    request_is(REQ("Content-Length:  9223372036854775807 "), FN_H1_BODY_LENGTH, INT64_MAX);
    static const char *const odd[] = {
        REQ("Content-Length:"),
        REQ("Content-Length: -1"),
        REQ("Content-Length: +1"),
        REQ("Content-Length: 0x10"),
        REQ("Content-Length: 1 2"),
        REQ("Content-Length: 1,1"),
        REQ("Content-Length: 5, 5"),
        REQ("Content-Length: 007"),
        REQ("Content-Length: 1.0"),
        REQ("Content-Length: 1e1"),
        REQ("Content-Length: 1_0"),
        REQ("Content-Length: ,1"),
        REQ("Content-Length: 9223372036854775808"),
        REQ("Content-Length: 18446744073709551617"),
        REQ("Content-Length: 1;a"),
        REQ("Content-Length: \xd9\xa1"),
    };
    for (size_t i = 0; i < FB_COUNT(odd); i++)
        h1_refused(odd[i], FN_H1_BAD_LENGTH_INVALID);
    h1_refused(REQ("Content-Length: 5\r\nContent-Length: 5"), FN_H1_BAD_LENGTH_REPEATED);
    h1_refused(REQ("Content-Length: 5\r\ncontent-length: 6"), FN_H1_BAD_LENGTH_REPEATED);
    h1_response_refused(RES("Content-Length: 5\r\nContent-Length: 5"), FN_H1_BAD_LENGTH_REPEATED);
}

static void codings(void **state)
{
    (void)state;
    request_is(REQ("Transfer-Encoding: chunked"), FN_H1_BODY_CHUNKED, 0);
    request_is(REQ("transfer-encoding:\tCHUNKED "), FN_H1_BODY_CHUNKED, 0);
    h1_refused(REQ("Content-Length: 5\r\nTransfer-Encoding: chunked"), FN_H1_BAD_LENGTH_AND_CODING);
    h1_refused(REQ("Transfer-Encoding: chunked\r\nContent-Length: 5"), FN_H1_BAD_LENGTH_AND_CODING);
    h1_refused(REQ("Transfer-Encoding: x\r\nContent-Length: 5"), FN_H1_BAD_LENGTH_AND_CODING);
    h1_refused(REQ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), FN_H1_BAD_CODING_REPEATED);
    h1_refused(REQ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), FN_H1_BAD_CODING_REPEATED);
    h1_refused(REQ("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"), FN_H1_BAD_CODING_REPEATED);
    h1_refused(REQ("Transfer-Encoding: chunked, chunked"), FN_H1_BAD_CODING_REPEATED);
    h1_refused(REQ("Transfer-Encoding: gzip, chunked"), FN_H1_BAD_CODING_UNKNOWN);
    h1_refused(REQ("Transfer-Encoding: chunked, gzip"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: gzip"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: identity"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding:"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: xchunked"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: \"chunked\""), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: chunked;q=1"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: chunked,"), FN_H1_BAD_CODING_NOT_CHUNKED);
    h1_refused(REQ("Transfer-Encoding: ,chunked"), FN_H1_BAD_CODING_UNKNOWN);
    h1_refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", FN_H1_BAD_CODING_IN_10);
    h1_response_refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", FN_H1_BAD_CODING_IN_10);
    h1_response_refused(RES("Content-Length: 5\r\nTransfer-Encoding: chunked"), FN_H1_BAD_LENGTH_AND_CODING);
    assert_int_equal(fn_h1_refusal_status(FN_H1_BAD_CODING_UNKNOWN), 501);
}

static void a_tunnel_has_no_body(void **state)
{
    (void)state;
#define CONNECT(lines) "CONNECT a.example:443 HTTP/1.1\r\n" lines "\r\n\r\n"
    request_is(CONNECT("Content-Length: 0"), FN_H1_BODY_LENGTH, 0);
    h1_refused(CONNECT("Content-Length: 1"), FN_H1_BAD_CONNECT_BODY);
    h1_refused(CONNECT("Transfer-Encoding: chunked"), FN_H1_BAD_CONNECT_BODY);
}

static void persistence(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool keep;
    } rows[] = {
        { "GET / HTTP/1.1\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true },
        { "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        struct h1_run r;
        h1_ok(&r, FN_H1_REQUEST, rows[i].text);
        assert_int_equal(r.head->keep_alive, rows[i].keep);
        h1_run_done(&r);
    }
}

static void hop_by_hop(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST,
          REQ("Connection: X-Secret , ,upgrade\r\nX-Secret: 1\r\nx-secret: 2\r\nUpgrade: websocket\r\nTE: trailers\r\n"
              "Proxy-Authorization: x\r\nKeep-Alive: 5\r\nX-Other: 3"));
    static const bool hop[] = { true, true, true, true, true, true, true, false };
    for (size_t i = 0; i < FB_COUNT(hop); i++)
        assert_int_equal(r.head->fields[i].hop, hop[i]);
    assert_true(r.head->upgrade);
    h1_run_done(&r);
    h1_ok(&r, FN_H1_REQUEST, REQ("Connection: upgrade"));
    assert_false(r.head->upgrade);
    h1_run_done(&r);
    h1_ok(&r, FN_H1_REQUEST, REQ("Upgrade: websocket"));
    assert_false(r.head->upgrade);
    h1_run_done(&r);
    h1_refused(REQ("Connection: Content-Length"), FN_H1_BAD_CONNECTION);
    h1_refused(REQ("Connection: close, host"), FN_H1_BAD_CONNECTION);
    h1_refused(REQ("Connection: a b"), FN_H1_BAD_CONNECTION);
    h1_refused(REQ("Connection: \"close\""), FN_H1_BAD_CONNECTION);
}

static void connection_tokens_limit(void **state)
{
    (void)state;
    char text[256] = "GET / HTTP/1.1\r\nConnection: ";
    for (size_t i = 0; i < 32; i++)
        memcpy(text + 28 + i * 2, "a,", 3);
    memcpy(text + 28 + 63, "\r\n\r\n", 5);
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, text);
    h1_run_done(&r);
    memcpy(text + 28 + 63, ",a\r\n\r\n", 7);
    h1_refused(text, FN_H1_BAD_CONNECTION);
}

static void hosts(void **state)
{
    (void)state;
    h1_refused(REQ("Host: a\r\nHost: a"), FN_H1_BAD_HOST_REPEATED);
    h1_refused(REQ("Host: a\r\nhOST: b"), FN_H1_BAD_HOST_REPEATED);
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, REQ("Host:"));
    assert_non_null(r.head->host.p);
    assert_int_equal(r.head->host.n, 0);
    h1_run_done(&r);
    /* A response says nothing by Host. */
    h1_ok(&r, FN_H1_RESPONSE, RES("Host: a\r\nHost: b"));
    h1_run_done(&r);
}

static void expectations(void **state)
{
    (void)state;
    struct h1_run r;
    h1_ok(&r, FN_H1_REQUEST, REQ("Expect: 100-Continue"));
    assert_true(r.head->expect_continue);
    h1_run_done(&r);
    h1_ok(&r, FN_H1_REQUEST, "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
    assert_false(r.head->expect_continue);
    h1_run_done(&r);
    h1_refused(REQ("Expect: something"), FN_H1_BAD_EXPECT);
    h1_refused(REQ("Expect: 100-continue\r\nExpect: 100-continue"), FN_H1_BAD_EXPECT);
}

static void response_is(const char *text, const char *method, enum fn_h1_framing want)
{
    struct h1_run r;
    h1_ok(&r, FN_H1_RESPONSE, text);
    assert_int_equal(fn_h1_response_framing(r.head, fb_str_of(method)), want);
    h1_run_done(&r);
}

static void responses(void **state)
{
    (void)state;
    response_is(RES("X: a"), "GET", FN_H1_BODY_CLOSE);
    response_is(RES("Content-Length: 5"), "GET", FN_H1_BODY_LENGTH);
    response_is(RES("Transfer-Encoding: chunked"), "GET", FN_H1_BODY_CHUNKED);
    response_is(RES("Content-Length: 5"), "HEAD", FN_H1_BODY_NONE);
    response_is(RES("Transfer-Encoding: chunked"), "HEAD", FN_H1_BODY_NONE);
    response_is(RES("X: a"), "CONNECT", FN_H1_BODY_TUNNEL);
    response_is(RES("Content-Length: 5"), "CONNECT", FN_H1_BODY_TUNNEL);
    response_is("HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n", "CONNECT", FN_H1_BODY_LENGTH);
    response_is("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", "GET", FN_H1_BODY_NONE);
    response_is("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "GET", FN_H1_BODY_NONE);
    response_is("HTTP/1.1 100 Continue\r\n\r\n", "GET", FN_H1_BODY_NONE);
    response_is("HTTP/1.1 101 Switch\r\n\r\n", "GET", FN_H1_BODY_TUNNEL);
    response_is("HTTP/1.0 200 OK\r\n\r\n", "GET", FN_H1_BODY_CLOSE);
    response_is("HTTP/1.1 205 OK\r\nContent-Length: 0\r\n\r\n", "GET", FN_H1_BODY_LENGTH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths),     cmocka_unit_test(codings),      cmocka_unit_test(a_tunnel_has_no_body),
        cmocka_unit_test(persistence), cmocka_unit_test(hop_by_hop),   cmocka_unit_test(connection_tokens_limit),
        cmocka_unit_test(hosts),       cmocka_unit_test(expectations), cmocka_unit_test(responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
