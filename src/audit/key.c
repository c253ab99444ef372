/* OpenSSL behind audit/key.h. */
#include "audit/key.h"

#include "base/fs.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <unistd.h>

struct fa_key {
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *sign; /* readied once: setting one up costs more than hashing a line */
    EVP_PKEY_CTX *verify;
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
};

void fa_key_free(struct fa_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_CTX_free(key->sign);
    EVP_PKEY_CTX_free(key->verify);
    EVP_MD_CTX_free(key->hash);
    EVP_MD_free(key->sha256);
    EVP_PKEY_free(key->pkey);
    free(key);
}

static bool is_p256(EVP_PKEY *pkey)
{
    char group[64];
    size_t n = 0;
    return EVP_PKEY_is_a(pkey, "EC") == 1 && EVP_PKEY_get_group_name(pkey, group, sizeof group, &n) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

/* Takes @pkey, also on failure. */
static struct fa_key *ready(EVP_PKEY *pkey, bool secret)
{
    struct fa_key *key = calloc(1, sizeof *key);
    if (key == NULL) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    key->pkey = pkey;
    key->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    key->hash = EVP_MD_CTX_new();
    key->verify = EVP_PKEY_CTX_new(pkey, NULL);
    bool ok = key->sha256 != NULL && key->hash != NULL && key->verify != NULL &&
              EVP_DigestInit_ex(key->hash, key->sha256, NULL) == 1 && EVP_PKEY_verify_init(key->verify) == 1;
    if (ok && secret) {
        key->sign = EVP_PKEY_CTX_new(pkey, NULL);
        ok = key->sign != NULL && EVP_PKEY_sign_init(key->sign) == 1;
    }
    if (!ok) {
        fa_key_free(key);
        return NULL;
    }
    return key;
}

/* An encrypted key would otherwise ask at the terminal. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    (void)arg;
    return -1;
}

static int load(struct fb_str pem, bool secret, struct fa_key **ret, int code, const char *what, struct fb_err *err)
{
    *ret = NULL;
    if (pem.n == 0 || pem.n > FA_PEM_MAX_BYTES)
        return fb_err_set(err, code, "%s: %zu bytes of PEM; expected 1 to %d", what, pem.n, FA_PEM_MAX_BYTES);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
    if (bio == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    EVP_PKEY *pkey = secret ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                            : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    BIO_free(bio);
    if (pkey == NULL) {
        ERR_clear_error();
        return fb_err_set(err, code, "%s: not an unencrypted PEM %s key", what, secret ? "private" : "public");
    }
    if (!is_p256(pkey)) {
        EVP_PKEY_free(pkey);
        return fb_err_set(err, code, "%s: not a P-256 (prime256v1) key", what);
    }
    struct fa_key *key = ready(pkey, secret);
    if (key == NULL)
        return fb_err_set(err, FB_E_NOMEM, "%s: cannot be readied", what);
    uint8_t der[FA_DER_MAX_BYTES];
    size_t n;
    /* A private key whose public half is another one would sign what nobody can check. */
    if (secret && (fa_key_sign(key, "x", 1, der, &n) < 0 || !fa_key_verify(key, "x", 1, der, n))) {
        fa_key_free(key);
        return fb_err_set(err, code, "%s: its halves do not belong together", what);
    }
    *ret = key;
    return 0;
}

int fa_key_from_private_pem(struct fb_str pem, struct fa_key **ret, struct fb_err *err)
{
    return load(pem, true, ret, FB_E_CONFIG_VALIDATION, "invalid signing key", err);
}

int fa_key_from_public_pem(struct fb_str pem, struct fa_key **ret, struct fb_err *err)
{
    return load(pem, false, ret, FB_E_PARSE, "invalid public key", err);
}

void fa_key_hash(struct fa_key *key, const void *p, size_t n, uint8_t out[FA_HASH_BYTES])
{
    unsigned len = 0;
    /* SHA-256 over memory fails only when the library is broken; a log without hashes must not go on. */
    if (EVP_DigestInit_ex2(key->hash, NULL, NULL) != 1 || EVP_DigestUpdate(key->hash, p, n) != 1 ||
        EVP_DigestFinal_ex(key->hash, out, &len) != 1 || len != FA_HASH_BYTES)
        abort();
}

static void hash_twice(struct fa_key *key, const void *p, size_t n, uint8_t out[FA_HASH_BYTES])
{
    uint8_t once[FA_HASH_BYTES];
    fa_key_hash(key, p, n, once);
    fa_key_hash(key, once, sizeof once, out);
}

int fa_key_sign(struct fa_key *key, const void *p, size_t n, uint8_t der[FA_DER_MAX_BYTES], size_t *ret_n)
{
    uint8_t digest[FA_HASH_BYTES];
    hash_twice(key, p, n, digest);
    *ret_n = FA_DER_MAX_BYTES;
    if (key->sign == NULL || EVP_PKEY_sign(key->sign, der, ret_n, digest, sizeof digest) != 1) {
        ERR_clear_error();
        return FB_E_INTERNAL;
    }
    return 0;
}

bool fa_key_verify(struct fa_key *key, const void *p, size_t n, const uint8_t *der, size_t der_n)
{
    uint8_t digest[FA_HASH_BYTES];
    hash_twice(key, p, n, digest);
    bool ok = EVP_PKEY_verify(key->verify, der, der_n, digest, sizeof digest) == 1;
    if (!ok)
        ERR_clear_error();
    return ok;
}

static char *bio_text(BIO *bio)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    return n <= 0 ? NULL : fb_str_dupz(fb_str_n(data, (size_t)n));
}

char *fa_key_public_pem(struct fa_key *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio != NULL && PEM_write_bio_PUBKEY(bio, key->pkey) == 1 ? bio_text(bio) : NULL;
    BIO_free(bio);
    return text;
}

static char *public_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t keep = dot == NULL || dot == name ? strlen(path) : (size_t)(dot - path);
    char *out = malloc(keep + sizeof ".pub");
    if (out != NULL) {
        memcpy(out, path, keep);
        memcpy(out + keep, ".pub", sizeof ".pub");
    }
    return out;
}

int fa_key_generate(const char *path, struct fb_err *err)
{
    EVP_PKEY *pkey = EVP_EC_gen("prime256v1");
    BIO *bio = BIO_new(BIO_s_secmem() == NULL ? BIO_s_mem() : BIO_s_secmem());
    char *secret = NULL;
    char *public_text = NULL;
    char *public_name = public_path(path);
    int rc = 0;
    if (pkey == NULL || bio == NULL || public_name == NULL ||
        PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) != 1 || (secret = bio_text(bio)) == NULL)
        rc = fb_err_set(err, FB_E_NOMEM, "cannot make a key");
    BIO_free(bio);
    bio = NULL;
    if (rc == 0 && strcmp(public_name, path) == 0)
        rc = fb_err_set(err, FB_E_USAGE, "'%s' is the name of a public key; name the secret one otherwise", path);
    if (rc == 0 && ((bio = BIO_new(BIO_s_mem())) == NULL || PEM_write_bio_PUBKEY(bio, pkey) != 1 ||
                    (public_text = bio_text(bio)) == NULL))
        rc = fb_err_set(err, FB_E_NOMEM, "cannot make a key");
    if (rc == 0)
        rc = fb_fs_create(path, 0600, secret, strlen(secret), err);
    if (rc == 0) {
        rc = fb_fs_create(public_name, 0644, public_text, strlen(public_text), err);
        if (rc < 0)
            (void)unlink(path); /* ours: made exclusively a moment ago */
    }
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    free(public_text);
    free(public_name);
    BIO_free(bio);
    EVP_PKEY_free(pkey);
    return rc;
}
