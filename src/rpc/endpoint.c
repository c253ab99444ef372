#include "rpc/endpoint_priv.h"

#include "base/fd.h"
#include "net/url.h"
#include "rpc/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>

static int parse(const char *url, struct fn_authority *ret, struct fb_err *err)
{
    struct fb_str rest = fb_str_of(url);

    if (rest.n > RP_URL_MAX_BYTES)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "authority url is longer than %d bytes", RP_URL_MAX_BYTES);
    if (fb_str_starts(rest, FB_STR("https://")))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "authority url '%s': TLS is not supported yet", url);
    if (!fb_str_starts(rest, FB_STR("http://")))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "authority url '%s' must begin with http://", url);
    rest = fb_str_n(rest.p + 7, rest.n - 7);
    if (fb_str_ends(rest, FB_STR("/")))
        rest.n--;
    if (fn_url_authority(rest, ret, err) != 0) {
        fb_err_recode(err, FB_E_CONFIG_VALIDATION);
        return err == NULL ? FB_E_CONFIG_VALIDATION : fb_err_wrap(err, "authority url '%s'", url);
    }
    if (ret->port == 0)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "authority url '%s' names no port", url);
    return 0;
}

int rp_url_check(const char *url, struct fb_err *err)
{
    struct fn_authority a;

    return parse(url, &a, err);
}

bool rp_url_is_loopback(const char *url)
{
    struct fn_authority a;

    if (url == NULL || parse(url, &a, NULL) != 0)
        return false;
    switch (a.host.kind) {
    case FN_HOST_IPV4:
        return fb_str_starts(fn_host_str(&a.host), FB_STR("127."));
    case FN_HOST_IPV6:
        return fb_str_eqz(fn_host_str(&a.host), "::1");
    case FN_HOST_NAME:
        return fb_str_eqz(fn_host_str(&a.host), "localhost");
    default:
        return false;
    }
}

static void add_v4(struct rp_endpoint *ep, struct in_addr addr, uint16_t port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = addr };

    memcpy(&ep->addrs[ep->n_addrs], &sa, sizeof(sa));
    ep->addr_lens[ep->n_addrs++] = sizeof(sa);
}

static void add_v6(struct rp_endpoint *ep, struct in6_addr addr, uint16_t port)
{
    struct sockaddr_in6 sa = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = addr };

    memcpy(&ep->addrs[ep->n_addrs], &sa, sizeof(sa));
    ep->addr_lens[ep->n_addrs++] = sizeof(sa);
}

static int lookup(const char *name, uint16_t port, struct rp_endpoint *ep, struct fb_err *err)
{
    struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char service[8];

    snprintf(service, sizeof(service), "%u", (unsigned)port);
    int rc = getaddrinfo(name, service, &hints, &list);
    if (rc != 0)
        return fb_err_set(err, FB_E_AUTHORITY_UNREACHABLE, "cannot resolve '%s': %s", name, gai_strerror(rc));
    for (struct addrinfo *i = list; i != NULL && ep->n_addrs < RP_ADDRS_MAX; i = i->ai_next) {
        memcpy(&ep->addrs[ep->n_addrs], i->ai_addr, i->ai_addrlen);
        ep->addr_lens[ep->n_addrs++] = i->ai_addrlen;
    }
    freeaddrinfo(list);
    return ep->n_addrs > 0 ? 0 : fb_err_set(err, FB_E_AUTHORITY_UNREACHABLE, "'%s' has no address", name);
}

int rp_endpoint_resolve(const char *url, struct rp_endpoint *ret, struct fb_err *err)
{
    struct fn_authority a;
    struct in_addr v4;
    struct in6_addr v6;
    int rc = parse(url, &a, err);

    *ret = (struct rp_endpoint){ 0 };
    if (rc != 0)
        return rc;
    fn_url_authority_text(&a, 0, ret->authority);
    if (a.host.kind == FN_HOST_IPV4 && inet_pton(AF_INET, a.host.text, &v4) == 1) {
        add_v4(ret, v4, a.port);
        return 0;
    }
    if (a.host.kind == FN_HOST_IPV6 && inet_pton(AF_INET6, a.host.text, &v6) == 1) {
        add_v6(ret, v6, a.port);
        return 0;
    }
    if (fb_str_eqz(fn_host_str(&a.host), "localhost")) {
        /* Never asked of a resolver: the loopback rule must not depend on what one answers. */
        add_v6(ret, in6addr_loopback, a.port);
        add_v4(ret, (struct in_addr){ htonl(INADDR_LOOPBACK) }, a.port);
        return 0;
    }
    return lookup(a.host.text, a.port, ret, err);
}

int rp_endpoint_connect(const struct rp_endpoint *ep, size_t which, bool *ret_done, struct fb_err *err)
{
    const struct sockaddr *sa = (const struct sockaddr *)&ep->addrs[which];
    int one = 1;
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return fb_err_sys(err, FB_E_AUTHORITY_UNREACHABLE, errno, "cannot make a socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    *ret_done = connect(fd, sa, ep->addr_lens[which]) == 0;
    if (!*ret_done && errno != EINPROGRESS) {
        int e = errno;
        fb_fd_close(&fd);
        return fb_err_sys(err, FB_E_AUTHORITY_UNREACHABLE, e, "cannot connect to %s", ep->authority);
    }
    return fd;
}
