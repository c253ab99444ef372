/* The client's side of a call: what is submitted, and what each response field means. */
#include "rpc_test.h"

#include "base/err.h"
#include "rpc/bounds.h"
#include "rpc/stream_priv.h"

static void header(struct rp_stream_state *s, const char *name, const char *value)
{
    rp_stream_header(s, fb_str_of(name), fb_str_of(value));
}

static void response_fields_are_believed_only_in_their_exact_form(void **state)
{
    struct rp_stream_state s = { .status = RP_UNKNOWN };
    char many[600];

    (void)state;
    header(&s, ":status", "204");
    assert_false(s.http_ok);
    header(&s, ":status", "200");
    assert_true(s.http_ok);
    header(&s, "content-type", "text/html");
    assert_false(s.grpc_ok);
    header(&s, "content-type", "application/grpc+proto");
    assert_true(s.grpc_ok);
    assert_false(s.has_status);
    header(&s, "grpc-status", "0x0");
    assert_true(s.has_status);
    assert_int_equal(s.status, RP_UNKNOWN); /* not OK by accident */
    header(&s, "grpc-status", "");
    assert_int_equal(s.status, RP_UNKNOWN);
    header(&s, "grpc-status", "17");
    assert_int_equal(s.status, RP_UNKNOWN);
    header(&s, "grpc-status", "14");
    assert_int_equal(s.status, RP_UNAVAILABLE);
    header(&s, "grpc-message", "a%0ab%41");
    assert_string_equal(s.text, "a?bA"); /* nothing that could steer a terminal */
    memset(many, 'm', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    header(&s, "grpc-message", many);
    assert_int_equal(strlen(s.text), sizeof(s.text) - 1);
    header(&s, "x-other", "1");
}

static void a_request_is_framed_and_has_a_longest_length(void **state)
{
    struct rp_stream_state s = { 0 };
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_session *session = NULL;
    char *big = calloc(1, RP_MESSAGE_MAX_BYTES + 1);

    (void)state;
    assert_int_equal(nghttp2_session_callbacks_new(&cb), 0);
    assert_int_equal(rp_stream_session(&session, cb, NULL), 0);
    nghttp2_session_callbacks_del(cb);
    assert_int_equal(rp_stream_start(&s, session, "/p", "x:1", FB_STR("abc"), 1000), 0);
    assert_int_equal(s.id, 1);
    assert_int_equal(s.status, RP_UNKNOWN);
    assert_int_equal(s.request.n, 8);
    assert_memory_equal(s.request.p, "\0\0\0\0\3abc", 8);
    rp_stream_done(&s);
    assert_int_equal(s.id, 0);
    assert_int_equal(rp_stream_start(&s, session, "/p", "x:1", fb_str_n(big, RP_MESSAGE_MAX_BYTES), 0), 0);
    rp_stream_done(&s);
    assert_int_equal(rp_stream_start(&s, session, "/p", "x:1", fb_str_n(big, RP_MESSAGE_MAX_BYTES + 1), 0), FB_E_LIMIT);
    rp_stream_done(&s);
    nghttp2_session_del(session);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(response_fields_are_believed_only_in_their_exact_form),
        cmocka_unit_test(a_request_is_framed_and_has_a_longest_length),
    };
    return cmocka_run_group_tests_name("rpc/stream", tests, NULL, NULL);
}
