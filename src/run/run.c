/* The launch as one list: settle, refuse, choose, start, wait, tear down. */
#include "run/run.h"

#include "base/fd.h"
#include "base/log.h"
#include "run/effective.h"
#include "run/flow.h"
#include "run/routes_fetch.h"
#include "run/workspaces.h"
#include "stack/placeholders.h"
#include "stack/statedir.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int choose_components(struct run_flow *f, struct fb_err *err)
{
    struct run_settled *s = f->s;
    const struct run_authsel_input in = {
        .flag = s->options->authority,
        .no_autostart = s->options->no_autostart,
        .sidecar_is_external = !s->sidecar_local,
        .config = s->config.doc,
        .config_path = s->config.path,
        .config_dir = s->config.dir,
        .in_fd = STDIN_FILENO,
    };
    int r = run_authsel(&in, &f->authority, err);
    if (r < 0)
        return r;
    const char *profile = s->options->authority_profile;
    if (profile != NULL && strcmp(profile, "developer") != 0 && f->authority.kind == RUN_AUTHORITY_LOCAL)
        return fb_err_set(err, FB_E_AUTHORITY_UNKNOWN_PROFILE, "there is no Authority profile '%s'", profile);
    snprintf(f->authority_url, sizeof f->authority_url, "%s", f->authority.url);
    if (s->sidecar_local && s->options->no_autostart)
        return fb_err_set(err, FB_E_MISSING_SIDECAR, "no Sidecar is configured, and none may be started");
    if (s->sidecar_local)
        return 0;
    int fd = run_endpoint_connect(&s->endpoint, RUN_ENDPOINT_PROBE_MS, err);
    if (fd < 0)
        return fd;
    fb_fd_close(&fd);
    r = run_routes_fetch(s, &f->routes, err);
    f->routes_known = r == 0;
    return r;
}

/* Written down before they are made: they must go also when this process is killed. */
static int note_placeholders(struct run_flow *f, struct fb_err *err)
{
    const struct run_mounts *m = &f->sandbox.mounts;
    struct st_placeholder *list = calloc(m->n_placeholders + 1, sizeof *list);
    if (list == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < m->n_placeholders; i++)
        list[i] = (struct st_placeholder){ m->placeholders[i].path, m->placeholders[i].is_dir };
    int r = st_placeholders_save(f->marker.dir_fd, list, m->n_placeholders, err);
    free(list);
    return r;
}

/* Forks before the loop and every heavy library; the sandbox builds itself meanwhile. */
static int start_processes(struct run_flow *f, struct fb_err *err)
{
    struct run_settled *s = f->s;
    int r = run_flow_hold_signals(true) < 0 ? fb_err_set(err, FB_E_INTERNAL, "cannot hold signals back") : 0;
    if (r == 0)
        r = st_marker_begin(&f->marker, s->state_dir, s->sandbox_id, err);
    f->has_marker = r == 0;
    if (r == 0 && s->sidecar_local && f->authority.kind == RUN_AUTHORITY_LOCAL)
        r = run_child_start(&f->authority_child, f->entries->authority, f->marker.dir_fd, "authority.log", err);
    if (r == 0 && s->sidecar_local)
        r = run_child_start(&f->sidecar_child, f->entries->sidecar, f->marker.dir_fd, "sidecar.log", err);
    if (r == 0 && f->authority_child.proc.pid > 0)
        r = run_flow_tell_authority(f, err);
    run_timings_mark(&f->timings, "components forked");
    if (r == 0)
        r = note_placeholders(f, err);
    if (r == 0) {
        r = run_sandbox_start(&f->sandbox, err);
        run_timings_mark(&f->timings, "sandbox forked");
    }
    return r;
}

static int run_loop(struct run_flow *f, struct fb_err *err)
{
    int r = fb_loop_new(&f->loop, err);
    if (r == 0)
        r = run_flow_watch(f, err);
    if (r < 0)
        return r;
    run_flow_advance(f);
    if (!f->ended)
        fb_loop_run(f->loop);
    if (f->err.code != 0) {
        *err = f->err;
        return f->err.code;
    }
    return 0;
}

/* An error while tearing down matters even when the agent did well: something may have been left behind. */
static int finish(struct run_flow *f, int r, struct fb_err *err)
{
    struct fb_err late = { 0 };
    if (run_flow_teardown(f, &late) < 0) {
        if (r == 0) {
            *err = late;
            r = late.code;
        } else {
            fb_log_err(FB_LOG_WARN, "teardown was not complete", &late);
        }
    }
    return r;
}

/* A command on the host that no mount shows is refused by name; one that is nowhere gets its 127 from inside. */
static int check_view(const struct run_settled *s, const struct run_mounts *view, struct fb_err *err)
{
    const char *command = s->options->command[0];
    char *found = NULL;
    int r = run_mounts_find_command(view, command, run_environ_get(&s->env, "PATH"), s->cwd, &found, err);
    free(found);
    /* A generated file stands there too, and exec inside says 126 as it would for any text. */
    for (size_t i = 0; r < 0 && i < view->n_steps; i++)
        if (view->steps[i].data != NULL && strcmp(view->steps[i].target, command) == 0)
            r = 0;
    return r;
}

/* Before the view is planned: a mount can only hide what is there. */
static int make_state_dir(const struct run_settled *s, struct fb_err *err)
{
    int fd = st_statedir_open(s->state_dir, err);
    if (fd < 0)
        return fd;
    fb_fd_close(&fd);
    return 0;
}

/* From here on an agent may leave something there. A home that cannot be written to must not make firma useless. */
static int remember_workspaces(const struct run_settled *s, struct fb_err *err)
{
    struct fb_err why = { 0 };
    int r = run_workspaces_record(s->workspaces_path, s->mounts, s->n_mounts, &why);
    if (r == FB_E_IO) {
        fprintf(stderr, "warning: the workspace cannot be remembered: %s; do not trust a .firma directory below it\n",
                why.msg);
        return 0;
    }
    if (r < 0 && err != NULL)
        *err = why;
    return r;
}

static int launch(struct run_settled *s, const struct run_children *entries, int *ret_status, struct fb_err *err)
{
    struct run_flow f = { .s = s, .entries = entries, .proxy_fd = -1, .dns_udp_fd = -1, .dns_tcp_fd = -1 };
    run_child_init(&f.authority_child);
    run_child_init(&f.sidecar_child);
    run_timings_init(&f.timings, s->options->timings);
    int r = run_sandbox_preflight(&s->plan, "", err);
    if (r == 0)
        r = choose_components(&f, err);
    if (r == 0)
        r = make_state_dir(s, err);
    /* Looked at as late as possible: another run's agent may be at work in the same directories. */
    if (r == 0) {
        r = run_sandbox_prepare(&s->plan, &f.sandbox, err);
        f.has_sandbox = true;
    }
    if (r == 0)
        r = check_view(s, &f.sandbox.mounts, err);
    if (r == 0)
        r = remember_workspaces(s, err);
    run_timings_mark(&f.timings, "plan settled");
    if (r == 0)
        r = start_processes(&f, err);
    if (r == 0)
        r = run_loop(&f, err);
    r = finish(&f, r, err);
    run_timings_mark(&f.timings, "torn down");
    run_timings_print(&f.timings);
    *ret_status = f.exit_status;
    return r;
}

int run_main(const struct run_options *o, const struct run_children *children, int *ret_status, struct fb_err *err)
{
    int r = run_options_check(o, err);
    if (r < 0)
        return r;
    /* A peer that hangs up is an error of that call, not the end of this process. */
    (void)signal(SIGPIPE, SIG_IGN);
    struct run_settled s = { 0 };
    r = run_settle(&s, o, err);
    if (r == 0 && o->print_effective_config) {
        r = run_effective_print(&s, stdout, err);
        *ret_status = 0;
    } else if (r == 0) {
        r = run_backend_check(s.profile.backend, err);
        if (r == 0)
            r = launch(&s, children, ret_status, err);
    }
    run_settle_done(&s);
    return r;
}
