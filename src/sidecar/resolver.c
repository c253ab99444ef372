/* c-ares on our loop. Its sockets become watches, its time-outs one timer. */
#include "sidecar/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <stdlib.h>

enum { ARES_SOCKETS_MAX = 16, ARES_TIMEOUT_MS = 2000, ARES_TRIES = 2, HOSTS_MAX = 1024 };

struct host {
    char *name;
    struct sc_ip ip;
};

struct ares_watch {
    struct sc_resolver *r;
    ares_socket_t fd;
    struct fb_watch *watch;
};

struct sc_lookup {
    struct sc_resolver *r;
    sc_resolve_fn *fn; /* NULL once cancelled */
    void *arg;
    struct sc_ip addrs[SC_RESOLVE_ADDRS_MAX];
    size_t n_addrs;
    const char *why;
    bool answered;
    struct sc_lookup *next;
};

struct sc_resolver {
    struct fb_loop *loop;
    struct host *hosts;
    size_t n_hosts;
    char *servers;
    ares_channel channel;
    bool started;
    struct ares_watch socks[ARES_SOCKETS_MAX];
    struct fb_timer *timeout;
    struct fb_timer *deliver; /* answers leave from here, so that no callback runs inside a call into us */
    struct sc_lookup *lookups;
};

bool sc_ip_parse(struct fb_str host, struct sc_ip *ret)
{
    char text[INET6_ADDRSTRLEN];
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = fb_str_n(host.p + 1, host.n - 2);
    if (host.n == 0 || host.n >= sizeof text)
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    memset(ret, 0, sizeof *ret);
    if (inet_pton(AF_INET, text, &ret->u.v4) == 1) {
        ret->family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, text, &ret->u.v6) == 1) {
        ret->family = AF_INET6;
        return true;
    }
    return false;
}

void sc_ip_format(const struct sc_ip *ip, char out[INET6_ADDRSTRLEN])
{
    if (inet_ntop(ip->family, &ip->u, out, INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

socklen_t sc_ip_sockaddr(const struct sc_ip *ip, unsigned port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (ip->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)(void *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        in->sin_addr = ip->u.v4;
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)(void *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    in6->sin6_addr = ip->u.v6;
    return sizeof *in6;
}

bool sc_resolver_table(const struct sc_resolver *r, struct fb_str host, struct sc_ip *ret)
{
    for (size_t i = 0; i < r->n_hosts; i++)
        if (fb_str_eq_nocase(fb_str_of(r->hosts[i].name), host)) {
            *ret = r->hosts[i].ip;
            return true;
        }
    return false;
}

/* --- c-ares plumbing --- */

static void arm_timeout(struct sc_resolver *r)
{
    struct timeval tv;
    struct timeval *next = ares_timeout(r->channel, NULL, &tv);
    if (next == NULL) {
        fb_timer_stop(r->timeout);
        return;
    }
    uint64_t ms = (uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1;
    fb_timer_start(r->timeout, ms, 0);
}

static void on_timeout(void *arg)
{
    struct sc_resolver *r = arg;
    ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    arm_timeout(r);
}

static void on_socket(void *arg, int ready)
{
    struct ares_watch *w = arg;
    struct sc_resolver *r = w->r;
    ares_socket_t fd = w->fd;
    ares_process_fd(r->channel, (ready & FB_READABLE) != 0 ? fd : ARES_SOCKET_BAD,
                    (ready & FB_WRITABLE) != 0 ? fd : ARES_SOCKET_BAD);
    arm_timeout(r);
}

static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
    struct sc_resolver *r = arg;
    int events = (readable != 0 ? FB_READABLE : 0) | (writable != 0 ? FB_WRITABLE : 0);
    struct ares_watch *unused = NULL;
    for (size_t i = 0; i < ARES_SOCKETS_MAX; i++) {
        struct ares_watch *w = &r->socks[i];
        if (w->watch == NULL) {
            unused = unused == NULL ? w : unused;
            continue;
        }
        if (w->fd != fd)
            continue;
        if (events == 0) {
            fb_watch_free(w->watch);
            w->watch = NULL;
        } else {
            (void)fb_watch_set(w->watch, events);
        }
        return;
    }
    /* No slot: the query runs into its time-out, which is a failed look-up. */
    if (events == 0 || unused == NULL)
        return;
    unused->r = r;
    unused->fd = fd;
    if (fb_watch_new(r->loop, fd, on_socket, unused, &unused->watch, NULL) < 0) {
        unused->watch = NULL;
        return;
    }
    (void)fb_watch_set(unused->watch, events);
}

static int start_ares(struct sc_resolver *r, struct fb_err *err)
{
    if (r->started)
        return 0;
    struct ares_options o = { 0 };
    int mask = ARES_OPT_SOCK_STATE_CB | ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS;
    char dns_only[] = "b";
    char files_too[] = "fb";
    o.sock_state_cb = on_socket_state;
    o.sock_state_cb_data = r;
    /* The name asked is the name decided: no search list, no aliases from the environment. */
    o.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES;
    o.timeout = ARES_TIMEOUT_MS;
    o.tries = ARES_TRIES;
    o.lookups = r->servers != NULL ? dns_only : files_too;
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
        return fb_err_set(err, FB_E_UNAVAILABLE, "resolver cannot start");
    int rc = ares_init_options(&r->channel, &o, mask);
    if (rc == ARES_SUCCESS && r->servers != NULL) {
        rc = ares_set_servers_ports_csv(r->channel, r->servers);
        if (rc != ARES_SUCCESS)
            ares_destroy(r->channel);
    }
    if (rc != ARES_SUCCESS) {
        ares_library_cleanup();
        return fb_err_set(err, FB_E_UNAVAILABLE, "resolver cannot start: %s", ares_strerror(rc));
    }
    r->started = true;
    return 0;
}

/* --- look-ups --- */

static void on_deliver(void *arg)
{
    struct sc_resolver *r = arg;
    struct sc_lookup **at = &r->lookups;
    while (*at != NULL) {
        struct sc_lookup *l = *at;
        if (!l->answered) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        sc_resolve_fn *fn = l->fn;
        if (fn != NULL)
            fn(l->arg, l->addrs, l->n_addrs, l->why);
        free(l);
        at = &r->lookups; /* the callback may have started or cancelled others */
    }
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *res)
{
    struct sc_lookup *l = arg;
    (void)timeouts;
    l->answered = true;
    l->why = status == ARES_SUCCESS ? "no address" : ares_strerror(status);
    if (res != NULL) {
        for (struct ares_addrinfo_node *n = res->nodes; n != NULL && l->n_addrs < SC_RESOLVE_ADDRS_MAX; n = n->ai_next) {
            struct sc_ip *ip = &l->addrs[l->n_addrs];
            memset(ip, 0, sizeof *ip);
            ip->family = n->ai_family;
            if (n->ai_family == AF_INET)
                ip->u.v4 = ((const struct sockaddr_in *)(const void *)n->ai_addr)->sin_addr;
            else if (n->ai_family == AF_INET6)
                ip->u.v6 = ((const struct sockaddr_in6 *)(const void *)n->ai_addr)->sin6_addr;
            else
                continue;
            l->n_addrs++;
        }
        ares_freeaddrinfo(res);
    }
    if (status != ARES_EDESTRUCTION)
        fb_timer_start(l->r->deliver, 0, 0);
}

int sc_resolver_lookup(struct sc_resolver *r, struct fb_str host, sc_resolve_fn *fn, void *arg, struct sc_lookup **ret,
                       struct fb_err *err)
{
    char name[SC_RESOLVE_NAME_MAX_BYTES + 1];
    if (host.n == 0 || host.n > SC_RESOLVE_NAME_MAX_BYTES || memchr(host.p, '\0', host.n) != NULL)
        return fb_err_set(err, FB_E_LIMIT, "name cannot be looked up");
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    int rc = start_ares(r, err);
    if (rc < 0)
        return rc;
    struct sc_lookup *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    l->r = r;
    l->fn = fn;
    l->arg = arg;
    l->next = r->lookups;
    r->lookups = l;
    *ret = l;
    struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    ares_getaddrinfo(r->channel, name, NULL, &hints, on_answer, l);
    arm_timeout(r);
    return 0;
}

void sc_resolver_cancel(struct sc_lookup *l)
{
    if (l != NULL)
        l->fn = NULL;
}

/* --- life --- */

static int add_hosts(struct sc_resolver *r, const struct sc_host_row *rows, size_t n, struct fb_err *err)
{
    if (n == 0)
        return 0;
    if (n > HOSTS_MAX)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "resolver.hosts has more than %d names", (int)HOSTS_MAX);
    r->hosts = calloc(n, sizeof *r->hosts);
    if (r->hosts == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        struct host *h = &r->hosts[i];
        if (!sc_ip_parse(fb_str_of(rows[i].addr), &h->ip))
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "resolver.hosts: '%s' is no address for '%s'", rows[i].addr,
                              rows[i].name);
        h->name = fb_str_dupz(fb_str_of(rows[i].name));
        if (h->name == NULL)
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        r->n_hosts++;
    }
    return 0;
}

int sc_resolver_new(struct fb_loop *loop, const struct sc_host_row *hosts, size_t n_hosts, const char *servers,
                    struct sc_resolver **ret, struct fb_err *err)
{
    struct sc_resolver *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    r->loop = loop;
    int rc = add_hosts(r, hosts, n_hosts, err);
    if (rc == 0 && servers != NULL && servers[0] != '\0') {
        r->servers = fb_str_dupz(fb_str_of(servers));
        if (r->servers == NULL)
            rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    if (rc == 0)
        rc = fb_timer_new(loop, on_timeout, r, &r->timeout, err);
    if (rc == 0)
        rc = fb_timer_new(loop, on_deliver, r, &r->deliver, err);
    if (rc < 0) {
        sc_resolver_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

void sc_resolver_free(struct sc_resolver *r)
{
    if (r == NULL)
        return;
    if (r->started) {
        ares_destroy(r->channel); /* answers every look-up with EDESTRUCTION, which delivers nothing */
        ares_library_cleanup();
    }
    for (size_t i = 0; i < ARES_SOCKETS_MAX; i++)
        fb_watch_free(r->socks[i].watch);
    while (r->lookups != NULL) {
        struct sc_lookup *l = r->lookups;
        r->lookups = l->next;
        free(l);
    }
    fb_timer_free(r->timeout);
    fb_timer_free(r->deliver);
    for (size_t i = 0; i < r->n_hosts; i++)
        free(r->hosts[i].name);
    free(r->hosts);
    free(r->servers);
    free(r);
}
