/* Names to addresses: the operator's table first, then DNS through c-ares, one query at a time for each caller.
 * Never blocks, never asked before policy has allowed the call. Nothing is cached: an idle upstream connection is what
 * saves look-ups. Source: [the Firma design, section 4 "resolver"]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_RESOLVER_H
#define SIDECAR_RESOLVER_H

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { SC_RESOLVE_ADDRS_MAX = 8, SC_RESOLVE_NAME_MAX_BYTES = 253 };

/* One address of an answer, without a port. */
struct sc_ip {
    int family; /* AF_INET or AF_INET6 */
    union {
        struct in_addr v4;
        struct in6_addr v6;
    } u;
};

/* One row of the operator's table; both texts borrowed for the call of sc_resolver_new. */
struct sc_host_row {
    const char *name;
    const char *addr;
};

struct sc_resolver;
struct sc_lookup;

/* @hosts rows win over DNS (names compared without case; an address that is none is FB_E_CONFIG_VALIDATION).
 * @servers: "ip[:port],..." or NULL for the system's. c-ares is started by the first look-up. */
int sc_resolver_new(struct fb_loop *loop, const struct sc_host_row *hosts, size_t n_hosts, const char *servers,
                    struct sc_resolver **ret, struct fb_err *err) FB_MUST_USE;
/* Look-ups still running end without their callback. Takes NULL. */
void sc_resolver_free(struct sc_resolver *r);

/* Reads an IPv4 or (bracketed or bare) IPv6 literal; false when @host is none. */
bool sc_ip_parse(struct fb_str host, struct sc_ip *ret);
/* Writes the text form; @out holds INET6_ADDRSTRLEN bytes. */
void sc_ip_format(const struct sc_ip *ip, char out[INET6_ADDRSTRLEN]);
/* Makes a socket address of @ip and @port; returns its length. */
socklen_t sc_ip_sockaddr(const struct sc_ip *ip, unsigned port, struct sockaddr_storage *out);

/* The operator's row for @host: true and *@ret, with no query. Literals are not rows. */
bool sc_resolver_table(const struct sc_resolver *r, struct fb_str host, struct sc_ip *ret);

/* The answer: @n addresses (borrowed for the call), or none and why. */
typedef void sc_resolve_fn(void *arg, const struct sc_ip *addrs, size_t n, const char *why);
/* Asks DNS for @host. The callback comes later, never from inside this call. FB_E_LIMIT for a name that is too long,
 * FB_E_NOMEM, FB_E_UNAVAILABLE when c-ares cannot start. */
int sc_resolver_lookup(struct sc_resolver *r, struct fb_str host, sc_resolve_fn *fn, void *arg, struct sc_lookup **ret,
                       struct fb_err *err) FB_MUST_USE;
/* The callback will not come any more. Takes NULL. */
void sc_resolver_cancel(struct sc_lookup *l);

#endif
