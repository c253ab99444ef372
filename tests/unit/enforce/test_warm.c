/* After the first calls a decision takes no memory from the heap: counted at malloc itself (not under a sanitizer, which
 * owns malloc). */
#include "fixture.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define COUNTING 0
#else
#define COUNTING 1
#endif

static unsigned long taken;

#if COUNTING
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *malloc(size_t n)
{
    taken++;
    return __libc_malloc(n);
}
void *calloc(size_t n, size_t size)
{
    taken++;
    return __libc_calloc(n, size);
}
void *realloc(void *p, size_t n)
{
    taken++;
    return __libc_realloc(p, n);
}
#endif

static void some_calls(struct fixture *f)
{
    static const struct fe_header headers[] = { { { "Accept", 6 }, { "*/*", 3 } }, { { "User-Agent", 10 }, { "x", 1 } } };
    prepare(f, "GET", "127.0.0.1:9100", "/allow", "a=1&token=x");
    f->env.headers = headers;
    f->env.n_headers = FB_COUNT(headers);
    decide(f);
    assert_verdict(f, FE_ALLOW, FC_REASON_NONE);
    prepare(f, "POST", "127.0.0.1:9100", "/deny", NULL);
    f->env.has_body = true;
    f->env.body = FB_STR("some body");
    decide(f);
    assert_verdict(f, FE_DENY, FC_REASON_POLICY_DENIED);
    ask(f, "GET", "unmapped.example", "/");
    assert_verdict(f, FE_DENY, FC_REASON_UNCLASSIFIED_INTENT);
}

static void warm_decisions_leave_the_heap_alone(void **state)
{
    (void)state;
    if (!COUNTING) {
        print_message("skipped: a sanitizer owns malloc\n");
        skip();
    }
    struct fixture f;
    fixture_init(&f, NULL);
    give_bundle(&f, "permit(principal, action, resource) when { context.params like \"*Http*\" && (!(resource has host) || "
                    "resource.host != \"x\") };\n"
                    "forbid(principal, action, resource) when { resource has path && resource.path == \"/deny\" && context.action_count > 0 };",
                example_schema);
    for (int i = 0; i < 20; i++)
        some_calls(&f);
    unsigned long before = taken;
    for (int i = 0; i < 1000; i++)
        some_calls(&f);
    assert_int_equal(taken, before);
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm_decisions_leave_the_heap_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
