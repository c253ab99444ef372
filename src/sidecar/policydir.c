/* Sorted names, one running hash. */
#include "sidecar/policydir.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdlib.h>

struct names {
    char *items[SC_POLICYDIR_FILES_MAX];
    size_t n;
};

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const char *dir, struct names *names, struct fb_err *err)
{
    DIR *d = opendir(dir);
    if (d == NULL)
        return errno == ENOENT ? 0 : fb_err_sys(err, FB_E_POLICY_LOAD_FAILED, errno, "cannot read policy.dir '%s'", dir);
    int r = 0;
    for (struct dirent *e; r == 0 && (e = readdir(d)) != NULL;) {
        struct fb_str name = fb_str_of(e->d_name);
        if (!fb_str_ends(name, FB_STR(".cedar")) || e->d_type == DT_DIR)
            continue;
        if (names->n == SC_POLICYDIR_FILES_MAX)
            r = fb_err_set(err, FB_E_LIMIT, "policy.dir '%s' holds more than %d files", dir, (int)SC_POLICYDIR_FILES_MAX);
        else if ((names->items[names->n] = fb_str_dupz(name)) == NULL)
            r = fb_err_set(err, FB_E_NOMEM, "out of memory");
        else
            names->n++;
    }
    closedir(d);
    return r;
}

static int hash_file(crypto_hash_sha256_state *sha, const char *dir, const char *name, struct fb_err *err)
{
    char *path = fb_fs_join(dir, name);
    if (path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    struct fb_buf text;
    fb_buf_init(&text, SC_POLICYDIR_FILE_MAX_BYTES);
    int r = fb_fs_read(path, FB_FS_ANY, &text, err);
    if (r == 0)
        crypto_hash_sha256_update(sha, (const unsigned char *)text.p, text.n);
    else
        (void)fb_err_recode(err, FB_E_POLICY_LOAD_FAILED);
    fb_buf_done(&text);
    free(path);
    return r;
}

int sc_policydir_version(const char *dir, char ret[SC_POLICYDIR_VERSION_CHARS + 1], size_t *ret_files, struct fb_err *err)
{
    struct names *names = calloc(1, sizeof *names);
    if (names == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    crypto_hash_sha256_state sha;
    unsigned char digest[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_init(&sha);
    int r = list(dir, names, err);
    if (names->n > 1)
        qsort(names->items, names->n, sizeof names->items[0], by_name);
    for (size_t i = 0; r == 0 && i < names->n; i++)
        r = hash_file(&sha, dir, names->items[i], err);
    crypto_hash_sha256_final(&sha, digest);
    char hex[2 * sizeof digest + 1];
    fb_enc_hex(hex, digest, sizeof digest);
    memcpy(ret, hex, SC_POLICYDIR_VERSION_CHARS);
    ret[SC_POLICYDIR_VERSION_CHARS] = '\0';
    *ret_files = names->n;
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names);
    return r;
}
