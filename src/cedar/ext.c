/* The table of extension functions, and canonical text. */
#include "cedar/ext.h"

#include <stdio.h>
#include <string.h>

enum { DAY_MS = 86400000 };

#define B CEDAR_VALUE_BOOL
#define L CEDAR_VALUE_LONG
#define S CEDAR_VALUE_STRING
#define IP CEDAR_VALUE_IPADDR
#define DEC CEDAR_VALUE_DECIMAL
#define DT CEDAR_VALUE_DATETIME
#define DUR CEDAR_VALUE_DURATION

#define FN(name)                                                                                                       \
    static int name(struct cedar_arena *a __attribute__((unused)), const struct cedar_value *v, struct cedar_value *r, \
                    const char **why __attribute__((unused)))
#define PREDICATE(name, expr)    \
    FN(name)                     \
    {                            \
        *r = cedar_v_bool(expr); \
        return CEDAR_EXT_OK;     \
    }

FN(fn_ip)
{
    struct cedar_ip *ip = CEDAR_NEW(a, struct cedar_ip);
    if (!ip)
        return CEDAR_EXT_NOMEM;
    *r = (struct cedar_value){ .kind = IP, .ip = ip };
    return cedar_ip_parse(cedar_v_str(v), ip, why) ? CEDAR_EXT_OK : CEDAR_EXT_FAIL;
}

FN(fn_decimal)
{
    *r = cedar_v_int(DEC, 0);
    return cedar_decimal_parse(cedar_v_str(v), &r->i, why) ? CEDAR_EXT_OK : CEDAR_EXT_FAIL;
}

FN(fn_datetime)
{
    *r = cedar_v_int(DT, 0);
    return cedar_datetime_parse(cedar_v_str(v), &r->i, why) ? CEDAR_EXT_OK : CEDAR_EXT_FAIL;
}

FN(fn_duration)
{
    *r = cedar_v_int(DUR, 0);
    return cedar_duration_parse(cedar_v_str(v), &r->i, why) ? CEDAR_EXT_OK : CEDAR_EXT_FAIL;
}

PREDICATE(fn_is_ipv4, !v->ip->v6)
PREDICATE(fn_is_ipv6, v->ip->v6)
PREDICATE(fn_is_loopback, cedar_ip_is_loopback(v->ip))
PREDICATE(fn_is_multicast, cedar_ip_is_multicast(v->ip))
PREDICATE(fn_in_range, cedar_ip_in_range(v[0].ip, v[1].ip))
PREDICATE(fn_less, v[0].i < v[1].i)
PREDICATE(fn_less_eq, v[0].i <= v[1].i)
PREDICATE(fn_greater, v[0].i > v[1].i)
PREDICATE(fn_greater_eq, v[0].i >= v[1].i)

FN(fn_offset)
{
    *r = cedar_v_int(DT, 0);
    *why = "datetime out of range";
    return __builtin_add_overflow(v[0].i, v[1].i, &r->i) ? CEDAR_EXT_FAIL : CEDAR_EXT_OK;
}

FN(fn_since)
{
    *r = cedar_v_int(DUR, 0);
    *why = "duration out of range";
    return __builtin_sub_overflow(v[0].i, v[1].i, &r->i) ? CEDAR_EXT_FAIL : CEDAR_EXT_OK;
}

static int64_t ms_of_day(int64_t ms)
{
    int64_t t = ms % DAY_MS;
    return t < 0 ? t + DAY_MS : t;
}

FN(fn_to_date)
{
    *r = cedar_v_int(DT, 0);
    *why = "datetime out of range";
    return __builtin_sub_overflow(v->i, ms_of_day(v->i), &r->i) ? CEDAR_EXT_FAIL : CEDAR_EXT_OK;
}

FN(fn_to_time)
{
    *r = cedar_v_int(DUR, ms_of_day(v->i));
    return CEDAR_EXT_OK;
}

#define DURATION_AS(name, unit_ms)             \
    FN(name)                                   \
    {                                          \
        *r = cedar_v_int(L, v->i / (unit_ms)); \
        return CEDAR_EXT_OK;                   \
    }
DURATION_AS(fn_to_ms, 1)
DURATION_AS(fn_to_s, 1000)
DURATION_AS(fn_to_min, 60000)
DURATION_AS(fn_to_h, 3600000)
DURATION_AS(fn_to_d, DAY_MS)

const struct cedar_ext cedar_ext_table[] = {
    { "ip", true, 1, { S, 0 }, IP, fn_ip },
    { "decimal", true, 1, { S, 0 }, DEC, fn_decimal },
    { "datetime", true, 1, { S, 0 }, DT, fn_datetime },
    { "duration", true, 1, { S, 0 }, DUR, fn_duration },
    { "isIpv4", false, 1, { IP, 0 }, B, fn_is_ipv4 },
    { "isIpv6", false, 1, { IP, 0 }, B, fn_is_ipv6 },
    { "isLoopback", false, 1, { IP, 0 }, B, fn_is_loopback },
    { "isMulticast", false, 1, { IP, 0 }, B, fn_is_multicast },
    { "isInRange", false, 2, { IP, IP }, B, fn_in_range },
    { "lessThan", false, 2, { DEC, DEC }, B, fn_less },
    { "lessThanOrEqual", false, 2, { DEC, DEC }, B, fn_less_eq },
    { "greaterThan", false, 2, { DEC, DEC }, B, fn_greater },
    { "greaterThanOrEqual", false, 2, { DEC, DEC }, B, fn_greater_eq },
    { "offset", false, 2, { DT, DUR }, DT, fn_offset },
    { "durationSince", false, 2, { DT, DT }, DUR, fn_since },
    { "toDate", false, 1, { DT, 0 }, DT, fn_to_date },
    { "toTime", false, 1, { DT, 0 }, DUR, fn_to_time },
    { "toMilliseconds", false, 1, { DUR, 0 }, L, fn_to_ms },
    { "toSeconds", false, 1, { DUR, 0 }, L, fn_to_s },
    { "toMinutes", false, 1, { DUR, 0 }, L, fn_to_min },
    { "toHours", false, 1, { DUR, 0 }, L, fn_to_h },
    { "toDays", false, 1, { DUR, 0 }, L, fn_to_d },
};
const size_t cedar_ext_count = sizeof cedar_ext_table / sizeof cedar_ext_table[0];

const struct cedar_ext *cedar_ext_find(struct cedar_str name)
{
    for (size_t i = 0; i < cedar_ext_count; i++) {
        if (cedar_str_eq(name, cedar_str_c(cedar_ext_table[i].name)))
            return &cedar_ext_table[i];
    }
    return NULL;
}

const struct cedar_ext *cedar_ext_constructor(unsigned kind)
{
    for (size_t i = 0; i < cedar_ext_count; i++) {
        if (cedar_ext_table[i].is_constructor && cedar_ext_table[i].ret == kind)
            return &cedar_ext_table[i];
    }
    return NULL;
}

const char *cedar_ext_type_name(unsigned kind)
{
    switch (kind) {
    case IP:
        return "ipaddr";
    case DEC:
        return "decimal";
    case DT:
        return "datetime";
    case DUR:
        return "duration";
    default:
        return NULL;
    }
}

int cedar_ext_type_kind(struct cedar_str name)
{
    for (unsigned k = DEC; k <= IP; k++) {
        if (cedar_str_eq(name, cedar_str_c(cedar_ext_type_name(k))))
            return (int)k;
    }
    return -1;
}

static size_t print_ip(const struct cedar_ip *ip, char *buf)
{
    size_t n = 0;
    unsigned full = ip->v6 ? 128 : 32;
    if (!ip->v6) {
        n = (size_t)snprintf(buf, 64, "%u.%u.%u.%u", ip->addr[0], ip->addr[1], ip->addr[2], ip->addr[3]);
    } else {
        for (int i = 0; i < 16; i += 2)
            n += (size_t)snprintf(buf + n, 64 - n, "%s%x", i ? ":" : "", ip->addr[i] << 8 | ip->addr[i + 1]);
    }
    if (ip->prefix != full)
        n += (size_t)snprintf(buf + n, 64 - n, "/%u", ip->prefix);
    return n;
}

/* Civil date of a day number: the inverse of days_from_date in ext_datetime.c. */
static size_t print_datetime(int64_t ms, char *buf)
{
    int64_t t = ms_of_day(ms), days = (ms - t) / DAY_MS;
    if (ms < -62167219200000 || ms > 253402300799999) {
        buf[0] = '\0';
        return 0;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
    int y = (int)(yoe + era * 400 + (m <= 2));
    return (size_t)snprintf(buf, 64, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", y, m, d, (int)(t / 3600000),
                            (int)(t / 60000 % 60), (int)(t / 1000 % 60), (int)(t % 1000));
}

size_t cedar_ext_print(const struct cedar_value *v, char *buf)
{
    switch (v->kind) {
    case IP:
        return print_ip(v->ip, buf);
    case DEC: {
        uint64_t mag = v->i < 0 ? 0 - (uint64_t)v->i : (uint64_t)v->i;
        size_t n = (size_t)snprintf(buf, 64, "%s%llu.%04llu", v->i < 0 ? "-" : "", (unsigned long long)(mag / 10000),
                                    (unsigned long long)(mag % 10000));
        while (buf[n - 1] == '0' && buf[n - 2] != '.')
            buf[--n] = '\0';
        return n;
    }
    case DT:
        return print_datetime(v->i, buf);
    case DUR:
        return (size_t)snprintf(buf, 64, "%lldms", (long long)v->i);
    default:
        buf[0] = '\0';
        return 0;
    }
}
