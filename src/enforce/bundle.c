#include "enforce/bundle.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "core/limits.h"
#include "enforce/plan.h"

#include <stdlib.h>

/* The texts, twice over for the set without @modify, and the plans. */
#define BUNDLE_MEMORY_MAX_BYTES ((size_t)64 << 20)

static void free_retired(struct fe_retired *self)
{
    fe_bundle_free((struct fe_bundle *)self);
}

void fe_bundle_free(struct fe_bundle *b)
{
    if (b == NULL)
        return;
    cedar_policy_set_free(b->without_modify);
    cedar_policy_set_free(b->set);
    cedar_entities_free(b->actions);
    cedar_schema_free(b->schema);
    cedar_scratch_free(b->values);
    fb_arena_done(&b->arena);
    free(b);
}

static int no_memory(struct fb_err *err)
{
    return fb_err_set(err, FB_E_NOMEM, "no memory for the policy bundle");
}

static int refuse_cedar(const struct cedar_error *e, const char *what, struct fb_err *err)
{
    if (e->code == CEDAR_E_NOMEM)
        return no_memory(err);
    return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "%s at %u:%u: %s", what, e->line, e->col, e->msg);
}

static bool is_blank(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
            return false;
    }
    return true;
}

static int parse(struct fe_bundle *b, struct fb_err *err)
{
    struct cedar_error e;
    if (!fb_utf8_valid(b->policies) || !fb_utf8_valid(b->schema_text))
        return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy bundle is not UTF-8");
    if (is_blank(b->policies))
        return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy bundle contains no policy statements");
    if (is_blank(b->schema_text))
        return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy bundle contains no entity schema; schema is required");
    if (cedar_policy_set_parse(b->policies.p, b->policies.n, &b->set, &e) < 0)
        return refuse_cedar(&e, "policies", err);
    if (cedar_policy_set_count(b->set) == 0)
        return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy bundle contains no policy statements");
    if (cedar_schema_parse(b->schema_text.p, b->schema_text.n, &b->schema, &e) < 0)
        return refuse_cedar(&e, "schema", err);
    /* A policy that the schema does not bear out is one that never fires or always errs: said now, not at the call. */
    if (cedar_validate(b->set, b->schema, NULL, NULL, &e) < 0)
        return refuse_cedar(&e, "policies do not fit the schema", err);
    return 0;
}

/* The same policies less the @modify forbids: tells whether the call would be allowed once the header is gone. */
static int parse_without_modify(struct fe_bundle *b, struct fb_err *err)
{
    struct fb_buf text;
    fb_buf_init(&text, BUNDLE_MEMORY_MAX_BYTES);
    for (size_t i = 0; i < cedar_policy_set_count(b->set); i++) {
        struct cedar_str one = cedar_policy_text(b->set, i);
        if (b->remedies[i].kind != FE_REMEDY_MODIFY) {
            fb_buf_add(&text, one.ptr, one.len);
            fb_buf_addc(&text, '\n');
        }
    }
    struct cedar_error e = { .code = CEDAR_E_NOMEM };
    int rc = fb_buf_failed(&text) ? -1 : cedar_policy_set_parse(fb_buf_str(&text).p, text.n, &b->without_modify, &e);
    fb_buf_done(&text);
    return rc < 0 ? refuse_cedar(&e, "policies", err) : 0;
}

static int read_remedies(struct fe_bundle *b, struct fb_err *err)
{
    size_t n = cedar_policy_set_count(b->set);
    struct fe_remedy *all = fb_arena_calloc(&b->arena, n, sizeof(*all));
    if (all == NULL)
        return no_memory(err);
    bool modifies = false;
    for (size_t i = 0; i < n; i++) {
        int rc = fe_remedy_read(b->set, i, &all[i], err);
        if (rc < 0)
            return rc;
        modifies |= all[i].kind == FE_REMEDY_MODIFY;
        if (all[i].kind != FE_REMEDY_NONE)
            b->remedies = all;
        struct cedar_str advice;
        if (b->default_advice.n == 0 && cedar_policy_annotation(b->set, i, "default_advice", &advice))
            b->default_advice = fb_str_n(advice.ptr, advice.len);
    }
    return modifies ? parse_without_modify(b, err) : 0;
}

struct fb_str fe_bundle_advice(const struct fe_bundle *b, size_t index)
{
    struct cedar_str advice = { "", 0 };
    (void)cedar_policy_annotation(b->set, index, "advice", &advice);
    return fb_str_n(advice.ptr, advice.len);
}

int fe_bundle_new(struct fb_str policies, struct fb_str schema, struct fb_str version, uint32_t ttl_s, int64_t now_ms,
                  struct fe_bundle **ret, struct fb_err *err)
{
    if (policies.n > FC_LIMIT_BUNDLE_BYTES || schema.n > FC_LIMIT_BUNDLE_BYTES || version.n > FC_LIMIT_BUNDLE_VERSION_BYTES)
        return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "policy bundle is larger than %d bytes a text",
                          FC_LIMIT_BUNDLE_BYTES);
    struct fe_bundle *b = calloc(1, sizeof(*b));
    if (b == NULL)
        return no_memory(err);
    b->retired.free = free_retired;
    fb_arena_init(&b->arena, BUNDLE_MEMORY_MAX_BYTES);
    b->version = fb_arena_str(&b->arena, version);
    b->policies = fb_arena_str(&b->arena, policies);
    b->schema_text = fb_arena_str(&b->arena, schema);
    b->default_advice = FB_STR("");
    atomic_init(&b->ttl_s, ttl_s);
    atomic_init(&b->received_ms, now_ms);
    int rc = b->version.p == NULL || b->policies.p == NULL || b->schema_text.p == NULL ? no_memory(err) : 0;
    if (rc == 0)
        rc = parse(b, err);
    if (rc == 0)
        rc = read_remedies(b, err);
    if (rc == 0)
        rc = fe_plan_make(b, err);
    if (rc < 0) {
        fe_bundle_free(b);
        return rc;
    }
    *ret = b;
    return 0;
}

bool fe_bundle_fresh(const struct fe_bundle *b, int64_t now_ms)
{
    int64_t received = atomic_load_explicit(&b->received_ms, memory_order_relaxed);
    uint32_t ttl = atomic_load_explicit(&b->ttl_s, memory_order_relaxed);
    int64_t age_ms = now_ms > received ? now_ms - received : 0;
    return age_ms / 1000 < (int64_t)ttl;
}
