/* Descriptors. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void fb_fd_close(int *fd)
{
    if (*fd < 0)
        return;
    int saved = errno;
    (void)close(*fd);
    *fd = -1;
    errno = saved;
}

int fb_fd_set_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return FB_E_IO;
    return 0;
}

int fb_fd_set_cloexec(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC) < 0)
        return FB_E_IO;
    return 0;
}

int fb_fd_write_all(int fd, const void *p, size_t n)
{
    const char *from = p;
    while (n > 0) {
        ssize_t done = write(fd, from, n);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return FB_E_IO;
        }
        from += done;
        n -= (size_t)done;
    }
    return 0;
}

int fb_fd_read_full(int fd, void *p, size_t n, size_t *ret_n)
{
    char *to = p;
    size_t got = 0;
    while (got < n) {
        ssize_t done = read(fd, to + got, n - got);
        if (done == 0)
            break;
        if (done < 0) {
            if (errno == EINTR)
                continue;
            *ret_n = got;
            return FB_E_IO;
        }
        got += (size_t)done;
    }
    *ret_n = got;
    return 0;
}

union control {
    char bytes[CMSG_SPACE(sizeof(int) * FB_FD_PASS_MAX)];
    struct cmsghdr align;
};

int fb_fd_send(int sock, const void *p, size_t n, const int *fds, size_t n_fds)
{
    if (n_fds > FB_FD_PASS_MAX)
        return FB_E_LIMIT;
    union control control;
    memset(&control, 0, sizeof control);
    struct iovec iov = { (void *)(uintptr_t)p, n };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    if (n_fds > 0) {
        size_t bytes = n_fds * sizeof(int);
        msg.msg_control = control.bytes;
        msg.msg_controllen = CMSG_SPACE(bytes);
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(bytes);
        memcpy(CMSG_DATA(c), fds, bytes);
    }
    ssize_t done;
    do
        done = sendmsg(sock, &msg, MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    if (done < 0)
        return errno == EMSGSIZE ? FB_E_LIMIT : FB_E_IO;
    /* On a stream socket the rest follows without the descriptors, which went with the first byte. */
    const char *rest = (const char *)p + done;
    size_t left = n - (size_t)done;
    while (left > 0) {
        done = send(sock, rest, left, MSG_NOSIGNAL);
        if (done < 0) {
            if (errno == EINTR)
                continue;
            return FB_E_IO;
        }
        rest += done;
        left -= (size_t)done;
    }
    return 0;
}

/* Moves received descriptors to the caller while there is room, closes the others. False when one had to be closed. */
static bool take_fds(struct msghdr *msg, int *fds, size_t cap_fds, size_t *n_fds)
{
    bool all = true;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
            if (*n_fds < cap_fds) {
                fds[(*n_fds)++] = fd;
            } else {
                all = false;
                fb_fd_close(&fd);
            }
        }
    }
    return all;
}

int fb_fd_recv(int sock, void *p, size_t cap, size_t *ret_n, int *fds, size_t cap_fds, size_t *ret_n_fds)
{
    union control control;
    struct iovec iov = { p, cap };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.bytes,
                          .msg_controllen = sizeof control.bytes };
    *ret_n = 0;
    *ret_n_fds = 0;
    ssize_t got;
    do
        got = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return FB_E_IO;
    bool all = take_fds(&msg, fds, cap_fds, ret_n_fds);
    if (!all || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        for (size_t i = 0; i < *ret_n_fds; i++)
            fb_fd_close(&fds[i]);
        *ret_n_fds = 0;
        return FB_E_LIMIT;
    }
    *ret_n = (size_t)got;
    return got == 0 && *ret_n_fds == 0 && cap > 0 ? 1 : 0;
}
