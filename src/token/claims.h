/* What a capability token says. Source: [the Firma specification, authority 5-6]. Layer: token (L2).
 * Thread: claims are read-only once made and may then be shared; making and freeing belong to one thread. */
#ifndef TOKEN_CLAIMS_H
#define TOKEN_CLAIMS_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    TK_TOKEN_MAX_BYTES = 64 << 10, /* token text */
    TK_ACTIONS_MAX = 1024,         /* entries of action_set */
    TK_ACTION_MAX_BYTES = 256,
    TK_SCOPE_MAX_BYTES = 2048,
    TK_ID_MAX_BYTES = 128, /* agent and session */
    TK_CONTEXT_HASH_CHARS = 64,
};

/* All views point into one heap block that the claims own (or, for claims that the caller filled in to issue a token,
 * wherever the caller keeps them; then block is NULL). */
struct tk_claims {
    struct fb_str token_id;
    struct fb_str agent_id;
    struct fb_str session_id;
    struct fb_str *action_set; /* in the order of the claim, repetitions kept */
    size_t n_actions;
    struct fb_str resource_scope;
    struct fb_str context_hash; /* 64 lower-case hex digits */
    int64_t issued_at_ns;       /* claim `iat` */
    int64_t expiry_ns;          /* claim `exp` */
    bool has_budget_ceiling;
    double budget_ceiling;
    void *block;
};

/* Frees and empties. Takes an empty struct, and one that was given away by tk_claims_take. */
void tk_claims_done(struct tk_claims *c);
/* Moves the content out; @c is empty afterwards. */
struct tk_claims tk_claims_take(struct tk_claims *c);
/* A deep copy into one block. FB_E_NOMEM, or FB_E_LIMIT past the limits above; @ret is then empty. */
int tk_claims_copy(struct tk_claims *ret, const struct tk_claims *c, struct fb_err *err) FB_MUST_USE;
/* True when expiry + leeway <= now. A negative leeway counts as 0, and sums do not overflow. */
bool tk_claims_expired(const struct tk_claims *c, int64_t now_ns, int64_t leeway_ns);
/* True when action_set holds @action itself ("*" is a name like any other here). */
bool tk_claims_has_action(const struct tk_claims *c, struct fb_str action);

/* Grammar checks; 0 or FB_E_PARSE with a text that tells an empty id from a malformed one.
 * agent, session: [a-zA-Z0-9_-]{1,128}. token: a lower-case UUID, or `ctok_` and 26 Crockford base32 characters. */
int tk_claims_check_agent_id(struct fb_str id, struct fb_err *err);
int tk_claims_check_session_id(struct fb_str id, struct fb_err *err);
int tk_claims_check_token_id(struct fb_str id, struct fb_err *err);
/* Every field against its grammar and limit; times are not looked at. FB_E_PARSE or FB_E_LIMIT. */
int tk_claims_check(const struct tk_claims *c, struct fb_err *err);

#endif
