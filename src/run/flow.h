/* A launch in motion: what has been started, what is ready, and the loop that waits for the rest.
 * Layer: run (L3), used by run.c, flow*.c only. Thread: the launcher's only one. */
#ifndef RUN_FLOW_H
#define RUN_FLOW_H

#include "base/loop.h"
#include "run/authsel.h"
#include "run/capability.h"
#include "run/child.h"
#include "run/dnsstub.h"
#include "run/relay.h"
#include "run/routes.h"
#include "run/run.h"
#include "run/sandbox.h"
#include "run/settle.h"
#include "run/timings.h"
#include "stack/marker.h"

enum {
    RUN_READY_DEFAULT_S = 10,
    RUN_STOP_GRACE_MS = 5000,
    RUN_REPORT_MS = 1000, /* a dead component is reported, then the agent has this long to end by itself */
};

struct run_flow {
    struct run_settled *s;
    const struct run_children *entries;
    struct run_authority authority;
    struct fb_loop *loop;
    struct run_timings timings;

    struct st_marker marker;
    bool has_marker;
    struct run_child authority_child;
    struct run_child sidecar_child;
    char policy_version[72];
    char authority_url[RUN_AUTHORITY_URL_BYTES];
    struct run_capability capability;
    struct fb_timer *renewal;
    int64_t renewal_pause_ms;

    struct run_sandbox sandbox;
    bool has_sandbox;
    struct fb_watch *sandbox_watch;
    bool sandbox_ready;
    int proxy_fd; /* the listener made inside, until its owner has it */
    bool listeners_here;
    bool handed_over; /* its owner accepts from it */
    bool hand_over_sent;
    struct run_routes routes;
    bool routes_known;
    struct run_dnsstub *dns;
    int dns_udp_fd;
    int dns_tcp_fd;
    struct run_relay *relay;

    struct fb_timer *deadline; /* start-up limit, later the agent's grace */
    bool sidecar_told;
    bool go_sent;
    int terminations; /* termination signals so far */
    int exit_status;  /* valid when ended without an error */
    bool ended;
    struct fb_err err;
};

/* Ends the loop with an error; the first one counts. */
void run_flow_fail(struct run_flow *f, const struct fb_err *err);
/* Does every step whose inputs are there by now. Called after each event. */
void run_flow_advance(struct run_flow *f);
/* Steps of run_flow_advance that talk to the components (flow_start.c). */
int run_flow_tell_authority(struct run_flow *f, struct fb_err *err);
int run_flow_tell_sidecar(struct run_flow *f, struct fb_err *err);
int run_flow_hand_over(struct run_flow *f, struct fb_err *err);
int run_flow_open_gate(struct run_flow *f, struct fb_err *err);
/* Callbacks of the loop (flow_events.c); lets held signals through. */
int run_flow_watch(struct run_flow *f, struct fb_err *err);
/* A termination signal between the first trace on disk and the loop must end the launch in order, not in between. */
int run_flow_hold_signals(bool hold);
/* Stops everything in order: agent, stub and relay, Sidecar, Authority, capability, marker. */
int run_flow_teardown(struct run_flow *f, struct fb_err *err);

#endif
