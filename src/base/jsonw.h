/* Writes JSON with the key order of the calls. Layer: base (L0). Thread: one owner.
 * Errors stick in the buffer (fb_buf_failed). Text that is not UTF-8 gets U+FFFD for each bad byte; C0, DEL, quotes and
 * backslashes are escaped. Nesting up to FB_JSONW_DEPTH; deeper fails the buffer. */
#ifndef BASE_JSONW_H
#define BASE_JSONW_H

#include "base/buf.h"

enum { FB_JSONW_DEPTH = 32 };

struct fb_jsonw {
    struct fb_buf *out;
    int indent; /* spaces a level; 0 = compact, no blanks at all */
    int depth;
    bool has_item[FB_JSONW_DEPTH];
    bool after_key;
};

void fb_jsonw_init(struct fb_jsonw *w, struct fb_buf *out, int indent);
void fb_jsonw_object(struct fb_jsonw *w);
void fb_jsonw_object_end(struct fb_jsonw *w);
void fb_jsonw_array(struct fb_jsonw *w);
void fb_jsonw_array_end(struct fb_jsonw *w);
void fb_jsonw_key(struct fb_jsonw *w, const char *key);
void fb_jsonw_keys(struct fb_jsonw *w, struct fb_str key);
void fb_jsonw_str(struct fb_jsonw *w, struct fb_str s);
void fb_jsonw_strz(struct fb_jsonw *w, const char *z); /* NULL writes null */
void fb_jsonw_i64(struct fb_jsonw *w, int64_t v);
void fb_jsonw_u64(struct fb_jsonw *w, uint64_t v);
void fb_jsonw_f64(struct fb_jsonw *w, double v);
void fb_jsonw_bool(struct fb_jsonw *w, bool v);
void fb_jsonw_null(struct fb_jsonw *w);
/* A value that is JSON already. */
void fb_jsonw_raw(struct fb_jsonw *w, struct fb_str json);

#endif
