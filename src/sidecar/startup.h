/* Builds a Sidecar from its configuration in the order of the seven start-up lines, and takes it down again.
 * Source: [the Firma specification, sidecar 19, 22]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_STARTUP_H
#define SIDECAR_STARTUP_H

#include "core/config.h"
#include "sidecar/config.h"
#include "sidecar/server.h"

struct sc_authlink;
struct sc_health;
struct sc_seeds;

/* What a launcher adds to the configuration; all may be NULL. */
struct sc_overrides {
    const char *socket_path;   /* listen here instead of what the configuration says */
    const char *announce_path; /* what line 6 calls it: the directory is renamed later */
    const char *session_id;    /* not NULL: the one session of this process */
    const char *sandbox_id;
    const char *agent_id;
    const char *capability;    /* seed file, besides those of the configuration */
    const char *health_addr;   /* "off": none */
    bool seeds_told; /* the launcher says when a seed file has changed: nothing is watched */
    bool per_run;
};

struct sc_app {
    struct fb_loop *loop;
    struct fc_config file;
    struct sc_config config;
    struct sc_server server;
    bool server_made;
    struct sc_seeds *seeds;
    struct sc_authlink *authlink;
    struct sc_health *health;
    struct sc_listener *listener;
    void (*on_ready)(struct sc_app *app); /* line 7 is out */
    void *arg;
    bool ready;
};

/* Lines 1 to 6; line 7 and on_ready follow from the loop once policy and revocations are there. @app is zeroed but for
 * on_ready and arg. On failure give it to sc_startup_done all the same. */
int sc_startup(struct sc_app *app, const char *config_path, const struct sc_overrides *over, struct fb_err *err) FB_MUST_USE;
/* Cuts what is open, writes and seals the audit log, frees. 0, or FB_E_UNAVAILABLE when audit lines could not be written. */
int sc_startup_done(struct sc_app *app, struct fb_err *err);

#endif
