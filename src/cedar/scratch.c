/* The public face of request memory and of values: builders and readers. */
#include "cedar/diag.h"
#include "cedar/ext.h"
#include "cedar/value.h"

#include <stdlib.h>
#include <string.h>

struct cedar_scratch *cedar_scratch_new(size_t max_bytes)
{
    struct cedar_scratch *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    cedar_arena_init(&s->arena, max_bytes ? max_bytes : CEDAR_DEFAULT_SCRATCH);
    s->max_steps = CEDAR_DEFAULT_STEPS;
    return s;
}

void cedar_scratch_free(struct cedar_scratch *s)
{
    if (!s)
        return;
    cedar_arena_done(&s->arena);
    free(s);
}

void cedar_scratch_reset(struct cedar_scratch *s)
{
    cedar_arena_reset(&s->arena);
    s->err.code = 0;
    s->err.kind[0] = s->err.msg[0] = s->err.expected[0] = s->err.hint[0] = '\0';
}

void cedar_scratch_set_steps(struct cedar_scratch *s, uint64_t max_steps)
{
    s->max_steps = max_steps ? max_steps : CEDAR_DEFAULT_STEPS;
}

int cedar_scratch_status(const struct cedar_scratch *s)
{
    return s->err.code;
}

const struct cedar_error *cedar_scratch_error(const struct cedar_scratch *s)
{
    return &s->err;
}

size_t cedar_scratch_used(const struct cedar_scratch *s)
{
    return cedar_arena_used(&s->arena);
}

size_t cedar_scratch_held(const struct cedar_scratch *s)
{
    return s->arena.held_bytes;
}

/* The first failure stays: it is the one that explains the rest. */
static void *refuse(struct cedar_scratch *s, int code, const char *msg)
{
    if (!s->err.code)
        cedar_error_set(&s->err, code, "", "%s", msg);
    return NULL;
}

static struct cedar_value *fresh(struct cedar_scratch *s)
{
    struct cedar_value *v = cedar_arena_alloc(&s->arena, sizeof *v);
    return v ? v : refuse(s, CEDAR_E_NOMEM, "out of scratch memory");
}

static const struct cedar_value *keep(struct cedar_scratch *s, struct cedar_value v)
{
    struct cedar_value *p = fresh(s);
    if (p)
        *p = v;
    return p;
}

static bool text_ok(struct cedar_scratch *s, struct cedar_str t)
{
    if (t.len > CEDAR_MAX_TEXT_BYTES)
        return refuse(s, CEDAR_E_LIMIT, "string too long") != NULL;
    if (cedar_utf8_valid_len(t.ptr, t.len) != t.len)
        return refuse(s, CEDAR_E_UTF8, "string is not UTF-8") != NULL;
    return true;
}

const struct cedar_value *cedar_value_bool(struct cedar_scratch *s, bool b)
{
    return keep(s, cedar_v_bool(b));
}

const struct cedar_value *cedar_value_long(struct cedar_scratch *s, int64_t i)
{
    return keep(s, cedar_v_int(CEDAR_VALUE_LONG, i));
}

const struct cedar_value *cedar_value_string_ref(struct cedar_scratch *s, const char *p, size_t n)
{
    struct cedar_str t = { n ? p : "", n };
    if ((n && !p) || !text_ok(s, t))
        return n && !p ? refuse(s, CEDAR_E_ARG, "string is NULL") : NULL;
    return keep(s, cedar_v_string(t));
}

static struct cedar_str copy(struct cedar_scratch *s, struct cedar_str t)
{
    struct cedar_str c = cedar_arena_str(&s->arena, t);
    if (!c.ptr)
        refuse(s, CEDAR_E_NOMEM, "out of scratch memory");
    return c;
}

const struct cedar_value *cedar_value_string(struct cedar_scratch *s, const char *p, size_t n)
{
    struct cedar_str t = { p, n };
    if (n && !p)
        return refuse(s, CEDAR_E_ARG, "string is NULL");
    if (!text_ok(s, t))
        return NULL;
    t = copy(s, t);
    return t.ptr ? keep(s, cedar_v_string(t)) : NULL;
}

const struct cedar_value *cedar_value_entity(struct cedar_scratch *s, struct cedar_str type, struct cedar_str id)
{
    if (!cedar_is_name(type))
        return refuse(s, CEDAR_E_VALUE, "entity type is not a name");
    if (!text_ok(s, id))
        return NULL;
    struct cedar_uid *u = cedar_arena_alloc(&s->arena, sizeof *u);
    if (!u)
        return refuse(s, CEDAR_E_NOMEM, "out of scratch memory");
    type = copy(s, type);
    id = copy(s, id);
    if (!type.ptr || !id.ptr)
        return NULL;
    *u = cedar_uid_make(type, id);
    return keep(s, cedar_v_uid(u));
}

const struct cedar_value *cedar_value_set(struct cedar_scratch *s, const struct cedar_value *const *items, size_t n)
{
    struct cedar_value *copy_of = cedar_arena_array(&s->arena, n, sizeof *copy_of);
    struct cedar_value *v = fresh(s);
    if (!copy_of || !v)
        return refuse(s, CEDAR_E_NOMEM, "out of scratch memory");
    for (size_t i = 0; i < n; i++) {
        if (!items[i])
            return refuse(s, CEDAR_E_ARG, "member of a set is NULL");
        copy_of[i] = *items[i];
    }
    int rc = cedar_v_set_take(copy_of, n, v);
    return rc ? refuse(s, rc, "set too large or too deep") : v;
}

const struct cedar_value *cedar_value_record(struct cedar_scratch *s, const struct cedar_field *fields, size_t n)
{
    struct cedar_member *m = cedar_arena_array(&s->arena, n, sizeof *m);
    struct cedar_value *v = fresh(s);
    if (!m || !v)
        return refuse(s, CEDAR_E_NOMEM, "out of scratch memory");
    for (size_t i = 0; i < n; i++) {
        if (!fields[i].value)
            return refuse(s, CEDAR_E_ARG, "field of a record is NULL");
        if (!text_ok(s, fields[i].key))
            return NULL;
        m[i].key = copy(s, fields[i].key);
        if (!m[i].key.ptr)
            return NULL;
        m[i].value = *fields[i].value;
    }
    int rc = cedar_v_record_take(m, n, v, NULL);
    return rc ? refuse(s, rc, rc == CEDAR_E_VALUE ? "repeated key in a record" : "record too large or too deep") : v;
}

const struct cedar_value *cedar_value_extension(struct cedar_scratch *s, const char *fn, const char *p, size_t n)
{
    const struct cedar_ext *e = cedar_ext_find(cedar_str_c(fn));
    struct cedar_value *v = fresh(s);
    if (!v)
        return NULL;
    if (!e || !e->is_constructor)
        return refuse(s, CEDAR_E_VALUE, "no such extension constructor");
    struct cedar_value arg = cedar_v_string((struct cedar_str){ p, n });
    const char *why = NULL;
    if (e->call(&s->arena, &arg, v, &why) != CEDAR_EXT_OK)
        return refuse(s, CEDAR_E_VALUE, why ? why : "bad extension value");
    return v;
}

enum cedar_value_kind cedar_value_kind(const struct cedar_value *v)
{
    return (enum cedar_value_kind)v->kind;
}

bool cedar_value_get_bool(const struct cedar_value *v)
{
    return v->kind == CEDAR_VALUE_BOOL && v->b;
}

int64_t cedar_value_get_long(const struct cedar_value *v)
{
    bool has = v->kind == CEDAR_VALUE_LONG || v->kind == CEDAR_VALUE_DECIMAL || v->kind == CEDAR_VALUE_DATETIME ||
               v->kind == CEDAR_VALUE_DURATION;
    return has ? v->i : 0;
}

struct cedar_str cedar_value_get_string(const struct cedar_value *v)
{
    return v->kind == CEDAR_VALUE_STRING ? cedar_v_str(v) : CEDAR_S("");
}

struct cedar_str cedar_value_get_entity_type(const struct cedar_value *v)
{
    return v->kind == CEDAR_VALUE_ENTITY ? v->uid->type : CEDAR_S("");
}

struct cedar_str cedar_value_get_entity_id(const struct cedar_value *v)
{
    return v->kind == CEDAR_VALUE_ENTITY ? v->uid->id : CEDAR_S("");
}

size_t cedar_value_get_count(const struct cedar_value *v)
{
    return v->kind == CEDAR_VALUE_SET || v->kind == CEDAR_VALUE_RECORD ? v->n : 0;
}

const struct cedar_value *cedar_value_get_item(const struct cedar_value *v, size_t i)
{
    if (i >= cedar_value_get_count(v))
        return NULL;
    return v->kind == CEDAR_VALUE_SET ? &v->items[i] : &v->fields[i].value;
}

struct cedar_str cedar_value_get_key(const struct cedar_value *v, size_t i)
{
    return v->kind == CEDAR_VALUE_RECORD && i < v->n ? v->fields[i].key : CEDAR_S("");
}

const struct cedar_value *cedar_value_get_field(const struct cedar_value *v, struct cedar_str key)
{
    return v->kind == CEDAR_VALUE_RECORD ? cedar_v_field(v, key) : NULL;
}

bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b)
{
    return cedar_v_eq(a, b);
}
