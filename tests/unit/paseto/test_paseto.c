/* libpaseto: encoding, PAE, keys, signing, verifying, and every way in which a token must be refused. */
#include <paseto/paseto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct paseto_bytes nothing = { NULL, 0 };

static void fixed_pair(uint8_t secret[PASETO_SECRET_BYTES], uint8_t public_key[PASETO_PUBLIC_BYTES])
{
    uint8_t seed[PASETO_SEED_BYTES];
    for (unsigned i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)i;
    assert_int_equal(paseto_key_from_seed(seed, secret, public_key), PASETO_OK);
}

static void base64url_round_trip_and_strictness(void **state)
{
    (void)state;
    uint8_t bytes[256];
    uint8_t back[256];
    char text[400];
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7 + 3);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        size_t text_n;
        size_t back_n;
        assert_int_equal(paseto_base64url_encode((struct paseto_bytes){ bytes, n }, text, sizeof text, &text_n), 0);
        assert_int_equal(paseto_base64url_decode(text, text_n, back, sizeof back, &back_n), 0);
        assert_int_equal(back_n, n);
        assert_memory_equal(back, bytes, n);
    }
    static const char *const bad[] = { "A",    "AAAAA", "AA==", "AAA=",  "AB",        "AAB",
                                       "A+AA", "A/AA",  "AA A", "AA\nA", "\xc3\xa4/A" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t n;
        assert_int_equal(paseto_base64url_decode(bad[i], strlen(bad[i]), back, sizeof back, &n), PASETO_E_FORMAT);
    }
    size_t n;
    assert_int_equal(paseto_base64url_decode("AAAA", 4, back, 2, &n), PASETO_E_SPACE);
    assert_int_equal(paseto_base64url_encode((struct paseto_bytes){ bytes, 3 }, text, 3, &n), PASETO_E_SPACE);
    assert_int_equal(n, 4);
}

static void pae_matches_the_examples_of_the_standard(void **state)
{
    (void)state;
    uint8_t out[64];
    size_t n;
    assert_int_equal(paseto_pae(NULL, 0, out, sizeof out, &n), 0);
    assert_int_equal(n, 8);
    assert_memory_equal(out, "\0\0\0\0\0\0\0\0", 8);
    struct paseto_bytes one = { "test", 4 };
    assert_int_equal(paseto_pae(&one, 1, out, sizeof out, &n), 0);
    assert_int_equal(n, 20);
    assert_memory_equal(out, "\1\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0test", 20);
    assert_int_equal(paseto_pae(&one, 1, out, 19, &n), PASETO_E_SPACE);
    assert_int_equal(paseto_pae(&nothing, 1, out, sizeof out, &n), 0);
    assert_int_equal(n, 16);
}

static void a_signed_token_verifies_and_gives_the_payload_back(void **state)
{
    (void)state;
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    fixed_pair(secret, public_key);
    char token[512];
    uint8_t out[512];
    size_t n;
    size_t m;
    struct paseto_bytes payload = { "{\"a\":1}", 7 };
    struct paseto_bytes footer = { "kid", 3 };
    struct paseto_bytes implicit = { "ctx", 3 };
    assert_int_equal(paseto_v4_public_sign(secret, payload, footer, implicit, token, sizeof token, &n), 0);
    assert_int_equal(n, paseto_token_bytes(7, 3));
    assert_int_equal(strlen(token), n);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, footer, implicit, out, sizeof out, &m), 0);
    assert_int_equal(m, 7);
    assert_memory_equal(out, payload.p, 7);
    /* Another footer, no footer, another assertion, no assertion. */
    struct paseto_bytes other = { "kie", 3 };
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, other, implicit, out, sizeof out, &m),
                     PASETO_E_FORMAT);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, nothing, implicit, out, sizeof out, &m),
                     PASETO_E_FORMAT);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, footer, other, out, sizeof out, &m),
                     PASETO_E_SIGNATURE);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, footer, nothing, out, sizeof out, &m),
                     PASETO_E_SIGNATURE);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, footer, implicit, out, 6, &m), PASETO_E_SPACE);
    assert_int_equal(paseto_v4_public_sign(secret, payload, footer, implicit, token, n, &m), PASETO_E_SPACE);
}

static void no_single_changed_byte_survives(void **state)
{
    (void)state;
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    fixed_pair(secret, public_key);
    char token[512];
    uint8_t out[512];
    size_t n;
    size_t m;
    assert_int_equal(paseto_v4_public_sign(secret, (struct paseto_bytes){ "{\"a\":1}", 7 }, nothing, nothing, token,
                                           sizeof token, &n),
                     0);
    for (size_t i = 0; i < n; i++) {
        char kept = token[i];
        for (int c = 0; c < 256; c++) {
            if ((char)c == kept)
                continue;
            token[i] = (char)c;
            assert_int_not_equal(paseto_v4_public_verify(public_key, token, n, nothing, nothing, out, sizeof out, &m),
                                 0);
        }
        token[i] = kept;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_not_equal(paseto_v4_public_verify(public_key, token, i, nothing, nothing, out, sizeof out, &m), 0);
    token[n] = '.';
    assert_int_equal(paseto_v4_public_verify(public_key, token, n + 1, nothing, nothing, out, sizeof out, &m),
                     PASETO_E_FORMAT);
}

static void a_token_without_payload_is_no_token(void **state)
{
    (void)state;
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    fixed_pair(secret, public_key);
    char token[256];
    uint8_t out[256];
    size_t n;
    size_t m;
    assert_int_equal(paseto_v4_public_sign(secret, nothing, nothing, nothing, token, sizeof token, &n), 0);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, nothing, nothing, out, sizeof out, &m),
                     PASETO_E_FORMAT);
}

static void halves_that_do_not_match_do_not_sign(void **state)
{
    (void)state;
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    assert_int_equal(paseto_key_generate(secret, public_key), 0);
    assert_int_equal(paseto_key_check(secret), 0);
    secret[40] ^= 1;
    assert_int_equal(paseto_key_check(secret), PASETO_E_KEY);
    char token[256];
    size_t n;
    assert_int_equal(
        paseto_v4_public_sign(secret, (struct paseto_bytes){ "x", 1 }, nothing, nothing, token, sizeof token, &n),
        PASETO_E_KEY);
}

static void the_limit_holds_and_one_past_it_is_refused(void **state)
{
    (void)state;
    uint8_t secret[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    fixed_pair(secret, public_key);
    size_t payload_n = (PASETO_TOKEN_MAX_BYTES - 10) / 4 * 3 - PASETO_SIGNATURE_BYTES;
    while (paseto_token_bytes(payload_n + 1, 0) != 0)
        payload_n++;
    size_t cap = PASETO_TOKEN_MAX_BYTES + 2;
    char *token = malloc(cap);
    uint8_t *payload = malloc(cap);
    assert_non_null(token);
    assert_non_null(payload);
    memset(payload, 'x', cap);
    size_t n;
    size_t m;
    assert_int_equal(
        paseto_v4_public_sign(secret, (struct paseto_bytes){ payload, payload_n }, nothing, nothing, token, cap, &n),
        0);
    assert_int_equal(paseto_v4_public_verify(public_key, token, n, nothing, nothing, payload, cap, &m), 0);
    assert_int_equal(m, payload_n);
    assert_int_equal(paseto_v4_public_sign(secret, (struct paseto_bytes){ payload, payload_n + 1 }, nothing, nothing,
                                           token, cap, &n),
                     PASETO_E_LIMIT);
    memset(token, 'A', cap);
    memcpy(token, "v4.public.", 10);
    assert_int_equal(
        paseto_v4_public_verify(public_key, token, PASETO_TOKEN_MAX_BYTES + 1, nothing, nothing, payload, cap, &m),
        PASETO_E_LIMIT);
    free(token);
    free(payload);
}

static void every_code_has_a_text(void **state)
{
    (void)state;
    for (int code = 0; code >= -7; code--)
        assert_true(strlen(paseto_code_text(code)) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64url_round_trip_and_strictness),
        cmocka_unit_test(pae_matches_the_examples_of_the_standard),
        cmocka_unit_test(a_signed_token_verifies_and_gives_the_payload_back),
        cmocka_unit_test(no_single_changed_byte_survives),
        cmocka_unit_test(a_token_without_payload_is_no_token),
        cmocka_unit_test(halves_that_do_not_match_do_not_sign),
        cmocka_unit_test(the_limit_holds_and_one_past_it_is_refused),
        cmocka_unit_test(every_code_has_a_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
