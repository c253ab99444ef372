/* The decision path: one outbound call in, one verdict out. Gate, classification, Stage 1 (capability), Stage 2 (Cedar).
 * Every interceptor, `firma policy test`, the benchmark and the fuzzers call the one function fe_decide.
 * Source: [the Firma specification, sidecar 7-9, 15] and docs/reference/{mapping-rules,action-classes,denials}.md.
 * Layer: enforce (L2). Thread: fe_decide from any number of threads at once, each with its own scratch; the setters of
 * fe_engine from any thread (they lock among themselves, never against a reader).
 * No I/O, no clock, no heap after warm-up: time comes in with the envelope. */
#ifndef ENFORCE_DECIDE_H
#define ENFORCE_DECIDE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "core/reason.h"

#include <stdint.h>

struct fe_engine;
struct fe_scratch;

/* Past one of these the call is denied (FailClosed), never cut. */
enum {
    FE_HEADERS_MAX = 256,
    FE_HOST_MAX_BYTES = 512,
    FE_TARGET_MAX_BYTES = 64 << 10, /* path and query, each */
    FE_BODY_MAX_BYTES = 64 << 20,
    FE_SCRATCH_MAX_BYTES = 512 << 20, /* ceiling of one scratch: a body of the maximum, spelled as byte numbers */
};

struct fe_header {
    struct fb_str name; /* as received */
    struct fb_str value;
};

/* One request in canonical form; the interceptor fills it (host and path through net/url) and nobody changes it.
 * All views are borrowed for the call. x-firma-* and proxy-authorization fields are not in it. */
struct fe_envelope {
    struct fb_str method; /* as received; `get` is not `GET` */
    bool is_https;        /* CONNECT, or a request inside an intercepted tunnel */
    bool is_connect;      /* method is CONNECT (anything else is refused); then path is "/" and query absent */
    struct fb_str host;   /* canonical: lower case, no trailing dot, no default port; "[::1]:8080", "api.example.com" */
    struct fb_str path;   /* canonical (fn_path.match), begins with "/", no query */
    bool has_encoded_separator; /* %2f or %5c in path: denied unless the rule says encoded_separators = true */
    bool has_query;       /* "/a?" has an empty one */
    struct fb_str query;  /* raw, without the "?" */
    struct fb_str target; /* path and query as received, for records ("/a/../b?x=1") */
    const struct fe_header *headers;
    size_t n_headers;
    bool has_body; /* an empty body counts as none */
    struct fb_str body;
    struct fb_str session_hint; /* session bound to the connection; empty = not said. Said: only its capabilities count */
    struct fb_str agent_hint;   /* agent bound to the connection; empty = not said. Said: TenantMismatch for another's */
    int64_t now_wall_ms;        /* since 1970; token times, context. A step back is made up for from now_mono_ms */
    int64_t now_mono_ms;        /* monotonic; bundle freshness, and the clamp of now_wall_ms */
};

enum fe_decision {
    FE_DENY = 0,    /* refused before anything was sent */
    FE_ALLOW,       /* dispatch */
    FE_PASSTHROUGH, /* dispatch, not enforced: no rule names it and default_protected is off; no credentials */
    FE_ABORT,       /* never from fe_decide: allowed, then failed locally */
    FE_MODIFY,      /* dispatch without the headers in redact_headers */
    FE_STEP_UP,     /* refused, 403 StepUpRequired */
    FE_DEFER,       /* refused, 403 Deferred */
};

/* The number in an audit event: ALLOW and PASSTHROUGH 1, DENY 2, ABORT 3, MODIFY 4, STEP_UP 5, DEFER 6. */
int fe_decision_audit_number(enum fe_decision d);
/* True for the three that send something upstream. Unknown values: false. */
bool fe_decision_dispatches(enum fe_decision d);

/* All texts are copies in the arena given to fe_decide, or constants: valid until that arena is reset, whatever
 * happens to the engine. An all-zero verdict is a valid denial (FailClosed). */
struct fe_verdict {
    enum fe_decision decision;
    enum fc_reason reason;     /* FC_REASON_NONE when dispatched */
    struct fb_str detail;      /* denial reply's `detail`; passthrough: why it is not enforced */
    struct fb_str deny_reason; /* audit `deny_reason`: "<display>: <detail>"; "" for ALLOW and PASSTHROUGH;
                                  "redacted_header:<name>" for MODIFY; secrets redacted */
    struct fb_str action;      /* audit `action`: the class, or "raw.http.GET" / "network.connect" when unclassified */
    bool classified;           /* action is a registered class */
    struct fb_str resource;    /* host, path, and unless it is empty "?" and redacted query: "wttr.in/london?format=3" */
    struct fb_str path_shown;  /* the part of resource after the host */
    struct fb_str provider;    /* "github", "stripe", "gmail", or "" */

    struct fb_str token_id;     /* from the verified claims once Stage 1 has passed, else "" */
    struct fb_str agent_id;     /* same */
    struct fb_str session_id;   /* claims' session once Stage 1 has passed, else the hint */
    struct fb_str context_hash; /* same rule as token_id */
    struct fb_str bundle_version; /* only with ALLOW and MODIFY, else "" */
    uint64_t action_count;        /* of the session, this call included; 0 before Stage 1 passed */

    bool rule_matched;
    size_t rule_index;     /* position over all rule files, from 0 */
    bool rule_names_host;  /* its host has no wildcard: private addresses may be used for it */
    bool rule_opaque;      /* the tunnel may carry something else than TLS to that very name */

    const struct fb_str *redact_headers; /* MODIFY: lower case */
    size_t n_redact_headers;
    uint64_t retry_after_ms; /* DEFER */
};

/**
 * Judges one call.
 * @engine   borrowed; only its session counters change
 * @env      borrowed for the call
 * @scratch  this thread's; what it held before is forgotten
 * @arena    where the verdict's texts go; not reset. When it is full the verdict is DENY FailClosed
 * @ret      always filled in: there is no error return, every doubt is a denial
 * Goal: at most 4 us with 10 policies, warm.
 */
void fe_decide(struct fe_engine *engine, const struct fe_envelope *env, struct fe_scratch *scratch,
               struct fb_arena *arena, struct fe_verdict *ret) FB_NONNULL(1, 2, 3, 4, 5);

/* A denial made outside fe_decide (malformed request, audit log full, strict interception failed): fills @ret with DENY,
 * @reason and the formatted detail, action "raw.http.<METHOD>" or "network.connect", resource "<host>/" ("?" when the
 * host is empty). @env may be NULL. */
void fe_verdict_deny(struct fe_verdict *ret, struct fb_arena *arena, const struct fe_envelope *env,
                     enum fc_reason reason, const char *fmt, ...) FB_PRINTF(5, 6);

/* One thread's working memory for fe_decide; registers with @engine, so free it first. NULL when out of memory. */
struct fe_scratch *fe_scratch_new(struct fe_engine *engine) FB_MUST_USE;
void fe_scratch_free(struct fe_scratch *s); /* takes NULL */

#endif
