/* Classes of IP addresses, as tables of prefixes. */
#include "net/addrclass.h"

#include <arpa/inet.h>
#include <netinet/in.h>

struct prefix {
    uint8_t addr[16];
    unsigned bits;
    enum fn_addrclass is;
};

/* First match wins. */
static const struct prefix v4[] = {
    { { 169, 254, 169, 254 }, 32, FN_ADDR_METADATA },
    { { 169, 254, 169, 253 }, 32, FN_ADDR_METADATA }, /* resolver and time service beside it */
    { { 169, 254, 169, 123 }, 32, FN_ADDR_METADATA },
    { { 169, 254, 170, 2 }, 32, FN_ADDR_METADATA }, /* container credentials */
    { { 169, 254, 170, 23 }, 32, FN_ADDR_METADATA },
    { { 168, 63, 129, 16 }, 32, FN_ADDR_METADATA },
    { { 100, 100, 100, 200 }, 32, FN_ADDR_METADATA },
    { { 192, 0, 0, 192 }, 32, FN_ADDR_METADATA },
    { { 0 }, 8, FN_ADDR_UNSPECIFIED },
    { { 127 }, 8, FN_ADDR_LOOPBACK },
    { { 169, 254 }, 16, FN_ADDR_LINK_LOCAL },
    { { 10 }, 8, FN_ADDR_PRIVATE },
    { { 172, 16 }, 12, FN_ADDR_PRIVATE },
    { { 192, 168 }, 16, FN_ADDR_PRIVATE },
    { { 100, 64 }, 10, FN_ADDR_PRIVATE },
    { { 192, 0, 0 }, 24, FN_ADDR_RESERVED },
    { { 192, 0, 2 }, 24, FN_ADDR_RESERVED },
    { { 192, 88, 99 }, 24, FN_ADDR_RESERVED },
    { { 198, 18 }, 15, FN_ADDR_RESERVED },
    { { 198, 51, 100 }, 24, FN_ADDR_RESERVED },
    { { 203, 0, 113 }, 24, FN_ADDR_RESERVED },
    { { 255, 255, 255, 255 }, 32, FN_ADDR_MULTICAST },
    { { 224 }, 4, FN_ADDR_MULTICAST },
    { { 240 }, 4, FN_ADDR_RESERVED },
};

static const struct prefix v6[] = {
    { { 0 }, 128, FN_ADDR_UNSPECIFIED },
    { { [15] = 1 }, 128, FN_ADDR_LOOPBACK },
    { { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128, FN_ADDR_METADATA },
    { { 0xfd, 0x20, 0x00, 0xce, [14] = 0x02, [15] = 0x54 }, 128, FN_ADDR_METADATA },
    { { 0xfe, 0x80 }, 10, FN_ADDR_LINK_LOCAL },
    { { 0xfe, 0xc0 }, 10, FN_ADDR_PRIVATE },
    { { 0xfc }, 7, FN_ADDR_PRIVATE },
    { { 0xff }, 8, FN_ADDR_MULTICAST },
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32, FN_ADDR_RESERVED },
    { { 0x20, 0x01, 0x00, 0x00 }, 23, FN_ADDR_RESERVED }, /* protocol assignments */
    { { 0x3f, 0xff }, 20, FN_ADDR_RESERVED },
    { { 0x20 }, 3, FN_ADDR_PUBLIC },
};

/* Forms that carry an IPv4 address at @at. */
static const struct {
    struct prefix outer; /* .is: what it counts as when the inner address is public */
    unsigned at;
    uint8_t flip;
} carriers[] = {
    { { { [10] = 0xff, [11] = 0xff }, 96, FN_ADDR_PUBLIC }, 12, 0 },             /* ::ffff:a.b.c.d, mapped */
    { { { [8] = 0xff, [9] = 0xff }, 96, FN_ADDR_RESERVED }, 12, 0 },             /* ::ffff:0:a.b.c.d, translated */
    { { { 0x00, 0x64, 0xff, 0x9b }, 96, FN_ADDR_PUBLIC }, 12, 0 },               /* 64:ff9b::/96, NAT64 */
    { { { 0x00, 0x64, 0xff, 0x9b, 0x00, 0x01 }, 48, FN_ADDR_RESERVED }, 12, 0 }, /* its local-use form */
    { { { 0x20, 0x02 }, 16, FN_ADDR_PUBLIC }, 2, 0 },                            /* 6to4 */
    { { { 0x20, 0x01, 0, 0 }, 32, FN_ADDR_PUBLIC }, 4, 0 },                      /* Teredo's server */
    { { { 0x20, 0x01, 0, 0 }, 32, FN_ADDR_PUBLIC }, 12, 0xff },                  /* Teredo's client, inverted */
    { { { 0 }, 96, FN_ADDR_RESERVED }, 12, 0 },                                  /* ::a.b.c.d, compatible */
};

static bool within(const uint8_t *addr, const struct prefix *p)
{
    unsigned bytes = p->bits / 8;
    if (memcmp(addr, p->addr, bytes) != 0)
        return false;
    unsigned rest = p->bits % 8;
    return rest == 0 || ((addr[bytes] ^ p->addr[bytes]) >> (8 - rest)) == 0;
}

enum fn_addrclass fn_addrclass_v4(const uint8_t addr[4])
{
    for (size_t i = 0; i < FB_COUNT(v4); i++) {
        if (within(addr, &v4[i]))
            return v4[i].is;
    }
    return FN_ADDR_PUBLIC;
}

/* The worst that an address inside @addr is; UNKNOWN when it carries none. */
static enum fn_addrclass inner(const uint8_t addr[16])
{
    enum fn_addrclass worst = FN_ADDR_UNKNOWN;
    for (size_t i = 0; i < FB_COUNT(carriers); i++) {
        if (!within(addr, &carriers[i].outer))
            continue;
        uint8_t a[4];
        for (unsigned k = 0; k < 4; k++)
            a[k] = addr[carriers[i].at + k] ^ carriers[i].flip;
        enum fn_addrclass is = fn_addrclass_v4(a);
        if (is == FN_ADDR_PUBLIC)
            is = carriers[i].outer.is;
        if (worst == FN_ADDR_UNKNOWN || is < worst)
            worst = is;
    }
    /* ISATAP hides in the interface half of any prefix. */
    if ((addr[8] & 0xfd) == 0 && addr[9] == 0 && addr[10] == 0x5e && addr[11] == 0xfe) {
        enum fn_addrclass is = fn_addrclass_v4(addr + 12);
        if (is != FN_ADDR_PUBLIC && (worst == FN_ADDR_UNKNOWN || is < worst))
            worst = is;
    }
    return worst;
}

enum fn_addrclass fn_addrclass_v6(const uint8_t addr[16])
{
    /* :: and ::1 would pass for compatible forms of 0.0.0.0 and 0.0.0.1. */
    if (within(addr, &v6[0]) || within(addr, &v6[1]))
        return within(addr, &v6[0]) ? FN_ADDR_UNSPECIFIED : FN_ADDR_LOOPBACK;
    enum fn_addrclass is = inner(addr);
    if (is != FN_ADDR_UNKNOWN)
        return is;
    for (size_t i = 0; i < FB_COUNT(v6); i++) {
        if (within(addr, &v6[i]))
            return v6[i].is;
    }
    return FN_ADDR_RESERVED;
}

enum fn_addrclass fn_addrclass_sockaddr(const struct sockaddr *sa)
{
    /* Copies: the caller's bytes need not be aligned for the wider types. */
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof in);
        return fn_addrclass_v4((const uint8_t *)&in.sin_addr);
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        return fn_addrclass_v6(in6.sin6_addr.s6_addr);
    }
    return FN_ADDR_UNKNOWN;
}

enum fn_addrclass fn_addrclass_host(const struct fn_host *host)
{
    uint8_t addr[16];
    if (host->kind == FN_HOST_IPV4 && inet_pton(AF_INET, host->text, addr) == 1)
        return fn_addrclass_v4(addr);
    if (host->kind == FN_HOST_IPV6 && inet_pton(AF_INET6, host->text, addr) == 1)
        return fn_addrclass_v6(addr);
    return FN_ADDR_UNKNOWN;
}

const char *fn_addrclass_text(enum fn_addrclass c)
{
    static const char *const texts[] = {
        [FN_ADDR_UNKNOWN] = "no IP address",           [FN_ADDR_UNSPECIFIED] = "an unspecified address",
        [FN_ADDR_LOOPBACK] = "a loopback address",     [FN_ADDR_METADATA] = "a cloud metadata address",
        [FN_ADDR_LINK_LOCAL] = "a link-local address", [FN_ADDR_PRIVATE] = "a private address",
        [FN_ADDR_MULTICAST] = "a multicast address",   [FN_ADDR_RESERVED] = "a reserved address",
        [FN_ADDR_PUBLIC] = "a public address",
    };
    return texts[(size_t)c < FB_COUNT(texts) ? (size_t)c : 0];
}
