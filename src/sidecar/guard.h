/* May this address be dialled for a name that no operator has vouched for? Source: [the Firma specification, sidecar
 * 5.2; the Firma design, section 7]. Layer: sidecar (L3). Thread: any. */
#ifndef SIDECAR_GUARD_H
#define SIDECAR_GUARD_H

#include "net/url.h"
#include "sidecar/resolver.h"

/* What an operator has said about the host of a call. A rule that names a host says that it may live in a private network;
 * it does not say that whoever answers for the name may point it at this machine or at its metadata service. */
enum sc_exempt {
    SC_EXEMPT_NONE = 0, /* public addresses only */
    SC_EXEMPT_PRIVATE,  /* a rule names this very name: private ranges too */
    SC_EXEMPT_ALL,      /* the address itself was written down: a row of [sidecar.resolver] hosts, or a rule for the literal */
};

/* The exemption of @host when a rule without wildcard names it (@named). Never speaks of the operator's table. */
enum sc_exempt sc_guard_exempt(const struct fn_host *host, bool named);
/* NULL when it may be dialled, else what it is ("a loopback address"). IPv6 forms that carry an IPv4 address are judged
 * by that too. */
const char *sc_guard_refuses(const struct sc_ip *ip, enum sc_exempt exempt);

#endif
