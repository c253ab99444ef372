/* Ed25519 pairs, and the texts of the codes. */
#include <paseto/paseto.h>

#include <sodium.h>
#include <string.h>

_Static_assert(PASETO_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "libsodium's secret key is seed and public half");
_Static_assert(PASETO_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "public key size");
_Static_assert(PASETO_SEED_BYTES == crypto_sign_SEEDBYTES, "seed size");
_Static_assert(PASETO_SIGNATURE_BYTES == crypto_sign_BYTES, "signature size");

int paseto_init(void)
{
    return sodium_init() < 0 ? PASETO_E_NOMEM : PASETO_OK;
}

int paseto_key_generate(uint8_t secret[PASETO_SECRET_BYTES], uint8_t public_key[PASETO_PUBLIC_BYTES])
{
    if (paseto_init() != PASETO_OK || crypto_sign_keypair(public_key, secret) != 0)
        return PASETO_E_NOMEM;
    return PASETO_OK;
}

int paseto_key_from_seed(const uint8_t seed[PASETO_SEED_BYTES], uint8_t secret[PASETO_SECRET_BYTES],
                         uint8_t public_key[PASETO_PUBLIC_BYTES])
{
    if (paseto_init() != PASETO_OK || crypto_sign_seed_keypair(public_key, secret, seed) != 0)
        return PASETO_E_KEY;
    return PASETO_OK;
}

int paseto_key_check(const uint8_t secret[PASETO_SECRET_BYTES])
{
    uint8_t again[PASETO_SECRET_BYTES];
    uint8_t public_key[PASETO_PUBLIC_BYTES];
    int rc = paseto_key_from_seed(secret, again, public_key);
    if (rc == PASETO_OK && sodium_memcmp(again, secret, sizeof again) != 0)
        rc = PASETO_E_KEY;
    sodium_memzero(again, sizeof again);
    return rc;
}

const char *paseto_code_text(int code)
{
    switch (code) {
    case PASETO_OK:
        return "success";
    case PASETO_E_FORMAT:
        return "not a well-formed v4.public token";
    case PASETO_E_SIGNATURE:
        return "the signature does not match";
    case PASETO_E_KEY:
        return "the halves of the secret key do not belong together";
    case PASETO_E_SPACE:
        return "the buffer is too small";
    case PASETO_E_LIMIT:
        return "longer than the limit";
    case PASETO_E_NOMEM:
        return "out of memory";
    default:
        return "unknown code";
    }
}
