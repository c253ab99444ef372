/* One dial: table or DNS, address check, then a connect to exactly the checked address, one after the other. */
#include "base/fd.h"
#include "sidecar/guard.h"
#include "sidecar/pool_priv.h"
#include "sidecar/upstream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct sc_dial {
    struct sc_pool *pool;
    struct sc_resolver *resolver;
    struct sc_lookup *lookup;
    char host[FN_HOST_TEXT_BYTES];
    unsigned port;
    enum sc_exempt exempt;
    bool from_table;
    sc_dial_fn *fn;
    void *arg;
    struct sc_ip addrs[SC_RESOLVE_ADDRS_MAX];
    size_t n_addrs;
    size_t next; /* address to try */
    int fd;
    struct fb_watch *watch;
    struct fb_timer *timer;
    uint64_t deadline_ms;
    bool settled; /* the timer's next run reports @result */
    enum sc_dial_result result;
    char why[SC_DIAL_WHY_BYTES];
};

static void try_next(struct sc_dial *d);

static void drop_socket(struct sc_dial *d)
{
    fb_watch_free(d->watch);
    d->watch = NULL;
    fb_fd_close(&d->fd);
}

static void free_dial(struct sc_dial *d)
{
    drop_socket(d);
    fb_timer_free(d->timer);
    sc_resolver_cancel(d->lookup);
    free(d);
}

void sc_dial_cancel(struct sc_dial *d)
{
    if (d != NULL)
        free_dial(d);
}

/* Reports from the timer, so that no caller hears of the end inside its own call. */
static void settle(struct sc_dial *d, enum sc_dial_result result)
{
    d->settled = true;
    d->result = result;
    fb_timer_start(d->timer, 0, 0);
}

static void finish(struct sc_dial *d, enum sc_dial_result result, struct sc_up *up)
{
    sc_dial_fn *fn = d->fn;
    void *arg = d->arg;
    char why[SC_DIAL_WHY_BYTES];
    memcpy(why, d->why, sizeof why);
    free_dial(d);
    fn(arg, result, up, why);
}

static void on_timer(void *arg)
{
    struct sc_dial *d = arg;
    if (d->settled) {
        finish(d, d->result, NULL);
        return;
    }
    snprintf(d->why, sizeof d->why, "%s", d->lookup != NULL ? "name look-up timed out" : "connection timed out");
    drop_socket(d);
    if (d->lookup != NULL || fb_loop_now_ms(d->pool->loop) >= d->deadline_ms || d->next >= d->n_addrs) {
        finish(d, SC_DIAL_TIMEOUT, NULL);
        return;
    }
    try_next(d);
}

static void on_connected(void *arg, int ready)
{
    struct sc_dial *d = arg;
    int soerr = 0;
    socklen_t n = sizeof soerr;
    (void)ready;
    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &soerr, &n) < 0)
        soerr = errno;
    if (soerr != 0) {
        snprintf(d->why, sizeof d->why, "%s", strerror(soerr));
        drop_socket(d);
        try_next(d);
        return;
    }
    fb_watch_free(d->watch);
    d->watch = NULL;
    struct sc_up *up = NULL;
    /* d->next is past the address whose socket this is. */
    if (sc_up_wrap(d->pool, d->fd, d->host, d->port, &d->addrs[d->next - 1], &up) < 0) {
        snprintf(d->why, sizeof d->why, "out of memory");
        finish(d, SC_DIAL_CONNECT, NULL);
        return;
    }
    d->fd = -1;
    up->from_table = d->from_table;
    finish(d, SC_DIAL_OK, up);
}

static int open_socket(struct sc_dial *d, const struct sc_ip *ip)
{
    struct sockaddr_storage ss;
    socklen_t n = sc_ip_sockaddr(ip, d->port, &ss);
    d->fd = socket(ip->family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return errno;
    int one = 1;
    (void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(d->fd, (struct sockaddr *)&ss, n) < 0 && errno != EINPROGRESS)
        return errno;
    if (fb_watch_new(d->pool->loop, d->fd, on_connected, d, &d->watch, NULL) < 0)
        return ENOMEM;
    if (fb_watch_set(d->watch, FB_WRITABLE) < 0)
        return ENOMEM;
    return 0;
}

static void try_next(struct sc_dial *d)
{
    uint64_t now = fb_loop_now_ms(d->pool->loop);
    while (d->next < d->n_addrs) {
        const struct sc_ip *ip = &d->addrs[d->next++];
        int rc = open_socket(d, ip);
        if (rc != 0) {
            snprintf(d->why, sizeof d->why, "%s", strerror(rc));
            drop_socket(d);
            continue;
        }
        uint64_t left = d->deadline_ms > now ? d->deadline_ms - now : 0;
        if (d->next < d->n_addrs && left > SC_DIAL_TRY_MS)
            left = SC_DIAL_TRY_MS;
        fb_timer_start(d->timer, left, 0);
        return;
    }
    settle(d, SC_DIAL_CONNECT);
}

/* Keeps the addresses that may be dialled. */
static void use_addresses(struct sc_dial *d, const struct sc_ip *addrs, size_t n, enum sc_exempt exempt)
{
    const char *bad = NULL;
    for (size_t i = 0; i < n && d->n_addrs < SC_RESOLVE_ADDRS_MAX; i++) {
        const char *what = sc_guard_refuses(&addrs[i], exempt);
        if (what == NULL)
            d->addrs[d->n_addrs++] = addrs[i];
        else
            bad = what;
    }
    if (d->n_addrs == 0) {
        snprintf(d->why, sizeof d->why, "'%s' is %s, and %s", d->host, bad == NULL ? "without address" : bad,
                 exempt == SC_EXEMPT_NONE ? "no rule names it" : "only [sidecar.resolver] hosts may lead a name there");
        settle(d, SC_DIAL_REFUSED_ADDRESS);
        return;
    }
    try_next(d);
}

static void on_resolved(void *arg, const struct sc_ip *addrs, size_t n, const char *why)
{
    struct sc_dial *d = arg;
    d->lookup = NULL;
    if (n == 0) {
        snprintf(d->why, sizeof d->why, "%s", why);
        settle(d, SC_DIAL_DNS);
        return;
    }
    use_addresses(d, addrs, n, d->exempt);
}

static void begin(struct sc_dial *d, const struct fn_host *host)
{
    struct sc_ip ip;
    if (host->kind == FN_HOST_IPV4 || host->kind == FN_HOST_IPV6) {
        if (sc_ip_parse(fn_host_str(host), &ip)) {
            use_addresses(d, &ip, 1, d->exempt);
            return;
        }
    } else if (sc_resolver_table(d->resolver, fn_host_str(host), &ip)) {
        d->from_table = true;
        use_addresses(d, &ip, 1, SC_EXEMPT_ALL);
        return;
    } else {
        struct fb_err err = { 0 };
        if (sc_resolver_lookup(d->resolver, fn_host_str(host), on_resolved, d, &d->lookup, &err) == 0)
            return;
        snprintf(d->why, sizeof d->why, "%s", err.msg);
    }
    settle(d, SC_DIAL_DNS);
}

int sc_dial_start(struct sc_pool *p, struct sc_resolver *r, const struct fn_host *host, unsigned port,
                  enum sc_exempt exempt, uint64_t limit_ms, sc_dial_fn *fn, void *arg, struct sc_dial **ret, struct fb_err *err)
{
    struct sc_dial *d = calloc(1, sizeof *d);
    if (d == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    d->pool = p;
    d->resolver = r;
    d->port = port;
    d->exempt = exempt;
    d->fn = fn;
    d->arg = arg;
    d->fd = -1;
    d->deadline_ms = fb_loop_now_ms(p->loop) + limit_ms;
    memcpy(d->host, host->text, host->n + 1);
    int rc = fb_timer_new(p->loop, on_timer, d, &d->timer, err);
    if (rc < 0) {
        free(d);
        return rc;
    }
    fb_timer_start(d->timer, limit_ms, 0);
    begin(d, host);
    *ret = d;
    return 0;
}
