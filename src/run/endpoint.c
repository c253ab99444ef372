/* Parsing and reaching an external Sidecar. */
#include "run/endpoint.h"

#include "base/fd.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int refuse(struct fb_err *err, const char *text, const char *why)
{
    fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' is no Sidecar endpoint: %s", text, why);
    fb_err_remedy(err, "write unix:///absolute/path or tcp://host:port");
    return FB_E_CONFIG_VALIDATION;
}

static int parse_unix(const char *text, struct fb_str rest, struct run_endpoint *ret, struct fb_err *err)
{
    if (rest.n == 0 || rest.p[0] != '/')
        return refuse(err, text, "the path must be absolute");
    if (rest.n > RUN_ENDPOINT_UNIX_MAX_BYTES)
        return refuse(err, text, "the path is longer than 107 bytes");
    ret->kind = RUN_ENDPOINT_UNIX;
    memcpy(ret->path, rest.p, rest.n);
    snprintf(ret->text, sizeof ret->text, "unix://%s", ret->path);
    return 0;
}

static bool host_ok(struct fb_str host)
{
    if (host.n == 0 || host.n >= 254)
        return false;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!word && c != '.' && c != '-' && c != ':')
            return false;
    }
    return true;
}

static int parse_tcp(const char *text, struct fb_str rest, struct run_endpoint *ret, struct fb_err *err)
{
    const char *colon = rest.n == 0 ? NULL : memrchr(rest.p, ':', rest.n);
    if (colon == NULL)
        return refuse(err, text, "the port is missing");
    struct fb_str host = fb_str_n(rest.p, (size_t)(colon - rest.p));
    struct fb_str port = fb_str_n(colon + 1, rest.n - host.n - 1);
    bool bracketed = host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed)
        host = fb_str_n(host.p + 1, host.n - 2);
    if (!host_ok(host) || (!bracketed && fb_str_index(host, ':') < host.n))
        return refuse(err, text, "the host is malformed");
    uint64_t number;
    if (fb_num_u64(port, 1, 65535, &number) < 0)
        return refuse(err, text, "the port must be a number from 1 to 65535");
    ret->kind = RUN_ENDPOINT_TCP;
    memcpy(ret->host, host.p, host.n);
    snprintf(ret->port, sizeof ret->port, "%u", (unsigned)number);
    snprintf(ret->text, sizeof ret->text, bracketed ? "tcp://[%s]:%s" : "tcp://%s:%s", ret->host, ret->port);
    return 0;
}

int run_endpoint_parse(const char *text, struct run_endpoint *ret, struct fb_err *err)
{
    static const struct {
        const char *prefix;
        int (*parse)(const char *, struct fb_str, struct run_endpoint *, struct fb_err *);
    } forms[] = { { "unix://", parse_unix }, { "tcp://", parse_tcp }, { "unix:", parse_unix }, { "tcp:", parse_tcp } };
    memset(ret, 0, sizeof *ret);
    struct fb_str whole = fb_str_of(text);
    for (size_t i = 0; i < FB_COUNT(forms); i++) {
        struct fb_str prefix = fb_str_of(forms[i].prefix);
        if (fb_str_starts(whole, prefix))
            return forms[i].parse(text, fb_str_n(whole.p + prefix.n, whole.n - prefix.n), ret, err);
    }
    return refuse(err, text, "it begins with neither unix:// nor tcp://");
}

int run_endpoint_address(const struct run_endpoint *e, struct sockaddr_storage *ret, socklen_t *ret_n, struct fb_err *err)
{
    memset(ret, 0, sizeof *ret);
    if (e->kind == RUN_ENDPOINT_UNIX) {
        struct sockaddr_un *un = (struct sockaddr_un *)ret;
        un->sun_family = AF_UNIX;
        memcpy(un->sun_path, e->path, strlen(e->path) + 1);
        *ret_n = sizeof *un;
        return 0;
    }
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
    struct addrinfo *list = NULL;
    int r = getaddrinfo(e->host, e->port, &hints, &list);
    if (r != 0 || list == NULL)
        return fb_err_set(err, FB_E_SIDECAR_UNREACHABLE, "%s: %s", e->text, gai_strerror(r));
    memcpy(ret, list->ai_addr, list->ai_addrlen);
    *ret_n = list->ai_addrlen;
    freeaddrinfo(list);
    return 0;
}

int run_endpoint_connect_fd(int fd, const struct sockaddr *addr, socklen_t n, int timeout_ms)
{
    if (fb_fd_set_nonblock(fd) < 0)
        return -errno;
    if (connect(fd, addr, n) == 0)
        return 0;
    if (errno != EINPROGRESS && errno != EINTR)
        return -errno;
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int ready;
    do
        ready = poll(&p, 1, timeout_ms);
    while (ready < 0 && errno == EINTR);
    if (ready <= 0)
        return ready == 0 ? -ETIMEDOUT : -errno;
    int failed = 0;
    socklen_t size = sizeof failed;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) < 0)
        return -errno;
    return -failed;
}

int run_endpoint_connect(const struct run_endpoint *e, int timeout_ms, struct fb_err *err)
{
    struct sockaddr_storage addr;
    socklen_t n = 0;
    int r = run_endpoint_address(e, &addr, &n, err);
    if (r < 0)
        return r;
    fb_auto(fb_fd_close) int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fb_err_sys(err, FB_E_SIDECAR_UNREACHABLE, errno, "%s", e->text);
    r = run_endpoint_connect_fd(fd, (const struct sockaddr *)&addr, n, timeout_ms);
    if (r < 0)
        return fb_err_sys(err, FB_E_SIDECAR_UNREACHABLE, -r, "%s does not answer", e->text);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return fb_err_sys(err, FB_E_SIDECAR_UNREACHABLE, errno, "%s", e->text);
    return fb_fd_take(&fd);
}
