/* Capability tokens: claims into v4.public text, and text into verified claims.
 * Source: [the Firma specification, authority 5]; PASETO v4. Layer: token (L2). Thread: any. */
#ifndef TOKEN_TOKEN_H
#define TOKEN_TOKEN_H

#include "base/buf.h"
#include "token/claims.h"
#include "token/keyfile.h"

/* Why a token or seed was refused. TK_FAULT_NONE goes with the return value 0 and with nothing else. */
enum tk_fault {
    TK_FAULT_NONE,
    TK_FAULT_PARSE,         /* not a v4.public token: ParseFailure */
    TK_FAULT_SIGNATURE,     /* wrong key, or altered: SignatureInvalid */
    TK_FAULT_MALFORMED,     /* signed, but the claims are not what they must be: Malformed */
    TK_FAULT_EXPIRED,       /* Expired */
    TK_FAULT_SEED_READ,     /* seed file absent, not a regular file, not ours, too large */
    TK_FAULT_SEED_FORMAT,   /* seed is not TOML, a key is missing, unknown or of the wrong type */
    TK_FAULT_SEED_MISMATCH, /* a key beside raw_token differs from the signed claim */
    TK_FAULT_INTERNAL,      /* out of memory */
};
/* "ParseFailure", "SignatureInvalid", "Malformed", "Expired", "SeedRead", "SeedFormat", "SeedMismatch", "Internal",
 * "None". */
const char *tk_token_fault_name(enum tk_fault fault);

/* Signs @claims (checked first by tk_claims_check); @now_ns becomes `nbf`. Appends the text to @out (give it at least
 * TK_TOKEN_MAX_BYTES of ceiling). 0, FB_E_PARSE or FB_E_LIMIT for bad claims, FB_E_NOMEM. */
int tk_token_issue(const struct tk_secret_key *key, const struct tk_claims *claims, int64_t now_ns, struct fb_buf *out,
                   struct fb_err *err);

/* Verifies in the order of enum tk_fault: form, signature, claims, expiry (`exp + leeway <= now` refuses). Revocation
 * and sandbox binding are the caller's. Success: 0 and *ret filled (tk_claims_done frees). Else FB_E_TOKEN_INVALID,
 * FB_E_TOKEN_EXPIRED (text names the token id) or FB_E_NOMEM, *ret empty. @ret_fault may be NULL. */
int tk_token_verify(const struct tk_public_key *key, struct fb_str text, int64_t now_ns, int64_t leeway_ns,
                    struct tk_claims *ret, enum tk_fault *ret_fault, struct fb_err *err) FB_MUST_USE;
/* Same without the look at the clock, for tools that show or revoke an expired token. */
int tk_token_verify_any_time(const struct tk_public_key *key, struct fb_str text, struct tk_claims *ret,
                             enum tk_fault *ret_fault, struct fb_err *err) FB_MUST_USE;

/* Lower-case hex SHA-256 of `agent|a1,a2,...,|scope|bundle_version`, actions sorted bytewise. @out gets 64 characters
 * and a NUL. FB_E_NOMEM. */
int tk_context_hash(struct fb_str agent_id, const struct fb_str *actions, size_t n_actions,
                    struct fb_str resource_scope, struct fb_str bundle_version, char out[TK_CONTEXT_HASH_CHARS + 1]);

#endif
