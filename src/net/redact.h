/* Takes secrets out of text that people will read: query strings, resources, denial texts.
 * Source: [the Firma specification, sidecar 7.1]. Layer: net (L1). Thread: any.
 * A name counts as secret when it ends in one of the built-in words (token, key, password, ...; see redact.c) or in one
 * that the operator added, whatever the case; percent escapes in a name are looked through, escapes of
 * escapes too. */
#ifndef NET_REDACT_H
#define NET_REDACT_H

#include "base/buf.h"

#define FN_REDACT_MARK "<redacted>"

struct fn_redact {
    const struct fb_str *extra; /* operator's words, lower case; borrowed; may be NULL */
    size_t n_extra;
};

/* Appends @query with the value of each sensitive `k=v` replaced by the mark; separators are `&` and `;`. @r may be
 * NULL. 0, or FB_E_LIMIT / FB_E_NOMEM of the buffer. */
int fn_redact_query(struct fb_buf *out, struct fb_str query, const struct fn_redact *r) FB_NONNULL(1);
/* Free text: after each sensitive `name=`, everything up to the next `&`, blank, quote or the end is replaced. */
int fn_redact_text(struct fb_buf *out, struct fb_str text, const struct fn_redact *r) FB_NONNULL(1);
/* True when @name is sensitive (no percent decoding). */
bool fn_redact_name(struct fb_str name, const struct fn_redact *r);

#endif
