#include "authority/issue.h"

#include "authority/context.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

#define ACTION_TYPE "Firma::Action"

enum { NS_PER_S = 1000000000, NS_PER_MS = 1000000 };

static void deny(struct au_verdict *v, const char *reason, const char *fmt, ...) FB_PRINTF(3, 4);

static void deny(struct au_verdict *v, const char *reason, const char *fmt, ...)
{
    va_list ap;

    v->granted = false;
    v->reason = reason;
    va_start(ap, fmt);
    vsnprintf(v->message, sizeof(v->message), fmt, ap);
    va_end(ap);
}

/* ---- arguments ---- */

static bool has_control(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

static int check_text(const char *what, struct fb_str s, size_t max, struct fb_err *err)
{
    if (s.n > max)
        return fb_err_set(err, FB_E_LIMIT, "%s is longer than %zu bytes", what, max);
    if (!fb_utf8_valid(s) || has_control(s))
        return fb_err_set(err, FB_E_PARSE, "%s holds control characters or is not UTF-8", what);
    return 0;
}

static int check_arguments(const struct rp_issue_request *r, struct fb_err *err)
{
    int rc = tk_claims_check_agent_id(r->agent_id, err);

    if (rc != 0)
        return err == NULL ? rc : fb_err_wrap(err, "agent_id");
    rc = tk_claims_check_session_id(r->session_id, err);
    if (rc != 0)
        return err == NULL ? rc : fb_err_wrap(err, "session_id");
    if (r->n_actions > TK_ACTIONS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "requested_actions: more than %d actions", TK_ACTIONS_MAX);
    rc = check_text("resource_scope", r->resource_scope, TK_SCOPE_MAX_BYTES, err);
    for (size_t i = 0; rc == 0 && i < r->n_actions; i++)
        rc = check_text("requested_actions: an action", r->actions[i], TK_ACTION_MAX_BYTES, err);
    return rc;
}

/* ---- one action ---- */

/* "action 'x': ..." with the evaluation errors, else the determining policies, else the default. */
static void deny_by_policy(struct au_verdict *v, const struct au_policy *p, struct fb_str action,
                           const struct cedar_answer *a)
{
    char list[512];
    size_t n = 0;

    list[0] = '\0';
    for (size_t i = 0; i < a->n_errors && n < sizeof(list) - 1; i++) {
        struct cedar_str id = cedar_policy_id(p->set, a->errors[i].policy);
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.*s: %s", i == 0 ? "" : "; ", (int)id.len, id.ptr,
                              a->errors[i].msg);
    }
    if (a->n_errors > 0) {
        deny(v, "POLICY_DENIED", "action '%.*s': evaluation errors: %s", FB_STR_ARG(action), list);
        return;
    }
    for (size_t i = 0; i < a->n_reasons && n < sizeof(list) - 1; i++) {
        struct cedar_str id = cedar_policy_id(p->set, a->reasons[i]);
        n += (size_t)snprintf(list + n, sizeof(list) - n, "%s%.*s", i == 0 ? "" : ", ", (int)id.len, id.ptr);
    }
    if (a->n_reasons > 0)
        deny(v, "POLICY_DENIED", "action '%.*s': denied by %s", FB_STR_ARG(action), list);
    else
        deny(v, "POLICY_DENIED", "action '%.*s': default, nothing permitted it", FB_STR_ARG(action));
}

static struct cedar_str view(struct fb_str s)
{
    return (struct cedar_str){ s.p == NULL ? "" : s.p, s.n };
}

/* True when the action is allowed; else *@v says why not. */
static bool judge_action(const struct au_policy *p, struct cedar_scratch *s, const struct rp_issue_request *r,
                         struct fb_str action, int64_t now_ns, struct au_verdict *v)
{
    const struct au_context_input in = { r->session_id, now_ns / NS_PER_MS };
    struct cedar_request q = { 0 };
    struct cedar_answer answer = { 0 };
    struct cedar_error ce = { 0 };
    struct fb_err why = { 0 };

    q.principal = cedar_value_entity(s, cedar_str_c("Firma::Agent"), view(r->agent_id));
    q.resource = cedar_value_entity(s, cedar_str_c("Firma::Resource"), view(r->resource_scope));
    q.action = cedar_value_entity(s, cedar_str_c(ACTION_TYPE), view(action));
    if (q.principal == NULL || q.resource == NULL || q.action == NULL) {
        deny(v, "INVALID_REQUEST", "action '%.*s': %s", FB_STR_ARG(action), cedar_scratch_error(s)->msg);
        return false;
    }
    const struct cedar_type *type = cedar_schema_action_context(p->schema, cedar_str_c(ACTION_TYPE), view(action));
    if (type == NULL) {
        deny(v, "CONTEXT_BUILD_FAILED", "action '%.*s' is not in the schema", FB_STR_ARG(action));
        return false;
    }
    if (au_context_build(s, type, &in, &q.context, &why) != 0) {
        deny(v, "CONTEXT_BUILD_FAILED", "action '%.*s': %s", FB_STR_ARG(action), why.msg);
        return false;
    }
    if (cedar_request_validate(p->schema, &q, &ce) != 0) {
        deny(v, "INVALID_REQUEST", "action '%.*s': %s", FB_STR_ARG(action), ce.msg);
        return false;
    }
    int rc = cedar_authorize(p->set, &q, NULL, s, &answer);
    if (rc != 0) {
        deny(v, "POLICY_DENIED", "action '%.*s': evaluation stopped: %s", FB_STR_ARG(action), cedar_code_name(rc));
        return false;
    }
    if (answer.decision != CEDAR_ALLOW) {
        deny_by_policy(v, p, action, &answer);
        return false;
    }
    return true;
}

static int judge(const struct au_issuer *issuer, const struct rp_issue_request *r, int64_t now_ns, struct au_verdict *v,
                 struct fb_err *err)
{
    const struct au_policy *p = issuer->policy;

    if (cedar_policy_set_count(p->set) == 0) {
        deny(v, "NO_POLICIES", "the issuance policy is empty");
        return 0;
    }
    if (r->n_actions == 0) {
        deny(v, "NO_ACTIONS", "no action was requested");
        return 0;
    }
    struct cedar_scratch *s = cedar_scratch_new(0);
    if (s == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    v->granted = true;
    for (size_t i = 0; v->granted && i < r->n_actions; i++) {
        cedar_scratch_reset(s);
        v->granted = judge_action(p, s, r, r->actions[i], now_ns, v);
    }
    cedar_scratch_free(s);
    return 0;
}

/* ---- the token ---- */

static int sign(const struct au_issuer *issuer, const struct rp_issue_request *r, int64_t now_ns, struct au_verdict *v,
                struct fb_err *err)
{
    int32_t ttl_s = r->ttl_s <= 0 || r->ttl_s > issuer->max_ttl_s ? issuer->max_ttl_s : r->ttl_s;
    const char *version = issuer->policy->version;

    fb_uuid_v4(v->token_id);
    int rc =
        tk_context_hash(r->agent_id, r->actions, r->n_actions, r->resource_scope, fb_str_of(version), v->context_hash);
    if (rc != 0)
        return fb_err_set(err, rc, "cannot compute the context hash");
    v->issued_at_ns = now_ns;
    v->expiry_ns = now_ns + (int64_t)ttl_s * NS_PER_S;
    const struct tk_claims claims = {
        .token_id = fb_str_of(v->token_id),
        .agent_id = r->agent_id,
        .session_id = r->session_id,
        .action_set = (struct fb_str *)(uintptr_t)r->actions,
        .n_actions = r->n_actions,
        .resource_scope = r->resource_scope,
        .context_hash = fb_str_of(v->context_hash),
        .issued_at_ns = v->issued_at_ns,
        .expiry_ns = v->expiry_ns,
    };
    rc = tk_token_issue(issuer->key, &claims, now_ns, &v->token, err);
    /* The arguments were checked before: whatever is wrong now is not the caller's. */
    return rc == 0 ? 0 : err == NULL ? FB_E_INTERNAL : fb_err_recode(err, FB_E_INTERNAL);
}

int au_issue(const struct au_issuer *issuer, const struct rp_issue_request *request, int64_t now_ns,
             struct au_verdict *v, struct fb_err *err)
{
    *v = (struct au_verdict){ .reason = "INVALID_REQUEST" };
    fb_buf_init_secret(&v->token, TK_TOKEN_MAX_BYTES + 1);
    int rc = check_arguments(request, err);
    if (rc == 0)
        rc = judge(issuer, request, now_ns, v, err);
    if (rc == 0 && v->granted)
        rc = sign(issuer, request, now_ns, v, err);
    if (rc != 0)
        v->granted = false;
    return rc;
}

void au_verdict_done(struct au_verdict *v)
{
    fb_buf_done(&v->token);
    v->granted = false;
}
