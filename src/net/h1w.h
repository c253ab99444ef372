/* Writes HTTP/1.1 heads. The only way in which a head leaves us: fields are checked here, so that nothing from outside
 * can add a line. Source: RFC 9112. Layer: net (L1). Thread: one owner of the buffer.
 * All return 0, FB_E_PARSE when a part may not be written (nothing is appended), or the buffer's own failure. */
#ifndef NET_H1W_H
#define NET_H1W_H

#include "base/buf.h"
#include "net/h1.h"

/* "HTTP/1.1 403 Forbidden\r\n"; the phrase comes from our table (empty for an unknown code). @status 100..999. */
int fn_h1w_status(struct fb_buf *out, unsigned status) FB_NONNULL(1);
/* "GET /x HTTP/1.1\r\n"; the target is @path and, when @query.p is not NULL, "?" and @query. */
int fn_h1w_request(struct fb_buf *out, struct fb_str method, struct fb_str path, struct fb_str query) FB_NONNULL(1);
/* "name: value\r\n". Name must be a token, value free of controls. */
int fn_h1w_field(struct fb_buf *out, struct fb_str name, struct fb_str value) FB_NONNULL(1);
int fn_h1w_fieldz(struct fb_buf *out, const char *name, const char *value) FB_NONNULL(1, 2, 3);
int fn_h1w_length(struct fb_buf *out, uint64_t n) FB_NONNULL(1);
/* transfer-encoding: chunked. */
int fn_h1w_chunked(struct fb_buf *out) FB_NONNULL(1);
/* The empty line. */
int fn_h1w_end(struct fb_buf *out) FB_NONNULL(1);
/* A whole answer with a length: status, content-type (NULL: none), cache-control: no-store, connection: close when not
 * @keep_alive, @extra (complete lines made by fn_h1w_field; may be empty), body. */
int fn_h1w_response(struct fb_buf *out, unsigned status, const char *content_type, struct fb_str extra, bool keep_alive,
                    struct fb_str body) FB_NONNULL(1);
/* True when a field of a parsed head may be copied to the other side: not hop-by-hop, not ours, not Host,
 * Content-Length, or Expect, which the writer sets itself. */
bool fn_h1w_forwards(const struct fn_h1_field *f) FB_NONNULL(1);
const char *fn_h1w_phrase(unsigned status);

#endif
