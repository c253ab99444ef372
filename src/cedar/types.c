/* Types: the built-in ones, membership of values, text. */
#include "cedar/schema.h"

#include <stdio.h>
#include <string.h>

#define NAME(lit)           \
    {                       \
        lit, sizeof lit - 1 \
    }

const struct cedar_type cedar_type_bool = { .kind = CEDAR_TYPE_BOOL, .depth = 1 };
const struct cedar_type cedar_type_true = { .kind = CEDAR_TYPE_BOOL, .truth = CEDAR_TRUTH_TRUE, .depth = 1 };
const struct cedar_type cedar_type_false = { .kind = CEDAR_TYPE_BOOL, .truth = CEDAR_TRUTH_FALSE, .depth = 1 };
const struct cedar_type cedar_type_long = { .kind = CEDAR_TYPE_LONG, .depth = 1 };
const struct cedar_type cedar_type_string = { .kind = CEDAR_TYPE_STRING, .depth = 1 };
const struct cedar_type cedar_type_empty_record = { .kind = CEDAR_TYPE_RECORD, .depth = 1 };

static const struct cedar_type extensions[] = {
    { .kind = CEDAR_TYPE_EXTENSION, .ext = CEDAR_VALUE_DECIMAL, .depth = 1, .name = NAME("decimal") },
    { .kind = CEDAR_TYPE_EXTENSION, .ext = CEDAR_VALUE_DATETIME, .depth = 1, .name = NAME("datetime") },
    { .kind = CEDAR_TYPE_EXTENSION, .ext = CEDAR_VALUE_DURATION, .depth = 1, .name = NAME("duration") },
    { .kind = CEDAR_TYPE_EXTENSION, .ext = CEDAR_VALUE_IPADDR, .depth = 1, .name = NAME("ipaddr") },
};

const struct cedar_type *cedar_type_extension(unsigned value_kind)
{
    return &extensions[value_kind - CEDAR_VALUE_DECIMAL];
}

static bool wrong(struct cedar_mismatch *ret, const char *what, const struct cedar_type *t, const struct cedar_value *v)
{
    if (ret)
        *ret = (struct cedar_mismatch){ .attr = ret->attr, .what = what, .want = t, .got = v };
    return false;
}

static bool admits_entity(const struct cedar_schema *s, const struct cedar_type *t, const struct cedar_value *v,
                          struct cedar_mismatch *ret)
{
    if (v->kind != CEDAR_VALUE_ENTITY || !cedar_str_eq(v->uid->type, t->name))
        return wrong(ret, "has the wrong type", t, v);
    const struct cedar_etype *et = cedar_schema_etype(s, t->name);
    if (et && !cedar_etype_has_id(et, v->uid->id))
        return wrong(ret, "is not one of the ids of its enumerated type", t, v);
    if (!et && cedar_schema_is_action_type(s, t->name) && !cedar_schema_action(s, v->uid))
        return wrong(ret, "is not a declared action", t, v);
    return true;
}

/* Both sides sorted differently (types by bytes, values by length), so look up by name both ways. */
static bool admits_record(const struct cedar_schema *s, const struct cedar_type *t, const struct cedar_value *v,
                          struct cedar_mismatch *ret)
{
    size_t found = 0;
    if (v->kind != CEDAR_VALUE_RECORD)
        return wrong(ret, "has the wrong type", t, v);
    for (size_t i = 0; i < t->n_attrs; i++) {
        const struct cedar_attr *a = &t->attrs[i];
        const struct cedar_value *f = cedar_v_field(v, a->name);
        if (ret)
            ret->attr = a->name;
        if (!f && a->required)
            return wrong(ret, "is missing", a->type, NULL);
        if (f && !cedar_type_admits(s, a->type, f, ret))
            return false;
        found += f != NULL;
    }
    if (found == v->n)
        return true;
    for (uint32_t i = 0; i < v->n; i++) {
        struct cedar_attr a;
        if (cedar_type_attr_find(t, v->fields[i].key, &a))
            continue;
        if (ret)
            ret->attr = v->fields[i].key;
        break;
    }
    return wrong(ret, "is not declared", NULL, v);
}

bool cedar_type_admits(const struct cedar_schema *s, const struct cedar_type *t, const struct cedar_value *v,
                       struct cedar_mismatch *ret)
{
    bool ok;
    switch ((enum cedar_type_kind)t->kind) {
    case CEDAR_TYPE_BOOL:
        ok = v->kind == CEDAR_VALUE_BOOL;
        break;
    case CEDAR_TYPE_LONG:
        ok = v->kind == CEDAR_VALUE_LONG;
        break;
    case CEDAR_TYPE_STRING:
        ok = v->kind == CEDAR_VALUE_STRING;
        break;
    case CEDAR_TYPE_EXTENSION:
        ok = v->kind == t->ext;
        break;
    case CEDAR_TYPE_ANY_ENTITY:
        ok = v->kind == CEDAR_VALUE_ENTITY;
        break;
    case CEDAR_TYPE_ENTITY:
        return admits_entity(s, t, v, ret);
    case CEDAR_TYPE_RECORD:
        return admits_record(s, t, v, ret);
    case CEDAR_TYPE_SET:
        if (v->kind != CEDAR_VALUE_SET)
            return wrong(ret, "has the wrong type", t, v);
        for (uint32_t i = 0; i < v->n; i++) {
            if (!cedar_type_admits(s, t->element, &v->items[i], ret))
                return false;
        }
        return true;
    default:
        return false;
    }
    return ok || wrong(ret, "has the wrong type", t, v);
}

struct text {
    char *buf;
    size_t cap, len;
};

static void add(struct text *x, const char *p, size_t n)
{
    for (size_t i = 0; i < n && x->len + 1 < x->cap; i++)
        x->buf[x->len++] = p[i];
}

static void add_type(struct text *x, const struct cedar_type *t)
{
    static const char *const names[] = { "Bool", "Long", "String" };
    if (x->len + 1 >= x->cap)
        return;
    switch ((enum cedar_type_kind)t->kind) {
    case CEDAR_TYPE_BOOL:
    case CEDAR_TYPE_LONG:
    case CEDAR_TYPE_STRING:
        add(x, names[t->kind], strlen(names[t->kind]));
        break;
    case CEDAR_TYPE_ENTITY:
    case CEDAR_TYPE_EXTENSION:
        add(x, t->name.ptr, t->name.len);
        break;
    case CEDAR_TYPE_ANY_ENTITY:
        add(x, "entity", 6);
        break;
    case CEDAR_TYPE_SET:
        add(x, "Set<", 4);
        if (t->element)
            add_type(x, t->element);
        add(x, ">", 1);
        break;
    case CEDAR_TYPE_RECORD:
        add(x, "{", 1);
        for (size_t i = 0; i < t->n_attrs; i++) {
            add(x, i ? ", " : "", i ? 2 : 0);
            add(x, t->attrs[i].name.ptr, t->attrs[i].name.len);
            add(x, t->attrs[i].required ? ": " : "?: ", t->attrs[i].required ? 2 : 3);
            add_type(x, t->attrs[i].type);
        }
        add(x, "}", 1);
        break;
    }
}

const char *cedar_type_text(const struct cedar_type *t, char *buf, size_t cap)
{
    struct text x = { buf, cap, 0 };
    add_type(&x, t);
    buf[x.len] = '\0';
    return buf;
}
