/* The signed head: how many lines the log has and the hash of the last one, in a second file, so that a cut tail shows.
 * Source: [the Firma design, audit]. Layer: audit (L2). Thread: any.
 * The file holds two records of FA_HEAD_RECORD_BYTES, each one JSON line padded with blanks; generation g goes to
 * record g % 2, in one write. Whatever moment the writer dies at, the other record is whole. */
#ifndef AUDIT_HEAD_H
#define AUDIT_HEAD_H

#include "audit/line.h"

enum { FA_HEAD_RECORD_BYTES = 512, FA_HEAD_FILE_BYTES = 2 * FA_HEAD_RECORD_BYTES };

struct fa_head {
    uint64_t generation; /* counts the writes of the file, from 1 */
    struct fa_chain at;
    uint64_t bytes; /* length of the log file after that line */
    int64_t updated_ns;
    bool sealed; /* written by an orderly end; the next line breaks the seal */
};

/* Formats and signs. 0 or FB_E_INTERNAL. */
int fa_head_format(char out[FA_HEAD_RECORD_BYTES], const struct fa_head *head, struct fa_key *key);

enum fa_head_state {
    FA_HEAD_MISSING, /* nothing but blanks or zeros */
    FA_HEAD_INVALID, /* something, but no record carries a good signature of this key */
    FA_HEAD_VALID,
};
/* The newest good record of a head file's content (any length). */
enum fa_head_state fa_head_parse(struct fb_str content, struct fa_key *key, struct fa_head *ret);

#endif
