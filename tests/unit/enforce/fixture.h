/* What the tests of the decision path share: an engine with one capability, rules and policies, and a way to ask it. */
#ifndef TEST_ENFORCE_FIXTURE_H
#define TEST_ENFORCE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/action.h"
#include "core/embed.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "enforce/mapping.h"
#include "token/claims.h"

/* 2026-05-18T08:00:00Z, when the capability of the worked example was issued; it runs for an hour. */
#define ISSUED_MS INT64_C(1779091200000)
#define HOUR_MS INT64_C(3600000)
#define MONO_MS INT64_C(1000000)

struct fixture {
    struct fe_engine *engine;
    struct fe_scratch *scratch;
    struct fb_arena arena;
    struct fe_verdict v;
    struct fe_envelope env;
};

static const char example_rules[] = "[[rules]]\nmethod = \"GET\"\nhost = \"127.0.0.1:9100\"\npath = \"/allow\"\n"
                                    "action_class = \"communication.external.send\"\n\n"
                                    "[[rules]]\nmethod = \"POST\"\nhost = \"127.0.0.1:9100\"\npath = \"/deny\"\n"
                                    "action_class = \"communication.external.send\"\n";

static const char example_policies[] =
    "permit (principal, action == Firma::Action::\"communication.external.send\", resource)\n"
    "when { context.risk_score < 80 };\n"
    "\n"
    "forbid (principal, action == Firma::Action::\"communication.external.send\",\n"
    "        resource == Firma::Resource::\"127.0.0.1:9100/deny\");\n";

#define EXAMPLE_CONTEXT \
    "session_id: String, timestamp_ms: Long, params: String, risk_score: Long,\n" \
    "budget_remaining: Long, session_duration_s: Long, action_count: Long,\n" \
    "raw_transport: String, transfer_amount: Long, daily_cumulative_amount: Long,\n" \
    "transfers_last_10m: Long, same_payee_count_30m: Long, session_transfer_count: Long\n"

/* One action with the context given. */
#define SCHEMA_WITH(context) \
    "namespace Firma {\n  type EnforcementContext = {\n" context "  };\n  entity Agent;\n  entity Resource;\n" \
    "  action \"communication.external.send\" appliesTo {\n" \
    "    principal: [Agent], resource: [Resource], context: EnforcementContext\n  };\n}\n"

static const char example_schema[] = SCHEMA_WITH(EXAMPLE_CONTEXT);

#define EXAMPLE_VERSION "9b3f9f382ae984b9f21629b589a4a4a87e84769b5b3cd9021f8027821d741dff"
#define EXAMPLE_TOKEN "79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"
#define EXAMPLE_HASH "8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7"

static inline struct tk_claims claims_of(const char *token, const char *session, struct fb_str *actions, size_t n,
                                         const char *scope)
{
    return (struct tk_claims){
        .token_id = fb_str_of(token),
        .agent_id = FB_STR("agent_1"),
        .session_id = fb_str_of(session),
        .action_set = actions,
        .n_actions = n,
        .resource_scope = fb_str_of(scope),
        .context_hash = FB_STR(EXAMPLE_HASH),
        .issued_at_ns = ISSUED_MS * 1000000,
        .expiry_ns = (ISSUED_MS + HOUR_MS) * 1000000,
    };
}

static inline void give_mapping(struct fixture *f, const char *toml)
{
    struct fe_mapping_file file = { "rules.toml", fb_str_of(toml) };
    struct fe_mapping *m = NULL;
    struct fb_err err;
    if (fe_mapping_load(&file, 1, &m, &err) < 0)
        fail_msg("rules: %s", err.msg);
    fe_engine_set_mapping(f->engine, m);
}

static inline void give_bundle(struct fixture *f, const char *policies, const char *schema)
{
    struct fb_err err;
    if (fe_engine_set_bundle(f->engine, fb_str_of(policies), fb_str_of(schema), FB_STR(EXAMPLE_VERSION), 30, MONO_MS,
                             &err) < 0)
        fail_msg("bundle: %s", err.msg);
}

static inline void give_claims(struct fixture *f, const struct tk_claims *c)
{
    struct fb_err err;
    if (fe_engine_set_capabilities(f->engine, &c, c == NULL ? 0 : 1, NULL, &err) < 0)
        fail_msg("capabilities: %s", err.msg);
}

static inline void give_token(struct fixture *f, const char *action, const char *scope)
{
    struct fb_str actions[] = { fb_str_of(action) };
    struct tk_claims c = claims_of(EXAMPLE_TOKEN, "sess_1", actions, 1, scope);
    give_claims(f, &c);
}

/* An engine that is not ready and knows nothing. */
static inline void fixture_bare(struct fixture *f, const struct fe_engine_options *opt)
{
    memset(f, 0, sizeof *f);
    assert_int_equal(fe_engine_new(opt, &f->engine, NULL), 0);
    f->scratch = fe_scratch_new(f->engine);
    assert_non_null(f->scratch);
    fb_arena_init(&f->arena, 64 << 20);
}

/* The worked example of the specification, ready to be asked. */
static inline void fixture_init(struct fixture *f, const struct fe_engine_options *opt)
{
    fixture_bare(f, opt);
    give_mapping(f, example_rules);
    give_bundle(f, example_policies, example_schema);
    give_token(f, "communication.external.send", "127.0.0.1:9100");
    fe_engine_set_revocations_ready(f->engine, true);
}

static inline void fixture_done(struct fixture *f)
{
    fe_scratch_free(f->scratch);
    fe_engine_free(f->engine);
    fb_arena_done(&f->arena);
}

/* A request of the envelope's kind, five seconds after issue. */
static inline void prepare(struct fixture *f, const char *method, const char *host, const char *path, const char *query)
{
    f->env = (struct fe_envelope){
        .method = fb_str_of(method),
        .host = fb_str_of(host),
        .path = fb_str_of(path),
        .has_query = query != NULL,
        .query = fb_str_of(query),
        .now_wall_ms = ISSUED_MS + 5123,
        .now_mono_ms = MONO_MS + 1,
    };
    f->env.is_connect = strcmp(method, "CONNECT") == 0;
    f->env.is_https = f->env.is_connect;
}

static inline void decide(struct fixture *f)
{
    fb_arena_reset(&f->arena);
    fe_decide(f->engine, &f->env, f->scratch, &f->arena, &f->v);
}

static inline void ask(struct fixture *f, const char *method, const char *host, const char *path)
{
    prepare(f, method, host, path, NULL);
    decide(f);
}

#define assert_text(actual, expected) \
    do { \
        struct fb_str actual_ = (actual); \
        if (!fb_str_eqz(actual_, (expected))) \
            fail_msg("expected '%s', found '%.*s'", (expected), FB_STR_ARG(actual_)); \
    } while (0)

#define assert_verdict(f, decision_, reason_) \
    do { \
        if ((f)->v.decision != (decision_) || (f)->v.reason != (reason_)) \
            fail_msg("decision %d reason %s: %.*s", (int)(f)->v.decision, fc_reason_wire((f)->v.reason), \
                     FB_STR_ARG((f)->v.detail)); \
    } while (0)

#endif
