/* What the tests of libcedar share: an expression in, its value or error kind out, as text. Test code. */
#ifndef TESTS_UNIT_CEDAR_CASE_H
#define TESTS_UNIT_CEDAR_CASE_H

#include <cedar/cedar.h>

#include "cedar/ext.h"
#include "cedar/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h> /* needs the four above it */

/* One row: what is given, what must come out. */
struct row {
    const char *given, *want;
};

static inline void put_value(const struct cedar_value *v, char *out, size_t cap)
{
    char ext[64];
    size_t n = strlen(out);
    switch (cedar_value_kind(v)) {
    case CEDAR_VALUE_BOOL:
        snprintf(out + n, cap - n, "%s", v->b ? "true" : "false");
        break;
    case CEDAR_VALUE_LONG:
        snprintf(out + n, cap - n, "%lld", (long long)v->i);
        break;
    case CEDAR_VALUE_STRING:
        snprintf(out + n, cap - n, "\"%.*s\"", (int)v->n, v->s);
        break;
    case CEDAR_VALUE_ENTITY:
        snprintf(out + n, cap - n, "%.*s::\"%.*s\"", (int)v->uid->type.len, v->uid->type.ptr, (int)v->uid->id.len,
                 v->uid->id.ptr);
        break;
    case CEDAR_VALUE_SET:
    case CEDAR_VALUE_RECORD:
        snprintf(out + n, cap - n, "%s", v->kind == CEDAR_VALUE_SET ? "[" : "{");
        for (uint32_t i = 0; i < v->n; i++) {
            n = strlen(out);
            if (v->kind == CEDAR_VALUE_RECORD)
                snprintf(out + n, cap - n, "%s%.*s:", i ? "," : "", (int)v->fields[i].key.len, v->fields[i].key.ptr);
            else
                snprintf(out + n, cap - n, "%s", i ? "," : "");
            put_value(cedar_value_get_item(v, i), out, cap);
        }
        n = strlen(out);
        snprintf(out + n, cap - n, "%s", v->kind == CEDAR_VALUE_SET ? "]" : "}");
        break;
    default:
        cedar_ext_print(v, ext);
        snprintf(out + n, cap - n, "%s(%s)", cedar_v_kind_name(v), ext);
        break;
    }
}

/* "value" or "!Kind". */
static inline const char *eval_text(const char *expr, size_t len, const struct cedar_entities *ents, char *out,
                                    size_t cap)
{
    struct cedar_scratch *s = cedar_scratch_new(0);
    const struct cedar_value *v;
    struct cedar_error err;
    struct cedar_request req = { cedar_value_entity(s, cedar_str_c("User"), cedar_str_c("alice")),
                                 cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c("view")),
                                 cedar_value_entity(s, cedar_str_c("Doc"), cedar_str_c("d1")), NULL };
    out[0] = '\0';
    if (cedar_evaluate(expr, len, &req, ents, s, &v, &err))
        snprintf(out, cap, "!%s", err.kind);
    else
        put_value(v, out, cap);
    cedar_scratch_free(s);
    return out;
}

static inline void check_rows(const struct row *rows, size_t n, const struct cedar_entities *ents)
{
    char out[4096];
    for (size_t i = 0; i < n; i++) {
        if (strcmp(eval_text(rows[i].given, strlen(rows[i].given), ents, out, sizeof out), rows[i].want) != 0)
            fail_msg("%s\n  gives %s\n  not   %s", rows[i].given, out, rows[i].want);
    }
}
#define CHECK_ROWS(rows, ents) check_rows(rows, sizeof(rows) / sizeof(rows)[0], ents)

/* Policy text -> "ok", or "Kind@line:col". */
static inline const char *parse_text(const char *text, size_t len, char *out, size_t cap)
{
    struct cedar_policy_set *set;
    struct cedar_error err;
    if (cedar_policy_set_parse(text, len, &set, &err) == 0) {
        cedar_policy_set_free(set);
        snprintf(out, cap, "ok");
    } else {
        snprintf(out, cap, "%s", err.kind);
    }
    return out;
}

static inline const char *schema_verdict(const char *text, char *out, size_t cap)
{
    struct cedar_schema *s;
    struct cedar_error err;
    if (cedar_schema_parse(text, strlen(text), &s, &err) == 0) {
        cedar_schema_free(s);
        snprintf(out, cap, "ok");
    } else {
        snprintf(out, cap, "%s", err.kind);
    }
    return out;
}

#endif
