/* Every allocation fails once: each call answers CEDAR_E_NOMEM or succeeds, leaks nothing, and never allows. Then many
 * threads share one set, schema and store. Linked with --wrap for malloc, calloc and realloc. */
#include "cedar_case.h"

#include <pthread.h>
#include <stdlib.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static long countdown = -1; /* allocations until the one that fails; negative: none fails */

static bool fails(void)
{
    if (countdown < 0)
        return false;
    return countdown-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static const char policy_text[] =
    "@a(\"b\") permit(principal in G::\"g\",action in [Action::\"v\",Action::\"w\"],resource) when "
    "{[1,2].contains(context.n) && "
    "principal has o.x || ip(\"::1\").isInRange(ip(\"::/0\")) && {a:1}.a == 1 && principal.s like \"a*\"};\n"
    "permit(principal == ?principal,action,resource);";
static const char schema_text[] =
    "entity G; entity U in [G] { s: String, o?: { x: Long } } tags Long; type C = { n: Long };\n"
    "action v, w appliesTo { principal: U, resource: G, context: C };";
static const char entities_text[] = "[{\"uid\":{\"type\":\"U\",\"id\":\"u\"},\"attrs\":{\"s\":\"abc\",\"o\":{\"x\":1}},"
                                    "\"parents\":[{\"type\":\"G\",\"id\":\"g\"}],\"tags\":{\"t\":1}}]";

struct all {
    struct cedar_policy_set *set, *again;
    struct cedar_schema *schema, *schema2;
    struct cedar_entities *ents;
    struct cedar_scratch *scratch;
    struct cedar_report *report;
    struct cedar_text json, text, set_json, schema_json;
};

static int authorize(struct all *a, struct cedar_scratch *s, struct cedar_answer *ans)
{
    const struct cedar_value *context;
    struct cedar_request req = { cedar_value_entity(s, cedar_str_c("U"), cedar_str_c("u")),
                                 cedar_value_entity(s, cedar_str_c("Action"), cedar_str_c("v")),
                                 cedar_value_entity(s, cedar_str_c("G"), cedar_str_c("r")), NULL };
    if (!req.principal || !req.action || !req.resource)
        return cedar_scratch_status(s);
    int rc = cedar_context_from_json(s, a->schema, req.action, "{\"n\":2}", 7, &context, NULL);
    req.context = context;
    if (!rc)
        rc = cedar_request_validate(a->schema, &req, NULL);
    return rc ? rc : cedar_authorize(a->set, &req, a->ents, s, ans);
}

static int everything(struct all *a, struct cedar_answer *ans)
{
    int rc = 0;
    a->scratch = cedar_scratch_new(0);
    if (!a->scratch)
        return CEDAR_E_NOMEM;
    if ((rc = cedar_policy_set_parse(policy_text, sizeof policy_text - 1, &a->set, NULL)) ||
        (rc = cedar_schema_parse(schema_text, sizeof schema_text - 1, &a->schema, NULL)) ||
        (rc = cedar_entities_from_json(entities_text, sizeof entities_text - 1, a->schema, &a->ents, NULL)) ||
        (rc = cedar_validate(a->set, a->schema, NULL, &a->report, NULL)) ||
        (rc = cedar_policy_to_json(a->set, 0, &a->json)) || (rc = cedar_policy_to_text(a->set, 0, &a->text)))
        return rc;
    const struct cedar_value *u = cedar_value_entity(a->scratch, cedar_str_c("U"), cedar_str_c("u"));
    if (!u)
        return cedar_scratch_status(a->scratch);
    if ((rc = cedar_policy_set_link(a->set, cedar_str_c("policy1"), cedar_str_c("l"), u, NULL, NULL)) ||
        (rc = cedar_policy_set_to_json(a->set, &a->set_json)) ||
        (rc = cedar_policy_set_from_json(a->set_json.ptr, a->set_json.len, &a->again, NULL)) ||
        (rc = cedar_schema_to_json(a->schema, &a->schema_json)) ||
        (rc = cedar_schema_from_json(a->schema_json.ptr, a->schema_json.len, &a->schema2, NULL)))
        return rc;
    return authorize(a, a->scratch, ans);
}

static void release(struct all *a)
{
    cedar_policy_set_free(a->set);
    cedar_policy_set_free(a->again);
    cedar_entities_free(a->ents);
    cedar_schema_free(a->schema);
    cedar_schema_free(a->schema2);
    cedar_scratch_free(a->scratch);
    cedar_report_free(a->report);
    cedar_text_free(&a->json);
    cedar_text_free(&a->text);
    cedar_text_free(&a->set_json);
    cedar_text_free(&a->schema_json);
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (long n = 0;; n++) {
        struct all a = { 0 };
        struct cedar_answer ans = { .decision = CEDAR_DENY };
        countdown = n;
        int rc = everything(&a, &ans);
        bool done = countdown >= 0;
        countdown = -1;
        release(&a);
        if (rc == 0 && done) {
            assert_int_equal(ans.decision, CEDAR_ALLOW);
            assert_true(n > 20);
            return;
        }
        if (rc != 0)
            assert_int_equal(rc, CEDAR_E_NOMEM);
        if (rc != 0)
            assert_int_equal(ans.decision, CEDAR_DENY);
    }
}

static void *decide_often(void *arg)
{
    struct all *a = arg;
    struct cedar_scratch *s = cedar_scratch_new(0);
    size_t allowed = 0;
    for (int i = 0; s && i < 500; i++) {
        struct cedar_answer ans = { .decision = CEDAR_DENY };
        cedar_scratch_reset(s);
        allowed += authorize(a, s, &ans) == 0 && ans.decision == CEDAR_ALLOW;
    }
    cedar_scratch_free(s);
    return (void *)(uintptr_t)allowed;
}

static void threads_share_what_is_built(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    struct all a = { 0 };
    struct cedar_answer ans;
    pthread_t t[THREADS];
    assert_int_equal(everything(&a, &ans), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, decide_often, &a), 0);
    for (int i = 0; i < THREADS; i++) {
        void *allowed;
        assert_int_equal(pthread_join(t[i], &allowed), 0);
        assert_int_equal((uintptr_t)allowed, 500);
    }
    release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(threads_share_what_is_built),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
