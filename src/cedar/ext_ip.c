/* ipaddr: text, families, ranges. */
#include "cedar/ext.h"

#include <stdio.h>
#include <string.h>

enum { IP_TEXT_MAX = 43, V4_BITS = 32, V6_BITS = 128, V6_GROUPS = 8 };

static bool parse_v4(struct cedar_str s, uint8_t out[16])
{
    size_t i = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && (i >= s.len || s.ptr[i++] != '.'))
            return false;
        size_t start = i;
        unsigned v = 0;
        while (i < s.len && i - start < 3 && cedar_is_digit((unsigned char)s.ptr[i]))
            v = v * 10 + (unsigned)(s.ptr[i++] - '0');
        if (i == start || v > 255 || (i - start > 1 && s.ptr[start] == '0'))
            return false;
        out[part] = (uint8_t)v;
    }
    return i == s.len;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Groups from *@i on into @g; stops before "::" or at the end. -1 on bad text. */
static int parse_groups(struct cedar_str s, size_t *i, uint16_t g[V6_GROUPS])
{
    int n = 0;
    while (*i < s.len && s.ptr[*i] != ':') {
        unsigned v = 0;
        size_t start = *i;
        while (*i < s.len && *i - start < 4 && hex_value(s.ptr[*i]) >= 0)
            v = v << 4 | (unsigned)hex_value(s.ptr[(*i)++]);
        if (*i == start || n == V6_GROUPS)
            return -1;
        g[n++] = (uint16_t)v;
        if (*i == s.len)
            break;
        if (s.ptr[*i] != ':')
            return -1;
        if (*i + 1 < s.len && s.ptr[*i + 1] == ':')
            break;
        (*i)++;
        if (*i == s.len)
            return -1; /* a single colon at the end */
    }
    return n;
}

static bool parse_v6(struct cedar_str s, uint8_t out[16])
{
    uint16_t head[V6_GROUPS], tail[V6_GROUPS], all[V6_GROUPS] = { 0 };
    size_t i = 0;
    int n_head = parse_groups(s, &i, head), n_tail = 0;
    bool gap = false;
    if (n_head < 0)
        return false;
    if (i < s.len) {
        if (s.len - i < 2 || s.ptr[i] != ':' || s.ptr[i + 1] != ':')
            return false;
        gap = true;
        i += 2;
        n_tail = parse_groups(s, &i, tail);
        if (n_tail < 0 || i != s.len)
            return false;
    }
    if (gap ? n_head + n_tail > V6_GROUPS - 1 : n_head != V6_GROUPS)
        return false;
    for (int k = 0; k < n_head; k++)
        all[k] = head[k];
    for (int k = 0; k < n_tail; k++)
        all[V6_GROUPS - n_tail + k] = tail[k];
    for (int k = 0; k < V6_GROUPS; k++) {
        out[2 * k] = (uint8_t)(all[k] >> 8);
        out[2 * k + 1] = (uint8_t)all[k];
    }
    return true;
}

static bool parse_prefix(struct cedar_str s, unsigned max, uint8_t *ret)
{
    unsigned v = 0;
    if (s.len == 0 || s.len > 3 || (s.len > 1 && s.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!cedar_is_digit((unsigned char)s.ptr[i]))
            return false;
        v = v * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *ret = (uint8_t)v;
    return v <= max;
}

bool cedar_ip_parse(struct cedar_str s, struct cedar_ip *ret, const char **why)
{
    size_t slash = s.len, colons = 0;
    *why = "not an IP address or range";
    if (s.len > IP_TEXT_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '/' && slash == s.len)
            slash = i;
        colons += s.ptr[i] == ':';
    }
    struct cedar_str addr = { s.ptr, slash };
    memset(ret, 0, sizeof *ret);
    ret->v6 = colons > 0;
    if (ret->v6 ? !parse_v6(addr, ret->addr) : !parse_v4(addr, ret->addr))
        return false;
    ret->prefix = ret->v6 ? V6_BITS : V4_BITS;
    if (slash == s.len)
        return true;
    *why = "bad prefix length";
    return parse_prefix((struct cedar_str){ s.ptr + slash + 1, s.len - slash - 1 }, ret->prefix, &ret->prefix);
}

bool cedar_ip_is_loopback(const struct cedar_ip *ip)
{
    static const uint8_t one[16] = { [15] = 1 };
    if (ip->v6)
        return ip->prefix == V6_BITS && memcmp(ip->addr, one, 16) == 0;
    return ip->addr[0] == 127 && ip->prefix >= 8;
}

bool cedar_ip_is_multicast(const struct cedar_ip *ip)
{
    if (ip->v6)
        return ip->addr[0] == 0xff && ip->prefix >= 8;
    return (ip->addr[0] & 0xf0) == 0xe0 && ip->prefix >= 4;
}

bool cedar_ip_in_range(const struct cedar_ip *a, const struct cedar_ip *b)
{
    if (a->v6 != b->v6 || a->prefix < b->prefix)
        return false;
    unsigned whole = b->prefix / 8, rest = b->prefix % 8;
    if (memcmp(a->addr, b->addr, whole) != 0)
        return false;
    return rest == 0 || ((a->addr[whole] ^ b->addr[whole]) >> (8 - rest)) == 0;
}
