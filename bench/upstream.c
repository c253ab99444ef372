/* The yardstick's other end: a keep-alive HTTP/1.1 server that answers every request head with the same 200, as fast as
 * one thread can. Usage: bench_upstream PORT (0 = any; the port is printed). Ends with its parent. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nhello, bench\n";

enum { EVENTS = 64, FD_MAX = 65536 };

/* How many bytes of the head's end each connection has shown so far. */
static uint8_t matched[FD_MAX];

static int listen_on(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof addr;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&addr, sizeof addr) < 0 || listen(fd, 1024) < 0 ||
        getsockname(fd, (struct sockaddr *)&addr, &n) < 0)
        return -1;
    printf("%u\n", (unsigned)ntohs(addr.sin_port));
    fflush(stdout);
    return fd;
}

/* Counts the heads that end in these bytes, and answers each. */
static int serve(int fd)
{
    static const char end[] = "\r\n\r\n";
    char bytes[65536];
    ssize_t n = read(fd, bytes, sizeof bytes);
    if (n <= 0)
        return -1;
    for (ssize_t i = 0; i < n; i++) {
        uint8_t m = matched[fd];
        m = bytes[i] == end[m] ? (uint8_t)(m + 1) : (uint8_t)(bytes[i] == '\r');
        if (m == 4) {
            if (write(fd, reply, sizeof reply - 1) != (ssize_t)(sizeof reply - 1))
                return -1;
            m = 0;
        }
        matched[fd] = m;
    }
    return 0;
}

static void accept_one(int poll_fd, int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || fd >= FD_MAX)
        return;
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };
    matched[fd] = 0;
    if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &e) < 0)
        close(fd);
}

int main(int argc, char **argv)
{
    unsigned long port = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    int listen_fd = port > 65535 ? -1 : listen_on((uint16_t)port);
    int poll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listen_fd };
    if (listen_fd < 0 || poll_fd < 0 || epoll_ctl(poll_fd, EPOLL_CTL_ADD, listen_fd, &e) < 0) {
        perror("bench_upstream");
        return 1;
    }
    for (;;) {
        struct epoll_event ready[EVENTS];
        int n = epoll_wait(poll_fd, ready, EVENTS, -1);
        if (n < 0 && errno != EINTR)
            return 1;
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listen_fd)
                accept_one(poll_fd, listen_fd);
            else if (serve(ready[i].data.fd) < 0)
                close(ready[i].data.fd);
        }
    }
}
