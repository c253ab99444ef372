/* The Sidecar's own answers: sorted keys, exact lengths, nothing that text from outside could break. */
#include "sidecar/reply.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

static void test_deny(void **state)
{
    (void)state;
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(sc_reply_deny(&out, 403, FC_REASON_POLICY_DENIED, FB_STR("a \"q\" \r\n\x01"), "id-1", true, false), 0);
    assert_string_equal(out.p, "HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\ncontent-length: 69\r\n"
                               "cache-control: no-store\r\nx-firma-event-id: id-1\r\n\r\n"
                               "{\"denied\":true,\"detail\":\"a \\\"q\\\" \\r\\n\\u0001\",\"reason\":\"PolicyDenied\"}");
    fb_buf_done(&out);
}

static void test_abort_and_close(void **state)
{
    (void)state;
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(sc_reply_abort(&out, "CONNECTOR_FAILURE", FB_STR("connect: x"), "", false, false), 0);
    assert_string_equal(out.p, "HTTP/1.1 504 Gateway Timeout\r\ncontent-type: application/json\r\ncontent-length: 67\r\n"
                               "cache-control: no-store\r\nconnection: close\r\n\r\n"
                               "{\"aborted\":true,\"detail\":\"connect: x\",\"reason\":\"CONNECTOR_FAILURE\"}");
    fb_buf_done(&out);
}

static void test_head_leaves_the_body_out(void **state)
{
    (void)state;
    struct fb_buf out;
    fb_buf_init(&out, 4096);
    assert_int_equal(sc_reply_deny(&out, 403, FC_REASON_FAIL_CLOSED, FB_STR("x"), NULL, true, true), 0);
    assert_string_equal(out.p + out.n - 4, "\r\n\r\n");
    assert_non_null(strstr(out.p, "content-length: 50\r\n"));
    fb_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deny),
        cmocka_unit_test(test_abort_and_close),
        cmocka_unit_test(test_head_leaves_the_body_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
