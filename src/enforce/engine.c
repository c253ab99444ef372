#include "enforce/engine_priv.h"

#include "enforce/mapping_priv.h"

#include <stdlib.h>

static int no_memory(struct fb_err *err)
{
    return fb_err_set(err, FB_E_NOMEM, "no memory for the decision engine");
}

int fe_engine_new(const struct fe_engine_options *opt, struct fe_engine **ret, struct fb_err *err)
{
    static const struct fe_engine_options defaults = { 0 };
    if (opt == NULL)
        opt = &defaults;
    struct fe_engine *e = calloc(1, sizeof(*e));
    if (e == NULL)
        return no_memory(err);
    e->default_unprotected = opt->default_unprotected;
    e->timeout_ms = opt->timeout_ms == 0 ? FE_TIMEOUT_DEFAULT_MS : opt->timeout_ms;
    e->leeway_ns = opt->clock_skew_s > INT64_MAX / 1000000000 ? INT64_MAX : (int64_t)opt->clock_skew_s * 1000000000;
    atomic_init(&e->wall_ahead_ms, INT64_MIN);
    atomic_init(&e->bundle_ready, opt->dev_ready);
    atomic_init(&e->revocations_ready, opt->dev_ready);
    if (fe_epoch_init(&e->epoch) < 0) {
        free(e);
        return no_memory(err);
    }
    fe_revoke_init(&e->revoked, &e->epoch,
                   opt->revocation_capacity == 0 ? FE_REVOCATIONS_DEFAULT : opt->revocation_capacity);
    int rc = fe_sessions_init(&e->sessions, opt->session_capacity == 0 ? FE_SESSIONS_DEFAULT : opt->session_capacity);
    if (rc == 0 && opt->tenant_agent_id.n > 0) {
        e->tenant = fb_str_dupz(opt->tenant_agent_id);
        rc = e->tenant == NULL ? FB_E_NOMEM : 0;
    }
    if (rc < 0) {
        fe_engine_free(e);
        return rc == FB_E_LIMIT ? fb_err_set(err, rc, "session_state_capacity is too large") : no_memory(err);
    }
    *ret = e;
    return 0;
}

void fe_engine_free(struct fe_engine *e)
{
    if (e == NULL)
        return;
    fe_mapping_free(atomic_load(&e->mapping));
    fe_capmap_free(atomic_load(&e->caps));
    fe_bundle_free(atomic_load(&e->bundle));
    fe_epoch_done(&e->epoch);
    fe_revoke_done(&e->revoked);
    fe_sessions_done(&e->sessions);
    free(e->tenant);
    free(e);
}

void fe_engine_set_mapping(struct fe_engine *e, struct fe_mapping *mapping)
{
    fe_epoch_lock(&e->epoch);
    struct fe_mapping *old = atomic_exchange(&e->mapping, mapping);
    fe_epoch_retire(&e->epoch, old == NULL ? NULL : &old->retired);
    fe_epoch_unlock(&e->epoch);
}

int fe_engine_set_capabilities(struct fe_engine *e, const struct tk_claims *const *claims, size_t n, size_t *ret_useless,
                               struct fb_err *err)
{
    struct fe_capmap *fresh = NULL;
    int rc = fe_capmap_new(claims, n, &fresh, ret_useless, err);
    if (rc < 0)
        return rc;
    fe_epoch_lock(&e->epoch);
    struct fe_capmap *old = atomic_exchange(&e->caps, fresh);
    fe_epoch_retire(&e->epoch, fe_capmap_retired(old));
    fe_epoch_unlock(&e->epoch);
    return 0;
}

int fe_engine_set_bundle(struct fe_engine *e, struct fb_str policies, struct fb_str schema, struct fb_str version,
                         uint32_t ttl_s, int64_t now_mono_ms, struct fb_err *err)
{
    struct fe_bundle *fresh = NULL;
    int rc = fe_bundle_new(policies, schema, version, ttl_s, now_mono_ms, &fresh, err);
    if (rc < 0)
        return rc;
    fe_epoch_lock(&e->epoch);
    struct fe_bundle *old = atomic_exchange(&e->bundle, fresh);
    fe_epoch_retire(&e->epoch, old == NULL ? NULL : &old->retired);
    fe_epoch_unlock(&e->epoch);
    atomic_store(&e->bundle_ready, true);
    return 0;
}

bool fe_engine_touch_bundle(struct fe_engine *e, struct fb_str version, int64_t now_mono_ms)
{
    fe_epoch_lock(&e->epoch);
    struct fe_bundle *b = atomic_load(&e->bundle);
    bool same = b != NULL && fb_str_eq(b->version, version);
    if (same)
        atomic_store(&b->received_ms, now_mono_ms);
    fe_epoch_unlock(&e->epoch);
    return same;
}

size_t fe_engine_bundle_info(struct fe_engine *e, char *ret_version, size_t cap)
{
    fe_epoch_lock(&e->epoch);
    const struct fe_bundle *b = atomic_load(&e->bundle);
    struct fb_str version = b == NULL ? FB_STR("") : b->version;
    if (ret_version != NULL && cap > 0) {
        size_t n = version.n < cap ? version.n : cap - 1;
        memcpy(ret_version, version.p, n);
        ret_version[n] = '\0';
    }
    size_t count = b == NULL ? 0 : cedar_policy_set_count(b->set);
    fe_epoch_unlock(&e->epoch);
    return count;
}

bool fe_engine_reads_params(struct fe_engine *e)
{
    fe_epoch_lock(&e->epoch);
    const struct fe_bundle *b = atomic_load(&e->bundle);
    bool reads = b == NULL;
    for (size_t i = 0; b != NULL && i < b->n_plans; i++)
        reads |= (b->plans[i].needed >> FE_FIELD_PARAMS & 1) != 0;
    fe_epoch_unlock(&e->epoch);
    return reads;
}

bool fe_engine_add_revocation(struct fe_engine *e, struct fb_str token_id)
{
    return fe_revoke_add(&e->revoked, token_id);
}

bool fe_engine_is_revoked(struct fe_engine *e, struct fb_str token_id)
{
    fe_epoch_lock(&e->epoch);
    bool revoked = fe_revoke_has(&e->revoked, token_id, fe_revoke_hash(token_id));
    fe_epoch_unlock(&e->epoch);
    return revoked;
}

uint64_t fe_engine_revocation_count(const struct fe_engine *e)
{
    return atomic_load(&e->revoked.count);
}

void fe_engine_set_revocations_ready(struct fe_engine *e, bool ready)
{
    atomic_store(&e->revocations_ready, ready);
}

bool fe_engine_is_ready(const struct fe_engine *e)
{
    return atomic_load(&e->bundle_ready) && atomic_load(&e->revocations_ready);
}

void fe_engine_routes(struct fe_engine *e, bool (*fn)(void *arg, struct fb_str host_pattern), void *arg)
{
    fe_epoch_lock(&e->epoch);
    const struct fe_mapping *m = atomic_load(&e->mapping);
    if (m != NULL)
        fe_mapping_routes(m, fn, arg);
    fe_epoch_unlock(&e->epoch);
}

bool fe_engine_routes_host(struct fe_engine *e, struct fb_str name)
{
    fe_epoch_lock(&e->epoch);
    const struct fe_mapping *m = atomic_load(&e->mapping);
    bool routed = m != NULL && fe_mapping_routes_host(m, name);
    fe_epoch_unlock(&e->epoch);
    return routed;
}

struct fe_scratch *fe_scratch_new(struct fe_engine *engine)
{
    struct fe_scratch *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return NULL;
    s->cedar = cedar_scratch_new(FE_SCRATCH_MAX_BYTES);
    if (s->cedar == NULL) {
        free(s);
        return NULL;
    }
    /* A step is some ten nanoseconds, so that the bound comes at about the time that the denial names. */
    s->steps = (uint64_t)engine->timeout_ms * 20000;
    cedar_scratch_set_steps(s->cedar, s->steps);
    s->engine = engine;
    fb_buf_init(&s->params, FE_SCRATCH_MAX_BYTES);
    fb_buf_init(&s->text, (size_t)8 * FE_TARGET_MAX_BYTES + FE_SCRATCH_MAX_BYTES / 8);
    fb_arena_init(&s->arena, FE_SCRATCH_MAX_BYTES);
    fe_epoch_add_reader(&engine->epoch, &s->reader);
    return s;
}

void fe_scratch_free(struct fe_scratch *s)
{
    if (s == NULL)
        return;
    fe_epoch_remove_reader(&s->engine->epoch, &s->reader);
    cedar_scratch_free(s->cedar);
    fb_buf_done(&s->params);
    fb_buf_done(&s->text);
    fb_arena_done(&s->arena);
    free(s);
}
