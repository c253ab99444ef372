/* By class of address. */
#include "sidecar/guard.h"

#include "net/addrclass.h"

enum sc_exempt sc_guard_exempt(const struct fn_host *host, bool named)
{
    if (!named)
        return SC_EXEMPT_NONE;
    return host->kind == FN_HOST_IPV4 || host->kind == FN_HOST_IPV6 ? SC_EXEMPT_ALL : SC_EXEMPT_PRIVATE;
}

const char *sc_guard_refuses(const struct sc_ip *ip, enum sc_exempt exempt)
{
    enum fn_addrclass class = FN_ADDR_UNKNOWN;
    if (ip->family == AF_INET) {
        uint8_t a[4];
        memcpy(a, &ip->u.v4, sizeof a);
        class = fn_addrclass_v4(a);
    } else if (ip->family == AF_INET6) {
        class = fn_addrclass_v6(ip->u.v6.s6_addr);
    }
    bool passes = class == FN_ADDR_PUBLIC || (class == FN_ADDR_PRIVATE && exempt == SC_EXEMPT_PRIVATE) ||
                  (class != FN_ADDR_UNKNOWN && exempt == SC_EXEMPT_ALL);
    return passes ? NULL : fn_addrclass_text(class);
}
