/* Stream events into engine snapshots. A bundle that does not load leaves the old one in force. */
#include "sidecar/authlink.h"

#include "base/clock.h"
#include "base/log.h"
#include "enforce/engine.h"
#include "sidecar/conn.h"
#include "sidecar/server.h"

#include <stdlib.h>

struct sc_authlink {
    struct sc_server *server;
    struct rp_watch *watch;
    struct fb_timer *grace;
    uint64_t grace_ms;
    bool closed_on_disconnect;
    void (*on_ready)(void *arg);
    void *arg;
};

static void look_ready(struct sc_authlink *l)
{
    if (l->on_ready == NULL || !fe_engine_is_ready(l->server->engine))
        return;
    void (*on_ready)(void *) = l->on_ready;
    l->on_ready = NULL;
    on_ready(l->arg);
}

static void revocations_ready(void *arg)
{
    struct sc_authlink *l = arg;
    fe_engine_set_revocations_ready(l->server->engine, true);
    look_ready(l);
}

static void on_bundle(void *arg, const struct rp_bundle *b)
{
    struct sc_authlink *l = arg;
    struct fe_engine *e = l->server->engine;
    struct fb_err err = { 0 };
    int64_t now = fb_clock_mono_ms();
    if (fe_engine_touch_bundle(e, b->version, now))
        return;
    if (fe_engine_set_bundle(e, b->policies, b->schema, b->version, b->ttl_s, now, &err) < 0) {
        fb_log_err(FB_LOG_ERROR, "policy bundle rejected; keeping the previous one", &err);
        return;
    }
    FB_LOG(FB_LOG_INFO, "policy bundle applied", FB_KS("version", b->version), FB_KU("ttl_seconds", b->ttl_s),
           FB_KU("policies", fe_engine_bundle_info(e, NULL, 0)));
    look_ready(l);
}

/* The Authority says that what this token has under way must stop. */
static void cut_token(struct sc_server *s, struct fb_str token_id)
{
    for (struct sc_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (c->call.open && token_id.n > 0 && fb_str_eq(c->call.verdict.token_id, token_id) &&
            (c->state == SC_CONN_EXCHANGE || c->state == SC_CONN_TUNNEL))
            sc_conn_close(c, "transport: the capability was revoked");
    }
}

static void on_revocation(void *arg, struct fb_str token_id, struct fb_str reason, int64_t timestamp_ns)
{
    struct sc_authlink *l = arg;
    struct fe_engine *e = l->server->engine;
    (void)timestamp_ns;
    if (fe_engine_add_revocation(e, token_id))
        FB_LOG(FB_LOG_INFO, "revocation added", FB_KS("token_id", token_id),
               FB_KU("revocations_total", fe_engine_revocation_count(e)));
    if (fb_str_eqz(reason, "ABORT"))
        cut_token(l->server, token_id);
    revocations_ready(l);
}

static void on_state(void *arg, enum rp_stream stream, bool open, const char *why)
{
    struct sc_authlink *l = arg;
    const char *name = stream == RP_STREAM_BUNDLE ? "policy" : "revocations";
    if (open)
        FB_LOG(FB_LOG_DEBUG, "authority stream open", FB_KZ("stream", name));
    else
        FB_LOG(FB_LOG_WARN, "authority stream lost", FB_KZ("stream", name), FB_KZ("why", why));
    if (stream != RP_STREAM_REVOCATIONS)
        return;
    if (open) {
        fb_timer_start(l->grace, l->grace_ms, 0);
        return;
    }
    fb_timer_stop(l->grace);
    if (l->closed_on_disconnect)
        fe_engine_set_revocations_ready(l->server->engine, false);
}

int sc_authlink_new(struct sc_server *s, const struct sc_authlink_options *o, void (*on_ready)(void *arg), void *arg,
                    struct sc_authlink **ret, struct fb_err *err)
{
    struct sc_authlink *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    l->server = s;
    l->grace_ms = o->grace_ms;
    l->closed_on_disconnect = o->closed_on_disconnect;
    l->on_ready = on_ready;
    l->arg = arg;
    const struct rp_watch_opts opts = {
        .connect_timeout_ms = o->connect_timeout_ms,
        .backoff_min_ms = o->backoff_min_ms,
        .backoff_max_ms = o->backoff_max_ms,
    };
    const struct rp_watch_ops ops = { on_bundle, on_revocation, on_state };
    int r = fb_timer_new(s->loop, revocations_ready, l, &l->grace, err);
    if (r == 0)
        r = rp_watch_new(s->loop, o->url, &opts, &ops, l, &l->watch, err);
    if (r < 0) {
        fb_timer_free(l->grace);
        free(l);
        return r;
    }
    *ret = l;
    return 0;
}

void sc_authlink_free(struct sc_authlink *l)
{
    if (l == NULL)
        return;
    rp_watch_free(l->watch);
    fb_timer_free(l->grace);
    free(l);
}
