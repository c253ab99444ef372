/* One line of the log: making and reading it. Source: [the Firma specification, sidecar 16]. Layer: audit (L2).
 * A line is the 19 keys, then `seq` (from 1), `prev_hash` (hex SHA-256 of the line before, without its line feed; zeros
 * for the first), then `signature`. Thread: any. */
#ifndef AUDIT_LINE_H
#define AUDIT_LINE_H

#include "audit/event.h"
#include "audit/key.h"

enum { FA_LINE_MAX_BYTES = 128 << 10, FA_LINE_TAIL_MAX_BYTES = 320 };

/* The position of a chain: after line @seq, whose hash is @hash. All zero before the first line. */
struct fa_chain {
    uint64_t seq;
    uint8_t hash[FA_HASH_BYTES];
};

/* Appends `@head,"seq":...,"prev_hash":"...","signature":"..."}` and a line feed, and moves @at on. 0 or FB_E_LIMIT. */
int fa_line_finish(struct fb_buf *out, struct fb_str head, struct fb_str signature_base64, struct fa_key *key,
                   struct fa_chain *at);

struct fa_line {
    void *json; /* owns the texts of ev */
    struct fa_event ev;
    uint8_t der[FA_DER_MAX_BYTES];
    size_t der_n;
    bool has_chain;
    uint64_t seq;
    uint8_t prev_hash[FA_HASH_BYTES];
};

/* Parses a line without its line feed. 0, or FB_E_PARSE with *ret_why (static text); then nothing needs freeing. The
 * signature may be base64 or, as in the oldest logs, an array of byte values. */
int fa_line_parse(struct fb_str text, struct fa_line *ret, const char **ret_why) FB_MUST_USE;
void fa_line_done(struct fa_line *line);
/* True when the signature covers the 19 values. */
bool fa_line_verify(const struct fa_line *line, struct fa_key *key, struct fb_buf *scratch);
/* True when the line follows @at. */
bool fa_line_follows(const struct fa_line *line, const struct fa_chain *at);

#endif
