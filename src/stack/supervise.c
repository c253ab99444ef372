/* Starting and supervising the pair. */
#include "stack/supervise.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "stack/daemon.h"
#include "stack/live.h"
#include "stack/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

struct stack {
    int state_fd;
    int lock_fd;
    const struct st_component *components;
    size_t n;
    struct fb_proc procs[ST_SUPERVISE_COMPONENTS_MAX];
    size_t started;
};

int st_supervise_lock(const char *state_dir, struct fb_err *err)
{
    fb_auto(fb_fd_close) int state = st_statedir_open(state_dir, err);
    if (state < 0)
        return state;
    fb_auto(fb_fd_close) int lock = openat(state, "stack.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (lock < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open stack.lock in '%s'", state_dir);
    if (flock(lock, LOCK_EX | LOCK_NB) < 0)
        return fb_err_set(err, FB_E_ALREADY_RUNNING, "a stack is running already in '%s'", state_dir);
    return fb_fd_take(&lock);
}

/* ---- one component ------------------------------------------------------------------------------------------------- */

struct child {
    const struct st_component *c;
    int log;
};

static int child_main(void *arg)
{
    const struct child *x = arg;
    sigset_t none;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpgid(0, 0);
    fb_log_set_fd(STDERR_FILENO);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(x->log, STDOUT_FILENO) < 0 || dup2(x->log, STDERR_FILENO) < 0)
        return 1;
    int (*run)(void *) = x->c->run;
    void *run_arg = x->c->arg;
    fb_proc_close_from(3, NULL, 0);
    return run(run_arg);
}

static int start_one(struct stack *s, struct fb_err *err)
{
    const struct st_component *c = &s->components[s->started];
    /* Somebody else's listener would pass for our component being ready. */
    if (st_daemon_probe(c->listen) == ST_PROBE_ACCEPTS) {
        fb_err_set(err, FB_E_READINESS, "the %s cannot listen at %s: something else does already", c->name, c->listen);
        fb_err_remedy(err, "stop it, or choose another address in firma.toml");
        return FB_E_READINESS;
    }
    char name[64];
    snprintf(name, sizeof name, "%s.log", c->name);
    fb_auto(fb_fd_close) int log =
        openat(s->state_fd, name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (log < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open '%s'", name);
    struct child x = { c, log };
    struct fb_proc *p = &s->procs[s->started];
    int r = fb_proc_fork(p, child_main, &x, err);
    if (r < 0)
        return r;
    s->started++;
    return st_daemon_record(s->state_fd, c->name, p->pid, c->listen, err);
}

/* The pause between attempts ends at once when the component does. */
static int await_one(struct stack *s, const char *state_dir, struct fb_err *err)
{
    const struct st_component *c = &s->components[s->started - 1];
    struct fb_proc *p = &s->procs[s->started - 1];
    int64_t deadline = fb_clock_mono_ms() + (int64_t)ST_SUPERVISE_READY_S * 1000;
    while (fb_clock_mono_ms() < deadline) {
        if (st_daemon_probe(c->listen) == ST_PROBE_ACCEPTS)
            return 0;
        int status;
        int r = fb_proc_wait(p, ST_SUPERVISE_PAUSE_MS, &status, err);
        if (r == 0) {
            fb_fd_close(&p->pidfd);
            p->pid = 0;
            return fb_err_set(err, FB_E_READINESS, "the %s ended while starting; its log is %s/%s.log", c->name, state_dir,
                              c->name);
        }
        if (r < 0)
            return r;
    }
    return fb_err_set(err, FB_E_READINESS, "the %s did not accept at %s within %d s; its log is %s/%s.log", c->name,
                      c->listen, ST_SUPERVISE_READY_S, state_dir, c->name);
}

/* Later components depend on earlier ones, so the end comes in reverse. */
static void tear_down(struct stack *s)
{
    while (s->started > 0) {
        s->started--;
        if (s->procs[s->started].pid > 0)
            fb_proc_stop(&s->procs[s->started], ST_SUPERVISE_GRACE_MS);
        st_daemon_forget(s->state_fd, s->components[s->started].name);
    }
    st_daemon_forget(s->state_fd, "stack");
    (void)unlinkat(s->state_fd, "stack.lock", 0);
}

static int start_all(struct stack *s, const char *state_dir, struct fb_err *err)
{
    while (s->started < s->n) {
        int r = start_one(s, err);
        if (r == 0)
            r = await_one(s, state_dir, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the life of the unit -------------------------------------------------------------------------------------------- */

static int watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Until a signal or the end of any component. 0 = a signal, or FB_E_WAIT naming who ended. */
static int wait_for_end(struct stack *s, int signals, struct fb_err *err)
{
    struct pollfd p[1 + ST_SUPERVISE_COMPONENTS_MAX];
    p[0] = (struct pollfd){ .fd = signals, .events = POLLIN };
    for (size_t i = 0; i < s->n; i++)
        p[i + 1] = (struct pollfd){ .fd = s->procs[i].pidfd, .events = POLLIN };
    while (poll(p, (nfds_t)(s->n + 1), -1) < 0)
        if (errno != EINTR)
            return fb_err_sys(err, FB_E_WAIT, errno, "cannot wait for the components");
    if (p[0].revents != 0)
        return 0;
    for (size_t i = 0; i < s->n; i++)
        if (p[i + 1].revents != 0)
            return fb_err_set(err, FB_E_WAIT, "the %s has ended; the stack is stopped", s->components[i].name);
    return 0;
}

static int live(struct stack *s, const char *state_dir, int ready_fd, struct fb_err *err)
{
    fb_auto(fb_fd_close) int signals = watch_signals();
    int r = signals < 0 ? fb_err_sys(err, FB_E_INTERNAL, errno, "cannot watch signals") : start_all(s, state_dir, err);
    /* A failed start is told when it has been undone, so that the next one can follow at once. */
    if (r < 0)
        tear_down(s);
    if (ready_fd >= 0) {
        /* What went wrong travels whole, so that the person sees it in the foreground. */
        struct fb_err none = { 0 };
        (void)fb_fd_write_all(ready_fd, r < 0 ? err : &none, sizeof none);
        close(ready_fd);
    }
    if (r < 0)
        return r;
    r = wait_for_end(s, signals, err);
    tear_down(s);
    return r;
}

static int supervise_in_background(struct stack *s, const char *state_dir, struct fb_err *err)
{
    int pair[2];
    if (pipe2(pair, O_CLOEXEC) < 0)
        return fb_err_sys(err, FB_E_SPAWN, errno, "cannot make a pipe");
    pid_t pid = fork();
    if (pid < 0)
        return fb_err_sys(err, FB_E_SPAWN, errno, "cannot fork");
    if (pid == 0) {
        close(pair[0]);
        (void)setsid();
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int log = openat(s->state_fd, "supervisor.log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (null < 0 || log < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(log, 2) < 0)
            _exit(1);
        struct fb_err own = { 0 };
        int r = st_daemon_record(s->state_fd, "stack", getpid(), NULL, &own);
        if (r == 0)
            r = live(s, state_dir, pair[1], &own);
        if (r < 0)
            fb_err_print(stderr, &own);
        _exit(r < 0 ? 1 : 0);
    }
    close(pair[1]);
    struct fb_err told = { 0 };
    size_t n = 0;
    int r = fb_fd_read_full(pair[0], &told, sizeof told, &n);
    close(pair[0]);
    if (r < 0 || n != sizeof told)
        return fb_err_set(err, FB_E_READINESS, "the supervisor ended early; its log is %s/supervisor.log", state_dir);
    if (told.code != 0 && err != NULL)
        *err = told;
    return told.code;
}

int st_supervise_run(const char *state_dir, int lock_fd, const struct st_component *components, size_t n, bool detach,
                     struct fb_err *err)
{
    struct stack s = { .state_fd = st_statedir_open(state_dir, err), .lock_fd = lock_fd, .components = components, .n = n };
    int r = s.state_fd < 0 ? s.state_fd : 0;
    if (r == 0)
        r = detach ? supervise_in_background(&s, state_dir, err) : live(&s, state_dir, -1, err);
    fb_fd_close(&s.state_fd);
    close(lock_fd);
    return r;
}

/* ---- stop ------------------------------------------------------------------------------------------------------------- */

/* Waits for the process to vanish; pidfd_open first, so that a reused pid is never hit. True when it is gone. */
static bool end_one(int state_fd, const char *name, int64_t timeout_ms)
{
    struct fb_proc p = { .pid = st_daemon_pid(state_fd, name), .pidfd = -1 };
    if (p.pid == 0)
        return true;
    p.pidfd = pidfd_open(p.pid, 0);
    fb_auto(fb_fd_close) int pidfd = p.pidfd;
    if (pidfd < 0)
        return errno == ESRCH;
    if (st_daemon_pid(state_fd, name) != p.pid)
        return true;
    static const int signals[] = { SIGTERM, SIGKILL };
    int64_t limits[] = { timeout_ms, ST_SUPERVISE_VANISH_MS };
    for (size_t i = 0; i < FB_COUNT(signals); i++) {
        if (fb_proc_signal(&p, signals[i]) < 0)
            return false;
        /* A frozen process ends by SIGKILL alone. */
        struct pollfd ended = { .fd = pidfd, .events = POLLIN };
        if (poll(&ended, 1, (int)limits[i]) > 0)
            return true;
    }
    return false;
}

int st_supervise_stop(const char *state_dir, int64_t timeout_ms, struct fb_err *err)
{
    static const char *const order[] = { "sidecar", "stack", "authority" };
    fb_auto(fb_fd_close) int state = st_statedir_open_existing(state_dir, err);
    if (state < 0)
        return err != NULL && err->code != 0 ? err->code : 1;
    bool any = false;
    bool all_gone = true;
    for (size_t i = 0; i < FB_COUNT(order); i++) {
        any |= st_daemon_pid(state, order[i]) > 0;
        all_gone &= end_one(state, order[i], timeout_ms);
    }
    if (!all_gone)
        return fb_err_set(err, FB_E_WAIT, "a component could not be ended; its files in '%s' are kept for another try",
                          state_dir);
    for (size_t i = 0; i < FB_COUNT(order); i++)
        st_daemon_forget(state, order[i]);
    (void)unlinkat(state, "stack.lock", 0);
    return any ? 0 : 1;
}
