#include "cedar/value.h"

#include "cedar/sort.h"

#include <string.h>

const struct cedar_value cedar_empty_record = { .kind = CEDAR_VALUE_RECORD, .depth = 1 };

struct cedar_uid cedar_uid_make(struct cedar_str type, struct cedar_str id)
{
    return (struct cedar_uid){ type, id, cedar_str_hash(cedar_str_hash(1, type), id) };
}

/* Shorter first: most keys differ in length, and any fixed total order will do. */
static int str_order(struct cedar_str a, struct cedar_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

int cedar_uid_cmp(const struct cedar_uid *a, const struct cedar_uid *b)
{
    if (a == b)
        return 0;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int c = str_order(a->type, b->type);
    return c ? c : str_order(a->id, b->id);
}

static int ip_cmp(const struct cedar_ip *a, const struct cedar_ip *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    int c = memcmp(a->addr, b->addr, a->v6 ? 16 : 4);
    return c ? c : (int)a->prefix - (int)b->prefix;
}

static int members_cmp(const struct cedar_value *a, const struct cedar_value *b)
{
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    for (uint32_t i = 0; i < a->n; i++) {
        int c;
        if (a->kind == CEDAR_VALUE_SET) {
            c = cedar_v_cmp(&a->items[i], &b->items[i]);
        } else {
            c = str_order(a->fields[i].key, b->fields[i].key);
            if (!c)
                c = cedar_v_cmp(&a->fields[i].value, &b->fields[i].value);
        }
        if (c)
            return c;
    }
    return 0;
}

/* Recursion is bounded by cedar_value.depth. */
int cedar_v_cmp(const struct cedar_value *a, const struct cedar_value *b)
{
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    switch ((enum cedar_value_kind)a->kind) {
    case CEDAR_VALUE_BOOL:
        return (int)a->b - (int)b->b;
    case CEDAR_VALUE_LONG:
    case CEDAR_VALUE_DECIMAL:
    case CEDAR_VALUE_DATETIME:
    case CEDAR_VALUE_DURATION:
        return a->i < b->i ? -1 : a->i > b->i;
    case CEDAR_VALUE_STRING:
        return str_order(cedar_v_str(a), cedar_v_str(b));
    case CEDAR_VALUE_ENTITY:
        return cedar_uid_cmp(a->uid, b->uid);
    case CEDAR_VALUE_IPADDR:
        return ip_cmp(a->ip, b->ip);
    case CEDAR_VALUE_SET:
    case CEDAR_VALUE_RECORD:
        return members_cmp(a, b);
    }
    return 0;
}

bool cedar_v_eq(const struct cedar_value *a, const struct cedar_value *b)
{
    return cedar_v_cmp(a, b) == 0;
}

static int sort_values(const void *a, const void *b)
{
    return cedar_v_cmp(a, b);
}

static int sort_members(const void *a, const void *b)
{
    return str_order(((const struct cedar_member *)a)->key, ((const struct cedar_member *)b)->key);
}

int cedar_v_set_take(struct cedar_value *items, size_t n, struct cedar_value *ret)
{
    unsigned depth = 0;
    if (n > CEDAR_MAX_ELEMENTS)
        return CEDAR_E_LIMIT;
    cedar_sort(items, n, sizeof *items, sort_values);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (items[i].depth > depth)
            depth = items[i].depth;
        if (kept == 0 || !cedar_v_eq(&items[kept - 1], &items[i]))
            items[kept++] = items[i];
    }
    if (depth + 1 > CEDAR_MAX_VALUE_DEPTH)
        return CEDAR_E_LIMIT;
    *ret = (struct cedar_value){
        .kind = CEDAR_VALUE_SET, .depth = (uint16_t)(depth + 1), .n = (uint32_t)kept, .items = items
    };
    return 0;
}

int cedar_v_record_take(struct cedar_member *fields, size_t n, struct cedar_value *ret, struct cedar_str *ret_dup)
{
    unsigned depth = 0;
    if (n > CEDAR_MAX_ELEMENTS)
        return CEDAR_E_LIMIT;
    cedar_sort(fields, n, sizeof *fields, sort_members);
    for (size_t i = 0; i < n; i++) {
        if (fields[i].value.depth > depth)
            depth = fields[i].value.depth;
        if (i > 0 && cedar_str_eq(fields[i - 1].key, fields[i].key)) {
            if (ret_dup)
                *ret_dup = fields[i].key;
            return CEDAR_E_VALUE;
        }
    }
    if (depth + 1 > CEDAR_MAX_VALUE_DEPTH)
        return CEDAR_E_LIMIT;
    *ret = (struct cedar_value){
        .kind = CEDAR_VALUE_RECORD, .depth = (uint16_t)(depth + 1), .n = (uint32_t)n, .fields = fields
    };
    return 0;
}

const struct cedar_value *cedar_v_field(const struct cedar_value *rec, struct cedar_str key)
{
    size_t lo = 0, hi = rec->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = str_order(rec->fields[mid].key, key);
        if (c == 0)
            return &rec->fields[mid].value;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

bool cedar_v_set_has(const struct cedar_value *set, const struct cedar_value *v)
{
    size_t lo = 0, hi = set->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = cedar_v_cmp(&set->items[mid], v);
        if (c == 0)
            return true;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static bool copy_str(struct cedar_arena *a, struct cedar_str s, struct cedar_str *ret)
{
    *ret = cedar_arena_str(a, s);
    return ret->ptr != NULL;
}

static bool copy_uid(struct cedar_arena *a, const struct cedar_value *v, struct cedar_value *ret)
{
    struct cedar_uid *u = CEDAR_NEW(a, struct cedar_uid);
    if (!u || !copy_str(a, v->uid->type, &u->type) || !copy_str(a, v->uid->id, &u->id))
        return false;
    u->hash = v->uid->hash;
    ret->uid = u;
    return true;
}

static bool copy_members(struct cedar_arena *a, const struct cedar_value *v, struct cedar_value *ret)
{
    if (v->kind == CEDAR_VALUE_SET) {
        struct cedar_value *items = CEDAR_NEW_N(a, v->n, struct cedar_value);
        if (!items)
            return false;
        for (uint32_t i = 0; i < v->n; i++) {
            if (!cedar_v_copy(a, &v->items[i], &items[i]))
                return false;
        }
        ret->items = items;
        return true;
    }
    struct cedar_member *fields = CEDAR_NEW_N(a, v->n, struct cedar_member);
    if (!fields)
        return false;
    for (uint32_t i = 0; i < v->n; i++) {
        if (!copy_str(a, v->fields[i].key, &fields[i].key) || !cedar_v_copy(a, &v->fields[i].value, &fields[i].value))
            return false;
    }
    ret->fields = fields;
    return true;
}

bool cedar_v_copy(struct cedar_arena *a, const struct cedar_value *v, struct cedar_value *ret)
{
    *ret = *v;
    switch ((enum cedar_value_kind)v->kind) {
    case CEDAR_VALUE_STRING: {
        struct cedar_str s;
        if (!copy_str(a, cedar_v_str(v), &s))
            return false;
        ret->s = s.ptr;
        return true;
    }
    case CEDAR_VALUE_ENTITY:
        return copy_uid(a, v, ret);
    case CEDAR_VALUE_SET:
    case CEDAR_VALUE_RECORD:
        return copy_members(a, v, ret);
    case CEDAR_VALUE_IPADDR: {
        struct cedar_ip *ip = CEDAR_NEW(a, struct cedar_ip);
        if (!ip)
            return false;
        *ip = *v->ip;
        ret->ip = ip;
        return true;
    }
    default:
        return true;
    }
}

const char *cedar_v_kind_name(const struct cedar_value *v)
{
    static const char *const names[] = { "bool",   "long",    "string",   "entity",   "set",
                                         "record", "decimal", "datetime", "duration", "ipaddr" };
    return names[v->kind];
}
