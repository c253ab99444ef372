/* Any bytes as policy text: parse, validate, decide, render the refusal. Nothing crashes, nothing runs without bound,
 * and a refusal always has its place inside the text. */
#include <cedar/cedar.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "entity G in [G]; entity U in [G] { n: Long, o?: String, r: { a?: Long, b: Set<String> } } tags String;\n"
    "entity R { ip: ipaddr, d: decimal, at: datetime, u: U }; entity E enum [\"x\"]; action all;\n"
    "action v, w in [all] appliesTo { principal: [U, G], resource: R, context: { n: Long, s?: String, l: Set<Long> } "
    "};";

static const char entities_text[] = "[{\"uid\":{\"type\":\"U\",\"id\":\"u\"},\"attrs\":{\"n\":1,\"r\":{\"b\":[\"x\"]}},"
                                    "\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],"
                                    "\"tags\":{\"t\":\"v\"}},{\"uid\":{\"type\":\"R\",\"id\":\"r\"},\"attrs\":{\"ip\":"
                                    "\"10.0.0.1\",\"d\":\"1.5\",\"at\":"
                                    "\"2024-01-01\",\"u\":{\"type\":\"U\",\"id\":\"u\"}},\"parents\":[]}]";

static struct cedar_schema *schema;
static struct cedar_entities *ents;
static struct cedar_scratch *scratch;

static void once(void)
{
    if (schema)
        return;
    if (cedar_schema_parse(schema_text, sizeof schema_text - 1, &schema, NULL) ||
        cedar_entities_from_json(entities_text, sizeof entities_text - 1, schema, &ents, NULL))
        abort();
    scratch = cedar_scratch_new(0);
    cedar_scratch_set_steps(scratch, 100000);
}

static void decide(const struct cedar_policy_set *set)
{
    struct cedar_answer a;
    cedar_scratch_reset(scratch);
    const struct cedar_value *one = cedar_value_long(scratch, 1);
    struct cedar_field ctx[] = { { cedar_str_c("n"), one }, { cedar_str_c("l"), cedar_value_set(scratch, &one, 1) } };
    struct cedar_request req = { cedar_value_entity(scratch, cedar_str_c("U"), cedar_str_c("u")),
                                 cedar_value_entity(scratch, cedar_str_c("Action"), cedar_str_c("v")),
                                 cedar_value_entity(scratch, cedar_str_c("R"), cedar_str_c("r")),
                                 cedar_value_record(scratch, ctx, 2) };
    int rc = cedar_authorize(set, &req, ents, scratch, &a);
    if ((rc && a.decision != CEDAR_DENY) || (a.decision == CEDAR_ALLOW && a.n_reasons == 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct cedar_policy_set *set;
    struct cedar_error err;
    char out[512];
    once();
    int rc = cedar_policy_set_parse(text, size, &set, &err);
    if (rc) {
        if (!err.msg[0] || err.offset + err.length > size)
            abort();
        cedar_error_render(&err, "fuzz", text, size, out, sizeof out);
        return 0;
    }
    decide(set);
    rc = cedar_validate(set, schema, NULL, NULL, &err);
    if (rc)
        cedar_error_render(&err, "fuzz", text, size, out, sizeof out);
    cedar_policy_set_free(set);
    return 0;
}
