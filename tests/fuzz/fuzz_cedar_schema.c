/* Any bytes as schema text: a schema whose every question has an answer, or a refusal with its place. */
#include <cedar/cedar.h>

#include <stdlib.h>

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cedar_schema *schema;
    struct cedar_error err;
    char out[512];
    if (cedar_schema_parse((const char *)data, size, &schema, &err)) {
        if (!err.msg[0] || err.offset + err.length > size)
            abort();
        cedar_error_render(&err, "fuzz", (const char *)data, size, out, sizeof out);
        return 0;
    }
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
    cedar_schema_free(schema);
    return 0;
}
