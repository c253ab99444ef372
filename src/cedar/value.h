/* Runtime values: 16 bytes each, immutable, children in arenas. Sets are sorted and without repetition, records sorted
 * by key, so equality is one walk.
 * Source: Cedar language reference, data types. Layer: cedar, private. Thread: any (immutable). */
#ifndef CEDAR_VALUE_H
#define CEDAR_VALUE_H

#include "cedar/arena.h"
#include "cedar/str.h"

enum { CEDAR_MAX_VALUE_DEPTH = CEDAR_MAX_EXPR_DEPTH + CEDAR_MAX_NESTING };

struct cedar_uid {
    struct cedar_str type, id;
    uint32_t hash;
};

struct cedar_ip {
    uint8_t addr[16]; /* IPv4: the first four */
    uint8_t prefix;
    bool v6;
};

struct cedar_value {
    uint8_t kind;   /* enum cedar_value_kind */
    uint16_t depth; /* 0 for scalars, 1 + deepest member for sets and records; at most CEDAR_MAX_VALUE_DEPTH */
    uint32_t n;     /* bytes of a string, members of a set or record */
    union {
        bool b;
        int64_t i; /* long; decimal in 1/10000; datetime and duration in ms */
        const char *s;
        const struct cedar_uid *uid;
        const struct cedar_value *items;
        const struct cedar_member *fields;
        const struct cedar_ip *ip;
    };
};

struct cedar_member {
    struct cedar_str key;
    struct cedar_value value;
};

struct cedar_scratch {
    struct cedar_arena arena;
    uint64_t max_steps;
    struct cedar_error err;
};

extern const struct cedar_value cedar_empty_record;

static inline struct cedar_str cedar_v_str(const struct cedar_value *v)
{
    return (struct cedar_str){ v->s, v->n };
}
static inline struct cedar_value cedar_v_bool(bool b)
{
    return (struct cedar_value){ .kind = CEDAR_VALUE_BOOL, .b = b };
}
static inline struct cedar_value cedar_v_int(enum cedar_value_kind kind, int64_t i)
{
    return (struct cedar_value){ .kind = (uint8_t)kind, .i = i };
}
static inline struct cedar_value cedar_v_string(struct cedar_str s)
{
    return (struct cedar_value){ .kind = CEDAR_VALUE_STRING, .n = (uint32_t)s.len, .s = s.ptr };
}
static inline struct cedar_value cedar_v_uid(const struct cedar_uid *u)
{
    return (struct cedar_value){ .kind = CEDAR_VALUE_ENTITY, .uid = u };
}

struct cedar_uid cedar_uid_make(struct cedar_str type, struct cedar_str id);
static inline bool cedar_uid_eq(const struct cedar_uid *a, const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && cedar_str_eq(a->id, b->id) && cedar_str_eq(a->type, b->type));
}
int cedar_uid_cmp(const struct cedar_uid *a, const struct cedar_uid *b);

/* Total order over all values; 0 exactly when they are equal by Cedar's `==`. */
int cedar_v_cmp(const struct cedar_value *a, const struct cedar_value *b);
bool cedar_v_eq(const struct cedar_value *a, const struct cedar_value *b);
/* Makes a set of @items, which it sorts and dedups in place and keeps. 0 or CEDAR_E_LIMIT. */
int cedar_v_set_take(struct cedar_value *items, size_t n, struct cedar_value *ret);
/* Makes a record of @fields, sorted in place and kept. CEDAR_E_VALUE: repeated key, *@ret_dup (may be NULL) names it.
 */
int cedar_v_record_take(struct cedar_member *fields, size_t n, struct cedar_value *ret, struct cedar_str *ret_dup);
/* Member of a record, or NULL. */
const struct cedar_value *cedar_v_field(const struct cedar_value *rec, struct cedar_str key);
bool cedar_v_set_has(const struct cedar_value *set, const struct cedar_value *v);
/* Deep copy into @a; false when out of memory. */
bool cedar_v_copy(struct cedar_arena *a, const struct cedar_value *v, struct cedar_value *ret);
/* Cedar's name of a kind for messages: "bool", "long", "string", "(entity of type `T`)" is just "entity", ... */
const char *cedar_v_kind_name(const struct cedar_value *v);

#endif
