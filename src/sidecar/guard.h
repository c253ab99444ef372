/* May this address be dialled for a name that no operator has vouched for? Source: [the Firma specification, sidecar
 * 5.2; the Firma design, section 7]. Layer: sidecar (L3). Thread: any. */
#ifndef SIDECAR_GUARD_H
#define SIDECAR_GUARD_H

#include "sidecar/resolver.h"

/* NULL when it is a public unicast address, else what it is ("a loopback address"). IPv6 forms that carry an IPv4
 * address are judged by that too. */
const char *sc_guard_refuses(const struct sc_ip *ip);

#endif
