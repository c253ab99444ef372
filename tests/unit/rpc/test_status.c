/* gRPC status: names, percent-encoding of texts, time-outs. */
#include "rpc_test.h"

#include "rpc/status.h"

static void codes_have_names_and_unknown_ones_are_unknown(void **state)
{
    (void)state;
    assert_string_equal(rp_status_name(RP_OK), "OK");
    assert_string_equal(rp_status_name(RP_UNAUTHENTICATED), "UNAUTHENTICATED");
    assert_string_equal(rp_status_name((enum rp_status)17), "UNKNOWN");
    assert_int_equal(rp_status_parse(FB_STR("14")), RP_UNAVAILABLE);
    assert_int_equal(rp_status_parse(FB_STR("17")), RP_UNKNOWN);
    assert_int_equal(rp_status_parse(FB_STR("-1")), RP_UNKNOWN);
    assert_int_equal(rp_status_parse(FB_STR("")), RP_UNKNOWN);
}

static void texts_survive_both_ways_and_are_cut_at_a_whole_character(void **state)
{
    char out[64];
    char back[64];

    (void)state;
    size_t n = rp_status_encode(out, sizeof(out), FB_STR("a b%\n\xc3\xa9"));
    assert_string_equal(out, "a b%25%0A%C3%A9");
    rp_status_decode(back, sizeof(back), fb_str_n(out, n));
    assert_string_equal(back, "a b%?\xc3\xa9");                          /* no control character reaches a terminal */
    assert_int_equal(rp_status_encode(out, 8, FB_STR("ab\xc3\xa9")), 2); /* %C3%A9 needs six and a NUL */
    assert_string_equal(out, "ab");
    rp_status_decode(back, sizeof(back), FB_STR("100%"));
    assert_string_equal(back, "100%");
    rp_status_decode(back, sizeof(back), FB_STR("%zz%4"));
    assert_string_equal(back, "%zz%4");
}

static void timeouts_become_milliseconds(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = { { "1H", 3600000 }, { "10S", 10000 },          { "250m", 250 }, { "1u", 1 },
                 { "1000001n", 2 }, { "99999999H", 86400000 }, { "0S", 0 } };
    static const char *const bad[] = { "", "S", "1", "1s", "-1S", "123456789S", "1 S", "1.5S" };
    int64_t ms = 0;

    (void)state;
    for (size_t i = 0; i < FB_COUNT(good); i++) {
        assert_int_equal(rp_status_timeout_ms(fb_str_of(good[i].text), &ms), 0);
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < FB_COUNT(bad); i++)
        assert_int_not_equal(rp_status_timeout_ms(fb_str_of(bad[i]), &ms), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codes_have_names_and_unknown_ones_are_unknown),
        cmocka_unit_test(texts_survive_both_ways_and_are_cut_at_a_whole_character),
        cmocka_unit_test(timeouts_become_milliseconds),
    };
    return cmocka_run_group_tests_name("rpc/status", tests, NULL, NULL);
}
