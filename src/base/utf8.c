/* UTF-8 by the table of well-formed byte sequences. */
#include "base/utf8.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xC0U) == 0x80U;
}

size_t fb_utf8_decode(const char *p, size_t n, uint32_t *ret_char)
{
    if (n == 0)
        return 0;
    uint32_t lead = (unsigned char)p[0];
    if (lead < 0x80) {
        *ret_char = lead;
        return 1;
    }
    size_t length = lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || length > n)
        return 0;
    uint32_t c = lead & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if (!is_tail(p[i]))
            return 0;
        c = (c << 6) | ((unsigned char)p[i] & 0x3FU);
    }
    /* Too long a form, a surrogate, or beyond the last plane. */
    if ((length == 3 && c < 0x800) || (length == 4 && c < 0x10000) || (c >= 0xD800 && c <= 0xDFFF) || c > 0x10FFFF)
        return 0;
    *ret_char = c;
    return length;
}

bool fb_utf8_valid(struct fb_str s)
{
    size_t i = 0;
    while (i < s.n) {
        if ((unsigned char)s.p[i] < 0x80) {
            i++;
            continue;
        }
        uint32_t c;
        size_t length = fb_utf8_decode(s.p + i, s.n - i, &c);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

size_t fb_utf8_encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0U | (c >> 6));
        out[1] = (char)(0x80U | (c & 0x3FU));
        return 2;
    }
    if (c >= 0xD800 && c <= 0xDFFF)
        return 0;
    if (c < 0x10000) {
        out[0] = (char)(0xE0U | (c >> 12));
        out[1] = (char)(0x80U | ((c >> 6) & 0x3FU));
        out[2] = (char)(0x80U | (c & 0x3FU));
        return 3;
    }
    if (c > 0x10FFFF)
        return 0;
    out[0] = (char)(0xF0U | (c >> 18));
    out[1] = (char)(0x80U | ((c >> 12) & 0x3FU));
    out[2] = (char)(0x80U | ((c >> 6) & 0x3FU));
    out[3] = (char)(0x80U | (c & 0x3FU));
    return 4;
}
