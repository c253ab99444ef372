/* libpaseto: PASETO v4.public tokens (Ed25519) over buffers of the caller. A library of its own: libc and libsodium
 * only. Source: the PASETO specification, version 4, and its "Common implementation details" (PAE, base64url). Thread:
 * any; no state but libsodium's, which paseto_init readies. Memory: each call takes one scratch block from the heap and
 * gives it back. Only v4.public is made: there is no algorithm to choose, so none can be confused. */
#ifndef PASETO_PASETO_H
#define PASETO_PASETO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    PASETO_SECRET_BYTES = 64, /* 32-byte seed, then the 32-byte public key */
    PASETO_PUBLIC_BYTES = 32,
    PASETO_SEED_BYTES = 32,
    PASETO_SIGNATURE_BYTES = 64,
    PASETO_TOKEN_MAX_BYTES = 1 << 20, /* longer tokens, payloads, footers and assertions are refused */
};

/* 0 is success; everything else is a refusal. */
enum paseto_code {
    PASETO_OK = 0,
    PASETO_E_FORMAT = -1, /* not a v4.public token, bad base64url, wrong number of parts, footer not the expected one */
    PASETO_E_SIGNATURE = -2, /* well formed, but not signed by this key over this content */
    PASETO_E_KEY = -3,       /* the halves of the secret key do not belong together */
    PASETO_E_SPACE = -4,     /* the caller's buffer is too small; *ret_n tells the bytes needed */
    PASETO_E_LIMIT = -5,     /* past PASETO_TOKEN_MAX_BYTES */
    PASETO_E_NOMEM = -6,
};

/* Bytes that belong to the caller; p may be NULL when n is 0. */
struct paseto_bytes {
    const void *p;
    size_t n;
};

/* Readies libsodium; every other call does it too. PASETO_OK, or PASETO_E_NOMEM when the system gives no randomness. */
int paseto_init(void);

/* A new random pair. */
int paseto_key_generate(uint8_t secret[PASETO_SECRET_BYTES], uint8_t public_key[PASETO_PUBLIC_BYTES]);
/* The pair that belongs to a 32-byte seed. */
int paseto_key_from_seed(const uint8_t seed[PASETO_SEED_BYTES], uint8_t secret[PASETO_SECRET_BYTES],
                         uint8_t public_key[PASETO_PUBLIC_BYTES]);
/* Recomputes the public half from the seed: PASETO_OK, or PASETO_E_KEY when @secret carries another one. */
int paseto_key_check(const uint8_t secret[PASETO_SECRET_BYTES]);

/* Length of the token text for these lengths (no NUL), 0 when past the limit. */
size_t paseto_token_bytes(size_t payload_n, size_t footer_n);
/* Signs. @out gets the token text and a NUL; *ret_n its length without the NUL. @footer travels readable in the token,
 * @implicit is covered by the signature and not sent. Any of PASETO_E_LIMIT, _SPACE, _NOMEM, _KEY. */
int paseto_v4_public_sign(const uint8_t secret[PASETO_SECRET_BYTES], struct paseto_bytes payload,
                          struct paseto_bytes footer, struct paseto_bytes implicit, char *out, size_t cap,
                          size_t *ret_n);

/* Verifies. The token must have exactly three parts when @footer (the one the caller expects) is empty, and four with
 * just that footer otherwise. The payload is written to @out (cap >= token_n is always enough) only after the signature
 * has been checked. Any of PASETO_E_FORMAT, _SIGNATURE, _SPACE, _LIMIT, _NOMEM. */
int paseto_v4_public_verify(const uint8_t public_key[PASETO_PUBLIC_BYTES], const char *token, size_t token_n,
                            struct paseto_bytes footer, struct paseto_bytes implicit, uint8_t *out, size_t cap,
                            size_t *ret_n);

/* Pre-authentication encoding of @n pieces: LE64(n), then LE64(length) and bytes of each, top bits clear. With @out
 * NULL only the length is told. PASETO_E_SPACE, PASETO_E_LIMIT. */
int paseto_pae(const struct paseto_bytes *pieces, size_t n, uint8_t *out, size_t cap, size_t *ret_n);

/* base64url without padding, strict: no padding, no other alphabet, no stray bits, no impossible length. The decoder's
 * @out may be the text itself. Both write *ret_n; the encoder adds no NUL. PASETO_E_FORMAT, PASETO_E_SPACE. */
int paseto_base64url_encode(struct paseto_bytes in, char *out, size_t cap, size_t *ret_n);
int paseto_base64url_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *ret_n);

/* A short English text for a code, never NULL. */
const char *paseto_code_text(int code);

#ifdef __cplusplus
}
#endif

#endif
