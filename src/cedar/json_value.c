#include "cedar/json_value.h"

#include "cedar/ext.h"

#include <stdio.h>

int cedar_value_fail(struct cedar_value_reader *r, const struct cedar_json *at, const char *kind, const char *fmt, ...)
{
    char msg[CEDAR_MSG_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    return cedar_error_at(&r->src, at->off, at->len, CEDAR_E_VALUE, kind, "%s", msg);
}

static int nomem(struct cedar_value_reader *r)
{
    return cedar_error_set(r->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
}

/* The body of an escape: an object with string `type` and string `id`. */
static bool is_uid_body(const struct cedar_json *j)
{
    const struct cedar_json *type = cedar_json_get(j, "type"), *id = cedar_json_get(j, "id");
    return type && id && type->kind == CEDAR_JSON_STRING && id->kind == CEDAR_JSON_STRING;
}

/* The value of the only key, when the object has just that key. */
static const struct cedar_json *only_key(const struct cedar_json *j, const char *key)
{
    return j->kind == CEDAR_JSON_OBJECT && j->n == 1 ? cedar_json_get(j, key) : NULL;
}

static bool is_extn_body(const struct cedar_json *j)
{
    const struct cedar_json *fn = cedar_json_get(j, "fn"), *args = cedar_json_get(j, "args");
    if (!fn || fn->kind != CEDAR_JSON_STRING)
        return false;
    return cedar_json_get(j, "arg") || (args && args->kind == CEDAR_JSON_ARRAY);
}

static int read_uid_body(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_uid *ret)
{
    const struct cedar_json *type = cedar_json_get(j, "type"), *id = cedar_json_get(j, "id");
    if (!cedar_is_name(type->s))
        return cedar_value_fail(r, type, "InvalidTypeName", "`%.*s` is not a type name", CEDAR_ARG(type->s));
    *ret = cedar_uid_make(type->s, id->s);
    return 0;
}

int cedar_value_read_uid(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_uid *ret)
{
    const struct cedar_json *inner = only_key(j, "__entity");
    if (inner && is_uid_body(inner))
        return read_uid_body(r, inner, ret);
    if (is_uid_body(j))
        return read_uid_body(r, j, ret);
    cedar_value_fail(r, j, "ExpectedEntity", "%s is not an entity", cedar_json_kind_name(j));
    cedar_error_expected(r->src.err, "{\"type\": \"T\", \"id\": \"x\"}");
    return CEDAR_E_VALUE;
}

static int read_entity(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_value *ret)
{
    struct cedar_uid *u = CEDAR_NEW(r->arena, struct cedar_uid);
    if (!u)
        return nomem(r);
    *ret = cedar_v_uid(u);
    return cedar_value_read_uid(r, j, u);
}

static int call(struct cedar_value_reader *r, const struct cedar_json *at, const struct cedar_ext *ext,
                const struct cedar_value *args, size_t n, struct cedar_value *ret)
{
    const char *why = "bad argument";
    if (n != ext->n_args)
        return cedar_value_fail(r, at, "WrongNumArguments", "`%s` takes %u argument(s), not %zu", ext->name,
                                ext->n_args, n);
    for (size_t i = 0; i < n; i++) {
        struct cedar_value want = { .kind = ext->args[i] };
        if (args[i].kind != ext->args[i])
            return cedar_value_fail(r, at, "TypeError", "`%s` needs %s, got %s", ext->name, cedar_v_kind_name(&want),
                                    cedar_v_kind_name(&args[i]));
    }
    int rc = ext->call(r->arena, args, ret, &why);
    if (rc == CEDAR_EXT_NOMEM)
        return nomem(r);
    return rc ? cedar_value_fail(r, at, "FailedExtensionFunctionExecution", "%s: %s", ext->name, why) : 0;
}

/* {fn, arg} or {fn, args}. */
static int read_extn_body(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_value *ret)
{
    const struct cedar_json *fn = cedar_json_get(j, "fn"), *arg = cedar_json_get(j, "arg");
    const struct cedar_json *list = arg ? arg : cedar_json_get(j, "args")->items;
    size_t n = arg ? 1 : cedar_json_get(j, "args")->n;
    const struct cedar_ext *ext = cedar_ext_find(fn->s);
    struct cedar_value args[2];
    if (!ext)
        return cedar_value_fail(r, fn, "UnknownFunction", "`%.*s` is not an extension function", CEDAR_ARG(fn->s));
    for (size_t i = 0; i < n && i < 2; i++) {
        int rc = cedar_value_read(r, &list[i], NULL, &args[i]);
        if (rc)
            return rc;
    }
    return call(r, j, ext, args, n, ret);
}

static int read_extension(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                          struct cedar_value *ret)
{
    const struct cedar_json *inner = only_key(j, "__extn");
    struct cedar_value arg;
    if (inner && is_extn_body(inner))
        return read_extn_body(r, inner, ret);
    if (is_extn_body(j))
        return read_extn_body(r, j, ret);
    int rc = cedar_value_read(r, j, NULL, &arg);
    if (rc)
        return rc;
    if (arg.kind == type->ext) {
        *ret = arg;
        return 0;
    }
    return call(r, j, cedar_ext_constructor(type->ext), &arg, 1, ret);
}

static int read_set(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *element,
                    struct cedar_value *ret)
{
    struct cedar_value *items = cedar_arena_array(r->arena, j->n, sizeof *items);
    if (!items)
        return nomem(r);
    for (size_t i = 0; i < j->n; i++) {
        int rc = cedar_value_read(r, &j->items[i], element, &items[i]);
        if (rc)
            return rc;
    }
    int rc = cedar_v_set_take(items, j->n, ret);
    return rc ? cedar_error_at(&r->src, j->off, j->len, rc, "TooLarge", "set too large or too deep") : 0;
}

static int read_record(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                       struct cedar_value *ret)
{
    struct cedar_member *m = cedar_arena_array(r->arena, j->n, sizeof *m);
    if (!m)
        return nomem(r);
    for (size_t i = 0; i < j->n; i++) {
        const struct cedar_json_member *f = &j->members[i];
        struct cedar_attr a = { .type = NULL };
        if (type && !cedar_type_attr_find(type, f->key, &a))
            return cedar_error_at(&r->src, f->off, f->len, CEDAR_E_VALUE, "UnexpectedAttribute",
                                  "attribute `%.*s` is not declared", CEDAR_ARG(f->key));
        m[i].key = f->key;
        int rc = cedar_value_read(r, &f->value, a.type, &m[i].value);
        if (rc)
            return rc;
    }
    int rc = cedar_v_record_take(m, j->n, ret, NULL);
    if (rc)
        return cedar_error_at(&r->src, j->off, j->len, rc, "TooLarge", "record too large or too deep");
    for (size_t i = 0; type && i < type->n_attrs; i++) {
        if (type->attrs[i].required && !cedar_v_field(ret, type->attrs[i].name))
            return cedar_value_fail(r, j, "MissingAttribute", "attribute `%.*s` is missing",
                                    CEDAR_ARG(type->attrs[i].name));
    }
    return 0;
}

/* An object without a type: an escape or a record. */
static int read_object(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_value *ret)
{
    const struct cedar_json *inner = only_key(j, "__entity");
    if (inner && is_uid_body(inner))
        return read_entity(r, inner, ret);
    inner = only_key(j, "__extn");
    if (inner && is_extn_body(inner))
        return read_extn_body(r, inner, ret);
    inner = only_key(j, "__expr");
    if (inner && inner->kind == CEDAR_JSON_STRING)
        return cedar_value_fail(r, j, "ExprEscape", "`__expr` is no longer supported");
    return read_record(r, j, NULL, ret);
}

static int read_untyped(struct cedar_value_reader *r, const struct cedar_json *j, struct cedar_value *ret)
{
    switch ((enum cedar_json_kind)j->kind) {
    case CEDAR_JSON_BOOL:
        *ret = cedar_v_bool(j->b);
        return 0;
    case CEDAR_JSON_INT:
        *ret = cedar_v_int(CEDAR_VALUE_LONG, j->i);
        return 0;
    case CEDAR_JSON_STRING:
        *ret = cedar_v_string(j->s);
        return 0;
    case CEDAR_JSON_ARRAY:
        return read_set(r, j, NULL, ret);
    case CEDAR_JSON_OBJECT:
        return read_object(r, j, ret);
    default:
        return cedar_value_fail(r, j, "InvalidValue", "%s is no Cedar value", cedar_json_kind_name(j));
    }
}

static int mismatch(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type)
{
    char want[128];
    cedar_value_fail(r, j, "TypeMismatch", "%s does not fit here", cedar_json_kind_name(j));
    cedar_error_expected(r->src.err, "a value of type %s", cedar_type_text(type, want, sizeof want));
    return CEDAR_E_VALUE;
}

/* Recursion is bounded by the nesting of the JSON text. */
int cedar_value_read(struct cedar_value_reader *r, const struct cedar_json *j, const struct cedar_type *type,
                     struct cedar_value *ret)
{
    unsigned want;
    if (!type)
        return read_untyped(r, j, ret);
    switch ((enum cedar_type_kind)type->kind) {
    case CEDAR_TYPE_SET:
        return j->kind == CEDAR_JSON_ARRAY ? read_set(r, j, type->element, ret) : mismatch(r, j, type);
    case CEDAR_TYPE_RECORD:
        return j->kind == CEDAR_JSON_OBJECT ? read_record(r, j, type, ret) : mismatch(r, j, type);
    case CEDAR_TYPE_EXTENSION:
        return read_extension(r, j, type, ret);
    case CEDAR_TYPE_ENTITY:
    case CEDAR_TYPE_ANY_ENTITY:
        return read_entity(r, j, ret);
    case CEDAR_TYPE_BOOL:
        want = CEDAR_VALUE_BOOL;
        break;
    case CEDAR_TYPE_LONG:
        want = CEDAR_VALUE_LONG;
        break;
    default:
        want = CEDAR_VALUE_STRING;
        break;
    }
    int rc = read_untyped(r, j, ret);
    return rc || ret->kind == want ? rc : mismatch(r, j, type);
}

int cedar_context_from_json(struct cedar_scratch *s, const struct cedar_schema *schema,
                            const struct cedar_value *action, const char *text, size_t len,
                            const struct cedar_value **ret_context, struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_json j;
    struct cedar_value_reader r = { &s->arena, { text, len, err ? err : &local } };
    const struct cedar_type *type = NULL;
    if (schema) {
        const struct cedar_action *a =
            action && action->kind == CEDAR_VALUE_ENTITY ? cedar_schema_action(schema, action->uid) : NULL;
        if (!a)
            return cedar_error_set(err, CEDAR_E_REQUEST, "UndeclaredAction",
                                   "the action is not declared in the schema");
        type = a->context;
    }
    int rc = cedar_json_parse(&s->arena, &s->arena, &r.src, CEDAR_MAX_NESTING, &j);
    struct cedar_value *v = CEDAR_NEW(&s->arena, struct cedar_value);
    if (!rc && !v)
        rc = nomem(&r);
    if (!rc && j.kind != CEDAR_JSON_OBJECT)
        rc = cedar_value_fail(&r, &j, "NotARecord", "a context must be a record, not %s", cedar_json_kind_name(&j));
    if (!rc)
        rc = cedar_value_read(&r, &j, type, v);
    if (!rc && v->kind != CEDAR_VALUE_RECORD)
        rc = cedar_value_fail(&r, &j, "NotARecord", "a context must be a record");
    if (!rc)
        *ret_context = v;
    return rc;
}
