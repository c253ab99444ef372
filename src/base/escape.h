/* Makes text from outside harmless for a terminal or a log line. Layer: base (L0). Thread: any.
 * Escaped are C0, DEL, C1, invalid UTF-8, line and paragraph separators and every bidirectional control, as \xHH or
 * \u{H..}; a backslash becomes two, so that the output cannot be forged. */
#ifndef BASE_ESCAPE_H
#define BASE_ESCAPE_H

#include "base/buf.h"

enum { FB_ESCAPE_GROWTH = 4 }; /* output bytes for one input byte, at most */

/* Writes at most @cap-1 bytes and a NUL, cutting at a whole character. Returns the bytes written. */
size_t fb_escape_term(char *out, size_t cap, const char *p, size_t n);
/* Appends the escaped text; see fb_buf for the result. */
int fb_escape_term_buf(struct fb_buf *out, struct fb_str s);

#endif
