/* Any bytes as entities and as a context, with a schema and without one. */
#include <cedar/cedar.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "entity G in [G]; entity U in [G] { n: Long, o?: String, r: { a?: Long, b: Set<ipaddr> } } tags decimal;\n"
    "entity E enum [\"x\"]; action all;\n"
    "action v in [all] appliesTo { principal: U, resource: E, context: { n: Long, s?: datetime, l?: Set<U>, e?: E } };";

static struct cedar_schema *schema;
static struct cedar_scratch *scratch;

static void check(const struct cedar_error *err, size_t size)
{
    if (!err->msg[0] || err->offset + err->length > size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct cedar_error err;
    if (!schema) {
        if (cedar_schema_parse(schema_text, sizeof schema_text - 1, &schema, NULL))
            abort();
        scratch = cedar_scratch_new(0);
    }
    for (int i = 0; i < 2; i++) {
        struct cedar_entities *ents;
        const struct cedar_value *context;
        if (cedar_entities_from_json(text, size, i ? schema : NULL, &ents, &err) == 0)
            cedar_entities_free(ents);
        else
            check(&err, size);
        cedar_scratch_reset(scratch);
        struct cedar_request req = { cedar_value_entity(scratch, cedar_str_c("U"), cedar_str_c("u")),
                                     cedar_value_entity(scratch, cedar_str_c("Action"), cedar_str_c("v")),
                                     cedar_value_entity(scratch, cedar_str_c("E"), cedar_str_c("x")), NULL };
        if (cedar_context_from_json(scratch, i ? schema : NULL, req.action, text, size, &context, &err)) {
            check(&err, size);
            continue;
        }
        req.context = context;
        /* What schema-based parsing lets through has the shape; only ids of enumerated types may still be wrong. */
        if (cedar_request_validate(schema, &req, &err) && i && err.code != CEDAR_E_REQUEST)
            abort();
    }
    return 0;
}
