/* context_hash: what was asked for, and under which policy it was granted. */
#include "token/token.h"

#include "base/enc.h"

#include <sodium.h>
#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    return fb_str_cmp(*(const struct fb_str *)a, *(const struct fb_str *)b);
}

static void add(crypto_hash_sha256_state *h, struct fb_str s)
{
    if (s.n > 0)
        (void)crypto_hash_sha256_update(h, (const unsigned char *)s.p, s.n);
}

int tk_context_hash(struct fb_str agent_id, const struct fb_str *actions, size_t n_actions,
                    struct fb_str resource_scope, struct fb_str bundle_version, char out[TK_CONTEXT_HASH_CHARS + 1])
{
    struct fb_str *sorted = NULL;
    if (n_actions > 0) {
        sorted = calloc(n_actions, sizeof *sorted);
        if (sorted == NULL)
            return FB_E_NOMEM;
        memcpy(sorted, actions, n_actions * sizeof *sorted);
        qsort(sorted, n_actions, sizeof *sorted, by_bytes);
    }
    crypto_hash_sha256_state h;
    unsigned char digest[crypto_hash_sha256_BYTES];
    (void)crypto_hash_sha256_init(&h);
    add(&h, agent_id);
    add(&h, FB_STR("|"));
    for (size_t i = 0; i < n_actions; i++) {
        add(&h, sorted[i]);
        add(&h, FB_STR(","));
    }
    add(&h, FB_STR("|"));
    add(&h, resource_scope);
    add(&h, FB_STR("|"));
    add(&h, bundle_version);
    (void)crypto_hash_sha256_final(&h, digest);
    free(sorted);
    fb_enc_hex(out, digest, sizeof digest);
    return 0;
}
