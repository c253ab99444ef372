/* The audit key: forms of PEM, refusals, signatures. */
#include "audit/key.h"
#include "fixture.h"

/* P-256, made for this test. */
static const char sec1[] = "-----BEGIN EC PRIVATE KEY-----\n"
                           "MHcCAQEEIKJgkUZNCW8dDUgeAim3n9rPTBTNVB9B1me9F82/jEfGoAoGCCqGSM49\n"
                           "AwEHoUQDQgAE0k4fGyBGenVsWYzFLqvHeBD5v9RPFXpGEjLjoqFm7njSik+w/jbt\n"
                           "HJzkThkGyyj4hNekFjTpTYIoyM2gxGPZ5A==\n"
                           "-----END EC PRIVATE KEY-----\n";

#define ED25519_KEY                                                                                                     \
    "-----BEGIN PRIVATE KEY-----\n"                                                                                    \
    "MC4CAQAwBQYDK2VwBCIEILTL+0PfTOIQcn2VPkpxMwf6Gbt9n4UEFDjZ4RuUKjd0\n"                                                \
    "-----END PRIVATE KEY-----\n"

static void generated_keys_sign_and_their_public_half_checks(void **state)
{
    struct place *p = *state;
    struct fa_key *secret = NULL;
    struct fa_key *public_key = NULL;
    uint8_t der[FA_DER_MAX_BYTES];
    size_t n;
    assert_int_equal(fa_key_from_private_pem(fb_buf_str(&p->secret), &secret, NULL), 0);
    assert_int_equal(fa_key_from_public_pem(fb_buf_str(&p->public_key), &public_key, NULL), 0);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(fa_key_sign(secret, "text", 4, der, &n), 0);
        assert_true(fa_key_verify(public_key, "text", 4, der, n));
        assert_false(fa_key_verify(public_key, "texT", 4, der, n));
        assert_false(fa_key_verify(public_key, "text", 4, der, n - 1));
    }
    assert_int_equal(fa_key_sign(public_key, "text", 4, der, &n), FB_E_INTERNAL);
    char *pem = fa_key_public_pem(secret);
    assert_string_equal(pem, fb_buf_str(&p->public_key).p);
    free(pem);
    fa_key_free(secret);
    fa_key_free(public_key);
    struct stat st;
    assert_int_equal(stat(p->key, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(fa_key_generate(p->key, NULL), FB_E_EXISTS);
}

static void what_is_no_p256_key_is_refused_by_name(void **state)
{
    (void)state;
    struct fa_key *key = NULL;
    struct fb_err err = { 0 };
    static const char *const bad[] = {
        "",
        "x",
        "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        EXAMPLE_PUBLIC, /* a public key signs nothing */
        ED25519_KEY,
    };
    for (size_t i = 0; i < FB_COUNT(bad); i++) {
        assert_int_equal(fa_key_from_private_pem(fb_str_of(bad[i]), &key, &err), FB_E_CONFIG_VALIDATION);
        assert_non_null(strstr(err.msg, "invalid signing key"));
        assert_null(key);
    }
    assert_int_equal(fa_key_from_public_pem(FB_STR("x"), &key, &err), FB_E_PARSE);
    assert_non_null(strstr(err.msg, "invalid public key"));
}

static void sec1_is_accepted_too(void **state)
{
    (void)state;
    struct fa_key *key = NULL;
    assert_int_equal(fa_key_from_private_pem(FB_STR(sec1), &key, NULL), 0);
    fa_key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(generated_keys_sign_and_their_public_half_checks, make_place, drop_place),
        cmocka_unit_test(what_is_no_p256_key_is_refused_by_name),
        cmocka_unit_test(sec1_is_accepted_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
