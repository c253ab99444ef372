/* What fe_decide judges by: rules, capabilities, revocations, policy bundle, readiness, session counters. Each part is an
 * immutable snapshot swapped by pointer; the old one is freed when the last reader that could see it has left.
 * Source: [the Firma specification, sidecar 8-10]. Layer: enforce (L2). Thread: every call from any thread. */
#ifndef ENFORCE_ENGINE_H
#define ENFORCE_ENGINE_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct fe_engine;
struct fe_mapping;
struct tk_claims;

enum {
    FE_SESSIONS_DEFAULT = 8192,
    FE_REVOCATIONS_DEFAULT = 1000000,
    FE_TIMEOUT_DEFAULT_MS = 50,
    FE_CAPABILITIES_MAX = 65536,
    FE_BUNDLE_TTL_MAX_S = 0x7fffffff,
};

struct fe_engine_options {
    bool default_unprotected;     /* unmatched calls pass through; zero value: they are denied */
    bool dev_ready;               /* both readiness flags start as true (no Authority configured) */
    uint64_t clock_skew_s;        /* added to a token's expiry */
    size_t session_capacity;      /* 0: FE_SESSIONS_DEFAULT */
    size_t revocation_capacity;   /* exact ids kept; past it a Bloom filter decides. 0: FE_REVOCATIONS_DEFAULT */
    unsigned timeout_ms;          /* named in EnforcementTimeout; sets the step bound. 0: FE_TIMEOUT_DEFAULT_MS */
    struct fb_str tenant_agent_id; /* not empty: only this agent's capabilities are honoured (TenantMismatch) */
};

/* @opt may be NULL (all zero). Without a mapping nothing is classified. */
int fe_engine_new(const struct fe_engine_options *opt, struct fe_engine **ret, struct fb_err *err) FB_MUST_USE;
/* Every scratch of it must be gone. Takes NULL. */
void fe_engine_free(struct fe_engine *e);

/* Takes @mapping (frees it later), replacing the one in force. */
void fe_engine_set_mapping(struct fe_engine *e, struct fe_mapping *mapping);

/**
 * Replaces the capability map.
 * @claims  n claims that the caller has VERIFIED (tk_token_verify or tk_seed_read); copied. n may be 0
 * Scopes are checked: a `*` inside, an empty one or one with a scheme makes that token cover nothing, which
 * *@ret_useless (may be NULL) counts so that the caller can warn.
 * FB_E_LIMIT, FB_E_NOMEM; then the old map stays.
 */
int fe_engine_set_capabilities(struct fe_engine *e, const struct tk_claims *const *claims, size_t n,
                               size_t *ret_useless, struct fb_err *err);

/**
 * Validates a bundle and puts it in force; also sets the bundle readiness flag. Texts are copied.
 * @now_mono_ms  when it was received; fresh while whole seconds since then < ttl_s (0 = stale at once)
 * FB_E_POLICY_LOAD_FAILED with the place named: not UTF-8, empty policies, no schema, either does not parse, the policies
 * do not validate strictly against the schema, bad remediation annotations. Then, and on FB_E_NOMEM, the old bundle stays.
 */
int fe_engine_set_bundle(struct fe_engine *e, struct fb_str policies, struct fb_str schema, struct fb_str version,
                         uint32_t ttl_s, int64_t now_mono_ms, struct fb_err *err);
/* The same bundle was confirmed by the Authority: its time to live starts again. False when @version is not in force. */
bool fe_engine_touch_bundle(struct fe_engine *e, struct fb_str version, int64_t now_mono_ms);
/* Number of policies in force, 0 without a bundle; @ret_version (may be NULL) gets up to @cap-1 bytes and a NUL. */
size_t fe_engine_bundle_info(struct fe_engine *e, char *ret_version, size_t cap);

/* Does any policy in force look at context.params, and so at headers and body? True without a bundle: in doubt, yes. */
bool fe_engine_reads_params(struct fe_engine *e);

/* Adding twice is harmless; nothing ever takes an id back. True when it was new. Past memory the engine denies all. */
bool fe_engine_add_revocation(struct fe_engine *e, struct fb_str token_id);
bool fe_engine_is_revoked(struct fe_engine *e, struct fb_str token_id);
uint64_t fe_engine_revocation_count(const struct fe_engine *e);

/* Readiness, gate of every call. The bundle flag is set by fe_engine_set_bundle. */
void fe_engine_set_revocations_ready(struct fe_engine *e, bool ready);
bool fe_engine_is_ready(const struct fe_engine *e);

/* Calls @fn for each host pattern of the mapping (lower case, port cut off), for the DNS stub; stops when it returns false. A
 * pattern may come twice. All are in the strict reading, whatever their file says: `*` is one label, `**` anything
 * (fe_glob_segment with "."). Names only: IP literals and patterns that match every host are left out. */
void fe_engine_routes(struct fe_engine *e, bool (*fn)(void *arg, struct fb_str host_pattern), void *arg);
/* Would the stub answer for @name (canonical host, no port)? */
bool fe_engine_routes_host(struct fe_engine *e, struct fb_str name);

#endif
