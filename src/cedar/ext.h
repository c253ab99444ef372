/* Extension functions: one table of names, argument kinds and code.
 * Source: Cedar language reference, extension types (RFC 80, 99). Layer: cedar, private. Thread: any. */
#ifndef CEDAR_EXT_H
#define CEDAR_EXT_H

#include "cedar/value.h"

enum cedar_ext_result { CEDAR_EXT_OK = 0, CEDAR_EXT_FAIL, CEDAR_EXT_NOMEM };

struct cedar_ext {
    const char *name;
    bool is_constructor; /* called as a function of one string; the others are methods */
    uint8_t n_args;      /* receiver included */
    uint8_t args[2];     /* enum cedar_value_kind */
    uint8_t ret;         /* enum cedar_value_kind */
    /* @args have the kinds above. On CEDAR_EXT_FAIL *@why says what is wrong (a constant). */
    int (*call)(struct cedar_arena *a, const struct cedar_value *args, struct cedar_value *ret, const char **why);
};

extern const struct cedar_ext cedar_ext_table[];
extern const size_t cedar_ext_count;
/* NULL when there is none. */
const struct cedar_ext *cedar_ext_find(struct cedar_str name);
/* Constructor of a kind (CEDAR_VALUE_IPADDR ...), or NULL. */
const struct cedar_ext *cedar_ext_constructor(unsigned kind);
/* Schema name of an extension kind ("ipaddr", ...), or NULL; and back (-1 when unknown). */
const char *cedar_ext_type_name(unsigned kind);
int cedar_ext_type_kind(struct cedar_str name);

/* One text each; false with *@why on bad text. */
bool cedar_ip_parse(struct cedar_str s, struct cedar_ip *ret, const char **why);
bool cedar_decimal_parse(struct cedar_str s, int64_t *ret, const char **why);
bool cedar_datetime_parse(struct cedar_str s, int64_t *ret_ms, const char **why);
bool cedar_duration_parse(struct cedar_str s, int64_t *ret_ms, const char **why);
bool cedar_ip_is_loopback(const struct cedar_ip *ip);
bool cedar_ip_is_multicast(const struct cedar_ip *ip);
/* All of @a lies in @b. */
bool cedar_ip_in_range(const struct cedar_ip *a, const struct cedar_ip *b);
/* Canonical text of an extension value, e.g. "10.0.0.0/8", "1.5", "2024-01-01T00:00:00.000Z", "1500ms"; what
 * cedar_ext_constructor takes back. Fills @buf (at least 64 bytes); "" when it has no text (a datetime beyond year
 * 9999 or before 0000). */
size_t cedar_ext_print(const struct cedar_value *v, char *buf);

#endif
