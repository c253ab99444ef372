/* v4.public: sign and verify. */
#include <paseto/paseto.h>

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "v4.public.";
enum { HEADER_BYTES = sizeof header - 1 };

static size_t encoded_bytes(size_t n)
{
    return n / 3 * 4 + (n % 3 == 0 ? 0 : n % 3 + 1);
}

static bool within_limits(size_t payload_n, size_t footer_n)
{
    return payload_n <= PASETO_TOKEN_MAX_BYTES && footer_n <= PASETO_TOKEN_MAX_BYTES;
}

size_t paseto_token_bytes(size_t payload_n, size_t footer_n)
{
    if (!within_limits(payload_n, footer_n))
        return 0;
    size_t n = HEADER_BYTES + encoded_bytes(payload_n + PASETO_SIGNATURE_BYTES);
    if (footer_n > 0)
        n += 1 + encoded_bytes(footer_n);
    return n <= PASETO_TOKEN_MAX_BYTES ? n : 0;
}

/* The bytes under the signature, in a heap block of the caller: Ed25519 needs them in one piece. */
static int signed_bytes(struct paseto_bytes payload, struct paseto_bytes footer, struct paseto_bytes implicit,
                        uint8_t **ret, size_t *ret_n)
{
    struct paseto_bytes pieces[4] = { { header, HEADER_BYTES }, payload, footer, implicit };
    int rc = paseto_pae(pieces, 4, NULL, 0, ret_n);
    if (rc != PASETO_OK)
        return rc;
    *ret = malloc(*ret_n);
    if (*ret == NULL)
        return PASETO_E_NOMEM;
    return paseto_pae(pieces, 4, *ret, *ret_n, ret_n);
}

int paseto_v4_public_sign(const uint8_t secret[PASETO_SECRET_BYTES], struct paseto_bytes payload,
                          struct paseto_bytes footer, struct paseto_bytes implicit, char *out, size_t cap,
                          size_t *ret_n)
{
    size_t need = paseto_token_bytes(payload.n, footer.n);
    if (need == 0)
        return PASETO_E_LIMIT;
    *ret_n = need;
    if (cap <= need)
        return PASETO_E_SPACE;
    int rc = paseto_key_check(secret);
    if (rc != PASETO_OK)
        return rc;
    uint8_t *message = NULL;
    size_t message_n;
    rc = signed_bytes(payload, footer, implicit, &message, &message_n);
    if (rc != PASETO_OK)
        return rc;
    uint8_t *body = malloc(payload.n + PASETO_SIGNATURE_BYTES);
    if (body == NULL) {
        free(message);
        return PASETO_E_NOMEM;
    }
    if (payload.n > 0)
        memcpy(body, payload.p, payload.n);
    (void)crypto_sign_detached(body + payload.n, NULL, message, message_n, secret);
    free(message);

    memcpy(out, header, HEADER_BYTES);
    size_t at = HEADER_BYTES;
    size_t n;
    rc = paseto_base64url_encode((struct paseto_bytes){ body, payload.n + PASETO_SIGNATURE_BYTES }, out + at, cap - at,
                                 &n);
    free(body);
    if (rc != PASETO_OK)
        return rc;
    at += n;
    if (footer.n > 0) {
        out[at++] = '.';
        rc = paseto_base64url_encode(footer, out + at, cap - at, &n);
        if (rc != PASETO_OK)
            return rc;
        at += n;
    }
    out[at] = '\0';
    return PASETO_OK;
}

/* PASETO_OK when the footer part of the token is the expected one. Compared as text: the encoding is one to one. */
static int footer_is(const char *text, size_t n, struct paseto_bytes expected)
{
    size_t need = encoded_bytes(expected.n);
    if (expected.n > PASETO_TOKEN_MAX_BYTES || n != need)
        return PASETO_E_FORMAT;
    char *want = malloc(need + 1);
    if (want == NULL)
        return PASETO_E_NOMEM;
    size_t got;
    int rc = paseto_base64url_encode(expected, want, need, &got);
    if (rc == PASETO_OK && sodium_memcmp(want, text, n) != 0)
        rc = PASETO_E_FORMAT;
    free(want);
    return rc;
}

/* Finds the body and checks everything about the form but the base64url. */
static int split(const char *token, size_t token_n, struct paseto_bytes footer, const char **ret_body, size_t *ret_n)
{
    if (token_n > PASETO_TOKEN_MAX_BYTES)
        return PASETO_E_LIMIT;
    if (token_n < HEADER_BYTES || memcmp(token, header, HEADER_BYTES) != 0)
        return PASETO_E_FORMAT;
    const char *body = token + HEADER_BYTES;
    size_t rest = token_n - HEADER_BYTES;
    const char *dot = rest == 0 ? NULL : memchr(body, '.', rest);
    *ret_body = body;
    *ret_n = dot == NULL ? rest : (size_t)(dot - body);
    if (footer.n == 0)
        return dot == NULL ? PASETO_OK : PASETO_E_FORMAT;
    if (dot == NULL)
        return PASETO_E_FORMAT;
    return footer_is(dot + 1, rest - *ret_n - 1, footer);
}

int paseto_v4_public_verify(const uint8_t public_key[PASETO_PUBLIC_BYTES], const char *token, size_t token_n,
                            struct paseto_bytes footer, struct paseto_bytes implicit, uint8_t *out, size_t cap,
                            size_t *ret_n)
{
    const char *text;
    size_t text_n;
    if (paseto_init() != PASETO_OK)
        return PASETO_E_NOMEM;
    int rc = split(token, token_n, footer, &text, &text_n);
    if (rc != PASETO_OK)
        return rc;
    uint8_t *body = malloc(text_n + 1);
    if (body == NULL)
        return PASETO_E_NOMEM;
    uint8_t *message = NULL;
    size_t body_n = 0;
    size_t message_n;
    rc = paseto_base64url_decode(text, text_n, body, text_n, &body_n);
    /* A token without a payload says nothing; the signature alone is no message. */
    if (rc == PASETO_OK && body_n <= PASETO_SIGNATURE_BYTES)
        rc = PASETO_E_FORMAT;
    if (rc != PASETO_OK)
        goto out;
    size_t payload_n = body_n - PASETO_SIGNATURE_BYTES;
    rc = signed_bytes((struct paseto_bytes){ body, payload_n }, footer, implicit, &message, &message_n);
    if (rc != PASETO_OK)
        goto out;
    if (crypto_sign_verify_detached(body + payload_n, message, message_n, public_key) != 0) {
        rc = PASETO_E_SIGNATURE;
        goto out;
    }
    *ret_n = payload_n;
    if (payload_n > cap)
        rc = PASETO_E_SPACE;
    else
        memcpy(out, body, payload_n);
out:
    free(message);
    free(body);
    return rc;
}
