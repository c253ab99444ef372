/* Drives the sandbox layer without the rest of the product: no Authority, no Sidecar, no policy. What is shown with it
 * holds for `firma run` as well, because that calls the same functions.
 *
 *   sandbox_driver [--mount SRC:DST[:ro]] [--home DIR] [--cwd DIR] [--state DIR] [--hidden PATH] [--host-user]
 *                  [--env NAME=VALUE] [--no-go] [--plan] [--times] -- CMD ARGS
 *
 * Exit status as of `firma run`. --plan prints the view and ends; --no-go closes the gate after READY; --times prints
 * milliseconds since start on standard error. */
#include "base/clock.h"
#include "base/err.h"
#include "run/sandbox.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LIST_MAX = 64 };

struct options {
    struct run_sandbox_plan plan;
    struct run_mount mounts[LIST_MAX];
    const char *hidden[LIST_MAX];
    const char *env[LIST_MAX];
    size_t n_env;
    bool host_user;
    bool no_go;
    bool print_plan;
    bool times;
    const char *const *argv;
};

static double now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void tell(const struct options *o, const char *what, double since)
{
    if (o->times)
        (void)fprintf(stderr, "%s %.2f\n", what, now_ms() - since);
}

static void add_mount(struct options *o, char *text)
{
    struct run_mounts_spec *view = &o->plan.view;
    char *target = strchr(text, ':');
    if (target == NULL || view->n_mounts >= LIST_MAX)
        exit(2);
    *target++ = '\0';
    char *mode = strchr(target, ':');
    if (mode != NULL)
        *mode++ = '\0';
    o->mounts[view->n_mounts++] =
        (struct run_mount){ .source = text, .target = target, .read_only = mode != NULL && strcmp(mode, "ro") == 0 };
}

static void parse(int argc, char **argv, struct options *o)
{
    struct run_mounts_spec *view = &o->plan.view;
    int i = 1;

    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--host-user") == 0)
            o->host_user = true;
        else if (strcmp(argv[i], "--no-go") == 0)
            o->no_go = true;
        else if (strcmp(argv[i], "--plan") == 0)
            o->print_plan = true;
        else if (strcmp(argv[i], "--times") == 0)
            o->times = true;
        else if (value == NULL)
            exit(2);
        else if (strcmp(argv[i], "--mount") == 0)
            add_mount(o, argv[++i]);
        else if (strcmp(argv[i], "--home") == 0)
            view->home = argv[++i];
        else if (strcmp(argv[i], "--cwd") == 0)
            view->cwd = argv[++i];
        else if (strcmp(argv[i], "--state") == 0)
            view->state_dir = argv[++i];
        else if (strcmp(argv[i], "--init") == 0)
            o->plan.init_path = argv[++i];
        else if (strcmp(argv[i], "--hidden") == 0 && view->n_hidden < LIST_MAX)
            o->hidden[view->n_hidden++] = argv[++i];
        else if (strcmp(argv[i], "--env") == 0 && o->n_env + 1 < LIST_MAX)
            o->env[o->n_env++] = argv[++i];
        else
            exit(2);
    }
    if (i + 1 >= argc)
        exit(2);
    o->argv = (const char *const *)(argv + i + 1);
    view->mounts = o->mounts;
    view->hidden = o->hidden;
}

static void print_plan(const struct run_mounts *m)
{
    static const char *const kinds[] = { "bind", "ro-bind", "dev", "tmpfs", "cover", "dir", "symlink", "file", "data", "proc" };
    for (size_t i = 0; i < m->n_steps; i++)
        printf("%s %s %s\n", kinds[m->steps[i].kind], m->steps[i].source == NULL ? "-" : m->steps[i].source,
               m->steps[i].target);
    for (size_t i = 0; i < m->n_placeholders; i++)
        printf("placeholder %s %s\n", m->placeholders[i].is_dir ? "dir" : "file", m->placeholders[i].path);
}

static int status_of(int wait_status)
{
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

/* One event; returns the exit status once the run is over, else -1. */
static int handle(struct run_sandbox *sb, const struct options *o, const struct run_sandbox_event *e, double since,
                  struct fb_err *err)
{
    static const char *const names[] = { "-", "listeners", "ready", "started", "exec-failed", "exited" };
    const struct run_sandbox_go go = { .argv = o->argv, .envp = o->env };

    tell(o, names[e->type], since);
    switch (e->type) {
    case RUN_SANDBOX_READY:
        if (o->no_go)
            return 0;
        return run_sandbox_go(sb, &go, err) < 0 ? 1 : -1;
    case RUN_SANDBOX_EXEC_FAILED:
        (void)fprintf(stderr, "error: Spawn: %s%s: %s\n", e->chdir_failed ? "chdir for " : "", o->argv[0],
                      strerror(e->os_errno));
        return e->os_errno == ENOENT ? 127 : e->os_errno == EACCES ? 126 : 1;
    case RUN_SANDBOX_EXITED:
        return status_of(e->wait_status);
    case RUN_SANDBOX_NOTHING:
    case RUN_SANDBOX_LISTENERS: /* kept open, unserved, until this program ends */
    case RUN_SANDBOX_STARTED:
        break;
    }
    return -1;
}

static int loop(struct run_sandbox *sb, const struct options *o, int signals, double since, struct fb_err *err)
{
    struct pollfd polled[2] = { { .fd = run_sandbox_fd(sb), .events = POLLIN }, { .fd = signals, .events = POLLIN } };

    for (;;) {
        struct run_sandbox_event e;
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            return 1;
        struct signalfd_siginfo info;
        if (polled[1].revents != 0 && read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
            (void)run_sandbox_signal(sb, (int)info.ssi_signo);
        for (;;) {
            if (run_sandbox_read(sb, &e, err) < 0)
                return 1;
            if (e.type == RUN_SANDBOX_NOTHING)
                break;
            int status = handle(sb, o, &e, since, err);
            if (status >= 0)
                return status;
        }
    }
}

int main(int argc, char **argv)
{
    struct options o = { .plan = { .sandbox_id = "driver", .view = { .home = "/home/firma-user" } } };
    struct fb_err err = { 0 };
    struct run_sandbox sb;
    sigset_t relayed;

    parse(argc, argv, &o);
    const double since = now_ms();
    struct run_mounts_spec *view = &o.plan.view;
    int r = run_sandbox_preflight(&o.plan, "", &err);
    if (r == 0)
        r = run_identity_resolve(o.host_user ? RUN_IDENTITY_HOST_USER : RUN_IDENTITY_SANDBOX_USER,
                                 view->n_mounts > 0 ? view->mounts[0].source : NULL, &view->identity, &err);
    if (r < 0) {
        fb_err_print(stderr, &err);
        return 1;
    }
    sigemptyset(&relayed);
    sigaddset(&relayed, SIGINT);
    sigaddset(&relayed, SIGTERM);
    sigaddset(&relayed, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &relayed, NULL);
    int signals = signalfd(-1, &relayed, SFD_CLOEXEC | SFD_NONBLOCK);
    r = run_sandbox_prepare(&o.plan, &sb, &err);
    tell(&o, "prepared", since);
    int status = 1;
    if (r == 0 && o.print_plan) {
        print_plan(&sb.mounts);
        status = 0;
    } else if (r == 0 && run_sandbox_start(&sb, &err) == 0) {
        tell(&o, "forked", since);
        status = loop(&sb, &o, signals, since, &err);
    }
    run_sandbox_done(&sb);
    tell(&o, "done", since);
    if (err.code != 0)
        fb_err_print(stderr, &err);
    return status;
}
