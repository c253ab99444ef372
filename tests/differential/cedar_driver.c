/* What libcedar says about cases that compare.js made: cedar_driver FILE reads one JSON object a line and answers each with
 * one on standard output. Only the public header is used. Kinds of cases: see README.md. */
#include <cedar/cedar.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cedar_str get_str(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    struct cedar_str s = { json_string_value(value), json_string_length(value) };
    return s;
}

static void put_str(json_t *answer, const char *key, const char *ptr, size_t len)
{
    if (json_object_set_new(answer, key, json_stringn(ptr, len)) != 0)
        abort(); /* the library promises UTF-8 */
}

static void put_text(json_t *answer, const char *key, struct cedar_text *text)
{
    put_str(answer, key, text->ptr, text->len);
    cedar_text_free(text);
}

static const struct cedar_value *get_entity(struct cedar_scratch *s, const json_t *object, const char *key)
{
    const json_t *uid = json_object_get(object, key);
    return uid == NULL ? NULL : cedar_value_entity(s, get_str(uid, "type"), get_str(uid, "id"));
}

static int say_policy(const json_t *c, json_t *answer, struct cedar_error *err)
{
    (void)answer;
    struct cedar_str text = get_str(c, "text");
    struct cedar_policy_set *set = NULL;
    int rc = cedar_policy_set_parse(text.ptr, text.len, &set, err);
    cedar_policy_set_free(set);
    return rc;
}

static int say_schema(const json_t *c, json_t *answer, struct cedar_error *err)
{
    (void)answer;
    struct cedar_str text = get_str(c, "text");
    struct cedar_schema *schema = NULL;
    int rc = cedar_schema_parse(text.ptr, text.len, &schema, err);
    cedar_schema_free(schema);
    return rc;
}

static int say_schema_json(const json_t *c, json_t *answer, struct cedar_error *err)
{
    (void)answer;
    struct cedar_str text = get_str(c, "text");
    struct cedar_schema *schema = NULL;
    int rc = cedar_schema_from_json(text.ptr, text.len, &schema, err);
    cedar_schema_free(schema);
    return rc;
}

static int say_validate(const json_t *c, json_t *answer, struct cedar_error *err)
{
    (void)answer;
    struct cedar_str text = get_str(c, "text"), declared = get_str(c, "schema");
    struct cedar_policy_set *set = NULL;
    struct cedar_schema *schema = NULL;
    int rc = cedar_policy_set_parse(text.ptr, text.len, &set, err);
    if (rc == 0)
        rc = cedar_schema_parse(declared.ptr, declared.len, &schema, err);
    if (rc == 0)
        rc = cedar_validate(set, schema, NULL, NULL, err);
    cedar_schema_free(schema);
    cedar_policy_set_free(set);
    return rc;
}

static void put_answer(json_t *answer, const struct cedar_policy_set *set, const struct cedar_answer *said)
{
    json_t *reasons = json_array(), *errors = json_array();
    for (size_t i = 0; i < said->n_reasons; i++) {
        struct cedar_str id = cedar_policy_id(set, said->reasons[i]);
        json_array_append_new(reasons, json_stringn(id.ptr, id.len));
    }
    for (size_t i = 0; i < said->n_errors; i++) {
        struct cedar_str id = cedar_policy_id(set, said->errors[i].policy);
        json_array_append_new(errors, json_stringn(id.ptr, id.len));
    }
    json_object_set_new(answer, "decision", json_string(said->decision == CEDAR_ALLOW ? "allow" : "deny"));
    json_object_set_new(answer, "reasons", reasons);
    json_object_set_new(answer, "errors", errors);
}

static int decide(const json_t *c, json_t *answer, struct cedar_policy_set *set, struct cedar_scratch *s,
                  struct cedar_error *err)
{
    struct cedar_str ents_text = get_str(c, "entities"), context = get_str(c, "context");
    const json_t *link = json_object_get(c, "link");
    struct cedar_entities *ents = NULL;
    struct cedar_request req = { get_entity(s, c, "principal"), get_entity(s, c, "action"), get_entity(s, c, "resource"),
                                 NULL };
    struct cedar_answer said = { 0 };
    int rc = 0;
    if (link != NULL)
        rc = cedar_policy_set_link(set, get_str(link, "template"), get_str(link, "id"), get_entity(s, link, "principal"),
                                   NULL, err);
    if (rc == 0)
        rc = cedar_entities_from_json(ents_text.ptr, ents_text.len, NULL, &ents, err);
    if (rc == 0)
        rc = cedar_context_from_json(s, NULL, NULL, context.ptr, context.len, &req.context, err);
    if (rc == 0)
        rc = cedar_authorize(set, &req, ents, s, &said);
    if (rc == 0)
        put_answer(answer, set, &said);
    cedar_entities_free(ents);
    return rc;
}

static int say_decide(const json_t *c, json_t *answer, struct cedar_error *err)
{
    struct cedar_str text = get_str(c, "text");
    struct cedar_policy_set *set = NULL;
    struct cedar_scratch *s = cedar_scratch_new(0);
    int rc = s == NULL ? CEDAR_E_NOMEM : cedar_policy_set_parse(text.ptr, text.len, &set, err);
    if (rc == 0)
        rc = decide(c, answer, set, s, err);
    cedar_policy_set_free(set);
    cedar_scratch_free(s);
    return rc;
}

/* Our JSON and our text of a policy; and our text of the policy as the reference wrote it in JSON. */
static int say_policy_forms(const json_t *c, json_t *answer, struct cedar_error *err)
{
    struct cedar_str text = get_str(c, "text"), theirs = get_str(c, "json");
    struct cedar_policy_set *set = NULL, *read = NULL;
    struct cedar_text out = { 0 };
    int rc = cedar_policy_set_parse(text.ptr, text.len, &set, err);
    if (rc == 0 && (rc = cedar_policy_to_json(set, 0, &out)) == 0)
        put_text(answer, "json", &out);
    if (rc == 0 && (rc = cedar_policy_to_text(set, 0, &out)) == 0)
        put_text(answer, "text", &out);
    if (rc == 0)
        rc = cedar_policy_from_json(theirs.ptr, theirs.len, &read, err);
    if (rc == 0 && (rc = cedar_policy_to_text(read, 0, &out)) == 0)
        put_text(answer, "again", &out);
    cedar_policy_set_free(set);
    cedar_policy_set_free(read);
    return rc;
}

static int say_schema_forms(const json_t *c, json_t *answer, struct cedar_error *err)
{
    struct cedar_str text = get_str(c, "text"), theirs = get_str(c, "json");
    struct cedar_schema *schema = NULL, *read = NULL;
    struct cedar_text out = { 0 };
    int rc = cedar_schema_parse(text.ptr, text.len, &schema, err);
    if (rc == 0 && (rc = cedar_schema_to_json(schema, &out)) == 0)
        put_text(answer, "json", &out);
    if (rc == 0 && (rc = cedar_schema_to_text(schema, &out)) == 0)
        put_text(answer, "text", &out);
    if (rc == 0)
        rc = cedar_schema_from_json(theirs.ptr, theirs.len, &read, err);
    if (rc == 0 && (rc = cedar_schema_to_text(read, &out)) == 0)
        put_text(answer, "again", &out);
    cedar_schema_free(schema);
    cedar_schema_free(read);
    return rc;
}

static const struct {
    const char *kind;
    int (*say)(const json_t *c, json_t *answer, struct cedar_error *err);
} kinds[] = {
    { "policy", say_policy },
    { "schema", say_schema },
    { "schema-json", say_schema_json },
    { "validate", say_validate },
    { "decide", say_decide },
    { "policy-forms", say_policy_forms },
    { "schema-forms", say_schema_forms },
};

/* False for a line that is no case. */
static bool answer_line(const char *line, size_t len)
{
    json_t *c = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    const char *kind = json_string_value(json_object_get(c, "kind"));
    bool is_case = false;
    for (size_t i = 0; kind != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) != 0)
            continue;
        is_case = true;
        json_t *answer = json_object();
        struct cedar_error err = { 0 };
        int rc = kinds[i].say(c, answer, &err);
        json_object_set_new(answer, "ok", json_boolean(rc == 0));
        if (rc != 0) {
            json_object_set_new(answer, "code", json_string(cedar_code_name(rc)));
            put_str(answer, "kind", err.kind, strlen(err.kind));
            put_str(answer, "why", err.msg, strlen(err.msg));
        }
        json_dumpf(answer, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(answer);
    }
    json_decref(c);
    return is_case;
}

int main(int argc, char **argv)
{
    FILE *in = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (in == NULL) {
        fprintf(stderr, "usage: cedar_driver FILE\n");
        return 2;
    }
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int status = 0;
    while (status == 0 && (n = getline(&line, &room, in)) > 0)
        if (!answer_line(line, (size_t)n)) {
            fprintf(stderr, "cedar_driver: a line is no case: %.200s\n", line);
            status = 2;
        }
    free(line);
    fclose(in);
    return status == 0 && fflush(stdout) != 0 ? 2 : status;
}
