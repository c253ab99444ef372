#include "rpc/status.h"

#include "base/enc.h"
#include "base/err.h"
#include "base/num.h"

#include <stdint.h>

static const char *const names[] = {
    "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED",
};

const char *rp_status_name(enum rp_status status)
{
    return (unsigned)status < FB_COUNT(names) ? names[status] : "UNKNOWN";
}

enum rp_status rp_status_parse(struct fb_str text)
{
    uint64_t n = 0;

    if (fb_num_u64(text, 0, FB_COUNT(names) - 1, &n) != 0)
        return RP_UNKNOWN;
    return (enum rp_status)n;
}

static bool passes(unsigned char c)
{
    return c >= 0x20 && c <= 0x7e && c != '%';
}

size_t rp_status_encode(char *out, size_t cap, struct fb_str message)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = 0;
    size_t whole = 0; /* end of the last character that fits entirely */

    if (cap == 0)
        return 0;
    for (size_t i = 0; i < message.n; i++) {
        unsigned char c = (unsigned char)message.p[i];
        size_t need = passes(c) ? 1 : 3;

        if ((c & 0xc0) != 0x80)
            whole = n;
        if (n + need >= cap) {
            n = whole;
            break;
        }
        if (need == 1) {
            out[n++] = (char)c;
        } else {
            out[n++] = '%';
            out[n++] = digits[c >> 4];
            out[n++] = digits[c & 15];
        }
    }
    out[n] = '\0';
    return n;
}

size_t rp_status_decode(char *out, size_t cap, struct fb_str text)
{
    size_t n = 0;

    if (cap == 0)
        return 0;
    for (size_t i = 0; i < text.n && n + 1 < cap; i++) {
        unsigned char c = (unsigned char)text.p[i];

        if (c == '%' && text.n - i > 2 && fb_enc_hex_value(text.p[i + 1]) >= 0 && fb_enc_hex_value(text.p[i + 2]) >= 0) {
            c = (unsigned char)(fb_enc_hex_value(text.p[i + 1]) * 16 + fb_enc_hex_value(text.p[i + 2]));
            i += 2;
        }
        out[n++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    out[n] = '\0';
    return n;
}

int rp_status_timeout_ms(struct fb_str text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        uint64_t multiply; /* to milliseconds, one of the two is 1 */
        uint64_t divide;
    } units[] = { { 'H', 3600000, 1 }, { 'M', 60000, 1 }, { 'S', 1000, 1 },
                  { 'm', 1, 1 },       { 'u', 1, 1000 },  { 'n', 1, 1000000 } };
    enum { DIGITS_MAX = 8, DAY_MS = 24 * 3600 * 1000 };
    uint64_t value = 0;

    if (text.n < 2 || text.n > DIGITS_MAX + 1 || fb_num_u64(fb_str_n(text.p, text.n - 1), 0, 99999999, &value) != 0)
        return FB_E_PARSE;
    for (size_t i = 0; i < FB_COUNT(units); i++) {
        if (units[i].unit != text.p[text.n - 1])
            continue;
        uint64_t ms = (value * units[i].multiply + units[i].divide - 1) / units[i].divide;
        *ret_ms = ms > DAY_MS ? DAY_MS : (int64_t)ms;
        return 0;
    }
    return FB_E_PARSE;
}
