#include "run/bwrap.h"

#include "base/fd.h"
#include "init/wire.h"
#include "run/handover.h"
#include "run/stage.h"
#include "run/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void add(struct fb_buf *out, const char *arg)
{
    (void)fb_buf_add(out, arg, strlen(arg) + 1);
}

static void add_number(struct fb_buf *out, const char *option, const char *format, unsigned int value)
{
    char text[16];
    (void)snprintf(text, sizeof(text), format, value);
    add(out, option);
    add(out, text);
}

/* Everything that is not a mount. SYS_ADMIN and NET_BIND_SERVICE are for what firma-init builds, SETPCAP lets it empty
 * its bounding set; all three are gone before it waits for GO. */
static void add_frame(struct fb_buf *out, const struct run_bwrap *b)
{
    static const char *const fixed[] = {
        "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try",
        "--as-pid-1", "--die-with-parent",
        "--cap-drop", "ALL", "--cap-add", "CAP_NET_BIND_SERVICE", "--cap-add", "CAP_SETPCAP", "--cap-add", "CAP_SYS_ADMIN",
    };

    for (size_t i = 0; i < FB_COUNT(fixed); i++)
        add(out, fixed[i]);
    add_number(out, "--uid", "%u", (unsigned int)b->identity.uid_inside);
    add_number(out, "--gid", "%u", (unsigned int)b->identity.gid_inside);
    add(out, "--hostname");
    add(out, b->hostname);
}

static void add_step(struct fb_buf *out, const struct run_step *s, const char *source, int *data_fd)
{
    switch (s->kind) {
    case RUN_STEP_BIND:
        add(out, "--bind");
        add(out, source);
        break;
    case RUN_STEP_BIND_RO:
        add(out, "--ro-bind");
        add(out, source);
        break;
    case RUN_STEP_DEV:
        add(out, "--dev-bind");
        add(out, source);
        break;
    case RUN_STEP_SYMLINK:
        add(out, "--symlink");
        add(out, s->source);
        break;
    case RUN_STEP_TMPFS:
        add_number(out, "--perms", "%04o", (unsigned int)s->mode);
        add(out, "--tmpfs");
        break;
    case RUN_STEP_COVER:
        add_number(out, "--perms", "%04o", (unsigned int)s->mode);
        add(out, "--tmpfs");
        add(out, s->target);
        add(out, "--remount-ro");
        break;
    case RUN_STEP_DIR:
        add_number(out, "--perms", "%04o", (unsigned int)s->mode);
        add(out, "--dir");
        break;
    case RUN_STEP_FILE:
        add_number(out, "--perms", "%04o", (unsigned int)s->mode);
        add_number(out, "--file", "%u", (unsigned int)(*data_fd)++);
        break;
    case RUN_STEP_DATA_RO:
        add_number(out, "--perms", "%04o", (unsigned int)s->mode);
        add_number(out, "--ro-bind-data", "%u", (unsigned int)(*data_fd)++);
        break;
    case RUN_STEP_PROC:
        add(out, "--proc");
        break;
    }
    add(out, s->target);
}

int run_bwrap_args(const struct run_bwrap *b, int first_data_fd,
                   const char *(*source_of)(const void *ctx, const char *source), const void *ctx, struct fb_buf *out,
                   struct fb_err *err)
{
    int data_fd = first_data_fd;

    add_frame(out, b);
    for (size_t i = 0; i < b->mounts->n_steps; i++) {
        const struct run_step *s = &b->mounts->steps[i];
        const char *source = s->source == NULL || source_of == NULL ? s->source : source_of(ctx, s->source);
        add_step(out, s, source, &data_fd);
    }
    const char *init = source_of == NULL ? b->init_path : source_of(ctx, b->init_path);
    add(out, "--ro-bind");
    add(out, init);
    add(out, RUN_BWRAP_INIT_INSIDE);
    add(out, "--remount-ro");
    add(out, "/");
    add(out, "--chdir");
    add(out, "/");
    if (data_fd - first_data_fd > RUN_BWRAP_DATA_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d files to make in the sandbox", RUN_BWRAP_DATA_MAX);
    if (fb_buf_failed(out))
        return fb_err_set(err, FB_E_LIMIT, "the sandbox's arguments have more than %d bytes", RUN_BWRAP_ARGS_MAX_BYTES);
    return 0;
}

enum {
    FD_ARGS = INIT_FD_FIRST_FREE,
    FD_DATA = FD_ARGS + 1,
    FDS_MAX = FD_DATA + RUN_BWRAP_DATA_MAX,
};

/* Made by the parent, used by the child. from[n] is what becomes descriptor n, -1 for none. */
struct child {
    const struct run_bwrap *b;
    const struct run_stage *stage;
    pid_t launcher;
    int from[FDS_MAX];
    int n;
};

static _Noreturn void child_die(const char *what, int error)
{
    (void)dprintf(STDERR_FILENO, "firma: %s: %s\n", what, strerror(error));
    _exit(125);
}

/* Two moves, so that no source is overwritten before it has been copied: all up, then down to their places. */
static void arrange_descriptors(struct child *c)
{
    for (int i = 3; i < c->n; i++) {
        c->from[i] = fcntl(c->from[i], F_DUPFD_CLOEXEC, c->n);
        if (c->from[i] < 0)
            child_die("descriptors", errno);
    }
    for (int i = 3; i < c->n; i++)
        if (dup2(c->from[i], i) < 0)
            child_die("descriptors", errno);
    if (syscall(SYS_close_range, (unsigned int)c->n, ~0U, 0U) != 0)
        child_die("descriptors", errno);
}

/* For good: real, effective and saved ids, and no group of root's left. */
static void give_up_root(const struct run_identity *id)
{
    if (setgroups(0, NULL) != 0 || setresgid(id->gid_outside, id->gid_outside, id->gid_outside) != 0 ||
        setresuid(id->uid_outside, id->uid_outside, id->uid_outside) != 0)
        child_die("giving up root", errno);
    if (id->uid_outside == 0 || setuid(0) == 0)
        child_die("giving up root", EPERM);
}

static int child_main(void *arg)
{
    struct child *c = arg;
    const char *const argv[] = { "bwrap", "--args", "7", "--", RUN_BWRAP_INIT_INSIDE, NULL };
    char *const envp[] = { NULL };
    _Static_assert(FD_ARGS == 7, "the number in argv");

    /* Standard error is bubblewrap's from here on; the agent's travels as INIT_FD_STDERR. */
    if (dup2(c->b->diagnostics, STDERR_FILENO) < 0)
        _exit(125);
    /* Out of the terminal's foreground group: Ctrl-C is for the launcher to pass on, not for bubblewrap to die of. */
    if (setsid() < 0)
        child_die("setsid", errno);
    /* First: the launcher's locks must not outlive it by the time that a mount namespace takes to go. */
    arrange_descriptors(c);
    if (c->stage != NULL) {
        const char *failed = run_stage_enter(c->stage);
        if (failed != NULL)
            child_die(failed, errno);
    }
    if (c->b->identity.drop)
        give_up_root(&c->b->identity);
    /* The change of ids has cleared the signal. A bubblewrap that it kills between its clone and the write of the uid map
     * leaves a child that waits for ever: that one is the watcher's, which needs no more rights than bubblewrap. */
    fb_proc_die_with_parent(c->launcher);
    if (run_watcher_start(c->launcher) != 0)
        child_die("watcher", errno);
    (void)execve(c->b->bwrap_path, (char *const *)(uintptr_t)argv, envp);
    child_die(c->b->bwrap_path, errno);
}

/* The parent's copies of what only the child needed. */
static void close_data(struct child *c)
{
    for (int i = FD_ARGS; i < c->n; i++)
        fb_fd_close(&c->from[i]);
    fb_fd_close(&c->from[INIT_FD_STDERR]);
}

static int collect_data(struct child *c, struct fb_err *err)
{
    const struct run_mounts *m = c->b->mounts;

    c->n = FD_DATA;
    for (size_t i = 0; i < m->n_steps; i++) {
        const struct run_step *s = &m->steps[i];
        if (s->kind != RUN_STEP_FILE && s->kind != RUN_STEP_DATA_RO)
            continue;
        int fd = run_handover_file("firma-file", s->data, s->data_bytes, err);
        if (fd < 0)
            return fd;
        c->from[c->n++] = fd;
    }
    return 0;
}

static int start(struct child *c, const struct run_stage *stage, struct fb_proc *ret, struct fb_err *err)
{
    struct fb_buf args fb_auto(fb_buf_done);

    fb_buf_init(&args, RUN_BWRAP_ARGS_MAX_BYTES);
    int r = run_bwrap_args(c->b, FD_DATA, stage == NULL ? NULL : run_stage_source, stage, &args, err);
    if (r == 0)
        r = collect_data(c, err);
    if (r < 0)
        return r;
    c->from[FD_ARGS] = run_handover_file("firma-args", args.p, args.n, err);
    if (c->from[FD_ARGS] < 0)
        return c->from[FD_ARGS];
    c->from[INIT_FD_STDERR] = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    if (c->from[INIT_FD_STDERR] < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot copy standard error");
    c->stage = stage;
    return fb_proc_fork(ret, child_main, c, err);
}

int run_bwrap_start(const struct run_bwrap *b, struct fb_proc *ret, struct fb_err *err)
{
    struct child c = { .b = b, .launcher = getpid(), .n = FD_DATA };
    struct run_stage stage = { 0 };

    for (int i = 0; i < FDS_MAX; i++)
        c.from[i] = -1;
    c.from[INIT_FD_CONTROL] = b->control;
    c.from[INIT_FD_FILTERS] = b->filters;
    c.from[INIT_FD_VIEW] = b->view;
    int r = b->identity.drop ? run_stage_plan(b->mounts, &b->identity, b->init_path, &stage, err) : 0;
    if (r == 0)
        r = start(&c, b->identity.drop ? &stage : NULL, ret, err);
    close_data(&c);
    run_stage_done(&stage);
    return r;
}
