/* The look at a protobuf message before protobuf-c sees it: whole fields, counted fields, depth, clean texts. */
#include "rpc_test.h"

#include "base/err.h"
#include "rpc/wirecheck_priv.h"

#include <firma/v1/authority.pb-c.h>

#define CHECK(text) rp_wire_check(&firma__v1__issue_capability_request__descriptor, fb_str_n(text, sizeof(text) - 1))
#define CHECK_REPLY(text) \
    rp_wire_check(&firma__v1__issue_capability_response__descriptor, fb_str_n(text, sizeof(text) - 1))

static void whole_messages_pass(void **state)
{
    (void)state;
    assert_int_equal(CHECK(""), 0);
    assert_int_equal(CHECK("\x0a\x01"
                           "a\x22\x01"
                           "s\x28\xd8\x04"),
                     0);
    assert_int_equal(CHECK("\xfa\x06\x03\x00\xff\x00"), 0); /* unknown bytes may be anything */
    assert_int_equal(CHECK("\x99\x06"
                           "12345678"
                           "\x9d\x06"
                           "1234"),
                     0);                                                        /* fixed fields nobody knows */
    assert_int_equal(CHECK("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0); /* ten bytes are the most */
}

static void cut_and_impossible_fields_are_refused(void **state)
{
    (void)state;
    assert_int_equal(CHECK("\x0a"), FB_E_PARSE);
    assert_int_equal(CHECK("\x0a\x02"
                           "a"),
                     FB_E_PARSE);
    assert_int_equal(CHECK("\x0a\xff\xff\xff\xff\x0f"), FB_E_PARSE);
    assert_int_equal(CHECK("\x28"), FB_E_PARSE);
    assert_int_equal(CHECK("\x28\x80"), FB_E_PARSE);
    assert_int_equal(CHECK("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), FB_E_PARSE);     /* past 64 bits */
    assert_int_equal(CHECK("\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), FB_E_PARSE); /* eleven bytes */
    assert_int_equal(CHECK("\x99\x06"
                           "1234567"),
                     FB_E_PARSE);
    assert_int_equal(CHECK("\x9d\x06"
                           "123"),
                     FB_E_PARSE);
    assert_int_equal(CHECK("\x0b\x0c"), FB_E_PARSE);                 /* a group */
    assert_int_equal(CHECK("\x0e"), FB_E_PARSE);                     /* wire type 6 */
    assert_int_equal(CHECK("\x02\x00"), FB_E_PARSE);                 /* field 0 */
    assert_int_equal(CHECK("\x82\x80\x80\x80\x10\x00"), FB_E_PARSE); /* a number past the greatest */
}

static void texts_are_utf8_without_nul_at_every_depth(void **state)
{
    (void)state;
    assert_int_equal(CHECK("\x0a\x01\xff"), FB_E_PARSE);
    assert_int_equal(CHECK("\x0a\x02"
                           "a\0"),
                     FB_E_PARSE);
    assert_int_equal(CHECK("\x12\x01"
                           "a\x12\x01\x80"),
                     FB_E_PARSE);
    assert_int_equal(CHECK("\x0a\x02\xc3\xa9"), 0);
    assert_int_equal(CHECK_REPLY("\x12\x03\x0a\x01"
                                 "a"),
                     0); /* token { token_id } */
    assert_int_equal(CHECK_REPLY("\x12\x03\x0a\x01\xff"), FB_E_PARSE);
    assert_int_equal(CHECK_REPLY("\x12\x03\x4a\x01\xff"), 0); /* token { signature }: bytes */
    assert_int_equal(CHECK_REPLY("\x12\x03\x0a\x02"
                                 "a"),
                     FB_E_PARSE);
}

static void fields_are_counted_at_and_past_the_limit(void **state)
{
    static char many[2 * (RP_WIRE_FIELDS_MAX + 1)];

    (void)state;
    for (size_t i = 0; i < sizeof(many); i += 2)
        memcpy(many + i, "\x28\x01", 2);
    const ProtobufCMessageDescriptor *type = &firma__v1__issue_capability_request__descriptor;
    assert_int_equal(rp_wire_check(type, fb_str_n(many, 2 * RP_WIRE_FIELDS_MAX)), 0);
    assert_int_equal(rp_wire_check(type, fb_str_n(many, sizeof(many))), FB_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_messages_pass),
        cmocka_unit_test(cut_and_impossible_fields_are_refused),
        cmocka_unit_test(texts_are_utf8_without_nul_at_every_depth),
        cmocka_unit_test(fields_are_counted_at_and_past_the_limit),
    };
    return cmocka_run_group_tests_name("rpc/wirecheck", tests, NULL, NULL);
}
