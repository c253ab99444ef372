/* The end of a run, in order: the agent, its doors, the Sidecar before the Authority it depends on, the traces. */
#include "run/flow.h"

#include "base/fd.h"
#include "run/options.h"

static void close_doors(struct run_flow *f)
{
    fb_watch_free(f->sandbox_watch);
    run_dnsstub_free(f->dns);
    run_relay_free(f->relay);
    fb_timer_free(f->renewal);
    fb_timer_free(f->deadline);
    fb_fd_close(&f->proxy_fd);
    fb_fd_close(&f->dns_udp_fd);
    fb_fd_close(&f->dns_tcp_fd);
    run_routes_done(&f->routes);
}

int run_flow_teardown(struct run_flow *f, struct fb_err *err)
{
    close_doors(f);
    if (f->has_sandbox) {
        run_sandbox_kill(&f->sandbox);
        run_sandbox_done(&f->sandbox);
    }
    run_timings_mark(&f->timings, "sandbox gone");
    /* No request can come any more, so the Sidecar needs no Authority for what it still has to write. */
    run_child_ask_to_stop(&f->sidecar_child);
    run_child_ask_to_stop(&f->authority_child);
    run_child_stop(&f->sidecar_child, RUN_STOP_GRACE_MS);
    run_timings_mark(&f->timings, "sidecar gone");
    run_child_stop(&f->authority_child, RUN_STOP_GRACE_MS);
    run_timings_mark(&f->timings, "authority gone");
    run_capability_done(&f->capability);
    int r = 0;
    if (f->has_marker)
        r = st_marker_done(&f->marker, run_options_env_is_set("FIRMA_RUN_KEEP_MARKERS"), err);
    fb_loop_free(f->loop);
    f->loop = NULL;
    return r;
}
