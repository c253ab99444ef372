/* Binding and accepting. Running out of descriptors pauses all doors until a connection has gone; nothing spins. */
#include "sidecar/listener.h"

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "net/url.h"
#include "sidecar/conn.h"
#include "sidecar/resolver.h"
#include "sidecar/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { ACCEPTS_A_TURN = 64 };

struct sc_listener {
    struct sc_server *server;
    struct sc_listener *next;
    enum sc_door door;
    int fd;
    struct fb_watch *watch;
    dev_t dev; /* of our socket file, so that another's is never removed */
    ino_t ino;
    char addr[SC_LISTENER_ADDR_BYTES];
    char bound[SC_LISTENER_ADDR_BYTES]; /* other than addr once announced */
};

bool sc_listener_trusts(const struct sc_server *s, unsigned uid)
{
    if (uid == 0 || uid == geteuid())
        return true;
    for (size_t i = 0; i < s->n_trusted_uids; i++)
        if (s->trusted_uids[i] == uid)
            return true;
    return false;
}

/* --- accepting --- */

static void admit(struct sc_listener *l, int fd)
{
    struct sc_server *s = l->server;
    struct ucred peer = { 0 };
    if (l->door == SC_DOOR_UNIX) {
        socklen_t n = sizeof peer;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 || !sc_listener_trusts(s, peer.uid)) {
            FB_LOG(FB_LOG_WARN, "connection refused", FB_KZ("why", "peer uid not trusted"), FB_KU("uid", peer.uid));
            close(fd);
            return;
        }
        if (sc_server_count_peer(s, peer.pid) >= s->limits.clients_per_peer) {
            close(fd);
            return;
        }
    } else {
        int one = 1;
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    s->counters.accepted++;
    sc_conn_start(s, fd, l->door, peer.pid); /* takes fd */
}

/* The pause ends with every sweep: without a limit the log would fill as long as descriptors are short. */
static void warn_paused(struct sc_server *s, int why)
{
    uint64_t now = fb_loop_now_ms(s->loop);
    if (s->warned_paused && now - s->warned_paused_ms < SC_LISTENER_WARN_MS)
        return;
    s->warned_paused = true;
    s->warned_paused_ms = now;
    FB_LOG(FB_LOG_WARN, "accepting paused", FB_KZ("why", strerror(why)), FB_KU("connections", s->n_conns));
}

static void on_acceptable(void *arg, int ready)
{
    struct sc_listener *l = arg;
    struct sc_server *s = l->server;
    (void)ready;
    for (int i = 0; i < ACCEPTS_A_TURN; i++) {
        if (s->n_conns >= s->limits.clients) {
            sc_listener_pause_all(s, true);
            return;
        }
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            admit(l, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
            warn_paused(s, errno);
            sc_listener_pause_all(s, true);
        }
        return;
    }
}

void sc_listener_pause_all(struct sc_server *s, bool pause)
{
    if (s->accept_paused == pause || (s->draining && !pause))
        return;
    s->accept_paused = pause;
    for (struct sc_listener *l = s->listeners; l != NULL; l = l->next)
        (void)fb_watch_set(l->watch, pause ? 0 : FB_READABLE);
}

/* --- making --- */

static int start(struct sc_server *s, int fd, enum sc_door door, struct sc_listener **ret, struct fb_err *err)
{
    struct sc_listener *l = calloc(1, sizeof *l);
    if (l == NULL) {
        close(fd);
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    l->server = s;
    l->door = door;
    l->fd = fd;
    int r = fb_watch_new(s->loop, fd, on_acceptable, l, &l->watch, err);
    if (r == 0)
        r = fb_watch_set(l->watch, s->accept_paused ? 0 : FB_READABLE);
    if (r < 0) {
        fb_watch_free(l->watch);
        close(fd);
        free(l);
        return r;
    }
    l->next = s->listeners;
    s->listeners = l;
    *ret = l;
    return 0;
}

static void name_inet(struct sc_listener *l)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t n = sizeof ss;
    struct sc_ip ip = { 0 };
    unsigned port = 0;
    if (getsockname(l->fd, (struct sockaddr *)&ss, &n) < 0)
        return;
    if (ss.ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)&ss;
        ip.family = AF_INET;
        ip.u.v4 = in->sin_addr;
        port = ntohs(in->sin_port);
    } else if (ss.ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)&ss;
        ip.family = AF_INET6;
        ip.u.v6 = in6->sin6_addr;
        port = ntohs(in6->sin6_port);
    }
    char text[INET6_ADDRSTRLEN];
    sc_ip_format(&ip, text);
    snprintf(l->addr, sizeof l->addr, ip.family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, port);
}

int sc_listener_parse(const char *addr, struct sc_ip *ip, unsigned *port)
{
    struct fb_str s = fb_str_of(addr);
    size_t colon = s.n;
    while (colon > 0 && s.p[colon - 1] != ':')
        colon--;
    unsigned long n = 0;
    size_t digits = s.n - colon;
    bool ok = colon > 1 && digits >= 1 && digits <= 5;
    for (size_t i = colon; ok && i < s.n; i++) {
        ok = s.p[i] >= '0' && s.p[i] <= '9';
        n = n * 10 + (unsigned long)(s.p[i] - '0');
    }
    if (!ok || n > 65535 || !sc_ip_parse(fb_str_n(s.p, colon - 1), ip))
        return FB_E_PARSE;
    *port = (unsigned)n;
    return 0;
}

int sc_listener_tcp(struct sc_server *s, const char *addr, struct sc_listener **ret, struct fb_err *err)
{
    struct sc_ip ip;
    unsigned port;
    int r = sc_listener_parse(addr, &ip, &port);
    if (r < 0)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "interceptor.listen_addr '%s' is not an ip:port", addr);
    fb_auto(fb_fd_close) int fd = socket(ip.family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make a socket for '%s'", addr);
    int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_storage ss;
    socklen_t n = sc_ip_sockaddr(&ip, port, &ss);
    if (bind(fd, (struct sockaddr *)&ss, n) < 0 || listen(fd, SC_LISTENER_BACKLOG) < 0)
        return fb_err_sys(err, errno == EADDRINUSE ? FB_E_ALREADY_RUNNING : FB_E_IO, errno, "cannot listen on '%s'", addr);
    r = start(s, fb_fd_take(&fd), SC_DOOR_TCP, ret, err);
    if (r == 0)
        name_inet(*ret);
    return r;
}

int sc_listener_handed(struct sc_server *s, int fd, struct sc_listener **ret, struct fb_err *err)
{
    int listening = 0;
    int family = 0;
    int type = 0;
    socklen_t n = sizeof(int);
    bool ok = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 && listening == 1 &&
              getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 && (family == AF_INET || family == AF_INET6) &&
              getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
    if (!ok || fb_fd_set_nonblock(fd) < 0) {
        close(fd);
        return fb_err_set(err, FB_E_IO, "the descriptor handed over is not a listening TCP socket");
    }
    int r = start(s, fd, SC_DOOR_HANDED, ret, err);
    if (r == 0)
        name_inet(*ret);
    return r;
}

/* 0: nothing there any more. */
static int clear_stale(const char *path, const struct sockaddr_un *un, struct fb_err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : fb_err_sys(err, FB_E_IO, errno, "cannot look at '%s'", path);
    if (!S_ISSOCK(st.st_mode))
        return fb_err_set(err, FB_E_IO, "'%s' exists and is not a socket", path);
    fb_auto(fb_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make a socket");
    if (connect(fd, (const struct sockaddr *)un, sizeof *un) == 0 || errno == EAGAIN)
        return fb_err_set(err, FB_E_ALREADY_RUNNING, "another process answers on '%s'", path);
    if (errno != ECONNREFUSED)
        return fb_err_sys(err, FB_E_IO, errno, "cannot tell whether '%s' is in use", path);
    if (unlink(path) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot remove the stale socket '%s'", path);
    return 0;
}

int sc_listener_unix(struct sc_server *s, const char *path, struct sc_listener **ret, struct fb_err *err)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof un.sun_path)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "socket path '%s' is empty or longer than %zu bytes", path,
                          sizeof un.sun_path - 1);
    memcpy(un.sun_path, path, n + 1);
    char *dir = fb_fs_dirname(path);
    if (dir == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    fb_auto(fb_fd_close) int dirfd = fb_fs_private_dir(dir, err);
    free(dir);
    if (dirfd < 0)
        return dirfd;
    int r = clear_stale(path, &un, err);
    if (r < 0)
        return r;
    fb_auto(fb_fd_close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make a socket");
    mode_t old = umask(0177); /* born 0600: no moment in which others could connect */
    int bound = bind(fd, (const struct sockaddr *)&un, sizeof un);
    int why = errno;
    (void)umask(old);
    if (bound < 0)
        return fb_err_sys(err, FB_E_IO, why, "cannot bind '%s'", path);
    struct stat st;
    if (lstat(path, &st) < 0 || listen(fd, SC_LISTENER_BACKLOG) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot listen on '%s'", path);
    r = start(s, fb_fd_take(&fd), SC_DOOR_UNIX, ret, err);
    if (r < 0)
        return r;
    (*ret)->dev = st.st_dev;
    (*ret)->ino = st.st_ino;
    snprintf((*ret)->addr, sizeof (*ret)->addr, "%s", path);
    return 0;
}

void sc_listener_announce(struct sc_listener *l, const char *path)
{
    memcpy(l->bound, l->addr, sizeof l->bound);
    snprintf(l->addr, sizeof l->addr, "%s", path);
}

const char *sc_listener_addr(const struct sc_listener *l)
{
    return l->addr;
}

static void remove_own(const struct sc_listener *l, const char *path)
{
    struct stat st;
    if (path[0] != '\0' && lstat(path, &st) == 0 && st.st_dev == l->dev && st.st_ino == l->ino)
        (void)unlink(path);
}

void sc_listener_close_all(struct sc_server *s)
{
    while (s->listeners != NULL) {
        struct sc_listener *l = s->listeners;
        s->listeners = l->next;
        if (l->door == SC_DOOR_UNIX) {
            remove_own(l, l->addr);
            remove_own(l, l->bound);
        }
        fb_watch_free(l->watch);
        close(l->fd);
        free(l);
    }
}
