/* Shows that libcedar agrees with the public Cedar corpus: parse, entities, validation verdict, and for each request
 * its validation, decision, determining policies and erring policies. Usage: cedar_corpus FOLDER... (every case file
 * below each folder); without one it looks for the corpus by itself. Understands the field names of older snapshots
 * too. */
#include <cedar/cedar.h>

#include "cedar/json.h"
#include "cedar/str.h"
#include "corpus.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, SKIP = 77 };

struct file {
    char *text;
    size_t n;
};

static size_t passed, failed;

static bool read_file(const char *path, struct file *ret)
{
    ret->text = corpus_read(path, &ret->n);
    return ret->text != NULL;
}

/* Paths in a case count from the root of the corpus, which is some folder above the case. */
static bool read_relative(const char *case_path, struct cedar_str name, struct file *ret)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s", case_path);
    for (char *slash = strrchr(path, '/'); slash; *slash = '\0', slash = strrchr(path, '/')) {
        char full[2 * PATH_BYTES];
        snprintf(full, sizeof full, "%.*s/%.*s", (int)(slash - path), path, (int)name.len, name.ptr);
        if (read_file(full, ret))
            return true;
    }
    return read_file(name.ptr, ret);
}

/* One case being replayed. */
struct replay {
    const char *path;
    const struct cedar_json *json;
    struct file text, policies, schema_text, entities_text;
    struct cedar_policy_set *set;
    struct cedar_schema *schema;
    struct cedar_entities *ents;
    struct cedar_scratch *scratch;
    char why[1024];
};

static bool fail(struct replay *c, const char *what, const struct cedar_error *err)
{
    snprintf(c->why, sizeof c->why, "%s%s%s%s%s", what, err ? ": " : "", err ? err->kind : "", err ? ": " : "",
             err ? err->msg : "");
    return false;
}

static const struct cedar_json *get(const struct cedar_json *j, const char *name, const char *old_name)
{
    const struct cedar_json *v = cedar_json_get(j, name);
    return v || !old_name ? v : cedar_json_get(j, old_name);
}

static bool is_true(const struct cedar_json *j, bool otherwise)
{
    return j && j->kind == CEDAR_JSON_BOOL ? j->b : otherwise;
}

/* Old snapshots have JSON schemas; Cedar syntax never begins with a brace. */
static int load_schema(struct file text, struct cedar_schema **ret, struct cedar_error *err)
{
    size_t i = strspn(text.text, " \t\r\n");
    return text.text[i] == '{' ? cedar_schema_from_json(text.text, text.n, ret, err)
                               : cedar_schema_parse(text.text, text.n, ret, err);
}

static bool load(struct replay *c)
{
    struct cedar_error err;
    const char *keys[] = { "policies", "schema", "entities" };
    struct file *files[] = { &c->policies, &c->schema_text, &c->entities_text };
    for (int i = 0; i < 3; i++) {
        const struct cedar_json *j = cedar_json_get(c->json, keys[i]);
        if (!j || j->kind != CEDAR_JSON_STRING || !read_relative(c->path, j->s, files[i]))
            return fail(c, "a file of the case is missing", NULL);
    }
    if (cedar_policy_set_parse(c->policies.text, c->policies.n, &c->set, &err))
        return fail(c, "policies refused", &err);
    if (load_schema(c->schema_text, &c->schema, &err))
        return fail(c, "schema refused", &err);
    if (cedar_entities_from_json(c->entities_text.text, c->entities_text.n, c->schema, &c->ents, &err))
        return fail(c, "entities refused", &err);
    return true;
}

static bool check_validation(struct replay *c)
{
    struct cedar_error err;
    bool want = is_true(get(c->json, "shouldValidate", "should_validate"), true);
    int rc = cedar_validate(c->set, c->schema, NULL, NULL, &err);
    if (rc && rc != CEDAR_E_POLICY)
        return fail(c, "validation gave up", &err);
    if (want && rc)
        return fail(c, "should validate", &err);
    return want || rc || fail(c, "should not validate", NULL);
}

static const struct cedar_value *uid(struct replay *c, const struct cedar_json *request, const char *key)
{
    const struct cedar_json *j = cedar_json_get(request, key);
    const struct cedar_json *type = j ? cedar_json_get(j, "type") : NULL, *id = j ? cedar_json_get(j, "id") : NULL;
    return type && id ? cedar_value_entity(c->scratch, type->s, id->s) : NULL;
}

static bool has_id(const struct cedar_json *list, struct cedar_str id)
{
    for (size_t i = 0; i < list->n; i++) {
        if (cedar_str_eq(list->items[i].s, id))
            return true;
    }
    return false;
}

static bool compare(struct replay *c, const struct cedar_json *request, const struct cedar_answer *a)
{
    const struct cedar_json *decision = cedar_json_get(request, "decision");
    const struct cedar_json *reason = get(request, "reason", "reasons"), *errors = cedar_json_get(request, "errors");
    bool allow =
        decision && (cedar_str_eq(decision->s, CEDAR_S("allow")) || cedar_str_eq(decision->s, CEDAR_S("Allow")));
    if (!decision || !reason || !errors)
        return fail(c, "no expectation in the request", NULL);
    if ((a->decision == CEDAR_ALLOW) != allow)
        return fail(c, allow ? "decision: allow expected" : "decision: deny expected", NULL);
    bool same = a->n_reasons == reason->n;
    for (size_t i = 0; same && i < a->n_reasons; i++)
        same = has_id(reason, cedar_policy_id(c->set, a->reasons[i]));
    if (!same)
        return fail(c, "reason differs", NULL);
    same = a->n_errors == errors->n;
    for (size_t i = 0; same && i < a->n_errors; i++)
        same = has_id(errors, cedar_policy_id(c->set, a->errors[i].policy));
    if (!same && a->n_errors)
        snprintf(c->why, sizeof c->why, "errors differ (%s: %s)", a->errors[0].kind, a->errors[0].msg);
    return same || (a->n_errors ? false : fail(c, "errors differ", NULL));
}

static bool check_request(struct replay *c, const struct cedar_json *request)
{
    struct cedar_error err;
    const struct cedar_json *context = cedar_json_get(request, "context");
    cedar_scratch_reset(c->scratch);
    struct cedar_request r = { uid(c, request, "principal"), uid(c, request, "action"), uid(c, request, "resource"),
                               NULL };
    if (!r.principal || !r.action || !r.resource)
        return fail(c, "request without principal, action or resource", NULL);
    if (context && cedar_context_from_json(c->scratch, c->schema, r.action, c->text.text + context->off, context->len,
                                           &r.context, &err))
        return fail(c, "context refused", &err);
    bool validate = is_true(get(request, "validateRequest", "enable_request_validation"), true);
    if (validate && cedar_request_validate(c->schema, &r, &err))
        return fail(c, "request refused", &err);
    struct cedar_answer a;
    if (cedar_authorize(c->set, &r, c->ents, c->scratch, &a))
        return fail(c, "no answer", NULL);
    return compare(c, request, &a);
}

static bool check_requests(struct replay *c)
{
    const struct cedar_json *requests = get(c->json, "requests", "queries");
    for (size_t i = 0; i < requests->n; i++) {
        char why[sizeof c->why];
        if (check_request(c, &requests->items[i]))
            continue;
        memcpy(why, c->why, sizeof why);
        snprintf(c->why, sizeof c->why, "request %zu: %.900s", i, why);
        return false;
    }
    return true;
}

static void replay_done(struct replay *c)
{
    cedar_policy_set_free(c->set);
    cedar_entities_free(c->ents);
    cedar_schema_free(c->schema);
    cedar_scratch_free(c->scratch);
    free(c->policies.text);
    free(c->schema_text.text);
    free(c->entities_text.text);
}

static void replay(const char *path, const struct cedar_json *json, struct file text)
{
    struct replay c = { .path = path, .json = json, .text = text };
    c.scratch = cedar_scratch_new(0);
    if (c.scratch && load(&c) && check_validation(&c) && check_requests(&c)) {
        passed++;
    } else {
        failed++;
        printf("FAIL %s: %s\n", path, c.why);
    }
    replay_done(&c);
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

/* A JSON file is a case when it says so: policies and requests. */
static int visit(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    struct file text;
    (void)st;
    (void)walk;
    if (kind != FTW_F || !ends_with(path, ".json") || ends_with(path, "entities.json") || !read_file(path, &text))
        return 0;
    struct cedar_arena arena;
    struct cedar_json json;
    struct cedar_error err;
    struct cedar_source src = { text.text, text.n, &err };
    cedar_arena_init(&arena, SIZE_MAX / 2);
    if (cedar_json_parse(&arena, &arena, &src, CEDAR_MAX_NESTING, &json) == 0 && cedar_json_get(&json, "policies") &&
        get(&json, "requests", "queries"))
        replay(path, &json, text);
    cedar_arena_done(&arena);
    free(text.text);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        corpus_start("cedar");
        printf("skipped: no folder given, and python3 is not there to unpack the corpus\n");
        return SKIP;
    }
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], visit, 32, FTW_PHYS) != 0)
            printf("cannot read %s\n", argv[i]);
    }
    printf("%zu passed, %zu failed\n", passed, failed);
    return failed || !passed ? 1 : 0;
}
