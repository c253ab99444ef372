/* Raw Ed25519 key files. */
#include "token/keyfile.h"

#include "base/fs.h"

#include <paseto/paseto.h>

#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

_Static_assert((int)TK_SECRET_BYTES == (int)PASETO_SECRET_BYTES, "the same secret key");
_Static_assert((int)TK_PUBLIC_BYTES == (int)PASETO_PUBLIC_BYTES, "the same public key");

void tk_keyfile_wipe(struct tk_secret_key *secret)
{
    if (secret != NULL)
        sodium_memzero(secret, sizeof *secret);
}

void tk_keyfile_public_of(const struct tk_secret_key *secret, struct tk_public_key *ret)
{
    memcpy(ret->bytes, secret->bytes + PASETO_SEED_BYTES, sizeof ret->bytes);
}

int tk_keyfile_make(struct tk_secret_key *ret_secret, struct tk_public_key *ret_public, struct fb_err *err)
{
    if (paseto_key_generate(ret_secret->bytes, ret_public->bytes) != PASETO_OK)
        return fb_err_set(err, FB_E_INTERNAL, "the system gives no random numbers");
    return 0;
}

int tk_keyfile_from_seed(const uint8_t seed[32], struct tk_secret_key *ret_secret, struct tk_public_key *ret_public)
{
    return paseto_key_from_seed(seed, ret_secret->bytes, ret_public->bytes) == PASETO_OK ? 0 : FB_E_INTERNAL;
}

char *tk_keyfile_public_path(const char *secret_path)
{
    const char *slash = strrchr(secret_path, '/');
    const char *name = slash == NULL ? secret_path : slash + 1;
    const char *dot = strrchr(name, '.');
    /* A leading dot hides a file; it starts no extension. */
    size_t keep = dot == NULL || dot == name ? strlen(secret_path) : (size_t)(dot - secret_path);
    char *path = malloc(keep + sizeof ".pub");
    if (path == NULL)
        return NULL;
    memcpy(path, secret_path, keep);
    memcpy(path + keep, ".pub", sizeof ".pub");
    return path;
}

int tk_keyfile_generate(const char *secret_path, struct tk_secret_key *ret_secret, struct tk_public_key *ret_public,
                        struct fb_err *err)
{
    struct tk_public_key public_key;
    fb_auto(tk_keyfile_wipe) struct tk_secret_key secret = { { 0 } };
    char *public_path = tk_keyfile_public_path(secret_path);
    if (public_path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    int rc = 0;
    if (strcmp(public_path, secret_path) == 0)
        rc =
            fb_err_set(err, FB_E_USAGE, "'%s' is the name of a public key; name the secret one otherwise", secret_path);
    if (rc == 0)
        rc = tk_keyfile_make(&secret, &public_key, err);
    if (rc == 0)
        rc = fb_fs_create(secret_path, 0600, secret.bytes, sizeof secret.bytes, err);
    if (rc == 0) {
        rc = fb_fs_create(public_path, 0644, public_key.bytes, sizeof public_key.bytes, err);
        if (rc < 0)
            (void)unlink(secret_path); /* ours: made exclusively a moment ago, and useless without its other half */
    }
    if (rc == 0 && ret_secret != NULL)
        *ret_secret = secret;
    if (rc == 0 && ret_public != NULL)
        *ret_public = public_key;
    free(public_path);
    return rc;
}

/* Reads at most @cap bytes plus one, so that a longer file is seen as such. */
static int read_exactly(const char *path, enum fb_fs_trust trust, const char *what, uint8_t *out, size_t n,
                        struct fb_err *err)
{
    struct fb_buf text;
    fb_buf_init_secret(&text, n + 1);
    int rc = fb_fs_read(path, trust, &text, err);
    if (rc == FB_E_LIMIT || (rc == 0 && text.n != n))
        rc = fb_err_set(err, FB_E_PARSE, "invalid %s: '%s' must hold exactly %zu raw bytes", what, path, n);
    if (rc == 0)
        memcpy(out, text.p, n);
    fb_buf_done(&text);
    return rc;
}

int tk_keyfile_read_secret(const char *path, struct tk_secret_key *ret, struct fb_err *err)
{
    int rc = read_exactly(path, FB_FS_PRIVATE, "private key", ret->bytes, sizeof ret->bytes, err);
    if (rc == 0 && paseto_key_check(ret->bytes) != PASETO_OK)
        rc = fb_err_set(err, FB_E_PARSE, "invalid private key: the halves in '%s' do not belong together", path);
    if (rc < 0)
        tk_keyfile_wipe(ret);
    return rc;
}

int tk_keyfile_read_public(const char *path, struct tk_public_key *ret, struct fb_err *err)
{
    return read_exactly(path, FB_FS_OWNED, "public key", ret->bytes, sizeof ret->bytes, err);
}
