/* Cedar values from JSON, with or without the type that the place has.
 * Source: Cedar entity and context data format. Layer: cedar, private. Thread: one reader, one thread. */
#ifndef CEDAR_JSON_VALUE_H
#define CEDAR_JSON_VALUE_H

#include "cedar/json.h"
#include "cedar/schema.h"

struct cedar_value_reader {
    struct cedar_arena *arena; /* of the values; the JSON tree must live there too: strings are shared */
    struct cedar_source src;
};

/* @type NULL: as the escapes say. 0, CEDAR_E_VALUE, CEDAR_E_LIMIT, CEDAR_E_NOMEM. */
int cedar_value_read(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                     struct cedar_value *ret);
/* {type,id} or {__entity:{type,id}}. CEDAR_E_VALUE. */
int cedar_value_read_uid(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_uid *ret);
/* Strict {type,id} without escape; what is wrong goes to r->src.err. */
int cedar_value_fail(struct cedar_value_reader *r, const struct cedar_json *at, const char *kind, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

#endif
