/* The Sidecar process: `firma sidecar`, and the forked child of `firma run`.
 * Source: [the Firma specification, sidecar 1, 19, 22; the Firma design, section 2]. Layer: sidecar (L3). One call a
 * process; starts a thread (audit) of its own. */
#ifndef SIDECAR_SIDECAR_H
#define SIDECAR_SIDECAR_H

#include "base/err.h"

struct sc_main_options {
    const char *config;      /* NULL: FIRMA_SIDECAR_CONFIG_FILE, FIRMA_CONFIG, discovery */
    const char *health_addr; /* NULL: 127.0.0.1:9000; "off": none */
};

/* Runs until SIGTERM or SIGINT, then drains; a second signal ends at once. SIGHUP opens the audit log anew. 0 after an
 * orderly end, else the error of the start. */
int sc_main(const struct sc_main_options *options, struct fb_err *err) FB_MUST_USE;

/* The child of a launcher; @ctl_fd is its end of st_child_pair. Returns the exit status. Everything it is told comes as START
 * (config, socket_path; sandbox_id, session_id, agent_id, capability, announce_path, health: "off" or an address) and
 * LISTENER; it says ROUTES, READY or FAILED, and LISTENING. STOP drains; the end of the socket cuts. */
int sc_child(int ctl_fd);

#endif
