/* Any bytes as a schema in both syntaxes: every question has an answer and both printed forms read back, or a refusal
 * with its place. */
#include <cedar/cedar.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Common types share what they name, so a short text can unfold without bound: look at a bounded part of it. */
static unsigned walk(const struct cedar_type *t, unsigned budget)
{
    struct cedar_attr a;
    if (budget == 0)
        return 0;
    budget--;
    if (cedar_type_element(t))
        budget = walk(cedar_type_element(t), budget);
    for (size_t i = 0; budget && cedar_type_attr_at(t, i, &a); i++)
        budget = walk(a.type, budget);
    return budget;
}

static void look(const struct cedar_schema *schema)
{
    for (size_t i = 0; i < cedar_schema_entity_count(schema); i++) {
        const struct cedar_type *t = cedar_schema_entity_attrs(schema, cedar_schema_entity_at(schema, i));
        if (!t)
            abort();
        walk(t, 1000);
    }
    for (size_t i = 0; i < cedar_schema_action_count(schema); i++) {
        struct cedar_str type, id;
        if (!cedar_schema_action_at(schema, i, &type, &id) || !cedar_schema_action_context(schema, type, id))
            abort();
        walk(cedar_schema_action_context(schema, type, id), 1000);
    }
}

/* A schema just inside a nesting limit may print beyond that of the other syntax. */
static void translate(const struct cedar_schema *schema)
{
    struct cedar_text json, again, text;
    struct cedar_schema *other;
    struct cedar_error err;
    if (cedar_schema_to_json(schema, &json))
        abort();
    int rc = cedar_schema_from_json(json.ptr, json.len, &other, &err);
    if (rc && rc != CEDAR_E_LIMIT)
        abort();
    if (!rc) {
        if (cedar_schema_to_json(other, &again) || strcmp(json.ptr, again.ptr) != 0)
            abort();
        cedar_text_free(&again);
        cedar_schema_free(other);
    }
    if (cedar_schema_to_text(schema, &text) == 0) {
        rc = cedar_schema_parse(text.ptr, text.len, &other, &err);
        if (rc && rc != CEDAR_E_LIMIT)
            abort();
        if (!rc)
            cedar_schema_free(other);
        cedar_text_free(&text);
    }
    cedar_text_free(&json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char out[512];
    for (int form = 0; form < 2; form++) {
        struct cedar_schema *schema;
        struct cedar_error err;
        int rc = form == 0 ? cedar_schema_parse((const char *)data, size, &schema, &err)
                           : cedar_schema_from_json((const char *)data, size, &schema, &err);
        if (rc) {
            if (!err.msg[0] || err.offset + err.length > size)
                abort();
            cedar_error_render(&err, "fuzz", (const char *)data, size, out, sizeof out);
            continue;
        }
        look(schema);
        translate(schema);
        cedar_schema_free(schema);
    }
    return 0;
}
