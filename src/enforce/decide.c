/* The one way through: gate, classification, Stage 1, Stage 2, and the texts of the verdict. */
#include "enforce/decide.h"

#include "core/action.h"
#include "enforce/engine_priv.h"
#include "net/redact.h"

#include <stdarg.h>

bool fe_call_deny(struct fe_call *c, enum fc_reason reason, const char *fmt, ...)
{
    char *p = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n >= 0 && (p = fb_arena_alloc(c->arena, (size_t)n + 1)) != NULL) {
        va_start(ap, fmt);
        vsnprintf(p, (size_t)n + 1, fmt, ap);
        va_end(ap);
    }
    c->v->decision = FE_DENY;
    c->v->reason = p == NULL ? FC_REASON_FAIL_CLOSED : reason;
    c->v->detail = p == NULL ? FB_STR("no memory for the decision") : fb_str_n(p, (size_t)n);
    return false;
}

/* Joins texts into the caller's arena; false when it is full. */
static bool join(struct fb_arena *arena, struct fb_str *ret, const struct fb_str *parts, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += parts[i].n;
    char *p = fb_arena_alloc(arena, total + 1);
    if (p == NULL)
        return false;
    *ret = fb_str_n(p, total);
    for (size_t i = 0; i < n; i++) {
        if (parts[i].n > 0)
            memcpy(p, parts[i].p, parts[i].n);
        p += parts[i].n;
    }
    *p = '\0';
    return true;
}

/* What the call is named in records before it has a class. */
static bool name_unclassified(const struct fe_envelope *env, struct fb_arena *arena, struct fe_verdict *v)
{
    if (env->is_connect) {
        v->action = FB_STR("network.connect");
        return true;
    }
    if (env->method.n == 0) {
        v->action = FB_STR("raw.http");
        return true;
    }
    struct fb_str known = fe_method_name(fe_method_of(env->method));
    struct fb_str parts[] = { FB_STR("raw.http."), known.n > 0 ? known : env->method };
    return join(arena, &v->action, parts, FB_COUNT(parts));
}

static bool name_resource(struct fe_call *c)
{
    const struct fe_envelope *env = c->env;
    struct fb_str parts[] = { env->host, env->path, { "", 0 }, { "", 0 } };
    /* An empty query asks for nothing, so it must not make another resource of "/deny". */
    if (env->query.n > 0) {
        struct fb_buf *text = &c->scratch->text;
        fb_buf_reset(text);
        if (fn_redact_query(text, env->query, NULL) < 0)
            return false;
        parts[2] = FB_STR("?");
        parts[3] = fb_buf_str(text);
    }
    if (!join(c->arena, &c->v->resource, parts, FB_COUNT(parts)))
        return false;
    c->v->path_shown = fb_str_n(c->v->resource.p + env->host.n, c->v->resource.n - env->host.n);
    return true;
}

/* Exact hosts only: a look-alike must not earn the name. */
static struct fb_str provider_of(struct fb_str host)
{
    static const struct {
        const char *host;
        const char *provider;
    } known[] = {
        { "api.github.com", "github" },
        { "github.com", "github" },
        { "api.stripe.com", "stripe" },
        { "gmail.googleapis.com", "gmail" },
    };
    for (size_t i = 0; i < FB_COUNT(known); i++) {
        if (fb_str_eqz(host, known[i].host))
            return fb_str_of(known[i].provider);
    }
    return FB_STR("");
}

static bool check_envelope(struct fe_call *c)
{
    const struct fe_envelope *env = c->env;
    if (env->host.n == 0)
        return fe_call_deny(c, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: missing host");
    if ((c->method == FE_METHOD_CONNECT) != env->is_connect)
        return fe_call_deny(c, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: CONNECT and a tunnel belong together");
    if (env->path.n == 0 || env->path.p[0] != '/')
        return fe_call_deny(c, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: missing path");
    if (env->host.n > FE_HOST_MAX_BYTES || env->path.n > FE_TARGET_MAX_BYTES || env->query.n > FE_TARGET_MAX_BYTES ||
        env->n_headers > FE_HEADERS_MAX || env->body.n > FE_BODY_MAX_BYTES)
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "request exceeds a limit of the decision engine");
    return true;
}

static bool pass_gate(struct fe_call *c)
{
    if (!atomic_load(&c->engine->bundle_ready))
        return fe_call_deny(c, FC_REASON_POLICY_BUNDLE_NOT_READY, "policy bundle has not been loaded");
    if (!atomic_load(&c->engine->revocations_ready))
        return fe_call_deny(c, FC_REASON_REVOCATION_CACHE_NOT_READY,
                            "revocation cache has not completed initial sync");
    return true;
}

/* No rule names the call. */
static bool handle_unmatched(struct fe_call *c)
{
    const struct fe_envelope *env = c->env;
    if (!c->engine->default_unprotected)
        return fe_call_deny(c, FC_REASON_UNCLASSIFIED_INTENT,
                            "protected action could not be classified: %.*s %.*s (host: %.*s)", FB_STR_ARG(env->method),
                            FB_STR_ARG(env->path), FB_STR_ARG(env->host));
    struct fb_str parts[] = { FB_STR("non-protected host: "), env->host, FB_STR(" (not enforced)") };
    if (!join(c->arena, &c->v->detail, parts, FB_COUNT(parts)))
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
    c->v->decision = FE_PASSTHROUGH;
    c->v->reason = FC_REASON_NONE;
    return false;
}

static bool deny_method(struct fe_call *c)
{
    return fe_call_deny(c, FC_REASON_UNCLASSIFIED_INTENT, "unrecognized HTTP method: %.*s", FB_STR_ARG(c->env->method));
}

/* Finds the class. False: the verdict is complete. */
static bool classify(struct fe_call *c)
{
    const struct fe_envelope *env = c->env;
    /* A server may take `get` for GET, so it must not pass as a method that no rule names. */
    if (c->method == FE_METHOD_OTHER && fe_method_spelt(env->method) != FE_METHOD_OTHER)
        return deny_method(c);
    const struct fe_mapping *m = atomic_load(&c->engine->mapping);
    struct fe_mapping_query q = { c->method, env->is_https || env->is_connect, env->host, env->path };
    int rc = m == NULL ? 0 : fe_mapping_match(m, &q, &c->rule);
    if (rc < 0)
        return fe_call_deny(c, FC_REASON_ENFORCEMENT_TIMEOUT, "classification took too much work");
    if (rc == 0)
        return handle_unmatched(c);
    struct fe_verdict *v = c->v;
    v->rule_matched = true;
    v->rule_index = c->rule->index;
    v->rule_names_host = c->rule->names_host;
    v->rule_opaque = c->rule->opaque;
    if (c->method == FE_METHOD_OTHER)
        return deny_method(c);
    if (env->has_encoded_separator && !c->rule->encoded_separators)
        return fe_call_deny(c, FC_REASON_MALFORMED_REQUEST, "MALFORMED_REQUEST: encoded separator in path");
    c->action = c->rule->action;
    v->action = fb_str_of(fc_action_at(c->action)->name);
    v->classified = true;
    return true;
}

/* Who the call was made for, from the verified claims. */
static bool name_claims(struct fe_call *c)
{
    const struct tk_claims *claims = &c->cap->claims;
    struct fb_str all;
    struct fb_str parts[] = { claims->token_id, claims->agent_id, claims->session_id, claims->context_hash };
    if (!join(c->arena, &all, parts, FB_COUNT(parts)))
        return fe_call_deny(c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
    struct fb_str *into[] = { &c->v->token_id, &c->v->agent_id, &c->v->session_id, &c->v->context_hash };
    for (size_t i = 0; i < FB_COUNT(into); i++) {
        *into[i] = fb_str_n(all.p, parts[i].n);
        all.p += parts[i].n;
    }
    return true;
}

static void run_stages(struct fe_call *c)
{
    if (!check_envelope(c) || !pass_gate(c) || !classify(c) || !fe_stage1(c) || !name_claims(c))
        return;
    fe_stage2(c);
}

/* The audit text of a refusal: what policy and request put into it is cleaned of secrets first. */
static struct fb_str audit_text(struct fb_arena *arena, struct fb_buf *text, const struct fe_verdict *v)
{
    struct fb_str out = { NULL, 0 };
    bool ok = true;
    fb_buf_reset(text);
    if (v->decision == FE_MODIFY) {
        fb_buf_addz(text, "redacted_header:");
        for (size_t i = 0; i < v->n_redact_headers; i++) {
            if (i > 0)
                fb_buf_addc(text, ',');
            fb_buf_adds(text, v->redact_headers[i]);
        }
    } else {
        struct fb_str parts[] = { fb_str_of(fc_reason_display(v->reason)), FB_STR(": "), v->detail };
        struct fb_str whole;
        ok = join(arena, &whole, parts, FB_COUNT(parts)) && fn_redact_text(text, whole, NULL) == 0;
    }
    if (ok && !fb_buf_failed(text))
        out = fb_arena_str(arena, fb_buf_str(text));
    return out.p != NULL ? out : fb_str_of(fc_reason_display(v->reason));
}

/* The reply's detail is shown and logged, too: what is a secret in the resource is one here. */
static void redact_detail(struct fb_arena *arena, struct fb_buf *text, struct fe_verdict *v)
{
    if (fb_str_index(v->detail, '=') == v->detail.n)
        return;
    fb_buf_reset(text);
    struct fb_str out = { NULL, 0 };
    if (fn_redact_text(text, v->detail, NULL) == 0)
        out = fb_arena_str(arena, fb_buf_str(text));
    v->detail = out.p != NULL ? out : fb_str_of(fc_reason_display(v->reason));
}

static bool needs_audit_text(const struct fe_verdict *v)
{
    return v->decision != FE_ALLOW && v->decision != FE_PASSTHROUGH;
}

/* STEP_UP's record also tells when to come back; there is no delay of its own, hence 0. */
static void finish_step_up(struct fe_call *c)
{
    struct fb_str parts[] = { c->v->deny_reason, FB_STR("; retry_after_ms: 0") };
    (void)join(c->arena, &c->v->deny_reason, parts, FB_COUNT(parts));
}

/* The wall clock, but no earlier than the latest time ever seen plus what has passed since: a clock that is set back must not
 * give an expired token its life back. */
static int64_t clamped_now(struct fe_engine *e, int64_t wall_ms, int64_t mono_ms)
{
    int64_t ahead;
    if (__builtin_sub_overflow(wall_ms, mono_ms, &ahead))
        return wall_ms < 0 ? INT64_MIN : INT64_MAX;
    int64_t most = atomic_load_explicit(&e->wall_ahead_ms, memory_order_relaxed);
    while (ahead > most) {
        if (atomic_compare_exchange_weak_explicit(&e->wall_ahead_ms, &most, ahead, memory_order_relaxed, memory_order_relaxed))
            return wall_ms;
    }
    int64_t now;
    return __builtin_add_overflow(mono_ms, most, &now) ? INT64_MAX : now;
}

static void clear(struct fe_verdict *v)
{
    *v = (struct fe_verdict){ .decision = FE_DENY, .reason = FC_REASON_FAIL_CLOSED };
    struct fb_str none = FB_STR("");
    v->detail = v->deny_reason = v->action = v->resource = v->path_shown = v->provider = none;
    v->token_id = v->agent_id = v->session_id = v->context_hash = v->bundle_version = none;
}

void fe_decide(struct fe_engine *engine, const struct fe_envelope *env, struct fe_scratch *scratch, struct fb_arena *arena,
               struct fe_verdict *ret)
{
    struct fe_call c = { .engine = engine, .scratch = scratch, .env = env, .arena = arena, .v = ret };
    clear(ret);
    cedar_scratch_reset(scratch->cedar);
    cedar_scratch_set_steps(scratch->cedar, scratch->steps);
    scratch->too_much = false;
    fb_arena_reset(&scratch->arena);
    c.method = fe_method_of(env->method);
    c.now_ms = clamped_now(engine, env->now_wall_ms, env->now_mono_ms);
    ret->provider = provider_of(env->host);
    fe_epoch_enter(&engine->epoch, &scratch->reader);
    ret->session_id = fb_arena_str(arena, env->session_hint);
    if (ret->session_id.p == NULL || !name_unclassified(env, arena, ret) || !name_resource(&c))
        (void)fe_call_deny(&c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
    else
        run_stages(&c);
    redact_detail(arena, &scratch->text, ret);
    if (needs_audit_text(ret))
        ret->deny_reason = audit_text(arena, &scratch->text, ret);
    if (ret->decision == FE_STEP_UP)
        finish_step_up(&c);
    fe_epoch_leave(&engine->epoch, &scratch->reader);
}

void fe_verdict_deny(struct fe_verdict *ret, struct fb_arena *arena, const struct fe_envelope *env, enum fc_reason reason,
                     const char *fmt, ...)
{
    char detail[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    clear(ret);
    struct fe_call c = { .arena = arena, .env = env, .v = ret };
    (void)fe_call_deny(&c, reason, "%s", detail);
    bool ok = true;
    if (env != NULL) {
        struct fb_str resource[] = { env->host, FB_STR("/") };
        ret->session_id = fb_arena_str(arena, env->session_hint);
        ok = name_unclassified(env, arena, ret) && ret->session_id.p != NULL &&
             (env->host.n == 0 || join(arena, &ret->resource, resource, FB_COUNT(resource)));
    } else {
        ret->action = FB_STR("raw.http");
    }
    if (ret->resource.n == 0)
        ret->resource = FB_STR("?");
    if (!ok)
        (void)fe_call_deny(&c, FC_REASON_FAIL_CLOSED, "no memory for the decision");
    struct fb_buf text;
    fb_buf_init(&text, 64 << 10);
    redact_detail(arena, &text, ret);
    ret->deny_reason = audit_text(arena, &text, ret);
    fb_buf_done(&text);
}

int fe_decision_audit_number(enum fe_decision d)
{
    switch (d) {
    case FE_ALLOW:
    case FE_PASSTHROUGH:
        return 1;
    case FE_DENY:
        return 2;
    case FE_ABORT:
        return 3;
    case FE_MODIFY:
        return 4;
    case FE_STEP_UP:
        return 5;
    case FE_DEFER:
        return 6;
    }
    return 2;
}

bool fe_decision_dispatches(enum fe_decision d)
{
    return d == FE_ALLOW || d == FE_PASSTHROUGH || d == FE_MODIFY;
}
