/* Hex and base64. */
#include "base/enc.h"

#include "base/err.h"

static const char hex_digits[] = "0123456789abcdef";
static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void fb_enc_hex(char *out, const void *p, size_t n)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex_digits[bytes[i] >> 4];
        out[2 * i + 1] = hex_digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

int fb_enc_unhex(void *out, size_t n, struct fb_str text)
{
    if (text.n % 2 != 0 || text.n / 2 != n)
        return FB_E_PARSE;
    unsigned char *bytes = out;
    for (size_t i = 0; i < n; i++) {
        int high = fb_enc_hex_value(text.p[2 * i]);
        int low = fb_enc_hex_value(text.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return FB_E_PARSE;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return 0;
}

static int encode(struct fb_buf *out, const unsigned char *p, size_t n, const char *alphabet, bool pad)
{
    if (n > SIZE_MAX / 2)
        return FB_E_LIMIT;
    size_t rest = n % 3;
    size_t length = n / 3 * 4 + (rest == 0 ? 0 : pad ? 4 : rest + 1);
    int r = fb_buf_reserve(out, length);
    if (r != 0)
        return r;
    char *to = out->p + out->n;
    for (size_t i = 0; i + 2 < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (unsigned)p[i + 1] << 8 | p[i + 2];
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = alphabet[v >> 6 & 63];
        *to++ = alphabet[v & 63];
    }
    if (rest > 0) {
        unsigned v = (unsigned)p[n - rest] << 16 | (rest == 2 ? (unsigned)p[n - 1] << 8 : 0);
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        if (rest == 2)
            *to++ = alphabet[v >> 6 & 63];
        else if (pad)
            *to++ = '=';
        if (pad)
            *to++ = '=';
    }
    out->n += length;
    out->p[out->n] = '\0';
    return 0;
}

/* Arithmetic without tables: tokens pass here, and a table lookup leaks its index through the cache. */
static int value_of(char ch, const char *alphabet)
{
    int c = (unsigned char)ch;
    int v = -1;
    v += ((64 - c) & (c - 91)) >> 8 & (c - 64);  /* A-Z: 0..25 */
    v += ((96 - c) & (c - 123)) >> 8 & (c - 70); /* a-z: 26..51 */
    v += ((47 - c) & (c - 58)) >> 8 & (c + 5);   /* 0-9: 52..61 */
    v += ((alphabet[62] - 1 - c) & (c - alphabet[62] - 1)) >> 8 & 63;
    v += ((alphabet[63] - 1 - c) & (c - alphabet[63] - 1)) >> 8 & 64;
    return v;
}

/* @text has no padding any more. */
static int decode(struct fb_buf *out, struct fb_str text, const char *alphabet)
{
    size_t rest = text.n % 4;
    if (rest == 1)
        return FB_E_PARSE;
    size_t length = text.n / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    int r = fb_buf_reserve(out, length);
    if (r != 0)
        return r;
    unsigned char *to = (unsigned char *)out->p + out->n;
    unsigned held = 0;
    unsigned bits = 0;
    int bad = 0;
    for (size_t i = 0; i < text.n; i++) {
        int v = value_of(text.p[i], alphabet);
        bad |= v;
        held = (held << 6 | ((unsigned)v & 63U)) & 0xFFFFU;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            *to++ = (unsigned char)(held >> bits);
        }
    }
    /* Bits left over must be zero, else two texts would mean the same bytes. */
    if (bad < 0 || (held & ((1U << bits) - 1)) != 0) {
        out->p[out->n] = '\0';
        return FB_E_PARSE;
    }
    out->n += length;
    out->p[out->n] = '\0';
    return 0;
}

int fb_enc_base64(struct fb_buf *out, const void *p, size_t n)
{
    return encode(out, p, n, standard, true);
}

int fb_enc_unbase64(struct fb_buf *out, struct fb_str text)
{
    if (text.n % 4 != 0)
        return FB_E_PARSE;
    for (int i = 0; i < 2 && text.n > 0 && text.p[text.n - 1] == '='; i++)
        text.n--;
    return decode(out, text, standard);
}

int fb_enc_base64url(struct fb_buf *out, const void *p, size_t n)
{
    return encode(out, p, n, for_url, false);
}

int fb_enc_unbase64url(struct fb_buf *out, struct fb_str text)
{
    return decode(out, text, for_url);
}
