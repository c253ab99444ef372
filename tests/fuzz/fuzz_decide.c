/* Any bytes as a request in front of a fixed set of rules and policies: the verdict is always complete, and what is
 * dispatched is what a policy allowed. Line 1: method; 2: host; 3: path; 4: query; then headers "name: value" up to an
 * empty line; the rest is the body. */
#include "core/embed.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "enforce/mapping.h"
#include "token/claims.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fe_engine *engine;
static struct fe_scratch *scratch;
static struct fb_arena arena;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void start(void)
{
    struct fe_engine_options opt = { .dev_ready = true };
    must(fe_engine_new(&opt, &engine, NULL) == 0);
    struct fe_mapping_file files[] = { { "github", fc_asset_get("mappings/github.toml") },
                                       { "anthropic", fc_asset_get("mappings/anthropic.toml") } };
    struct fe_mapping *m = NULL;
    must(fe_mapping_load(files, FB_COUNT(files), &m, NULL) == 0);
    fe_engine_set_mapping(engine, m);
    must(fe_engine_set_bundle(engine,
                              FB_STR("permit(principal, action, resource) when { context.params like \"*Http*\" && "
                                     "resource has host && resource.host != \"x\" && resource has path && resource.path like \"/*\" };\n"
                                     "@modify(\"redact_header:x-a\") forbid(principal, action, resource) when { "
                                     "context.params like \"*x-a*\" };"),
                              fc_asset_get("schema/firma.cedarschema"), FB_STR("v"), 1000, 0, NULL) == 0);
    struct fb_str any[] = { FB_STR("*") };
    struct tk_claims c = { .token_id = FB_STR("t"), .agent_id = FB_STR("a"), .session_id = FB_STR("s"), .action_set = any,
                           .n_actions = 1, .resource_scope = FB_STR("*"),
                           .context_hash = FB_STR("8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7"),
                           .issued_at_ns = 1, .expiry_ns = INT64_MAX };
    const struct tk_claims *list = &c;
    must(fe_engine_set_capabilities(engine, &list, 1, NULL, NULL) == 0);
    must((scratch = fe_scratch_new(engine)) != NULL);
    fb_arena_init(&arena, 16 << 20);
}

static struct fb_str line(struct fb_str *rest)
{
    struct fb_str l = { "", 0 };
    (void)fb_str_split(rest, '\n', &l);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (engine == NULL)
        start();
    struct fb_str rest = fb_str_n((const char *)data, size);
    struct fe_header headers[64];
    struct fe_envelope env = { .now_wall_ms = 1000, .now_mono_ms = 1 };
    env.method = line(&rest);
    env.is_connect = fb_str_eqz(env.method, "CONNECT");
    env.host = line(&rest);
    env.path = line(&rest);
    env.query = line(&rest);
    env.has_query = env.query.n > 0;
    env.is_https = env.is_connect || env.host.n % 2 == 0;
    env.headers = headers;
    for (struct fb_str l = line(&rest); l.n > 0 && env.n_headers < FB_COUNT(headers); l = line(&rest)) {
        size_t colon = fb_str_index(l, ':');
        headers[env.n_headers].name = fb_str_n(l.p, colon);
        headers[env.n_headers++].value = fb_str_n(l.p + colon, l.n - colon);
    }
    env.body = rest;
    env.has_body = rest.n > 0;
    struct fe_verdict v;
    fb_arena_reset(&arena);
    fe_decide(engine, &env, scratch, &arena, &v);
    must(v.decision == FE_DENY || v.decision == FE_ALLOW || v.decision == FE_MODIFY);
    must((v.reason == FC_REASON_NONE) == fe_decision_dispatches(v.decision));
    must(v.action.n > 0);
    if (v.decision == FE_DENY)
        must(v.detail.n > 0 && v.deny_reason.n > 0 && v.bundle_version.n == 0);
    else
        must(v.classified && v.rule_matched && v.token_id.n == 1 && v.bundle_version.n == 1);
    if (v.decision == FE_MODIFY)
        must(v.n_redact_headers == 1);
    return 0;
}
