/* What libcedar costs: a decision with 10 to 10,000 policies, hierarchies, request building, parse and compile, memory.
 * Prints medians; asserts nothing. Usage: bench_cedar [ROUNDS]. */
#include <cedar/cedar.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, ROUNDS = 2000, MAX_ROUNDS = 1000000, CONTEXT_FIELDS = 4 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

struct text {
    char *p;
    size_t n, cap;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    if (t->cap - t->n < 1024) {
        t->cap = t->cap ? t->cap * 2 : 1 << 16;
        t->p = realloc(t->p, t->cap);
        if (!t->p)
            abort();
    }
    va_start(ap, fmt);
    t->n += (size_t)vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
    va_end(ap);
}

/* A bundle as firma has them: one permit and two forbids that apply, the rest for other agents and actions. */
static struct text bundle(int n)
{
    struct text t = { NULL, 0, 0 };
    add(&t, "permit(principal == F::Agent::\"a\",action == F::Action::\"send\",resource) when "
            "{context.risk_score < 80 && context.amount + context.daily <= 1000000};\n"
            "forbid(principal,action,resource) when {resource has host && resource.host == \"169.254.169.254\"};\n"
            "forbid(principal,action == F::Action::\"send\",resource) when {resource.host like \"*.internal\"};\n");
    for (int i = 3; i < n; i++)
        add(&t,
            "permit(principal == F::Agent::\"agent%d\",action == F::Action::\"act%d\",resource) when "
            "{context.risk_score < %d};\n",
            i, i % 40, i % 100);
    return t;
}

struct setup {
    struct cedar_policy_set *set;
    struct cedar_scratch *scratch;
    struct cedar_entities *fixed; /* NULL: a resource entity is made for each request */
    bool rebuild;
};

/* One request from nothing, as the caller does it: values, one entity, decision. */
static enum cedar_decision decide(struct setup *s, struct cedar_request *req, struct cedar_entities *ents)
{
    struct cedar_answer a;
    if (s->rebuild) {
        struct cedar_scratch *m = s->scratch;
        cedar_scratch_reset(m);
        struct cedar_field host = { { "host", 4 }, cedar_value_string_ref(m, "api.example.com", 15) };
        struct cedar_field ctx[CONTEXT_FIELDS] = { { { "risk_score", 10 }, cedar_value_long(m, 10) },
                                                   { { "amount", 6 }, cedar_value_long(m, 100) },
                                                   { { "daily", 5 }, cedar_value_long(m, 1000) },
                                                   { { "params", 6 }, cedar_value_string_ref(m, "{}", 2) } };
        req->principal = cedar_value_entity(m, cedar_str_c("F::Agent"), cedar_str_c("a"));
        req->action = cedar_value_entity(m, cedar_str_c("F::Action"), cedar_str_c("send"));
        req->resource = cedar_value_entity(m, cedar_str_c("F::Resource"), cedar_str_c("api.example.com/v1"));
        req->context = cedar_value_record(m, ctx, CONTEXT_FIELDS);
        ents = cedar_entities_in(m, NULL, 1);
        if (!ents || cedar_entities_add(ents, req->resource, cedar_value_record(m, &host, 1), NULL, NULL, 0, NULL))
            abort();
    }
    if (cedar_authorize(s->set, req, ents, s->scratch, &a))
        abort();
    return a.decision;
}

static void measure(const char *what, struct setup *s, struct cedar_request *req, struct cedar_entities *ents,
                    int rounds)
{
    double *t = malloc((size_t)rounds * sizeof *t);
    unsigned allowed = 0;
    if (!t)
        abort();
    for (int i = 0; i < rounds; i++) {
        double from = now_ns();
        for (int k = 0; k < BATCH; k++)
            allowed += decide(s, req, ents) == CEDAR_ALLOW;
        t[i] = (now_ns() - from) / BATCH;
    }
    qsort(t, (size_t)rounds, sizeof *t, by_double);
    printf("%-58s %8.0f ns median %8.0f ns p95%s\n", what, t[rounds / 2], t[rounds * 95 / 100],
           allowed ? "" : "  (denied)");
    free(t);
}

static struct cedar_policy_set *load(const struct text *t)
{
    struct cedar_policy_set *set;
    struct cedar_error err;
    if (cedar_policy_set_parse(t->p, t->n, &set, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    return set;
}

static void bench_sizes(int rounds)
{
    static const int sizes[] = { 10, 100, 1000, 10000 };
    for (size_t i = 0; i < 4; i++) {
        struct text t = bundle(sizes[i]);
        struct setup s = { load(&t), cedar_scratch_new(0), NULL, true };
        struct cedar_request req;
        char what[80];
        snprintf(what, sizeof what, "build request + decide, %d policies, 3 applicable", sizes[i]);
        decide(&s, &req, NULL);
        measure(what, &s, &req, NULL, rounds);
        cedar_policy_set_free(s.set);
        cedar_scratch_free(s.scratch);
        free(t.p);
    }
}

/* 100 entities: 99 groups in ten layers above the principal. */
static void bench_hierarchy(int rounds)
{
    struct text t = { NULL, 0, 0 };
    add(&t, "permit(principal in F::Group::\"g98\",action,resource);\nforbid(principal in "
            "F::Group::\"none\",action,resource);\n");
    for (int i = 0; i < 1000; i++)
        add(&t, "permit(principal in F::Group::\"x%d\",action,resource);\n", i);
    struct setup s = { load(&t), cedar_scratch_new(0), NULL, false };
    struct cedar_entities *ents = cedar_entities_new(NULL);
    struct cedar_scratch *m = cedar_scratch_new(0);
    const struct cedar_value *user = cedar_value_entity(m, cedar_str_c("F::Agent"), cedar_str_c("a"));
    const struct cedar_value *below = user;
    for (int i = 0; i < 99; i++) {
        char id[16];
        snprintf(id, sizeof id, "g%d", i);
        const struct cedar_value *g = cedar_value_entity(m, cedar_str_c("F::Group"), cedar_str_c(id));
        if (cedar_entities_add(ents, below, NULL, NULL, &g, 1, NULL))
            abort();
        below = g;
    }
    if (cedar_entities_finish(ents, NULL))
        abort();
    struct cedar_request req = { user, cedar_value_entity(m, cedar_str_c("F::Action"), cedar_str_c("send")), user,
                                 NULL };
    double *v = malloc((size_t)rounds * sizeof *v);
    if (!v)
        abort();
    for (int i = 0; i < rounds; i++) {
        double from = now_ns();
        for (int k = 0; k < BATCH; k++) {
            cedar_scratch_reset(s.scratch);
            if (decide(&s, &req, ents) != CEDAR_ALLOW)
                abort();
        }
        v[i] = (now_ns() - from) / BATCH;
    }
    qsort(v, (size_t)rounds, sizeof *v, by_double);
    printf("%-58s %8.0f ns median %8.0f ns p95\n", "decide, 100-entity chain, 1,002 group policies", v[rounds / 2],
           v[rounds * 95 / 100]);
    free(v);
    cedar_entities_free(ents);
    cedar_scratch_free(m);
    cedar_scratch_free(s.scratch);
    cedar_policy_set_free(s.set);
    free(t.p);
}

static size_t resident_kib(void)
{
    size_t kib = 0;
    char line[128];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "VmRSS:", 6) == 0)
            kib = (size_t)strtoull(line + 6, NULL, 10);
    }
    if (f)
        fclose(f);
    return kib;
}

static void bench_parse(void)
{
    struct text t = bundle(1000);
    double v[31];
    for (int i = 0; i < 31; i++) {
        double from = now_ns();
        cedar_policy_set_free(load(&t));
        v[i] = (now_ns() - from) / 1e6;
    }
    qsort(v, 31, sizeof v[0], by_double);
    printf("%-58s %8.2f ms median\n", "parse + compile, 1,000 policies", v[15]);
    free(t.p);
    t = bundle(100000);
    size_t before = resident_kib();
    struct cedar_policy_set *set = load(&t);
    printf("%-58s %8.0f bytes (text %.0f)\n", "memory a policy, of 100,000",
           (double)(resident_kib() - before) * 1024 / 100000, (double)t.n / 100000);
    cedar_policy_set_free(set);
    free(t.p);
}

int main(int argc, char **argv)
{
    long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : ROUNDS;
    if (rounds < 1 || rounds > MAX_ROUNDS)
        rounds = ROUNDS;
    bench_sizes((int)rounds);
    bench_hierarchy((int)rounds);
    bench_parse();
    return 0;
}
