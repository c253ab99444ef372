/* decimal: a signed 64-bit count of 1/10000. */
#include "cedar/ext.h"

enum { SCALE_DIGITS = 4 };

bool cedar_decimal_parse(struct cedar_str s, int64_t *ret, const char **why)
{
    size_t i = 0;
    bool neg = s.len > 0 && s.ptr[0] == '-';
    int64_t v = 0;
    *why = "not a decimal: digits, a point, one to four digits";
    i += neg;
    size_t start = i;
    for (; i < s.len && cedar_is_digit((unsigned char)s.ptr[i]); i++) {
        int64_t d = s.ptr[i] - '0';
        /* Downwards, since the range has one more negative value. */
        if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_sub_overflow(v, d, &v)) {
            *why = "decimal out of range";
            return false;
        }
    }
    if (i == start || i >= s.len || s.ptr[i] != '.')
        return false;
    start = ++i;
    for (int k = 0; k < SCALE_DIGITS; k++) {
        bool has = i < s.len && cedar_is_digit((unsigned char)s.ptr[i]);
        int64_t d = has ? s.ptr[i] - '0' : 0;
        i += has;
        if (__builtin_mul_overflow(v, (int64_t)10, &v) || __builtin_sub_overflow(v, d, &v)) {
            *why = "decimal out of range";
            return false;
        }
    }
    if (i == start || i != s.len)
        return false;
    if (!neg && __builtin_sub_overflow((int64_t)0, v, &v)) {
        *why = "decimal out of range";
        return false;
    }
    *ret = v;
    return true;
}
