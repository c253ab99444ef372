/* base64url without padding, strict in both directions. */
#include <paseto/paseto.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int paseto_base64url_encode(struct paseto_bytes in, char *out, size_t cap, size_t *ret_n)
{
    const uint8_t *p = in.p;
    size_t rest = in.n % 3;
    if (in.n > PASETO_TOKEN_MAX_BYTES)
        return PASETO_E_LIMIT;
    size_t need = in.n / 3 * 4 + (rest == 0 ? 0 : rest + 1);
    *ret_n = need;
    if (need > cap)
        return PASETO_E_SPACE;
    size_t at = 0;
    size_t i = 0;
    for (; i + 3 <= in.n; i += 3) {
        uint32_t v = (uint32_t)p[i] << 16 | (uint32_t)p[i + 1] << 8 | p[i + 2];
        out[at++] = alphabet[v >> 18];
        out[at++] = alphabet[v >> 12 & 63];
        out[at++] = alphabet[v >> 6 & 63];
        out[at++] = alphabet[v & 63];
    }
    if (rest > 0) {
        uint32_t v = (uint32_t)p[i] << 16 | (rest == 2 ? (uint32_t)p[i + 1] << 8 : 0);
        out[at++] = alphabet[v >> 18];
        out[at++] = alphabet[v >> 12 & 63];
        if (rest == 2)
            out[at++] = alphabet[v >> 6 & 63];
    }
    return PASETO_OK;
}

/* 0..63, or -1. */
static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

int paseto_base64url_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *ret_n)
{
    if (n > PASETO_TOKEN_MAX_BYTES)
        return PASETO_E_LIMIT;
    size_t rest = n % 4;
    if (rest == 1)
        return PASETO_E_FORMAT;
    size_t need = n / 4 * 3 + (rest == 0 ? 0 : rest - 1);
    *ret_n = need;
    if (need > cap)
        return PASETO_E_SPACE;
    uint32_t bits = 0;
    unsigned held = 0;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        int v = digit_value(text[i]);
        if (v < 0)
            return PASETO_E_FORMAT;
        bits = bits << 6 | (uint32_t)v;
        held += 6;
        if (held >= 8) {
            held -= 8;
            out[at++] = (uint8_t)(bits >> held & 0xff);
            bits &= (1u << held) - 1;
        }
    }
    /* Bits left over would let two texts mean the same bytes. */
    return bits == 0 ? PASETO_OK : PASETO_E_FORMAT;
}
