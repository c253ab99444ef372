/* Builds audit events from a call. */
#include "sidecar/record.h"

#include "audit/log.h"
#include "base/clock.h"

#include <stdio.h>

int sc_record_reserve(struct sc_conn *c, bool tunnel)
{
    struct sc_call *call = &c->call;
    if (call->slot == NULL && fa_log_reserve(c->server->audit, &call->slot) < 0) {
        call->slot = NULL;
        return FB_E_UNAVAILABLE;
    }
    if (tunnel && fa_log_reserve(c->server->audit, &call->second_slot) < 0) {
        call->second_slot = NULL;
        fa_log_release(c->server->audit, call->slot);
        call->slot = NULL;
        return FB_E_UNAVAILABLE;
    }
    return 0;
}

static void fill(const struct sc_conn *c, struct fa_event *ev)
{
    const struct sc_call *call = &c->call;
    const struct fe_verdict *v = &call->verdict;
    const struct sc_ident *who = sc_conn_ident(c);
    *ev = (struct fa_event){
        .event_id = fb_str_of(call->event_id),
        .session_id = v->session_id.n > 0 ? v->session_id : fb_str_of(who->session_id),
        .token_id = v->token_id,
        .agent_id = v->agent_id.n > 0 ? v->agent_id : fb_str_of(who->agent_id),
        .action = v->action,
        .resource = v->resource,
        .decision = fe_decision_audit_number(v->decision),
        .deny_reason = v->deny_reason,
        .enforcement_latency_us = call->decide_us,
        .context_hash = v->context_hash,
        .bundle_version = v->bundle_version,
        .dispatch_status = (int64_t)call->dispatch_status,
        .response_size = (int64_t)call->response_bytes,
        .sandbox_id = fb_str_of(who->sandbox_id),
    };
    /* Refused before a capability spoke: who the relay says it is. */
    if (ev->agent_id.n == 0 && v->decision == FE_DENY)
        ev->agent_id = fb_str_of(who->agent_id);
    if (call->dispatch_start_ns != 0 && call->dispatch_status != 0)
        ev->dispatch_latency_us = (fb_clock_mono_ns() - call->dispatch_start_ns) / 1000;
}

static void set_abort(struct fa_event *ev, const char *code, const char *detail, char *room, size_t cap)
{
    ev->decision = FA_ABORT;
    snprintf(room, cap, "%s: %s", code, detail);
    ev->deny_reason = fb_str_of(room);
    ev->dispatch_status = 0;
    ev->dispatch_latency_us = 0;
    ev->response_size = 0;
}

static void on_done(void *arg, int code)
{
    struct sc_conn *c = arg;
    c->call.slot = NULL;
    sc_conn_recorded(c, code);
}

void sc_record_commit(struct sc_conn *c, const char *code, const char *detail)
{
    struct sc_call *call = &c->call;
    if (call->slot == NULL) {
        sc_conn_recorded(c, FB_E_UNAVAILABLE);
        return;
    }
    struct fa_event ev;
    char room[FB_ERR_MSG_BYTES];
    fill(c, &ev);
    if (code != NULL) {
        int64_t size = ev.response_size;
        int64_t status = ev.dispatch_status;
        int64_t latency = ev.dispatch_latency_us;
        set_abort(&ev, code, detail, room, sizeof room);
        if (c->ex.answered) { /* a stream that broke: what had gone through stays on the record */
            ev.response_size = size;
            ev.dispatch_status = status;
            ev.dispatch_latency_us = latency;
        }
    }
    call->recorded = true;
    fa_log_commit(c->server->audit, call->slot, &ev, on_done, c);
}

void sc_record_tunnel_end(struct sc_conn *c, const char *code, const char *detail)
{
    struct sc_call *call = &c->call;
    if (call->second_slot == NULL)
        return;
    struct fa_event ev;
    char room[FB_ERR_MSG_BYTES];
    char resource[FN_AUTHORITY_TEXT_BYTES + 2];
    fill(c, &ev);
    ev.event_id = FB_STR("");
    if (code != NULL) {
        set_abort(&ev, code, detail, room, sizeof room);
        snprintf(resource, sizeof resource, "%s/", c->req.authority);
        ev.action = FB_STR("network.connect");
        ev.resource = fb_str_of(resource);
    }
    struct fa_slot *slot = call->second_slot;
    call->second_slot = NULL;
    fa_log_commit(c->server->audit, slot, &ev, NULL, NULL);
}

void sc_record_drop(struct sc_conn *c)
{
    struct sc_call *call = &c->call;
    if (call->slot != NULL) {
        if (call->recorded)
            fa_log_forget(c->server->audit, call->slot);
        else
            fa_log_release(c->server->audit, call->slot);
    }
    if (call->second_slot != NULL)
        fa_log_release(c->server->audit, call->second_slot);
    call->slot = NULL;
    call->second_slot = NULL;
}
