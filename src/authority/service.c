#include "authority/service.h"

#include "authority/issue.h"
#include "base/clock.h"
#include "base/log.h"
#include "rpc/msg.h"

#include <stdlib.h>

enum {
    REFRESH_MIN_S = 5,
    NS_PER_S = 1000000000,
    REPLAY_DAYS = 365,
    REPLAY_CHUNK_BYTES = 256 << 10 /* revocations queued at one time; the rest waits for the peer to take them */
};

/* One open WatchPolicyBundle or WatchRevocations. */
struct au_stream {
    struct au_service *service;
    struct au_stream *next;
    struct au_stream **back;
    struct rp_call *call;
    struct fb_timer *refresh; /* bundle */
    bool dirty;               /* bundle: a newer one waits until the last has gone out */
    size_t cursor;            /* revocations: the next item to look at */
    size_t replay_n;          /* revocations: what was there when the stream opened, and is filtered by since_ns */
    int64_t since_ns;
};

static void stream_free(struct au_stream *st)
{
    fb_timer_free(st->refresh);
    *st->back = st->next;
    if (st->next != NULL)
        st->next->back = st->back;
    free(st);
}

static void on_stream_end(void *arg, struct rp_call *call)
{
    (void)call;
    stream_free(arg);
}

static struct au_stream *stream_new(struct au_service *s, struct au_stream **list, struct rp_call *call)
{
    struct au_stream *st = calloc(1, sizeof(*st));

    if (st == NULL) {
        rp_call_finish(call, RP_RESOURCE_EXHAUSTED, "out of memory");
        return NULL;
    }
    st->service = s;
    st->call = call;
    st->next = *list;
    st->back = list;
    if (st->next != NULL)
        st->next->back = &st->next;
    *list = st;
    rp_call_on_end(call, on_stream_end, st);
    return st;
}

static void stream_finish(struct au_stream *st, enum rp_status status, const char *message)
{
    rp_call_finish(st->call, status, message);
    stream_free(st);
}

/* ---- IssueCapability ---- */

static void reply_verdict(struct rp_call *call, const struct rp_issue_request *q, const struct au_verdict *v)
{
    struct fb_buf out;
    const struct rp_issue_reply reply = {
        .granted = v->granted,
        .raw_token = fb_buf_str(&v->token),
        .token_id = fb_str_of(v->token_id),
        .agent_id = q->agent_id,
        .session_id = q->session_id,
        .actions = (struct fb_str *)(uintptr_t)q->actions,
        .n_actions = q->n_actions,
        .resource_scope = q->resource_scope,
        .context_hash = fb_str_of(v->context_hash),
        .issued_at_ns = v->issued_at_ns,
        .expiry_ns = v->expiry_ns,
        .deny_reason = fb_str_of(v->reason),
        .deny_message = fb_str_of(v->message),
    };

    fb_buf_init_secret(&out, RP_MESSAGE_MAX_BYTES);
    int rc = rp_msg_put_issue_reply(&out, &reply);
    if (rc == 0)
        rc = rp_call_send(call, out.p, out.n);
    rp_call_finish(call, rc == 0 ? RP_OK : RP_INTERNAL, NULL);
    fb_buf_done(&out);
}

static void log_request(const struct rp_issue_request *q)
{
    FB_LOG(FB_LOG_INFO, "capability requested", FB_KS("agent_id", q->agent_id), FB_KS("session_id", q->session_id),
           FB_KU("actions", q->n_actions), FB_KS("resource_scope", q->resource_scope));
}

static void log_verdict(const struct rp_issue_request *q, const struct au_verdict *v)
{
    if (v->granted)
        FB_LOG(FB_LOG_INFO, "capability granted", FB_KS("agent_id", q->agent_id), FB_KZ("token_id", v->token_id));
    else
        FB_LOG(FB_LOG_INFO, "capability denied", FB_KS("agent_id", q->agent_id), FB_KZ("reason", v->reason),
               FB_KZ("detail", v->message));
}

static void on_issue(void *arg, struct rp_call *call, struct fb_str message)
{
    struct au_service *s = arg;
    struct rp_issue_request q;
    struct fb_arena arena;
    struct fb_err err = { 0 };

    fb_arena_init(&arena, RP_DECODE_MAX_BYTES);
    int rc = rp_msg_get_issue_request(&arena, message, &q);
    if (rc != 0) {
        rp_call_finish(call, RP_INVALID_ARGUMENT,
                       rc == FB_E_LIMIT ? "too many requested_actions" : "malformed request");
        fb_arena_done(&arena);
        return;
    }
    const struct au_issuer issuer = { s->key, s->issuance->now, s->config->max_ttl_s };
    struct au_verdict v;
    log_request(&q);
    rc = au_issue(&issuer, &q, fb_clock_wall_ns(), &v, &err);
    if (rc == 0) {
        log_verdict(&q, &v);
        reply_verdict(call, &q, &v);
    } else if (rc == FB_E_PARSE || rc == FB_E_LIMIT) {
        rp_call_finish(call, RP_INVALID_ARGUMENT, err.msg);
    } else {
        fb_log_err(FB_LOG_ERROR, "issuance failed", &err);
        rp_call_finish(call, RP_INTERNAL, NULL); /* no detail for the peer */
    }
    au_verdict_done(&v);
    fb_arena_done(&arena);
}

/* ---- WatchPolicyBundle ---- */

static uint64_t refresh_ms(const struct au_service *s)
{
    uint32_t half = s->config->bundle_ttl_s / 2;

    return (uint64_t)(half < REFRESH_MIN_S ? REFRESH_MIN_S : half) * 1000;
}

static int send_bundle(struct au_stream *st)
{
    const struct au_policy *p = st->service->enforcement->now;
    struct fb_buf out;
    const struct rp_bundle bundle = {
        .version = fb_str_of(p->version),
        .policies = fb_str_n(p->policies, p->policies_n),
        .schema = fb_str_n(p->schema_text, p->schema_n),
        .ttl_s = st->service->config->bundle_ttl_s,
        .updated_at_ns = fb_clock_wall_ns(),
    };

    fb_buf_init(&out, RP_MESSAGE_MAX_BYTES);
    int rc = rp_msg_put_bundle(&out, &bundle);
    if (rc == 0)
        rc = rp_call_send(st->call, out.p, out.n);
    fb_buf_done(&out);
    /* A late tick does not make the next one come early. */
    fb_timer_start(st->refresh, refresh_ms(st->service), 0);
    return rc;
}

/* Sends now, or once the peer has taken what is under way: several changes become the newest one. */
static void push_bundle(struct au_stream *st)
{
    st->dirty = rp_call_pending_bytes(st->call) > 0;
    if (!st->dirty && send_bundle(st) != 0)
        stream_finish(st, RP_RESOURCE_EXHAUSTED, "the bundle cannot be sent");
}

static void on_bundle_drained(void *arg, struct rp_call *call)
{
    struct au_stream *st = arg;

    (void)call;
    if (st->dirty)
        push_bundle(st);
}

static void on_refresh(void *arg)
{
    struct au_stream *st = arg;

    fb_timer_start(st->refresh, refresh_ms(st->service), 0);
    push_bundle(st);
}

static void on_watch_bundle(void *arg, struct rp_call *call, struct fb_str message)
{
    struct au_service *s = arg;
    struct fb_arena arena;
    struct fb_str version = FB_STR("");

    fb_arena_init(&arena, RP_DECODE_MAX_BYTES);
    int rc = rp_msg_get_watch_bundle(&arena, message, &version);
    bool has_it = version.n > 0 && fb_str_eqz(version, s->enforcement->now->version);
    FB_LOG(FB_LOG_INFO, "sidecar connected to the policy stream", FB_KS("current_version", version));
    fb_arena_done(&arena);
    if (rc != 0) {
        rp_call_finish(call, RP_INVALID_ARGUMENT, "malformed request");
        return;
    }
    struct au_stream *st = stream_new(s, &s->bundle_streams, call);
    if (st == NULL)
        return;
    if (fb_timer_new(s->loop, on_refresh, st, &st->refresh, NULL) != 0) {
        stream_finish(st, RP_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    rp_call_on_drained(call, on_bundle_drained, st);
    rp_call_open(call);
    if (has_it)
        fb_timer_start(st->refresh, refresh_ms(s), 0);
    else
        push_bundle(st);
}

void au_service_bundle_changed(struct au_service *s)
{
    for (struct au_stream *st = s->bundle_streams, *next = NULL; st != NULL; st = next) {
        next = st->next;
        push_bundle(st);
    }
}

/* ---- WatchRevocations ---- */

/* Sends what is due, a bounded piece at a time; the list itself is the buffer, so a slow peer loses nothing. */
static void pump(struct au_stream *st)
{
    const struct au_revlog *l = st->service->revocations;
    struct fb_buf out;
    int rc = 0;

    fb_buf_init(&out, RP_MESSAGE_MAX_BYTES);
    while (rc == 0 && st->cursor < l->n && rp_call_pending_bytes(st->call) < REPLAY_CHUNK_BYTES) {
        const struct au_revocation *r = &l->items[st->cursor++];
        if (st->cursor <= st->replay_n && r->at_ns <= st->since_ns)
            continue;
        fb_buf_reset(&out);
        rc = rp_msg_put_revocation(&out, fb_str_of(r->token_id), fb_str_of(r->reason), r->at_ns);
        if (rc == 0)
            rc = rp_call_send(st->call, out.p, out.n);
    }
    fb_buf_done(&out);
    if (rc != 0) /* the client opens the stream again and gets everything anew */
        stream_finish(st, RP_UNAVAILABLE, "revocations could not be sent");
}

static void on_revocations_drained(void *arg, struct rp_call *call)
{
    (void)call;
    pump(arg);
}

static void on_watch_revocations(void *arg, struct rp_call *call, struct fb_str message)
{
    struct au_service *s = arg;
    struct fb_arena arena;
    struct rp_time since = { 0 };
    int64_t now_ns = fb_clock_wall_ns();

    fb_arena_init(&arena, RP_DECODE_MAX_BYTES);
    int rc = rp_msg_get_watch_revocations(&arena, message, &since);
    fb_arena_done(&arena);
    if (rc != 0) {
        rp_call_finish(call, RP_INVALID_ARGUMENT, "malformed request");
        return;
    }
    struct au_stream *st = stream_new(s, &s->revocation_streams, call);
    if (st == NULL)
        return;
    if (!since.present)
        st->since_ns = now_ns - (int64_t)REPLAY_DAYS * 24 * 3600 * NS_PER_S;
    else
        st->since_ns = since.representable ? since.ns : now_ns;
    FB_LOG(FB_LOG_INFO, "sidecar connected to the revocation stream", FB_KI("since_unix_s", st->since_ns / NS_PER_S));
    st->replay_n = s->revocations->n;
    rp_call_on_drained(call, on_revocations_drained, st);
    rp_call_open(call);
    pump(st);
}

void au_service_revocations_added(struct au_service *s)
{
    for (struct au_stream *st = s->revocation_streams, *next = NULL; st != NULL; st = next) {
        next = st->next;
        pump(st);
    }
}

/* ---- */

void au_service_init(struct au_service *s)
{
    s->methods[0] = (struct rp_method){ "/firma.v1.AuthorityService/IssueCapability", on_issue, s };
    s->methods[1] = (struct rp_method){ "/firma.v1.AuthorityService/WatchPolicyBundle", on_watch_bundle, s };
    s->methods[2] = (struct rp_method){ "/firma.v1.AuthorityService/WatchRevocations", on_watch_revocations, s };
    s->methods[3] = (struct rp_method){ NULL, NULL, NULL };
}

void au_service_done(struct au_service *s)
{
    while (s->bundle_streams != NULL)
        stream_free(s->bundle_streams);
    while (s->revocation_streams != NULL)
        stream_free(s->revocation_streams);
}
