/* TOML values without quotes or brackets: booleans, integers, floats. */
#include "base/toml_int.h"

#include <math.h>
#include <stdlib.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Everything that could belong to one such value. A date may go on behind a single blank. */
static struct fb_str token(const struct toml_in *in)
{
    const char *p = in->p;
    for (bool blank_used = false; p < in->end; p++) {
        char c = *p;
        bool part = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
                    c == '_' || c == '.' || c == ':';
        if (part)
            continue;
        bool after_date = c == ' ' && !blank_used && p - in->p == 10 && in->p[4] == '-' && is_digit(in->p[0]);
        if (!after_date || in->end - p < 2 || !is_digit(p[1]))
            break;
        blank_used = true;
    }
    return fb_str_n(in->p, (size_t)(p - in->p));
}

static int digit_in(char c, unsigned base)
{
    int v = -1;
    if (is_digit(c))
        v = c - '0';
    else if (c >= 'a' && c <= 'f')
        v = c - 'a' + 10;
    else if (c >= 'A' && c <= 'F')
        v = c - 'A' + 10;
    return v >= 0 && (unsigned)v < base ? v : -1;
}

/* Takes digits of @base with single underscores between them off *@s; how many bytes, 0 when it does not begin with a
 * digit, ends in an underscore or has two in a row. */
static size_t digit_run(struct fb_str s, unsigned base)
{
    size_t i = 0;
    while (i < s.n) {
        if (digit_in(s.p[i], base) >= 0) {
            i++;
            continue;
        }
        bool between = s.p[i] == '_' && i > 0 && s.p[i - 1] != '_' && i + 1 < s.n && digit_in(s.p[i + 1], base) >= 0;
        if (!between)
            break;
        i++;
    }
    return i;
}

static bool to_i64(struct fb_str digits, unsigned base, bool negative, int64_t *ret)
{
    uint64_t v = 0;
    for (size_t i = 0; i < digits.n; i++) {
        if (digits.p[i] == '_')
            continue;
        if (__builtin_mul_overflow(v, (uint64_t)base, &v) ||
            __builtin_add_overflow(v, (uint64_t)digit_in(digits.p[i], base), &v))
            return false;
    }
    if (v > (uint64_t)INT64_MAX + (negative ? 1U : 0U))
        return false;
    *ret = negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

/* digits [ "." digits ] [ e [sign] digits ], nothing else. */
static bool float_shape(struct fb_str s)
{
    size_t i = digit_run(s, 10);
    if (i == 0 || (i > 1 && s.p[0] == '0'))
        return false;
    bool more = false;
    if (i < s.n && s.p[i] == '.') {
        size_t n = digit_run(fb_str_n(s.p + i + 1, s.n - i - 1), 10);
        if (n == 0)
            return false;
        i += n + 1;
        more = true;
    }
    if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
        i++;
        if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
            i++;
        size_t n = digit_run(fb_str_n(s.p + i, s.n - i), 10);
        if (n == 0)
            return false;
        i += n;
        more = true;
    }
    return more && i == s.n;
}

static int to_float(struct toml_in *in, struct fb_str s, double *ret)
{
    char *copy = fb_arena_alloc(in->arena, s.n + 1);
    if (copy == NULL)
        return fb_err_set(in->err, FB_E_NOMEM, "out of memory");
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_')
            copy[n++] = s.p[i];
    }
    copy[n] = '\0';
    *ret = strtod(copy, NULL);
    return isfinite(*ret) ? 0 : FB_E_PARSE;
}

/* 1 when @s is a number, 0 when not, negative on failure or a number out of range. */
static int number(struct toml_in *in, struct fb_str s, struct fb_toml *ret)
{
    bool sign = s.n > 0 && (s.p[0] == '+' || s.p[0] == '-');
    bool negative = sign && s.p[0] == '-';
    struct fb_str rest = sign ? fb_str_n(s.p + 1, s.n - 1) : s;
    ret->kind = FB_TOML_FLOAT;
    if (fb_str_eqz(rest, "inf") || fb_str_eqz(rest, "nan")) {
        double v = rest.p[0] == 'i' ? (double)INFINITY : (double)NAN;
        ret->f = negative ? -v : v;
        return 1;
    }
    if (float_shape(rest)) {
        int rc = to_float(in, rest, &ret->f);
        if (negative)
            ret->f = -ret->f;
        if (rc == FB_E_PARSE)
            return toml_failf(in, rc, s.p, "expected a float of 64 bits, found a larger one");
        return rc < 0 ? rc : 1;
    }
    ret->kind = FB_TOML_INTEGER;
    unsigned base = 10;
    if (!sign && rest.n > 2 && rest.p[0] == '0')
        base = rest.p[1] == 'x' ? 16 : rest.p[1] == 'o' ? 8 : rest.p[1] == 'b' ? 2 : 10;
    if (base != 10)
        rest = fb_str_n(rest.p + 2, rest.n - 2);
    if (rest.n == 0 || digit_run(rest, base) != rest.n || (base == 10 && rest.n > 1 && rest.p[0] == '0'))
        return 0;
    if (!to_i64(rest, base, negative, &ret->i))
        return toml_failf(in, FB_E_PARSE, s.p, "expected an integer of 64 bits, found a larger one");
    return 1;
}

int toml_scalar(struct toml_in *in, struct fb_toml *ret)
{
    struct fb_str s = token(in);
    if (s.n == 0)
        return toml_fail(in, in->p, "a value");
    int rc = 1;
    if (fb_str_eqz(s, "true") || fb_str_eqz(s, "false")) {
        ret->kind = FB_TOML_BOOL;
        ret->b = s.p[0] == 't';
    } else {
        rc = toml_date(in, s, ret);
        if (rc == 0)
            rc = number(in, s, ret);
    }
    if (rc < 0)
        return rc;
    if (rc == 0)
        return toml_failf(in, FB_E_PARSE, s.p, "expected a value (a string needs quotes), found '%.*s'",
                          (int)(s.n > 64 ? 64 : s.n), s.p);
    in->p += s.n;
    return 0;
}
