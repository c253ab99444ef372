/* By class of address. */
#include "sidecar/guard.h"

#include <arpa/inet.h>

struct range {
    uint32_t net;
    int bits;
    const char *what;
};

/* IANA's special-purpose registry, what concerns unicast reachability. */
static const struct range ranges[] = {
    { 0x00000000, 8, "an address of this network" },  { 0x0a000000, 8, "a private address" },
    { 0x64400000, 10, "a shared address" },           { 0x7f000000, 8, "a loopback address" },
    { 0xa9fe0000, 16, "a link-local address" },       { 0xac100000, 12, "a private address" },
    { 0xc0000000, 24, "a reserved address" },         { 0xc0000200, 24, "a documentation address" },
    { 0xc0586300, 24, "a relay address" },            { 0xc0a80000, 16, "a private address" },
    { 0xc6120000, 15, "a benchmark address" },        { 0xc6336400, 24, "a documentation address" },
    { 0xcb007100, 24, "a documentation address" },    { 0xe0000000, 4, "a multicast address" },
    { 0xf0000000, 4, "a reserved address" },
};

static const char *v4_refuses(uint32_t addr)
{
    for (size_t i = 0; i < FB_COUNT(ranges); i++)
        if (addr >> (32 - ranges[i].bits) == ranges[i].net >> (32 - ranges[i].bits))
            return ranges[i].what;
    return NULL;
}

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}

static const char *v6_refuses(const uint8_t a[16])
{
    static const uint8_t zero[16];
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)
        return v4_refuses(word(a + 12));
    if (memcmp(a, zero, 15) == 0 && a[15] <= 1)
        return a[15] == 1 ? "a loopback address" : "the unspecified address";
    if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
        return v4_refuses(word(a + 2));
    /* Global unicast is 2000::/3; Teredo and documentation are cut out of it. */
    if ((a[0] & 0xe0) != 0x20)
        return "not a global address";
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0)
        return "a protocol address";
    if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
        return "a documentation address";
    return NULL;
}

const char *sc_guard_refuses(const struct sc_ip *ip)
{
    if (ip->family == AF_INET)
        return v4_refuses(ntohl(ip->u.v4.s_addr));
    if (ip->family == AF_INET6)
        return v6_refuses(ip->u.v6.s6_addr);
    return "of an unknown family";
}
