/* By class of address. */
#include "sidecar/guard.h"

#include "net/addrclass.h"

const char *sc_guard_refuses(const struct sc_ip *ip)
{
    enum fn_addrclass class = FN_ADDR_UNKNOWN;
    if (ip->family == AF_INET) {
        uint8_t a[4];
        memcpy(a, &ip->u.v4, sizeof a);
        class = fn_addrclass_v4(a);
    } else if (ip->family == AF_INET6) {
        class = fn_addrclass_v6(ip->u.v6.s6_addr);
    }
    return class == FN_ADDR_PUBLIC ? NULL : fn_addrclass_text(class);
}
