/* Strict number reading. */
#include "base/num.h"

#include "base/err.h"

/* Digits to a value; false on any other byte, a leading zero or overflow. */
static bool digits(struct fb_str text, uint64_t *ret)
{
    if (text.n == 0 || (text.n > 1 && text.p[0] == '0'))
        return false;
    uint64_t v = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
            __builtin_add_overflow(v, (uint64_t)(text.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

int fb_num_u64(struct fb_str text, uint64_t min, uint64_t max, uint64_t *ret)
{
    uint64_t v;
    if (!digits(text, &v) || v < min || v > max)
        return FB_E_PARSE;
    *ret = v;
    return 0;
}

int fb_num_i64(struct fb_str text, int64_t min, int64_t max, int64_t *ret)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    if (negative)
        text = fb_str_n(text.p + 1, text.n - 1);
    uint64_t u;
    if (!digits(text, &u) || (negative && u == 0))
        return FB_E_PARSE;
    if (u > (uint64_t)INT64_MAX + (negative ? 1U : 0U))
        return FB_E_PARSE;
    int64_t v = negative ? (int64_t)((uint64_t)0 - u) : (int64_t)u;
    if (v < min || v > max)
        return FB_E_PARSE;
    *ret = v;
    return 0;
}

struct unit {
    const char *name;
    uint64_t factor;
};

/* A number and one of @units (in an order in which no earlier name ends a later one). */
static int with_unit(struct fb_str text, const struct unit *units, size_t n, uint64_t *ret)
{
    for (size_t i = 0; i < n; i++) {
        struct fb_str name = fb_str_of(units[i].name);
        if (!fb_str_ends(text, name))
            continue;
        uint64_t v;
        if (!digits(fb_str_n(text.p, text.n - name.n), &v) || __builtin_mul_overflow(v, units[i].factor, &v))
            return FB_E_PARSE;
        *ret = v;
        return 0;
    }
    return FB_E_PARSE;
}

int fb_num_duration_ms(struct fb_str text, uint64_t *ret_ms)
{
    static const struct unit units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    return with_unit(text, units, FB_COUNT(units), ret_ms);
}

int fb_num_size_bytes(struct fb_str text, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        { "KiB", 1ULL << 10 }, { "MiB", 1ULL << 20 }, { "GiB", 1ULL << 30 }, { "kB", 1000 },
        { "KB", 1000 },        { "MB", 1000000 },     { "GB", 1000000000 },  { "", 1 },
    };
    return with_unit(text, units, FB_COUNT(units), ret_bytes);
}
