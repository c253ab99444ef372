/* What a decision costs, warm: the whole of fe_decide, and Stage 2 alone, with 10, 100 and 1,000 policies and the 207
 * shipped rules; and what a bundle costs to load. Prints, asserts nothing.
 * Usage: bench_decide [calls]. Peer's own figures on a faster machine: 58 us Stage 2, 79 us in all, reload 680 us. */
#include "base/clock.h"
#include "base/num.h"
#include "core/action.h"
#include "core/embed.h"
#include "enforce/engine_priv.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 7, PREFIX_POLICIES = 2 };

struct bench {
    struct fe_engine *engine;
    struct fe_scratch *scratch;
    struct fb_arena arena;
    struct fe_envelope env;
    struct fe_verdict v;
    uint64_t calls;
};

/* Enough policies to make @n: a forbid on one resource, a permit with two context comparisons, and permits for agents
 * and classes that do not apply. With @attrs the forbid looks at the host instead. */
static char *make_policies(size_t n, bool attrs)
{
    size_t cap = 512 + n * 200;
    char *text = malloc(cap);
    if (text == NULL)
        exit(1);
    size_t at = (size_t)snprintf(
        text, cap, "forbid (principal, action, %s;\n"
                   "permit (principal, action == Firma::Action::\"communication.external.send\", resource)\n"
                   "when { context.risk_score < 80 && context.action_count < 1000000000 };\n",
        attrs ? "resource) when { resource has host && resource.host like \"169.254.*\" }"
              : "resource == Firma::Resource::\"paste.rs/\")");
    for (size_t i = PREFIX_POLICIES; i < n; i++)
        at += (size_t)snprintf(text + at, cap - at,
                               "permit (principal == Firma::Agent::\"agent_%zu\", action == Firma::Action::\"code.read\", "
                               "resource);\n", i);
    return text;
}

static double ask_many(struct bench *b)
{
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = fb_clock_mono_ns();
        for (uint64_t i = 0; i < b->calls; i++) {
            fb_arena_reset(&b->arena);
            fe_decide(b->engine, &b->env, b->scratch, &b->arena, &b->v);
        }
        double ns = (double)(fb_clock_mono_ns() - start) / (double)b->calls;
        best = ns < best ? ns : best;
    }
    return best;
}

static void give_token(struct bench *b, const char *scope)
{
    struct fb_str actions[] = { FB_STR("communication.external.send") };
    struct tk_claims c = { .token_id = FB_STR("79dd9ffb-ebc8-4883-8f1e-72eb74a26e33"),
                           .agent_id = FB_STR("agent_1"),
                           .session_id = FB_STR("sess_1"),
                           .action_set = actions,
                           .n_actions = 1,
                           .resource_scope = fb_str_of(scope),
                           .context_hash = FB_STR("8d70ac49793bbf079cc469e2c03ef9ce09d90a314d4af39857665a5696dff8b7"),
                           .issued_at_ns = 1,
                           .expiry_ns = INT64_MAX };
    const struct tk_claims *list = &c;
    if (fe_engine_set_capabilities(b->engine, &list, 1, NULL, NULL) < 0)
        exit(1);
}

static void give_shipped_rules(struct bench *b)
{
    static const char *const names[] = { "github", "stripe", "gmail", "anthropic", "openai", "npm", "pypi", "cargo" };
    struct fe_mapping_file files[FB_COUNT(names)];
    char paths[FB_COUNT(names)][64];
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        snprintf(paths[i], sizeof paths[i], "mappings/%s.toml", names[i]);
        files[i] = (struct fe_mapping_file){ paths[i], fc_asset_get(paths[i]) };
    }
    struct fe_mapping *m = NULL;
    struct fb_err err;
    if (fe_mapping_load(files, FB_COUNT(files), &m, &err) < 0) {
        fprintf(stderr, "%s\n", err.msg);
        exit(1);
    }
    fe_engine_set_mapping(b->engine, m);
}

static double load_many(struct bench *b, const char *text)
{
    struct fb_err err;
    double best = 1e18;
    for (int i = 0; i < 20; i++) {
        int64_t start = fb_clock_mono_ns();
        if (fe_engine_set_bundle(b->engine, fb_str_of(text), fc_asset_get("schema/firma.cedarschema"), FB_STR("bench"),
                                 FE_BUNDLE_TTL_MAX_S, 0, &err) < 0) {
            fprintf(stderr, "%s\n", err.msg);
            exit(1);
        }
        double us = (double)(fb_clock_mono_ns() - start) / 1000;
        best = us < best ? us : best;
    }
    return best;
}

/* Stage 2 by itself, on a call that has passed Stage 1. */
static double ask_stage2(struct bench *b)
{
    fb_arena_reset(&b->arena);
    fe_decide(b->engine, &b->env, b->scratch, &b->arena, &b->v);
    struct fe_call call = { .engine = b->engine,
                            .scratch = b->scratch,
                            .env = &b->env,
                            .v = &b->v,
                            .method = fe_method_of(b->env.method),
                            .action = (unsigned)fc_action_find(b->v.action) };
    struct fb_arena arena;
    fb_arena_init(&arena, 1 << 20);
    call.arena = &arena;
    fe_epoch_enter(&b->engine->epoch, &b->scratch->reader);
    if (!fe_stage1(&call))
        exit(1);
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        int64_t start = fb_clock_mono_ns();
        for (uint64_t i = 0; i < b->calls; i++) {
            cedar_scratch_reset(b->scratch->cedar);
            fb_arena_reset(&arena);
            fe_stage2(&call);
        }
        double ns = (double)(fb_clock_mono_ns() - start) / (double)b->calls;
        best = ns < best ? ns : best;
    }
    fe_epoch_leave(&b->engine->epoch, &b->scratch->reader);
    fb_arena_done(&arena);
    return best;
}

static void measure(struct bench *b, size_t policies, bool attrs)
{
    char *text = make_policies(policies, attrs);
    double load_us = load_many(b, text);
    free(text);
    double whole = ask_many(b);
    double stage2 = ask_stage2(b);
    printf("decide  %5zu policies%s  stage 2 %6.0f ns  in all %6.0f ns  bundle load %6.0f us%s\n", policies,
           attrs ? ", reading resource.host" : "                       ", stage2, whole, load_us,
           b->v.decision == FE_ALLOW ? "" : "  NOT ALLOWED");
}

int main(int argc, char **argv)
{
    struct bench b = { .calls = 100000 };
    if (argc > 1 && fb_num_u64(fb_str_of(argv[1]), 1, 1000000000, &b.calls) < 0) {
        fprintf(stderr, "usage: bench_decide [calls]\n");
        return 2;
    }
    struct fe_engine_options opt = { .dev_ready = true };
    if (fe_engine_new(&opt, &b.engine, NULL) < 0 || (b.scratch = fe_scratch_new(b.engine)) == NULL)
        return 1;
    fb_arena_init(&b.arena, 1 << 20);
    give_shipped_rules(&b);
    give_token(&b, "*");
    const struct fe_header headers[] = {
        { FB_STR("host"), FB_STR("api.anthropic.com") },
        { FB_STR("user-agent"), FB_STR("curl/7.88.1") },
        { FB_STR("accept"), FB_STR("*/*") },
    };
    b.env = (struct fe_envelope){ .method = FB_STR("POST"),
                                  .is_https = true,
                                  .host = FB_STR("api.anthropic.com"),
                                  .path = FB_STR("/v1/messages"),
                                  .headers = headers,
                                  .n_headers = FB_COUNT(headers),
                                  .now_wall_ms = 1779091205123,
                                  .now_mono_ms = 1 };
    static const size_t sizes[] = { 10, 100, 1000 };
    for (size_t i = 0; i < FB_COUNT(sizes); i++) {
        measure(&b, sizes[i], false);
        measure(&b, sizes[i], true);
    }
    fe_scratch_free(b.scratch);
    fe_engine_free(b.engine);
    fb_arena_done(&b.arena);
    return 0;
}
