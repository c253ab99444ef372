/* The one door through which JSON text enters: jansson behind limits, duplicates refused. Layer: base (L0). Thread:
 * any. Source: RFC 8259. Writing is jsonw.h's. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>

enum {
    FB_JSON_MAX_BYTES = 4 << 20, /* ceiling for @max_bytes */
    FB_JSON_DEPTH_MAX = 64,
    FB_JSON_VALUES_MAX = 200000, /* arrays, objects and commas: bounds memory, which is far more than the text */
};

/* The whole of @text must be one JSON value (of any kind), in UTF-8, without duplicate keys and without \u0000, in at
 * most
 * @max_bytes (0: FB_JSON_MAX_BYTES). 0: *@ret is the caller's (json_decref). FB_E_PARSE ("name:line:col: ..."),
 * FB_E_LIMIT. */
int fb_json_load(struct fb_str text, const char *name, size_t max_bytes, json_t **ret, struct fb_err *err) FB_MUST_USE;

#endif
