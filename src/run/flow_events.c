/* What happens during a launch: messages from the components, events of the sandbox, signals, the deadline. */
#include "run/flow.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "stack/child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void run_flow_fail(struct run_flow *f, const struct fb_err *err)
{
    if (!f->ended) {
        f->err = *err;
        f->ended = true;
    }
    fb_loop_stop(f->loop);
}

static void end_with(struct run_flow *f, int status)
{
    if (!f->ended) {
        f->exit_status = status;
        f->ended = true;
    }
    fb_loop_stop(f->loop);
}

static void step(struct run_flow *f, int (*what)(struct run_flow *, struct fb_err *))
{
    struct fb_err err = { 0 };
    if (!f->ended && what(f, &err) < 0)
        run_flow_fail(f, &err);
}

/* The order of things is in these conditions and nowhere else. */
void run_flow_advance(struct run_flow *f)
{
    bool authority_ready = f->authority.kind != RUN_AUTHORITY_LOCAL || f->authority_child.ready;
    if (f->s->sidecar_local && authority_ready && !f->sidecar_told) {
        f->sidecar_told = true;
        step(f, run_flow_tell_sidecar);
    }
    bool sidecar_ready = !f->s->sidecar_local || f->sidecar_child.ready;
    if (sidecar_ready && f->listeners_here && !f->hand_over_sent)
        step(f, run_flow_hand_over);
    if (f->handed_over && f->sandbox_ready && f->routes_known && !f->go_sent)
        step(f, run_flow_open_gate);
}

static void copy_text(char *out, size_t cap, struct fb_str s)
{
    snprintf(out, cap, "%.*s", (int)(s.n < cap ? s.n : cap - 1), s.p == NULL ? "" : s.p);
}

/* A component that ends after GO: the agent cannot reach anything any more, so the run is over. */
static void component_lost(struct run_flow *f, const char *what, int code)
{
    struct fb_err err = { 0 };
    fb_err_set(&err, f->go_sent ? FB_E_WAIT : code, f->go_sent ? "the %s of this run has ended; the agent was stopped"
                                                              : "the %s ended before it was ready",
               what);
    fb_err_remedy(&err, "read %s/%s.log (FIRMA_RUN_KEEP_MARKERS=1 keeps it)", f->marker.path, what);
    run_flow_fail(f, &err);
}

static void on_failed(struct run_flow *f, const struct st_msg *m, int code, const char *what)
{
    struct fb_err err = { 0 };
    st_msg_to_err(m, code, &err);
    if (err.code == code)
        fb_err_wrap(&err, "the %s did not start", what);
    run_flow_fail(f, &err);
}

static void authority_said(struct run_flow *f, const struct st_msg *m)
{
    if (m->type == ST_MSG_FAILED) {
        on_failed(f, m, FB_E_AUTHORITY_STARTUP_FAILED, "Authority");
        return;
    }
    if (m->type != ST_MSG_READY || f->authority_child.ready)
        return;
    struct fb_str addr = st_msg_get(m, "addr");
    snprintf(f->authority_url, sizeof f->authority_url, "http://%.*s", FB_STR_ARG(addr));
    /* Relative: below the marker, where the Authority works. */
    char *path = fb_str_dupz(st_msg_get(m, "public_key"));
    char *joined = path == NULL ? NULL : fb_fs_join(f->marker.grow_path, path);
    copy_text(f->authority.public_key_path, sizeof f->authority.public_key_path, fb_str_of(joined));
    free(joined);
    free(path);
    f->authority_child.ready = true;
    run_timings_mark(&f->timings, "authority ready");
}

static void sidecar_said(struct run_flow *f, const struct st_msg *m)
{
    struct fb_err err = { 0 };
    switch (m->type) {
    case ST_MSG_FAILED:
        on_failed(f, m, FB_E_SIDECAR_STARTUP_FAILED, "Sidecar");
        break;
    case ST_MSG_ROUTES:
        if (run_routes_set(&f->routes, st_msg_get(m, "routes"), &err) < 0)
            run_flow_fail(f, &err);
        f->routes_known = true;
        break;
    case ST_MSG_READY:
        copy_text(f->policy_version, sizeof f->policy_version, st_msg_get(m, "policy_version"));
        f->sidecar_child.ready = true;
        run_timings_mark(&f->timings, "sidecar ready");
        break;
    case ST_MSG_LISTENING:
        f->handed_over = true;
        run_timings_mark(&f->timings, "listener handed over");
        break;
    default:
        break;
    }
}

static void on_child(struct run_flow *f, struct run_child *c, const char *what, int code,
                     void (*said)(struct run_flow *, const struct st_msg *))
{
    while (!f->ended) {
        struct st_msg m = { 0 };
        struct fb_err err = { 0 };
        int r = st_child_recv(c->sock, &m, &err);
        if (r == 2)
            break;
        if (r == 1) {
            c->gone = true;
            (void)fb_watch_set(c->watch, 0);
            component_lost(f, what, code);
            break;
        }
        if (r < 0) {
            run_flow_fail(f, &err);
            break;
        }
        said(f, &m);
        st_msg_done(&m);
    }
    if (!f->ended)
        run_flow_advance(f);
}

static void on_authority(void *arg, int ready)
{
    (void)ready;
    struct run_flow *f = arg;
    on_child(f, &f->authority_child, "authority", FB_E_AUTHORITY_STARTUP_FAILED, authority_said);
}

static void on_sidecar(void *arg, int ready)
{
    (void)ready;
    struct run_flow *f = arg;
    on_child(f, &f->sidecar_child, "sidecar", FB_E_SIDECAR_STARTUP_FAILED, sidecar_said);
}

/* What a shell would answer: 127 for a command that is not there, 126 for one that may not run. */
static void exec_failed(struct run_flow *f, const struct run_sandbox_event *e)
{
    struct fb_err err = { 0 };
    const char *command = f->s->options->command[0];
    fb_err_sys(&err, FB_E_SPAWN, e->os_errno, e->chdir_failed ? "cannot enter '%s' inside the sandbox"
                                                              : "cannot run '%s' inside the sandbox",
               e->chdir_failed ? f->s->cwd : command);
    bool known = !e->chdir_failed && (e->os_errno == ENOENT || e->os_errno == EACCES);
    if (!known) {
        run_flow_fail(f, &err);
        return;
    }
    fb_err_remedy(&err, "name a program that the sandbox can see; a mount in the profile shows it more of the host");
    fb_err_print(stderr, &err);
    end_with(f, e->os_errno == ENOENT ? 127 : 126);
}

static void sandbox_event(struct run_flow *f, const struct run_sandbox_event *e)
{
    switch (e->type) {
    case RUN_SANDBOX_LISTENERS:
        f->proxy_fd = e->proxy_fd;
        f->dns_udp_fd = e->dns_udp_fd;
        f->dns_tcp_fd = e->dns_tcp_fd;
        f->listeners_here = true;
        run_timings_mark(&f->timings, "sandbox listeners");
        break;
    case RUN_SANDBOX_READY:
        f->sandbox_ready = true;
        run_timings_mark(&f->timings, "sandbox sealed");
        break;
    case RUN_SANDBOX_STARTED:
        run_timings_mark(&f->timings, "agent started");
        break;
    case RUN_SANDBOX_EXEC_FAILED:
        exec_failed(f, e);
        break;
    case RUN_SANDBOX_EXITED:
        run_timings_mark(&f->timings, "agent ended");
        end_with(f, WIFSIGNALED(e->wait_status) ? 128 + WTERMSIG(e->wait_status) : WEXITSTATUS(e->wait_status));
        break;
    case RUN_SANDBOX_NOTHING:
        break;
    }
}

static void on_sandbox(void *arg, int ready)
{
    (void)ready;
    struct run_flow *f = arg;
    while (!f->ended) {
        struct run_sandbox_event e = { 0 };
        struct fb_err err = { 0 };
        if (run_sandbox_read(&f->sandbox, &e, &err) < 0) {
            run_flow_fail(f, &err);
            break;
        }
        if (e.type == RUN_SANDBOX_NOTHING)
            break;
        sandbox_event(f, &e);
    }
    if (!f->ended)
        run_flow_advance(f);
}

/* Before GO a termination signal ends the launch; after it the agent gets the first one, the sandbox the second. */
static void on_signal(void *arg, int sig)
{
    struct run_flow *f = arg;
    bool terminates = sig == SIGINT || sig == SIGTERM || sig == SIGHUP || sig == SIGQUIT;
    if (!f->go_sent) {
        if (terminates)
            end_with(f, 128 + sig);
        return;
    }
    /* On a terminal Ctrl-C is a key like any other: programs that handle it get it as often as it is pressed. */
    bool counts = terminates && !(sig == SIGINT && isatty(STDIN_FILENO));
    if (counts && f->terminations++ > 0) {
        run_sandbox_kill(&f->sandbox);
        end_with(f, 128 + SIGKILL);
        return;
    }
    (void)run_sandbox_signal(&f->sandbox, sig);
}

static void on_deadline(void *arg)
{
    struct run_flow *f = arg;
    struct fb_err err = { 0 };
    uint64_t limit = f->s->options->sidecar_startup_timeout_s;
    unsigned long long secs = limit == 0 ? RUN_READY_DEFAULT_S : (unsigned long long)limit;
    if (f->authority.kind == RUN_AUTHORITY_LOCAL && !f->authority_child.ready)
        fb_err_set(&err, FB_E_AUTHORITY_READY_TIMEOUT, "the Authority was not ready within %llu s (log: %s/authority.log)",
                   secs, f->marker.path);
    else if (f->s->sidecar_local && !f->sidecar_child.ready)
        fb_err_set(&err, FB_E_SIDECAR_READY_TIMEOUT, "the Sidecar was not ready within %llu s (log: %s/sidecar.log)", secs,
                   f->marker.path);
    else
        fb_err_set(&err, FB_E_BACKEND, "the sandbox was not ready within %llu s", secs);
    run_flow_fail(f, &err);
}

static const int passed_signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGUSR1, SIGUSR2 };

int run_flow_hold_signals(bool hold)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < FB_COUNT(passed_signals); i++)
        sigaddset(&set, passed_signals[i]);
    return sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

int run_flow_watch(struct run_flow *f, struct fb_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < FB_COUNT(passed_signals); i++)
        r = fb_loop_on_signal(f->loop, passed_signals[i], on_signal, f, err);
    (void)run_flow_hold_signals(false);
    if (r == 0 && f->authority_child.proc.pid > 0)
        r = run_child_watch(&f->authority_child, f->loop, on_authority, f, err);
    if (r == 0 && f->sidecar_child.proc.pid > 0)
        r = run_child_watch(&f->sidecar_child, f->loop, on_sidecar, f, err);
    if (r == 0)
        r = fb_watch_new(f->loop, run_sandbox_fd(&f->sandbox), on_sandbox, f, &f->sandbox_watch, err);
    if (r == 0)
        r = fb_watch_set(f->sandbox_watch, FB_READABLE);
    if (r == 0)
        r = fb_timer_new(f->loop, on_deadline, f, &f->deadline, err);
    if (r < 0)
        return r;
    uint64_t limit = f->s->options->sidecar_startup_timeout_s;
    fb_timer_start(f->deadline, (limit == 0 ? RUN_READY_DEFAULT_S : limit) * 1000, 0);
    return 0;
}
