/* TOML dates and times: RFC 3339 shapes with every number in its range. */
#include "base/toml_int.h"

struct reader {
    const char *p;
    const char *end;
};

/* Exactly @n digits within [min, max]. */
static bool take(struct reader *r, unsigned n, unsigned min, unsigned max, unsigned *ret)
{
    unsigned v = 0;
    if ((size_t)(r->end - r->p) < n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (r->p[i] < '0' || r->p[i] > '9')
            return false;
        v = v * 10 + (unsigned)(r->p[i] - '0');
    }
    r->p += n;
    *ret = v;
    return v >= min && v <= max;
}

static bool skip(struct reader *r, char c)
{
    if (r->p == r->end || *r->p != c)
        return false;
    r->p++;
    return true;
}

static unsigned days_in(unsigned year, unsigned month)
{
    static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

static bool date(struct reader *r)
{
    unsigned y;
    unsigned m;
    unsigned d;
    return take(r, 4, 0, 9999, &y) && skip(r, '-') && take(r, 2, 1, 12, &m) && skip(r, '-') &&
           take(r, 2, 1, days_in(y, m), &d);
}

/* A leap second is a valid second. */
static bool time_of_day(struct reader *r)
{
    unsigned v;
    if (!take(r, 2, 0, 23, &v) || !skip(r, ':') || !take(r, 2, 0, 59, &v) || !skip(r, ':') || !take(r, 2, 0, 60, &v))
        return false;
    if (!skip(r, '.'))
        return true;
    const char *from = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
        r->p++;
    return r->p > from;
}

static bool offset(struct reader *r)
{
    unsigned v;
    if (skip(r, 'Z') || skip(r, 'z'))
        return true;
    return (skip(r, '+') || skip(r, '-')) && take(r, 2, 0, 23, &v) && skip(r, ':') && take(r, 2, 0, 59, &v);
}

static bool read_all(struct reader *r, bool starts_with_date, enum fb_toml_time *ret)
{
    if (!starts_with_date) {
        *ret = FB_TOML_LOCAL_TIME;
        return time_of_day(r) && r->p == r->end;
    }
    if (!date(r))
        return false;
    *ret = FB_TOML_LOCAL_DATE;
    if (r->p == r->end)
        return true;
    *ret = FB_TOML_LOCAL_DATETIME;
    if ((!skip(r, 'T') && !skip(r, 't') && !skip(r, ' ')) || !time_of_day(r))
        return false;
    if (r->p == r->end)
        return true;
    *ret = FB_TOML_OFFSET_DATETIME;
    return offset(r) && r->p == r->end;
}

int toml_date(struct toml_in *in, struct fb_str s, struct fb_toml *ret)
{
    size_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    bool is_date = digits > 0 && digits < s.n && s.p[digits] == '-';
    bool is_time = digits > 0 && digits < s.n && s.p[digits] == ':';
    if (!is_date && !is_time)
        return 0;
    struct reader r = { s.p, s.p + s.n };
    if (!read_all(&r, is_date, &ret->time_kind))
        return toml_failf(in, FB_E_PARSE, s.p, "expected a valid date or time, found '%.*s'",
                          (int)(s.n > 64 ? 64 : s.n), s.p);
    struct fb_str copy = fb_arena_str(in->arena, s);
    if (copy.p == NULL)
        return fb_err_set(in->err, FB_E_NOMEM, "out of memory");
    char *text = (char *)copy.p;
    if (is_date && copy.n > 10)
        text[10] = 'T';
    if (text[copy.n - 1] == 'z')
        text[copy.n - 1] = 'Z';
    ret->kind = FB_TOML_DATETIME;
    ret->s = copy;
    return 1;
}
