/* The seed file: one capability token with its claims mirrored in TOML for people to read.
 * Source: [the Firma specification, authority 12 and sidecar 11]. Layer: token (L2). Thread: any.
 * The mirror is never believed: every key must equal the signed claim. */
#ifndef TOKEN_SEED_H
#define TOKEN_SEED_H

#include "token/token.h"

enum { TK_SEED_MAX_BYTES = 1 << 20 };

struct tk_seed {
    char *raw_token;         /* NUL-terminated, owned */
    struct tk_claims claims; /* the signed ones */
};
/* Frees and empties; takes an empty struct. */
void tk_seed_done(struct tk_seed *s);

/* Reads, verifies and compares. The file must be ours or root's and not writable by others. Messages begin
 * `failed to read capability seed '<path>': `, `failed to parse capability seed '<path>': ` or `invalid capability seed
 * '<path>': `; the last goes on `raw_token failed PASETO verification: ...` or `raw_token claims do not match seed
 * claims: ...`. Returns 0, FB_E_CAPABILITY, FB_E_TOKEN_INVALID, FB_E_TOKEN_EXPIRED or FB_E_NOMEM. @ret_fault may be
 * NULL. */
int tk_seed_read(const char *path, const struct tk_public_key *key, int64_t now_ns, int64_t leeway_ns,
                 struct tk_seed *ret, enum tk_fault *ret_fault, struct fb_err *err) FB_MUST_USE;
/* The same for a text in memory; @name stands for the path. */
int tk_seed_parse(struct fb_str text, const char *name, const struct tk_public_key *key, int64_t now_ns,
                  int64_t leeway_ns, struct tk_seed *ret, enum tk_fault *ret_fault, struct fb_err *err) FB_MUST_USE;

/* Appends the file's text, keys in the fixed order. */
int tk_seed_format(struct fb_buf *out, struct fb_str raw_token, const struct tk_claims *claims);
/* Writes it atomically, mode 0600. FB_E_IO, FB_E_NOMEM, FB_E_LIMIT. */
int tk_seed_write(const char *path, struct fb_str raw_token, const struct tk_claims *claims, struct fb_err *err);

#endif
