/* Ed25519 keys and the raw files they live in. Source: [the Firma specification, authority 4]. Layer: token (L2).
 * Thread: any; a key object belongs to one thread at a time. The secret is wiped by tk_keyfile_wipe. */
#ifndef TOKEN_KEYFILE_H
#define TOKEN_KEYFILE_H

#include "base/err.h"

#include <stdint.h>

enum { TK_SECRET_BYTES = 64, TK_PUBLIC_BYTES = 32 };

struct tk_secret_key {
    uint8_t bytes[TK_SECRET_BYTES]; /* seed, then public half */
};
struct tk_public_key {
    uint8_t bytes[TK_PUBLIC_BYTES];
};

/* A pair in memory only. FB_E_INTERNAL when the system gives no randomness. */
int tk_keyfile_make(struct tk_secret_key *ret_secret, struct tk_public_key *ret_public, struct fb_err *err);
/* The pair of a 32-byte seed; for tests and vectors. */
int tk_keyfile_from_seed(const uint8_t seed[32], struct tk_secret_key *ret_secret, struct tk_public_key *ret_public);
/* Makes a pair and writes @secret_path (0600) and its public file (0644; tk_keyfile_public_path), both only if absent:
 * FB_E_EXISTS leaves what is there untouched, and a secret whose public file cannot be written is removed again. The
 * results may be NULL. */
int tk_keyfile_generate(const char *secret_path, struct tk_secret_key *ret_secret, struct tk_public_key *ret_public,
                        struct fb_err *err);
/* `authority.key` -> `authority.pub`; a name without extension gets `.pub`. Heap string, NULL when out of memory. */
char *tk_keyfile_public_path(const char *secret_path) FB_MUST_USE;

/* Exactly 64 raw bytes in a private file of ours, the public half recomputed from the seed. FB_E_IO, FB_E_INSECURE, or
 * FB_E_PARSE ("invalid private key"). */
int tk_keyfile_read_secret(const char *path, struct tk_secret_key *ret, struct fb_err *err);
/* Exactly 32 raw bytes in a file that only we (or root) may write. FB_E_IO, FB_E_INSECURE, FB_E_PARSE ("invalid public
 * key"). */
int tk_keyfile_read_public(const char *path, struct tk_public_key *ret, struct fb_err *err);
/* The public half of a secret key. */
void tk_keyfile_public_of(const struct tk_secret_key *secret, struct tk_public_key *ret);
/* Overwrites the secret; usable with fb_auto. */
void tk_keyfile_wipe(struct tk_secret_key *secret);

#endif
