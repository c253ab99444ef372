/* A small strict JSON reader (RFC 8259): depth limit, no duplicate keys, integers exact. The tree borrows nothing.
 * Layer: cedar, private. Thread: any. */
#ifndef CEDAR_JSON_H
#define CEDAR_JSON_H

#include "cedar/arena.h"
#include "cedar/diag.h"

enum cedar_json_kind {
    CEDAR_JSON_NULL,
    CEDAR_JSON_BOOL,
    CEDAR_JSON_INT,    /* fits into 64 bits, no fraction, no exponent, not -0 */
    CEDAR_JSON_NUMBER, /* any other number; its value is not kept */
    CEDAR_JSON_STRING,
    CEDAR_JSON_ARRAY,
    CEDAR_JSON_OBJECT
};

struct cedar_json {
    uint8_t kind; /* enum cedar_json_kind */
    uint32_t off, len;
    size_t n; /* of an array or object */
    union {
        bool b;
        int64_t i;
        struct cedar_str s;
        const struct cedar_json *items;
        const struct cedar_json_member *members; /* in the order of the text */
    };
};

struct cedar_json_member {
    struct cedar_str key;
    uint32_t off, len; /* of the key */
    struct cedar_json value;
};

/* One value with nothing behind it but blanks. 0, CEDAR_E_JSON, CEDAR_E_UTF8, CEDAR_E_LIMIT, CEDAR_E_NOMEM. */
int cedar_json_parse(struct cedar_arena *a, struct cedar_arena *temp, const struct cedar_source *src,
                     unsigned max_nesting, struct cedar_json *ret);
/* Member by key, or NULL (also when it is no object). */
const struct cedar_json *cedar_json_get(const struct cedar_json *j, const char *key);
/* "a string", "an object", ... */
const char *cedar_json_kind_name(const struct cedar_json *j);

#endif
