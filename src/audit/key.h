/* The audit key: the one place where OpenSSL signs, checks and hashes for the log. Source: [the Firma specification,
 * sidecar 16.2]; FIPS 186-4 (ECDSA P-256), FIPS 180-4. Layer: audit (L2). Thread: a key belongs to one thread at a
 * time. */
#ifndef AUDIT_KEY_H
#define AUDIT_KEY_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum { FA_HASH_BYTES = 32, FA_DER_MAX_BYTES = 80, FA_PEM_MAX_BYTES = 64 << 10 };

struct fa_key;

/* A P-256 private key, PEM, PKCS#8 or SEC1, not encrypted. FB_E_CONFIG_VALIDATION ("invalid signing key: ..."). */
int fa_key_from_private_pem(struct fb_str pem, struct fa_key **ret, struct fb_err *err) FB_MUST_USE;
/* A P-256 public key, PEM (SubjectPublicKeyInfo). FB_E_PARSE ("invalid public key: ..."). */
int fa_key_from_public_pem(struct fb_str pem, struct fa_key **ret, struct fb_err *err) FB_MUST_USE;
void fa_key_free(struct fa_key *key); /* takes NULL; the secret is wiped */
/* The public half as PEM, NUL-terminated heap text. NULL when out of memory. */
char *fa_key_public_pem(struct fa_key *key) FB_MUST_USE;

void fa_key_hash(struct fa_key *key, const void *p, size_t n, uint8_t out[FA_HASH_BYTES]);
/* DER of ECDSA-with-SHA-256 over the 32 bytes SHA-256(@p): the text is hashed twice. FB_E_INTERNAL. */
int fa_key_sign(struct fa_key *key, const void *p, size_t n, uint8_t der[FA_DER_MAX_BYTES], size_t *ret_n);
/* False also for anything that is not a DER signature. */
bool fa_key_verify(struct fa_key *key, const void *p, size_t n, const uint8_t *der, size_t der_n);

/* Makes a pair: PKCS#8 PEM at @path (0600), public PEM beside it (0644, last extension replaced by `.pub`). FB_E_EXISTS
 * leaves both untouched. */
int fa_key_generate(const char *path, struct fb_err *err);

#endif
