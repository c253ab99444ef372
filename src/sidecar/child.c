/* Under a launcher: the control socket says what to do, and its end means that nobody needs us any more. */
#include "base/fd.h"
#include "base/log.h"
#include "enforce/engine.h"
#include "sidecar/listener.h"
#include "sidecar/process.h"
#include "sidecar/routes.h"
#include "sidecar/seeds.h"
#include "sidecar/sidecar.h"
#include "sidecar/startup.h"
#include "stack/child.h"

#include <signal.h>
#include <stdlib.h>

struct child {
    struct sc_app app;
    int ctl;
    struct fb_watch *watch;
    bool lost; /* the launcher is gone */
};

static void on_drained(void *arg)
{
    struct child *ch = arg;
    fb_loop_stop(ch->app.loop);
}

static struct st_pair pair(const char *key, struct fb_str value)
{
    return (struct st_pair){ fb_str_of(key), value };
}

static void end_now(struct child *ch, const char *why)
{
    FB_LOG(FB_LOG_WARN, "ending at once", FB_KZ("why", why));
    ch->lost = true;
    sc_server_cut(&ch->app.server);
    fb_loop_stop(ch->app.loop);
}

static void say_routes(struct child *ch)
{
    struct fb_buf text;
    fb_buf_init(&text, SC_ROUTES_MAX_BYTES);
    if (sc_routes_text(ch->app.server.engine, &text) == 0) {
        struct st_pair p = pair("routes", fb_buf_str(&text));
        (void)st_child_send(ch->ctl, ST_MSG_ROUTES, &p, 1, NULL, 0, NULL);
    }
    fb_buf_done(&text);
}

static void on_ready(struct sc_app *app)
{
    struct child *ch = app->arg;
    char version[128] = "";
    (void)fe_engine_bundle_info(app->server.engine, version, sizeof version);
    struct fb_str shown = fb_str_of(version);
    shown.n = shown.n > 8 ? 8 : shown.n;
    const char *url = app->config.authority.url;
    struct st_pair pairs[] = {
        pair("addr", fb_str_of(sc_listener_addr(app->listener))),
        pair("policy_version", shown),
        pair("authority_url", url == NULL ? FB_STR("(disabled)") : fb_str_of(url)),
    };
    say_routes(ch);
    if (st_child_send(ch->ctl, ST_MSG_READY, pairs, FB_COUNT(pairs), NULL, 0, NULL) < 0)
        end_now(ch, "the launcher does not listen");
}

static void take_listener(struct child *ch, struct st_msg *m)
{
    struct fb_err err = { 0 };
    struct sc_listener *l = NULL;
    if (m->n_fds != 1) {
        end_now(ch, "a listener message without its descriptor");
        return;
    }
    if (sc_listener_handed(&ch->app.server, fb_fd_take(&m->fds[0]), &l, &err) < 0) {
        st_child_fail(ch->ctl, &err);
        end_now(ch, err.msg);
        return;
    }
    FB_LOG(FB_LOG_INFO, "sandbox listener taken", FB_KZ("addr", sc_listener_addr(l)));
    (void)st_child_send(ch->ctl, ST_MSG_LISTENING, NULL, 0, NULL, 0, NULL);
}

static void on_control(void *arg, int ready)
{
    struct child *ch = arg;
    (void)ready;
    struct st_msg m = { 0 };
    int r = st_child_recv(ch->ctl, &m, NULL);
    if (r == 2)
        return;
    if (r != 0) {
        end_now(ch, r == 1 ? "the launcher has ended" : "a malformed message from the launcher");
        return;
    }
    if (m.type == ST_MSG_LISTENER)
        take_listener(ch, &m);
    else if (m.type == ST_MSG_RELOAD && ch->app.seeds != NULL)
        (void)sc_seeds_reload(ch->app.seeds);
    else if (m.type == ST_MSG_STOP)
        sc_server_drain(&ch->app.server, on_drained, ch);
    st_msg_done(&m);
}

static void on_signal(void *arg, int sig)
{
    struct child *ch = arg;
    (void)sig;
    sc_server_drain(&ch->app.server, on_drained, ch);
}

/* NULL when absent; the texts are NUL-terminated in the message. */
static const char *text_of(const struct st_msg *m, const char *key)
{
    return st_msg_get(m, key).p;
}

static int start(struct child *ch, const struct st_msg *m, struct fb_err *err)
{
    const struct sc_overrides over = {
        .socket_path = text_of(m, "socket_path"),
        .announce_path = text_of(m, "announce_path"),
        .session_id = text_of(m, "session_id"),
        .sandbox_id = text_of(m, "sandbox_id"),
        .agent_id = text_of(m, "agent_id"),
        .capability = text_of(m, "capability"),
        .health_addr = text_of(m, "health") == NULL ? "off" : text_of(m, "health"),
        .seeds_told = fb_str_eqz(st_msg_get(m, "seed_changes"), "told"),
        .per_run = true,
    };
    ch->app.on_ready = on_ready;
    ch->app.arg = ch;
    int r = sc_startup(&ch->app, text_of(m, "config"), &over, err);
    if (r == 0)
        r = fb_fd_set_nonblock(ch->ctl) < 0 ? fb_err_set(err, FB_E_IO, "cannot set up the control socket") : 0;
    if (r == 0)
        r = fb_watch_new(ch->app.loop, ch->ctl, on_control, ch, &ch->watch, err);
    if (r == 0 && fb_watch_set(ch->watch, FB_READABLE) < 0)
        r = fb_err_set(err, FB_E_IO, "cannot watch the control socket");
    if (r == 0)
        r = fb_loop_on_signal(ch->app.loop, SIGTERM, on_signal, ch, err);
    return r;
}

int sc_child(int ctl_fd)
{
    struct fb_err err = { 0 };
    struct st_msg m = { 0 };
    struct child *ch = calloc(1, sizeof *ch);
    if (ch == NULL)
        return 1;
    ch->ctl = ctl_fd;
    sc_process_harden();
    (void)signal(SIGINT, SIG_IGN); /* a terminal's Ctrl-C is for the agent; the launcher says when to end */
    int r = st_child_recv(ctl_fd, &m, &err);
    if (r == 0 && m.type != ST_MSG_START)
        r = fb_err_set(&err, FB_E_INTERNAL, "the launcher's first message is not START");
    if (r == 0)
        r = start(ch, &m, &err);
    st_msg_done(&m);
    if (r < 0) {
        fb_log_err(FB_LOG_ERROR, "start failed", &err);
        st_child_fail(ctl_fd, &err);
    } else if (r == 0) {
        fb_loop_run(ch->app.loop);
    }
    fb_watch_free(ch->watch);
    if (ch->app.loop != NULL && sc_startup_done(&ch->app, &err) < 0)
        r = -1;
    bool lost = ch->lost;
    free(ch);
    return r == 0 && !lost ? 0 : 1;
}
