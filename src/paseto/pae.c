/* Pre-authentication encoding: what is really signed. */
#include <paseto/paseto.h>

#include <string.h>

static uint8_t *put_le64(uint8_t *at, uint64_t v)
{
    v &= UINT64_MAX >> 1; /* the standard clears the top bit, for languages without unsigned numbers */
    for (int i = 0; i < 8; i++)
        *at++ = (uint8_t)(v >> (8 * i) & 0xff);
    return at;
}

int paseto_pae(const struct paseto_bytes *pieces, size_t n, uint8_t *out, size_t cap, size_t *ret_n)
{
    size_t need = 8;
    for (size_t i = 0; i < n; i++) {
        if (pieces[i].n > PASETO_TOKEN_MAX_BYTES || need > SIZE_MAX / 2)
            return PASETO_E_LIMIT;
        need += 8 + pieces[i].n;
    }
    *ret_n = need;
    if (out == NULL)
        return PASETO_OK;
    if (need > cap)
        return PASETO_E_SPACE;
    uint8_t *at = put_le64(out, n);
    for (size_t i = 0; i < n; i++) {
        at = put_le64(at, pieces[i].n);
        if (pieces[i].n > 0)
            memcpy(at, pieces[i].p, pieces[i].n);
        at += pieces[i].n;
    }
    return PASETO_OK;
}
