/* Clocks and RFC 3339 text. */
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

enum { NS_DIGITS = 9 };
static const int64_t ns_per_s = 1000000000;

static _Atomic int64_t offset_ns;

static int64_t read_ns(clockid_t id)
{
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0)
        return 0;
    return (int64_t)ts.tv_sec * ns_per_s + ts.tv_nsec;
}

int64_t fb_clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME) + atomic_load_explicit(&offset_ns, memory_order_relaxed);
}

int64_t fb_clock_wall_ms(void)
{
    return fb_clock_wall_ns() / 1000000;
}

int64_t fb_clock_wall_s(void)
{
    return fb_clock_wall_ns() / ns_per_s;
}

int64_t fb_clock_mono_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

int64_t fb_clock_mono_ms(void)
{
    return fb_clock_mono_ns() / 1000000;
}

void fb_clock_set_offset_ms(int64_t offset_ms)
{
    atomic_store(&offset_ns, offset_ms * 1000000);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar; the year is counted from March, so that a leap day ends it. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = y / 400;
    int64_t year_of_era = y % 400;
    int64_t day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in_month(int64_t year, int64_t month)
{
    static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

void fb_clock_format(char out[FB_CLOCK_TEXT_BYTES], int64_t unix_ns, int fraction_digits, bool zulu)
{
    int64_t ns = unix_ns % ns_per_s;
    int64_t s = unix_ns / ns_per_s;
    if (ns < 0) {
        ns += ns_per_s;
        s--;
    }
    time_t t = (time_t)s;
    struct tm tm;
    if (gmtime_r(&t, &tm) == NULL)
        tm = (struct tm){ 0 };
    char fraction[NS_DIGITS + 2] = "";
    if (fraction_digits > NS_DIGITS)
        fraction_digits = NS_DIGITS;
    if (fraction_digits > 0) {
        fraction[0] = '.';
        int64_t rest = ns;
        for (int i = NS_DIGITS; i >= 1; i--) {
            fraction[i] = (char)('0' + rest % 10);
            rest /= 10;
        }
        fraction[fraction_digits + 1] = '\0';
    }
    (void)snprintf(out, FB_CLOCK_TEXT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%s%s", (tm.tm_year + 1900) % 10000,
                   tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, fraction, zulu ? "Z" : "+00:00");
}

void fb_clock_format_min(char out[FB_CLOCK_TEXT_BYTES], int64_t unix_ns)
{
    int64_t ns = unix_ns % ns_per_s;
    int digits = ns == 0 ? 0 : ns % 1000000 == 0 ? 3 : ns % 1000 == 0 ? 6 : NS_DIGITS;
    fb_clock_format(out, unix_ns, digits, false);
}

struct reader {
    const char *p;
    size_t n;
};

/* Exactly @count digits between @min and @max. */
static bool take_number(struct reader *r, size_t count, int64_t min, int64_t max, int64_t *ret)
{
    if (r->n < count)
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < count; i++) {
        if (r->p[i] < '0' || r->p[i] > '9')
            return false;
        v = v * 10 + (r->p[i] - '0');
    }
    r->p += count;
    r->n -= count;
    *ret = v;
    return v >= min && v <= max;
}

static bool take_char(struct reader *r, const char *one_of)
{
    if (r->n == 0 || r->p[0] == '\0' || strchr(one_of, r->p[0]) == NULL)
        return false;
    r->p++;
    r->n--;
    return true;
}

static bool take_fraction(struct reader *r, int64_t *ret_ns)
{
    *ret_ns = 0;
    if (!take_char(r, "."))
        return true;
    int64_t unit = ns_per_s;
    int64_t digit;
    size_t count = 0;
    while (r->n > 0 && r->p[0] >= '0' && r->p[0] <= '9') {
        if (++count > NS_DIGITS || !take_number(r, 1, 0, 9, &digit))
            return false;
        unit /= 10;
        *ret_ns += digit * unit;
    }
    return count > 0;
}

static bool take_zone(struct reader *r, int64_t *ret_s)
{
    *ret_s = 0;
    if (take_char(r, "Zz"))
        return true;
    bool west = r->n > 0 && r->p[0] == '-';
    int64_t hours;
    int64_t minutes;
    if (!take_char(r, "+-") || !take_number(r, 2, 0, 23, &hours) || !take_char(r, ":") ||
        !take_number(r, 2, 0, 59, &minutes))
        return false;
    *ret_s = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
    return true;
}

static bool read_time(struct fb_str text, int64_t *ret)
{
    struct reader r = { text.p, text.n };
    int64_t year, month, day, hour, minute, second, ns, zone;
    /* Outside these years nanoseconds leave 64 bits. A leap second has no place in Unix time and is refused. */
    if (!take_number(&r, 4, 1678, 2261, &year) || !take_char(&r, "-") || !take_number(&r, 2, 1, 12, &month) ||
        !take_char(&r, "-") || !take_number(&r, 2, 1, days_in_month(year, month), &day) || !take_char(&r, "Tt ") ||
        !take_number(&r, 2, 0, 23, &hour) || !take_char(&r, ":") || !take_number(&r, 2, 0, 59, &minute) ||
        !take_char(&r, ":") || !take_number(&r, 2, 0, 59, &second) || !take_fraction(&r, &ns) ||
        !take_zone(&r, &zone) || r.n != 0)
        return false;
    int64_t s = days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - zone;
    *ret = s * ns_per_s + ns;
    return true;
}

int fb_clock_parse(struct fb_str text, int64_t *ret_unix_ns, struct fb_err *err)
{
    if (!read_time(text, ret_unix_ns))
        return fb_err_set(err, FB_E_PARSE, "'%.*s' is not an RFC 3339 time", (int)(text.n > 64 ? 64 : text.n), text.p);
    return 0;
}
