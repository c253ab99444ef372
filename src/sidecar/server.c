/* The shared part: the sweep, the audit wake, draining. */
#include "sidecar/server.h"

#include "audit/log.h"
#include "enforce/decide.h"
#include "enforce/engine.h"
#include "sidecar/conn.h"
#include "sidecar/listener.h"
#include "sidecar/upstream.h"

void sc_limits_default(struct sc_limits *ret)
{
    *ret = (struct sc_limits){
        .head_bytes = FC_LIMIT_HEAD_BYTES,
        .fields = FC_LIMIT_HEAD_FIELDS,
        .body_bytes = FC_LIMIT_BODY_BYTES,
        .bodies_bytes = FC_LIMIT_BODIES_BYTES,
        .clients = FC_LIMIT_CLIENTS,
        .clients_per_peer = FC_LIMIT_CLIENTS_PER_PEER,
        .head_ms = FC_LIMIT_HEAD_MS,
        .idle_ms = FC_LIMIT_IDLE_MS,
        .body_gap_ms = FC_LIMIT_BODY_GAP_MS,
        .dispatch_ms = FC_LIMIT_DISPATCH_MS,
        .tunnel_setup_ms = FC_LIMIT_TUNNEL_SETUP_MS,
        .tunnel_life_ms = FC_LIMIT_TUNNEL_LIFE_MS,
        .drain_ms = 30000,
    };
}

static void start_sweep(struct sc_server *s)
{
    if (s->sweeping)
        return;
    s->sweeping = true;
    fb_timer_start(s->sweep, SC_SWEEP_MS, SC_SWEEP_MS);
}

/* A full house must not be held by clients that only keep their connection open. */
static void make_room(struct sc_server *s, uint64_t now)
{
    for (struct sc_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        if (sc_conn_is_idle(c) && now - c->idle_since_ms > 5 * SC_SWEEP_MS)
            sc_conn_close(c, NULL);
    }
}

static void on_sweep(void *arg)
{
    struct sc_server *s = arg;
    uint64_t now = fb_loop_now_ms(s->loop);
    for (struct sc_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        sc_conn_sweep(c, now);
    }
    size_t idle = sc_pool_sweep(s->pool, now);
    if (s->accept_paused) {
        make_room(s, now);
        sc_listener_pause_all(s, false);
    }
    if (s->draining && now >= s->drain_deadline_ms)
        sc_server_cut(s);
    if (s->conns == NULL && idle == 0 && !s->draining && !s->accept_paused) {
        s->sweeping = false;
        fb_timer_stop(s->sweep);
    }
}

static void on_reap(void *arg)
{
    struct sc_server *s = arg;
    while (s->dead != NULL) {
        struct sc_conn *c = s->dead;
        s->dead = c->next;
        sc_conn_free(c);
    }
    if (s->draining && s->conns == NULL && s->drained != NULL) {
        void (*drained)(void *) = s->drained;
        s->drained = NULL;
        drained(s->drained_arg);
    }
}

static void on_audit(void *arg)
{
    struct sc_server *s = arg;
    if (s->audit != NULL)
        (void)fa_log_take_completions(s->audit);
}

int sc_server_init(struct sc_server *s, struct fb_loop *loop, const struct sc_limits *limits, struct fb_err *err)
{
    s->loop = loop;
    s->limits = *limits;
    if (s->limits.fields > FN_H1_FIELDS_MAX || s->limits.fields == 0)
        s->limits.fields = FN_H1_FIELDS_MAX;
    int r = fb_timer_new(loop, on_sweep, s, &s->sweep, err);
    if (r == 0)
        r = fb_timer_new(loop, on_reap, s, &s->reap, err);
    if (r == 0)
        r = fb_wake_new(loop, on_audit, s, &s->audit_wake, err);
    if (r == 0)
        r = sc_pool_new(loop, &s->pool, err);
    if (r < 0)
        sc_server_done(s);
    return r;
}

void sc_server_done(struct sc_server *s)
{
    sc_listener_close_all(s);
    sc_server_cut(s);
    s->drained = NULL;
    if (s->dead != NULL)
        on_reap(s);
    sc_pool_free(s->pool);
    s->pool = NULL;
    fb_timer_free(s->sweep);
    fb_timer_free(s->reap);
    fb_wake_free(s->audit_wake);
    s->sweep = NULL;
    s->reap = NULL;
    s->audit_wake = NULL;
}

void sc_server_wake_audit(void *arg)
{
    struct sc_server *s = arg;
    fb_wake_send(s->audit_wake);
}

void sc_server_add(struct sc_server *s, struct sc_conn *c)
{
    c->prev = NULL;
    c->next = s->conns;
    if (s->conns != NULL)
        s->conns->prev = c;
    s->conns = c;
    s->n_conns++;
    start_sweep(s);
}

void sc_server_remove(struct sc_server *s, struct sc_conn *c)
{
    if (c->prev != NULL)
        c->prev->next = c->next;
    else
        s->conns = c->next;
    if (c->next != NULL)
        c->next->prev = c->prev;
    s->n_conns--;
    c->next = s->dead;
    c->prev = NULL;
    s->dead = c;
    fb_timer_start(s->reap, 0, 0);
    if (s->accept_paused && s->n_conns < s->limits.clients)
        sc_listener_pause_all(s, false);
}

unsigned sc_server_count_peer(const struct sc_server *s, pid_t pid)
{
    unsigned n = 0;
    for (const struct sc_conn *c = s->conns; pid != 0 && c != NULL; c = c->next)
        n += c->peer_pid == pid;
    return n;
}

bool sc_server_share(const struct sc_server *s, const struct sc_conn *c, uint64_t n)
{
    uint64_t half = s->limits.bodies_bytes / 2;
    if (half < s->limits.body_bytes)
        half = s->limits.body_bytes;
    if (s->ident_fixed || c->peer_pid == 0 || s->body_bytes + n <= half)
        return true;
    const char *session = c->ident.session_id;
    uint64_t held = 0;
    for (const struct sc_conn *o = s->conns; o != NULL; o = o->next)
        if (strcmp(o->ident.session_id, session) == 0 && (session[0] != '\0' || o->peer_pid == c->peer_pid))
            held += o->body_charged;
    return held + n <= half;
}

void sc_server_cut(struct sc_server *s)
{
    while (s->conns != NULL)
        sc_conn_close(s->conns, "transport: the Sidecar is stopping");
}

void sc_server_drain(struct sc_server *s, void (*drained)(void *arg), void *arg)
{
    if (s->draining) {
        sc_server_cut(s);
        return;
    }
    sc_listener_close_all(s);
    s->draining = true;
    s->drained = drained;
    s->drained_arg = arg;
    s->drain_deadline_ms = fb_loop_now_ms(s->loop) + s->limits.drain_ms;
    for (struct sc_conn *c = s->conns, *next; c != NULL; c = next) {
        next = c->next;
        /* Half a head is nobody's call yet. */
        if (sc_conn_is_idle(c) || (c->state == SC_CONN_HEAD && sc_conn_backlog(c) == 0))
            sc_conn_close(c, NULL);
    }
    start_sweep(s);
    fb_timer_start(s->reap, 0, 0);
}

bool sc_server_is_ready(const struct sc_server *s)
{
    return !s->draining && s->audit != NULL && fa_log_ready(s->audit) && fe_engine_is_ready(s->engine);
}
