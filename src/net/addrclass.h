/* What kind of place an IP address leads to, so that a name cannot be pointed at the inside of the host or its network.
 * Source: IANA special-purpose address registries, RFC 4291, 6052, 3056, 4380, 5214; [the Firma specification, security
 * 2]. Layer: net (L1). Thread: any. */
#ifndef NET_ADDRCLASS_H
#define NET_ADDRCLASS_H

#include "base/macros.h"
#include "net/url.h"

struct sockaddr;

enum fn_addrclass {
    FN_ADDR_UNKNOWN = 0, /* not an IP address: refuse */
    FN_ADDR_UNSPECIFIED, /* 0.0.0.0/8 and :: (the local host, to many kernels) */
    FN_ADDR_LOOPBACK,
    FN_ADDR_METADATA, /* the cloud's instance metadata services, wherever they live */
    FN_ADDR_LINK_LOCAL,
    FN_ADDR_PRIVATE,   /* RFC 1918, shared space 100.64/10, site-local, unique local */
    FN_ADDR_MULTICAST, /* and broadcast */
    FN_ADDR_RESERVED,  /* documentation, benchmarks, everything not handed out */
    FN_ADDR_PUBLIC,
};

/* An IPv6 address that carries an IPv4 one (mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP) is what the
 * inner one is, unless that is public and the outer one is not. */
enum fn_addrclass fn_addrclass_v4(const uint8_t addr[4]) FB_NONNULL(1);
enum fn_addrclass fn_addrclass_v6(const uint8_t addr[16]) FB_NONNULL(1);
/* AF_INET and AF_INET6; UNKNOWN for all others. */
enum fn_addrclass fn_addrclass_sockaddr(const struct sockaddr *sa) FB_NONNULL(1);
/* A literal address; UNKNOWN for a name. */
enum fn_addrclass fn_addrclass_host(const struct fn_host *host) FB_NONNULL(1);
/* "a loopback address", for messages. */
const char *fn_addrclass_text(enum fn_addrclass c);

#endif
