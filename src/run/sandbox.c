#include "run/sandbox.h"

#include "base/buf.h"
#include "base/fd.h"
#include "run/bwrap.h"
#include "run/handover.h"
#include "run/view.h"
#include "run/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    DIAGNOSTICS_READ_BYTES = 4096,
    END_GRACE_MS = 1000, /* for the kernel to take the namespaces down; usually one or two */
};

static char *first_executable(const char *const *paths, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (access(paths[i], X_OK) == 0)
            return strdup(paths[i]);
    return NULL;
}

/* Fixed places only: a bwrap from PATH could be anyone's. */
static char *find_bwrap(const struct run_sandbox_plan *plan)
{
    static const char *const places[] = { "/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap" };
    return plan->bwrap_path != NULL ? strdup(plan->bwrap_path) : first_executable(places, FB_COUNT(places));
}

/* Beside the running binary, where `make install` puts it, or where the build tree has it. */
static char *find_init(const struct run_sandbox_plan *plan)
{
    static const char *const from_here[] = { "firma-init", "../libexec/firma/firma-init", "../lib/firma/firma-init",
                                             "../init/firma-init", "../../src/init/firma-init",
                                             "../../../src/init/firma-init", "src/init/firma-init" };
    char self[PATH_MAX];

    if (plan->init_path != NULL)
        return realpath(plan->init_path, NULL);
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n <= 0)
        return NULL;
    self[n] = '\0';
    char *slash = strrchr(self, '/');
    if (slash == NULL)
        return NULL;
    *slash = '\0';
    for (size_t i = 0; i < FB_COUNT(from_here); i++) {
        char at[PATH_MAX + 64];
        (void)snprintf(at, sizeof(at), "%s/%s", self, from_here[i]);
        char *real = realpath(at, NULL);
        if (real != NULL && access(real, X_OK) == 0)
            return real;
        free(real);
    }
    return NULL;
}

static int find_programs(const struct run_sandbox_plan *plan, char **ret_bwrap, char **ret_init, struct fb_err *err)
{
    *ret_bwrap = find_bwrap(plan);
    *ret_init = find_init(plan);
    if (*ret_bwrap == NULL || access(*ret_bwrap, X_OK) != 0) {
        fb_err_set(err, FB_E_UNSUPPORTED_BACKEND, "bubblewrap is not installed");
        fb_err_remedy(err, "install it: apt install bubblewrap (or dnf, pacman, apk)");
        return FB_E_UNSUPPORTED_BACKEND;
    }
    if (*ret_init == NULL || access(*ret_init, X_OK) != 0) {
        fb_err_set(err, FB_E_BACKEND, "firma-init is missing");
        fb_err_remedy(err, "reinstall firma: firma-init must stand beside it or in ../libexec/firma");
        return FB_E_BACKEND;
    }
    return 0;
}

/* The number in @host_root/@name; -1 when the file is absent or holds none. */
static long read_sysctl(const char *host_root, const char *name)
{
    char path[PATH_MAX];
    char text[32] = { 0 };
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "%s/proc/sys/%s", host_root, name);
    int fd fb_auto(fb_fd_close) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fb_fd_read_full(fd, text, sizeof(text) - 1, &n) != 0 || n == 0 || text[0] < '0' || text[0] > '9')
        return -1;
    long value = 0;
    for (size_t i = 0; i < n && i < 9 && text[i] >= '0' && text[i] <= '9'; i++)
        value = value * 10 + (text[i] - '0');
    return value;
}

static int refuse_host(struct fb_err *err, const char *text, const char *remedy)
{
    fb_err_set(err, FB_E_UNSUPPORTED_BACKEND, "%s", text);
    fb_err_remedy(err, "%s", remedy);
    return FB_E_UNSUPPORTED_BACKEND;
}

/* WSL1 has no namespaces at all; its kernel says "Microsoft" where WSL2's says "microsoft-standard". */
static bool is_wsl1(const char *host_root)
{
    char path[PATH_MAX];
    char text[256] = { 0 };
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "%s/proc/sys/kernel/osrelease", host_root);
    int fd fb_auto(fb_fd_close) = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && fb_fd_read_full(fd, text, sizeof(text) - 1, &n) == 0 && strstr(text, "Microsoft") != NULL;
}

int run_sandbox_preflight(const struct run_sandbox_plan *plan, const char *host_root, struct fb_err *err)
{
    char *bwrap;
    char *init;

    if (is_wsl1(host_root))
        return refuse_host(err, "WSL 1 has no namespaces", "convert the distribution: wsl --set-version NAME 2");
    if (geteuid() != 0 && read_sysctl(host_root, "kernel/unprivileged_userns_clone") == 0)
        return refuse_host(err, "unprivileged user namespaces are disabled",
                           "sudo sysctl -w kernel.unprivileged_userns_clone=1");
    if (read_sysctl(host_root, "user/max_user_namespaces") == 0)
        return refuse_host(err, "user namespaces are disabled", "sudo sysctl -w user.max_user_namespaces=15000");
    if (read_sysctl(host_root, "user/max_net_namespaces") == 0)
        return refuse_host(err, "network namespaces are disabled", "sudo sysctl -w user.max_net_namespaces=15000");
    int r = find_programs(plan, &bwrap, &init, err);
    free(bwrap);
    free(init);
    return r;
}

int run_sandbox_prepare(const struct run_sandbox_plan *plan, struct run_sandbox *ret, struct fb_err *err)
{
    *ret = (struct run_sandbox){ .bwrap = { .pidfd = -1 }, .control = -1, .diagnostics = -1, .plan = plan };
    ret->identity = plan->view.identity;
    ret->cwd = strdup(plan->view.cwd != NULL ? plan->view.cwd : plan->view.home);
    if (ret->cwd == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    int r = find_programs(plan, &ret->bwrap_path, &ret->init_path, err);
    if (r == 0)
        r = run_mounts_plan(&plan->view, &ret->mounts, err);
    return r;
}

/* A directory as standard input would be a way out of the sandbox ("openat(0, "../..")"); nothing else on 0 to 2 is. */
static int check_stdio(struct fb_err *err)
{
    static const char *const names[] = { "input", "output", "error" };

    for (int fd = 0; fd < 3; fd++) {
        struct stat st;
        const int flags = fcntl(fd, F_GETFL);
        if (flags < 0) {
            int null = open("/dev/null", O_RDWR);
            if (null != fd)
                return fb_err_sys(err, FB_E_SPAWN, errno, "standard %s is closed and cannot be replaced", names[fd]);
            continue;
        }
        if ((flags & O_PATH) != 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
            fb_err_set(err, FB_E_SPAWN, "standard %s is a directory: the agent could walk out of the sandbox by it", names[fd]);
            fb_err_remedy(err, "redirect it from or to a file, or /dev/null");
            return FB_E_SPAWN;
        }
    }
    return 0;
}

static int start_with_sockets(struct run_sandbox *sb, int view, struct fb_err *err)
{
    const struct run_sandbox_plan *plan = sb->plan;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make a pair of sockets");
    sb->control = pair[0];
    int theirs fb_auto(fb_fd_close) = pair[1];
    int filters fb_auto(fb_fd_close) = run_handover_filters(plan->managed_filter, plan->managed_filter_bytes, err);
    if (filters < 0)
        return filters;
    sb->diagnostics = run_handover_file("firma-diagnostics", "", 0, err);
    if (sb->diagnostics < 0)
        return sb->diagnostics;
    const struct run_bwrap b = {
        .mounts = &sb->mounts,
        .identity = sb->identity,
        .hostname = plan->view.hostname == NULL ? "firma" : plan->view.hostname,
        .bwrap_path = sb->bwrap_path,
        .init_path = sb->init_path,
        .control = theirs,
        .filters = filters,
        .view = view,
        .diagnostics = sb->diagnostics,
    };
    return run_bwrap_start(&b, &sb->bwrap, err);
}

int run_sandbox_start(struct run_sandbox *sb, struct fb_err *err)
{
    int r = check_stdio(err);
    if (r == 0)
        r = run_mounts_make_placeholders(&sb->mounts, &sb->identity, err);
    if (r < 0)
        return r;
    sb->placeholders_made = true;
    /* From here on a name means what it means now, or the sandbox does not come to be. */
    int view fb_auto(fb_fd_close) = run_view_file(&sb->mounts, sb->init_path, err);
    return view < 0 ? view : start_with_sockets(sb, view, err);
}

int run_sandbox_fd(const struct run_sandbox *sb)
{
    return sb->control;
}

static const char *stage_name(int stage)
{
    static const char *const names[] = {
        [INIT_STAGE_DESCRIPTORS] = "descriptors", [INIT_STAGE_SOCKETS] = "loopback sockets",
        [INIT_STAGE_VIEW] = "the mounts",  [INIT_STAGE_DEVPTS] = "private terminals", [INIT_STAGE_PROC] = "covers over /proc",
        [INIT_STAGE_CAPABILITIES] = "giving up capabilities", [INIT_STAGE_FILTERS] = "system-call filters",
        [INIT_STAGE_GO] = "the go message", [INIT_STAGE_FILES] = "files of the run", [INIT_STAGE_FORK] = "fork",
    };
    if (stage < 0 || (size_t)stage >= FB_COUNT(names) || names[stage] == NULL)
        return "unknown";
    return names[stage];
}

/* The other end is gone: say why as well as it can be known. */
static int explain_end(struct run_sandbox *sb, struct fb_err *err)
{
    char said[DIAGNOSTICS_READ_BYTES] = "";

    if (sb->go_sent)
        return fb_err_set(err, FB_E_WAIT, "the sandbox was killed before the agent's status was known");
    /* Its last words are complete once it is gone; a moment is enough, since its socket has closed already. */
    (void)run_sandbox_wait(sb, 2000, NULL);
    ssize_t n = pread(sb->diagnostics, said, sizeof(said) - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    return run_bwrap_explain(said, err);
}

static int fill_event(struct run_sandbox *sb, const struct init_msg *msg, const int *fds, struct run_sandbox_event *ret,
                      struct fb_err *err)
{
    switch (msg->type) {
    case INIT_MSG_LISTENERS:
        ret->type = RUN_SANDBOX_LISTENERS;
        ret->proxy_fd = fds[0];
        ret->dns_udp_fd = fds[1];
        ret->dns_tcp_fd = fds[2];
        return 0;
    case INIT_MSG_READY:
        ret->type = RUN_SANDBOX_READY;
        sb->ready = true;
        return 0;
    case INIT_MSG_STARTED:
        ret->type = RUN_SANDBOX_STARTED;
        return 0;
    case INIT_MSG_EXEC_FAILED:
        ret->type = RUN_SANDBOX_EXEC_FAILED;
        ret->os_errno = msg->value;
        ret->chdir_failed = msg->stage == INIT_STAGE_CHDIR;
        sb->exited = true;
        return 0;
    case INIT_MSG_EXITED:
        ret->type = RUN_SANDBOX_EXITED;
        ret->wait_status = msg->value;
        sb->exited = true;
        return 0;
    case INIT_MSG_FAILED:
        sb->exited = true;
        if (msg->stage == INIT_STAGE_VIEW) {
            fb_err_sys(err, FB_E_BACKEND, msg->value, "the file system changed while the sandbox was being built");
            fb_err_remedy(err, "look at who else writes in the mounted directories, and run again");
            return FB_E_BACKEND;
        }
        return fb_err_sys(err, FB_E_BACKEND, msg->value, "the sandbox could not be built: %s", stage_name(msg->stage));
    default:
        return fb_err_set(err, FB_E_BACKEND, "the sandbox sent a message of unknown type %u", (unsigned int)msg->type);
    }
}

int run_sandbox_read(struct run_sandbox *sb, struct run_sandbox_event *ret, struct fb_err *err)
{
    struct init_msg msg;
    int fds[3] = { -1, -1, -1 };
    size_t n_fds;

    *ret = (struct run_sandbox_event){ .proxy_fd = -1, .dns_udp_fd = -1, .dns_tcp_fd = -1 };
    if (sb->control < 0)
        return fb_err_set(err, FB_E_INTERNAL, "the sandbox was not started");
    int r = run_handover_recv(sb->control, &msg, fds, &n_fds, err);
    if (r < 0)
        return r;
    if (r == 1 || (r == 2 && sb->exited))
        return 0;
    if (r == 2) {
        sb->exited = true;
        return explain_end(sb, err);
    }
    return fill_event(sb, &msg, fds, ret, err);
}

int run_sandbox_go(struct run_sandbox *sb, const struct run_sandbox_go *go, struct fb_err *err)
{
    struct run_sandbox_go filled = *go;

    if (!sb->ready || sb->go_sent)
        return fb_err_set(err, FB_E_INTERNAL, "go out of order");
    if (filled.cwd == NULL)
        filled.cwd = sb->cwd;
    int fd fb_auto(fb_fd_close) = run_handover_go(&filled, err);
    if (fd < 0)
        return fd;
    sb->go_sent = true;
    return run_handover_send(sb->control, INIT_MSG_GO, 0, fd, err);
}

int run_sandbox_signal(struct run_sandbox *sb, int sig)
{
    if (sb->control >= 0 && sb->go_sent && !sb->exited)
        (void)run_handover_send(sb->control, INIT_MSG_SIGNAL, sig, -1, NULL);
    return 0;
}

/* bubblewrap, and the child that it may have made: killed alone between its clone and the write of the uid map, it
 * would leave that child waiting for ever. The group is its own, and not yet reaped, so the number means nobody else. */
static void kill_group(const struct run_sandbox *sb)
{
    (void)fb_proc_signal(&sb->bwrap, SIGKILL);
    (void)kill(-sb->bwrap.pid, SIGKILL);
}

void run_sandbox_kill(struct run_sandbox *sb)
{
    if (sb->bwrap.pid <= 0)
        return;
    /* firma-init takes the end of the socket for our death, kills everything and ends; bubblewrap then reaps it. A
     * bubblewrap that was killed first would leave it to whatever the host's pid 1 does with orphans. */
    if (sb->ready && sb->control >= 0)
        (void)shutdown(sb->control, SHUT_RDWR);
    else
        kill_group(sb);
}

int run_sandbox_wait(struct run_sandbox *sb, int timeout_ms, struct fb_err *err)
{
    int status;

    if (sb->bwrap.pid <= 0)
        return 0;
    const pid_t group = sb->bwrap.pid;
    int r = fb_proc_wait(&sb->bwrap, timeout_ms, &status, err);
    if (r != 0)
        return r;
    run_watcher_reap(group);
    fb_fd_close(&sb->bwrap.pidfd);
    sb->bwrap.pid = 0;
    return 0;
}

void run_sandbox_done(struct run_sandbox *sb)
{
    run_sandbox_kill(sb);
    fb_fd_close(&sb->control);
    if (run_sandbox_wait(sb, END_GRACE_MS, NULL) != 0) {
        kill_group(sb);
        (void)run_sandbox_wait(sb, -1, NULL);
    }
    fb_fd_close(&sb->diagnostics);
    run_mounts_let_go(&sb->mounts);
    if (sb->placeholders_made)
        run_mounts_remove_placeholders(sb->mounts.placeholders, sb->mounts.n_placeholders);
    sb->placeholders_made = false;
    run_mounts_done(&sb->mounts);
    free(sb->cwd);
    free(sb->init_path);
    free(sb->bwrap_path);
    sb->cwd = sb->init_path = sb->bwrap_path = NULL;
}
