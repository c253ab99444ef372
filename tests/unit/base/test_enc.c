/* Hex and base64: known values, round trips, and one text for each content. */
#include "base/enc.h"
#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void hex_goes_both_ways(void **state)
{
    (void)state;
    char text[9];
    unsigned char bytes[4];
    fb_enc_hex(text, "\x00\xFF\x1a\x80", 4);
    assert_string_equal(text, "00ff1a80");
    assert_int_equal(fb_enc_unhex(bytes, 4, FB_STR("00fF1A80")), 0);
    assert_memory_equal(bytes, "\x00\xFF\x1a\x80", 4);
    assert_int_equal(fb_enc_unhex(bytes, 4, FB_STR("00ff1a8")), FB_E_PARSE);
    assert_int_equal(fb_enc_unhex(bytes, 4, FB_STR("00ff1a8000")), FB_E_PARSE);
    assert_int_equal(fb_enc_unhex(bytes, 4, FB_STR("00ff1a8g")), FB_E_PARSE);
}

static void check(const char *plain, const char *padded, const char *for_url)
{
    struct fb_buf b;
    fb_buf_init(&b, 100);
    assert_int_equal(fb_enc_base64(&b, plain, strlen(plain)), 0);
    assert_string_equal(b.p, padded);
    fb_buf_reset(&b);
    assert_int_equal(fb_enc_base64url(&b, plain, strlen(plain)), 0);
    assert_string_equal(b.p, for_url);
    fb_buf_reset(&b);
    assert_int_equal(fb_enc_unbase64(&b, fb_str_of(padded)), 0);
    assert_string_equal(b.p, plain);
    fb_buf_reset(&b);
    assert_int_equal(fb_enc_unbase64url(&b, fb_str_of(for_url)), 0);
    assert_string_equal(b.p, plain);
    fb_buf_done(&b);
}

static void base64_matches_the_published_vectors(void **state)
{
    (void)state;
    check("", "", "");
    check("f", "Zg==", "Zg");
    check("fo", "Zm8=", "Zm8");
    check("foo", "Zm9v", "Zm9v");
    check("foob", "Zm9vYg==", "Zm9vYg");
    check("fooba", "Zm9vYmE=", "Zm9vYmE");
    check("foobar", "Zm9vYmFy", "Zm9vYmFy");
    check("\xfb\xff\xbf", "+/+/", "-_-_");
}

static void every_byte_survives_in_every_position(void **state)
{
    (void)state;
    unsigned char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (unsigned char)i;
    for (size_t n = 0; n <= sizeof all; n++) {
        struct fb_buf text, back;
        fb_buf_init(&text, 1000);
        fb_buf_init(&back, 1000);
        assert_int_equal(fb_enc_base64url(&text, all, n), 0);
        assert_int_equal(fb_enc_unbase64url(&back, fb_buf_str(&text)), 0);
        assert_int_equal(back.n, n);
        assert_memory_equal(back.p, all, n);
        fb_buf_done(&text);
        fb_buf_done(&back);
    }
}

static void other_alphabets_padding_and_stray_bits_are_refused(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 100);
    static const char *const bad_url[] = { "Zg==", "Zm8=", "Z", "Zh", "Zm9", "+/+/", "Zm 9v", "Zm9v\n", "Zm9v!", "\xC3\xA9\x61\x61", "Zm9vY" };
    for (size_t i = 0; i < FB_COUNT(bad_url); i++)
        assert_int_equal(fb_enc_unbase64url(&b, fb_str_of(bad_url[i])), FB_E_PARSE);
    static const char *const bad_std[] = { "Zg", "Zg=", "Zg===", "=", "====", "Zh==", "Zm9=", "-_-_", "Zg==Zg==", "Z===" };
    for (size_t i = 0; i < FB_COUNT(bad_std); i++)
        assert_int_equal(fb_enc_unbase64(&b, fb_str_of(bad_std[i])), FB_E_PARSE);
    assert_int_equal(b.n, 0);
    fb_buf_done(&b);
    fb_buf_init(&b, 3);
    assert_int_equal(fb_enc_unbase64(&b, FB_STR("Zm9v")), 0);
    assert_int_equal(fb_enc_unbase64(&b, FB_STR("Zg==")), FB_E_LIMIT);
    fb_buf_done(&b);
}

static void every_character_outside_the_alphabet_is_refused(void **state)
{
    (void)state;
    struct fb_buf b;
    fb_buf_init(&b, 100000);
    for (int c = 0; c < 256; c++) {
        const char text[4] = { (char)c, 'A', 'A', 'A' };
        bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        fb_buf_reset(&b);
        assert_int_equal(fb_enc_unbase64url(&b, fb_str_n(text, 4)), good ? 0 : FB_E_PARSE);
    }
    fb_buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_both_ways),
        cmocka_unit_test(base64_matches_the_published_vectors),
        cmocka_unit_test(every_byte_survives_in_every_position),
        cmocka_unit_test(other_alphabets_padding_and_stray_bits_are_refused),
        cmocka_unit_test(every_character_outside_the_alphabet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
