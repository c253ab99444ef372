/* Checks an audit log: every signature, the chain from line to line, and the end against the signed head.
 * Source: [the Firma specification, sidecar 16.3; the Firma design, audit]. Layer: audit (L2). Thread: any; no state.
 */
#ifndef AUDIT_VERIFY_H
#define AUDIT_VERIFY_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct fa_verify; /* one check, over one or more files in order */

enum { FA_VERIFY_LINE_MAX_BYTES = 128 << 10 };

/* What was found; every text is a view that lives until the call returns. */
enum fa_finding {
    FA_LINE_OK,      /* event_id */
    FA_LINE_BAD,     /* event_id or "line N"; text says what is wrong */
    FA_CHAIN_BAD,    /* missing, reordered, repeated or cut lines; text names them */
    FA_CHAIN_OK,     /* at the end: text sums up */
    FA_CHAIN_ABSENT, /* at the end, for a log whose lines carry no chain: missing lines cannot be seen */
    FA_HEAD_OK,
    FA_HEAD_BAD,
    FA_HEAD_ABSENT, /* no head given: a cut tail cannot be seen */
};
typedef void fa_verify_fn(void *arg, enum fa_finding what, struct fb_str event_id, struct fb_str text);

/* @public_pem: a public key, PEM (SubjectPublicKeyInfo). FB_E_PARSE, FB_E_NOMEM. */
int fa_verify_new(struct fb_str public_pem, fa_verify_fn *fn, void *arg, struct fa_verify **ret,
                  struct fb_err *err) FB_MUST_USE;
void fa_verify_free(struct fa_verify *v); /* takes NULL */
/* One line without its line feed, in file order; the files of a rotated log one after the other. @complete false: the
 * file ended without a line feed. */
void fa_verify_line(struct fa_verify *v, struct fb_str line, bool complete);
/* The text of the head file; call after the last line. */
void fa_verify_head(struct fa_verify *v, struct fb_str head_text);
/* Closing findings. Returns 0 when all is good, 1 when anything was bad. */
int fa_verify_finish(struct fa_verify *v);

#endif
