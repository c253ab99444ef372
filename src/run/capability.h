/* The capability of a run: minted by the Authority or read from a file, kept on the host where only the Sidecar reads
 * it. Layer: run (L3). Thread: one owner. Source: [the Firma specification, run 5.5]; [the Firma design, section 4]. */
#ifndef RUN_CAPABILITY_H
#define RUN_CAPABILITY_H

#include "base/err.h"
#include "token/claims.h"

#include <stdint.h>

enum { RUN_CAPABILITY_TTL_S = 900, RUN_CAPABILITY_MINT_TIMEOUT_MS = 15000, RUN_CAPABILITY_RENEW_TIMEOUT_MS = 5000 };

struct run_capability {
    char *path;           /* <state_dir>/capabilities/<sandbox_id>.toml, NULL = none */
    int64_t issued_at_ns; /* of the token in the file */
    int64_t expiry_ns;
};

struct run_mint {
    const char *authority_url;
    const char *public_key_path;
    const char *agent_id;
    const char *session_id;
    const char *const *actions; /* NULL or empty = every registered class */
    size_t n_actions;
    int64_t timeout_ms;
};

/* Reads and verifies a seed that was issued beforehand. *@ret gets the signed claims (tk_claims_done). FB_E_CAPABILITY with
 * what is wrong: absent, empty, expired, tampered with, no public key to judge it by. */
int run_capability_read(const char *path, const char *public_key_path, struct tk_claims *ret, struct fb_err *err);
/* Where the seed of @sandbox_id lives; makes the directory (0700). */
int run_capability_open(struct run_capability *c, const char *state_dir, const char *sandbox_id, struct fb_err *err);
/* Copies a verified seed file there. */
int run_capability_copy(struct run_capability *c, const char *from, const struct tk_claims *claims, struct fb_err *err);
/* Asks for a token, verifies it, writes the seed. FB_E_CAPABILITY_DENIED with the Authority's reason, FB_E_CAPABILITY,
 * FB_E_AUTHORITY_UNREACHABLE. */
int run_capability_mint(struct run_capability *c, const struct run_mint *m, struct fb_err *err);
/* Milliseconds until it should be renewed: min(ratio * lifetime left, left - grace), at least one second. */
int64_t run_capability_renew_in_ms(const struct run_capability *c, double ratio, int64_t grace_s, int64_t now_ns);
/* Removes the file and frees. Takes an empty struct. */
void run_capability_done(struct run_capability *c);

#endif
