/* The life of pid 1: build, confine, wait for GO, look after the agent, leave nothing behind. */
#include "init/init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

int init_send(enum init_msg_type type, int value, enum init_stage stage, const int *fds, size_t n_fds)
{
    struct init_msg msg = { .type = (uint32_t)type, .value = value, .stage = (int32_t)stage };
    struct iovec iov = { .iov_base = &msg, .iov_len = sizeof(msg) };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(3 * sizeof(int))];
    } control = { .bytes = { 0 } };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

    if (n_fds > 3) {
        errno = EINVAL;
        return -1;
    }
    if (n_fds > 0) {
        hdr.msg_control = control.bytes;
        hdr.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
    }
    ssize_t n;
    do {
        n = sendmsg(INIT_FD_CONTROL, &hdr, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(msg) ? 0 : -1;
}

_Noreturn void init_fail(enum init_stage stage, int error)
{
    (void)init_send(INIT_MSG_FAILED, error, stage, NULL, 0);
    /* When pid 1 ends, the kernel ends the whole pid namespace. */
    _exit(1);
}

/* Receives one message; returns 0, or -1 when the launcher is gone or spoke out of form. *@ret_fd is -1 without one. */
static int receive(struct init_msg *ret, int *ret_fd)
{
    struct iovec iov = { .iov_base = ret, .iov_len = sizeof(*ret) };
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = control.bytes,
                          .msg_controllen = sizeof(control.bytes) };
    ssize_t n;

    *ret_fd = -1;
    do {
        n = recvmsg(INIT_FD_CONTROL, &hdr, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&hdr);
        if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
            c->cmsg_len == CMSG_LEN(sizeof(int)))
            memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
    }
    return n == (ssize_t)sizeof(*ret) && (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 ? 0 : -1;
}

/* The gate. Whatever is not a well-formed GO ends the sandbox without an exec; so does a launcher that went away. */
static void wait_for_go(struct init_agent *ret)
{
    struct init_msg msg;
    int fd;

    if (receive(&msg, &fd) != 0)
        _exit(1);
    if (msg.type != INIT_MSG_GO || fd < 0)
        init_fail(INIT_STAGE_GO, EPROTO);
    init_agent_load(fd, ret);
}

/* Takes every process of the sandbox down and reaps what dies; the kernel finishes the rest when pid 1 exits. */
static void kill_all(void)
{
    (void)kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
        continue;
}

/* Reaps everything that has ended. Returns 1 with the wait status once the agent's main process is among it. */
static int reap(pid_t agent, int *ret_status)
{
    int found = 0;

    for (;;) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid < 0 && errno == EINTR)
            continue;
        if (pid <= 0)
            return found;
        if (pid == agent) {
            *ret_status = status;
            found = 1;
        }
    }
}

/* Until the agent's main process ends (returns its status) or the launcher does (does not return). */
static int look_after(pid_t agent, int signals)
{
    struct pollfd polled[2] = { { .fd = INIT_FD_CONTROL, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
    int status;

    for (;;) {
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            break;
        if (polled[1].revents != 0) {
            /* Only a wake-up: one SIGCHLD may stand for many, and the agent may send some of its own. */
            struct signalfd_siginfo ignored;
            (void)!read(signals, &ignored, sizeof(ignored));
            if (reap(agent, &status) != 0)
                return status;
        }
        if (polled[0].revents != 0) {
            struct init_msg msg;
            int fd;
            if (receive(&msg, &fd) != 0 || fd >= 0 || msg.type != INIT_MSG_SIGNAL)
                break;
            if (msg.value > 0 && msg.value < NSIG)
                (void)kill(-agent, msg.value);
        }
        polled[0].revents = polled[1].revents = 0;
    }
    kill_all();
    _exit(1);
}

int main(void)
{
    struct init_agent agent;
    sigset_t all;

    /* Nothing may interrupt pid 1; SIGCHLD is read from a descriptor. */
    sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);

    init_setup_descriptors();
    if (getpid() != 1)
        init_fail(INIT_STAGE_DESCRIPTORS, ESRCH);
    init_setup_sockets();
    init_view_check();
    init_setup_devpts();
    init_setup_proc();
    init_confine_drop();
    init_confine_files();
    init_confine_filter();
    if (init_send(INIT_MSG_READY, 0, INIT_STAGE_NONE, NULL, 0) != 0)
        _exit(1);

    wait_for_go(&agent);
    init_agent_write_files(&agent);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0)
        init_fail(INIT_STAGE_FORK, errno);
    pid_t pid = init_agent_start(&agent);
    if (pid < 0) {
        kill_all();
        _exit(1);
    }
    init_agent_forget(&agent);
    if (init_send(INIT_MSG_STARTED, 0, INIT_STAGE_NONE, NULL, 0) != 0) {
        kill_all();
        _exit(1);
    }

    int status = look_after(pid, signals);
    /* First nobody is left, then it is reported: a daemon never outlives the run. */
    kill_all();
    (void)init_send(INIT_MSG_EXITED, status, INIT_STAGE_NONE, NULL, 0);
    return 0;
}
