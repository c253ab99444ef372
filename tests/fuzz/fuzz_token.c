/* Token text of any kind against a fixed key; the payload parser behind it is reached by signing the input with that
 * key. */
#include "token/token.h"

#include <paseto/paseto.h>

#include <stdint.h>
#include <stdlib.h>

static void try_token(const struct tk_public_key *key, struct fb_str text)
{
    struct tk_claims claims;
    enum tk_fault fault = TK_FAULT_NONE;
    int rc = tk_token_verify(key, text, 0, 0, &claims, &fault, NULL);
    if ((rc == 0) != (fault == TK_FAULT_NONE))
        abort();
    if (rc == 0 && tk_claims_check(&claims, NULL) != 0)
        abort();
    tk_claims_done(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[32] = { 1 };
    static struct tk_secret_key secret;
    static struct tk_public_key public_key;
    static char token[TK_TOKEN_MAX_BYTES + 1];
    const struct paseto_bytes none = { NULL, 0 };
    size_t n;
    if (secret.bytes[0] == 0 && tk_keyfile_from_seed(seed, &secret, &public_key) < 0)
        abort();
    try_token(&public_key, fb_str_n((const char *)data, size));
    if (paseto_v4_public_sign(secret.bytes, (struct paseto_bytes){ data, size }, none, none, token, sizeof token, &n) ==
        0)
        try_token(&public_key, fb_str_n(token, n));
    return 0;
}
