/* The foreground process: signals, and the order of the end. */
#include "sidecar/sidecar.h"

#include "audit/log.h"
#include "base/log.h"
#include "sidecar/process.h"
#include "sidecar/startup.h"

#include <signal.h>
#include <stdlib.h>

static void on_drained(void *arg)
{
    struct sc_app *app = arg;
    fb_loop_stop(app->loop);
}

static void on_stop(void *arg, int sig)
{
    struct sc_app *app = arg;
    if (app->server.draining) {
        FB_LOG(FB_LOG_WARN, "second signal: ending at once", FB_KI("signal", sig));
        sc_server_cut(&app->server);
        fb_loop_stop(app->loop);
        return;
    }
    FB_LOG(FB_LOG_INFO, "draining", FB_KI("signal", sig), FB_KU("connections", app->server.n_conns));
    sc_server_drain(&app->server, on_drained, app);
}

static void on_hup(void *arg, int sig)
{
    struct sc_app *app = arg;
    (void)sig;
    fa_log_reopen(app->server.audit);
    FB_LOG(FB_LOG_INFO, "audit log opened anew");
}

int sc_main(const struct sc_main_options *options, struct fb_err *err)
{
    struct sc_app *app = calloc(1, sizeof *app);
    if (app == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    sc_process_harden();
    const struct sc_overrides over = { .health_addr = options->health_addr };
    int r = sc_startup(app, options->config, &over, err);
    if (r == 0)
        r = fb_loop_on_signal(app->loop, SIGTERM, on_stop, app, err);
    if (r == 0)
        r = fb_loop_on_signal(app->loop, SIGINT, on_stop, app, err);
    if (r == 0)
        r = fb_loop_on_signal(app->loop, SIGHUP, on_hup, app, err);
    if (r == 0)
        fb_loop_run(app->loop);
    int closed = sc_startup_done(app, r == 0 ? err : NULL);
    free(app);
    return r < 0 ? r : closed;
}
