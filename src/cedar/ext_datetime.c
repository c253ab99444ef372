/* datetime and duration: milliseconds in 64 bits. */
#include "cedar/ext.h"

enum { MS_S = 1000, MS_MIN = 60 * MS_S, MS_HOUR = 60 * MS_MIN, MS_DAY = 24 * MS_HOUR };

/* Exactly @n digits at *@i. */
static bool digits(struct cedar_str s, size_t *i, int n, int *ret)
{
    int v = 0;
    for (int k = 0; k < n; k++, (*i)++) {
        if (*i >= s.len || !cedar_is_digit((unsigned char)s.ptr[*i]))
            return false;
        v = v * 10 + (s.ptr[*i] - '0');
    }
    *ret = v;
    return true;
}

static bool literal(struct cedar_str s, size_t *i, char c)
{
    if (*i >= s.len || s.ptr[*i] != c)
        return false;
    (*i)++;
    return true;
}

static bool is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March so that the leap day is
 * the last of its year. */
static int64_t days_from_date(int y, int m, int d)
{
    int64_t year = m <= 2 ? y - 1 : y;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t yoe = year - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static bool parse_date(struct cedar_str s, size_t *i, int64_t *ret_ms)
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int y, m, d;
    if (!digits(s, i, 4, &y) || !literal(s, i, '-') || !digits(s, i, 2, &m) || !literal(s, i, '-') ||
        !digits(s, i, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > month_days[m - 1] + (m == 2 && is_leap(y)))
        return false;
    *ret_ms = days_from_date(y, m, d) * MS_DAY;
    return true;
}

static bool parse_zone(struct cedar_str s, size_t *i, int64_t *ret_ms)
{
    int h, m, sign;
    if (literal(s, i, 'Z')) {
        *ret_ms = 0;
        return true;
    }
    if (literal(s, i, '+'))
        sign = 1;
    else if (literal(s, i, '-'))
        sign = -1;
    else
        return false;
    if (!digits(s, i, 2, &h) || !digits(s, i, 2, &m) || h > 23 || m > 59)
        return false;
    *ret_ms = sign * ((int64_t)h * MS_HOUR + (int64_t)m * MS_MIN);
    return true;
}

bool cedar_datetime_parse(struct cedar_str s, int64_t *ret_ms, const char **why)
{
    size_t i = 0;
    int64_t date, zone;
    int h, m, sec, frac = 0;
    *why = "not a datetime: YYYY-MM-DD or YYYY-MM-DDThh:mm:ss[.SSS](Z|+hhmm|-hhmm)";
    if (!parse_date(s, &i, &date))
        return false;
    if (i == s.len) {
        *ret_ms = date;
        return true;
    }
    if (!literal(s, &i, 'T') || !digits(s, &i, 2, &h) || !literal(s, &i, ':') || !digits(s, &i, 2, &m) ||
        !literal(s, &i, ':') || !digits(s, &i, 2, &sec))
        return false;
    if (h > 23 || m > 59 || sec > 59)
        return false;
    if (literal(s, &i, '.') && !digits(s, &i, 3, &frac))
        return false;
    if (!parse_zone(s, &i, &zone) || i != s.len)
        return false;
    *ret_ms = date + (int64_t)h * MS_HOUR + (int64_t)m * MS_MIN + (int64_t)sec * MS_S + frac - zone;
    return true;
}

/* The unit at *@i, as an index into the units; -1 when there is none. "ms" before "m". */
static int unit_at(struct cedar_str s, size_t *i)
{
    char c = *i < s.len ? s.ptr[*i] : '\0';
    if (c == 'm' && *i + 1 < s.len && s.ptr[*i + 1] == 's') {
        *i += 2;
        return 4;
    }
    int u = c == 'd' ? 0 : c == 'h' ? 1 : c == 'm' ? 2 : c == 's' ? 3 : -1;
    *i += u >= 0;
    return u;
}

bool cedar_duration_parse(struct cedar_str s, int64_t *ret_ms, const char **why)
{
    static const int64_t unit_ms[] = { MS_DAY, MS_HOUR, MS_MIN, MS_S, 1 };
    size_t i = s.len > 0 && s.ptr[0] == '-';
    bool neg = i == 1;
    int last = -1;
    int64_t total = 0;
    *why = "not a duration: [-] then numbers with units d, h, m, s, ms in this order";
    if (i == s.len)
        return false;
    while (i < s.len) {
        int64_t v = 0;
        size_t start = i;
        bool over = false;
        for (; i < s.len && cedar_is_digit((unsigned char)s.ptr[i]); i++) {
            int64_t d = s.ptr[i] - '0';
            /* With the sign from the start: the negative range is larger by one. */
            over |= __builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_add_overflow(v, neg ? -d : d, &v);
        }
        int u = i == start ? -1 : unit_at(s, &i);
        if (u <= last)
            return false;
        last = u;
        if (over || __builtin_mul_overflow(v, unit_ms[u], &v) || __builtin_add_overflow(total, v, &total)) {
            *why = "duration out of range";
            return false;
        }
    }
    *ret_ms = total;
    return true;
}
