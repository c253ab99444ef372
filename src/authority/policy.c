#include "authority/policy.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/utf8.h"
#include "core/embed.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static int failed(struct fb_err *err, const char *what, const char *why)
{
    return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "%s: %s", what, why);
}

/* ---- texts into a snapshot ---- */

static int cedar_failed(struct fb_err *err, const char *name, const struct cedar_error *ce)
{
    char rendered[700];

    (void)cedar_error_render(ce, name, NULL, 0, rendered, sizeof(rendered));
    return fb_err_set(err, FB_E_POLICY_LOAD_FAILED, "%s", rendered);
}

static void make_version(struct au_policy *p)
{
    crypto_hash_sha256_state st;
    unsigned char digest[crypto_hash_sha256_BYTES];

    crypto_hash_sha256_init(&st);
    crypto_hash_sha256_update(&st, (const unsigned char *)p->policies, p->policies_n);
    crypto_hash_sha256_update(&st, (const unsigned char *)"|", 1);
    crypto_hash_sha256_update(&st, (const unsigned char *)p->schema_text, p->schema_n);
    crypto_hash_sha256_final(&st, digest);
    fb_enc_hex(p->version, digest, sizeof(digest));
}

void au_policy_free(struct au_policy *p)
{
    if (p == NULL)
        return;
    cedar_policy_set_free(p->set);
    cedar_schema_free(p->schema);
    free(p->policies);
    free(p->schema_text);
    free(p);
}

static int parse(struct au_policy *p, const char *name, struct fb_err *err)
{
    struct cedar_error ce = { 0 };

    if (cedar_schema_parse(p->schema_text, p->schema_n, &p->schema, &ce) != 0)
        return cedar_failed(err, "schema", &ce);
    if (cedar_policy_set_parse(p->policies, p->policies_n, &p->set, &ce) != 0)
        return cedar_failed(err, name, &ce);
#ifdef AU_STRICT_VALIDATION
    if (cedar_validate(p->set, p->schema, NULL, NULL, &ce) != 0)
        return cedar_failed(err, name, &ce);
#endif
    return 0;
}

static char *copy_text(struct fb_str s)
{
    char *copy = malloc(s.n + 1);

    if (copy == NULL)
        return NULL;
    if (s.n > 0)
        memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

int au_policy_from_text(struct fb_str policies, struct fb_str schema, const char *name, struct au_policy **ret,
                        struct fb_err *err)
{
    struct au_policy *p = calloc(1, sizeof(*p));

    if (p != NULL) {
        p->policies = copy_text(policies);
        p->policies_n = policies.n;
        p->schema_text = copy_text(schema);
        p->schema_n = schema.n;
    }
    if (p == NULL || p->policies == NULL || p->schema_text == NULL) {
        au_policy_free(p);
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    int rc = parse(p, name, err);
    if (rc != 0) {
        au_policy_free(p);
        return rc;
    }
    make_version(p);
    *ret = p;
    return 0;
}

/* ---- the directory ---- */

struct names {
    char *items[AU_POLICY_FILES_MAX];
    size_t n;
};

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "x.cedar" has the extension, ".cedar" alone has none. */
static bool is_policy_name(const char *name)
{
    struct fb_str s = fb_str_of(name);

    return s.n > 6 && fb_str_ends(s, FB_STR(".cedar"));
}

static int list_names(const struct au_store *s, struct names *names, struct fb_err *err)
{
    /* A new description, because reading moves the offset that all copies of a descriptor share. */
    int fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int rc = 0;

    names->n = 0;
    if (dir == NULL) {
        rc = fb_err_sys(err, FB_E_POLICY_LOAD_FAILED, errno, "cannot read %s directory '%s'", s->what, s->dir);
        fb_fd_close(&fd);
        return rc;
    }
    errno = 0;
    for (struct dirent *e; rc == 0 && (e = readdir(dir)) != NULL;) {
        if (!is_policy_name(e->d_name))
            continue;
        if (names->n == AU_POLICY_FILES_MAX)
            rc = failed(err, s->dir, "more than 1024 policy files");
        else if ((names->items[names->n] = strdup(e->d_name)) == NULL)
            rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
        else
            names->n++;
    }
    closedir(dir);
    qsort(names->items, names->n, sizeof(names->items[0]), by_bytes);
    return rc;
}

static int append_file(const struct au_store *s, const char *name, struct fb_buf *all, struct fb_err *err)
{
    struct fb_buf one;

    fb_buf_init(&one, AU_POLICY_TEXT_MAX_BYTES);
    int rc = fb_fs_read_at(s->dir_fd, name, FB_FS_ANY, &one, err);
    if (rc == 0 && !fb_utf8_valid(fb_buf_str(&one)))
        rc = fb_err_set(err, FB_E_PARSE, "'%s' is not UTF-8 text", name);
    if (rc == 0 && all->n > 0)
        rc = fb_buf_addc(all, '\n');
    if (rc == 0)
        rc = fb_buf_adds(all, fb_buf_str(&one));
    if (rc == FB_E_LIMIT)
        fb_err_set(err, rc, "policies are larger than %d bytes in all", AU_POLICY_TEXT_MAX_BYTES);
    fb_buf_done(&one);
    if (rc == 0)
        return 0;
    fb_err_recode(err, FB_E_POLICY_LOAD_FAILED);
    return err == NULL ? FB_E_POLICY_LOAD_FAILED : fb_err_wrap(err, "%s directory '%s'", s->what, s->dir);
}

static bool is_absent(const struct fb_err *err)
{
    return err->code == FB_E_IO && err->os_errno == ENOENT;
}

/* schema_path, else schema.cedarschema, else schema.json in the directory, else the one that is built in. */
static int read_schema(const struct au_store *s, struct fb_buf *out, struct fb_err *err)
{
    static const char *const names[] = { "schema.cedarschema", "schema.json" };
    struct fb_err local = { 0 };
    int rc = 0;

    if (s->schema_path[0] != '\0') {
        rc = fb_fs_read(s->schema_path, FB_FS_ANY, out, err);
        if (rc == 0)
            return 0;
        fb_err_recode(err, FB_E_POLICY_LOAD_FAILED);
        return err == NULL ? FB_E_POLICY_LOAD_FAILED : fb_err_wrap(err, "schema");
    }
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        rc = fb_fs_read_at(s->dir_fd, names[i], FB_FS_ANY, out, &local);
        if (rc == 0)
            return 0;
        if (!is_absent(&local))
            return failed(err, s->dir, local.msg);
        fb_buf_reset(out);
    }
    struct fb_str built_in = fc_asset_get("schema/firma.cedarschema");
    if (built_in.p == NULL)
        return fb_err_set(err, FB_E_INTERNAL, "the built-in schema is missing");
    return fb_buf_adds(out, built_in) == 0 ? 0 : fb_err_set(err, FB_E_NOMEM, "out of memory");
}

/* The joined text was refused: finds the file to blame, so that the message names a place that a person can open. */
static int blame(const struct au_store *s, const struct names *names, struct fb_str schema, struct fb_err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < names->n; i++) {
        struct fb_buf one;
        struct au_policy *p = NULL;
        struct fb_err local = { 0 };
        char *path = fb_fs_join(s->dir, names->items[i]);
        fb_buf_init(&one, AU_POLICY_TEXT_MAX_BYTES);
        if (path != NULL && append_file(s, names->items[i], &one, NULL) == 0)
            rc = au_policy_from_text(fb_buf_str(&one), schema, path, &p, &local);
        if (rc != 0 && err != NULL)
            *err = local;
        au_policy_free(p);
        fb_buf_done(&one);
        free(path);
    }
    return rc;
}

static int load(const struct au_store *s, struct au_policy **ret, struct fb_err *err)
{
    struct names *names = calloc(1, sizeof(*names));
    struct fb_buf policies;
    struct fb_buf schema;

    if (names == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    fb_buf_init(&policies, AU_POLICY_TEXT_MAX_BYTES);
    fb_buf_init(&schema, AU_POLICY_TEXT_MAX_BYTES);
    *ret = NULL;
    int rc = list_names(s, names, err);
    for (size_t i = 0; rc == 0 && i < names->n; i++)
        rc = append_file(s, names->items[i], &policies, err);
    if (rc == 0)
        rc = read_schema(s, &schema, err);
    if (rc == 0 && policies.n + schema.n > AU_POLICY_TEXT_MAX_BYTES)
        rc = failed(err, s->dir, "policies and schema together do not fit into one message of 4 MiB");
    if (rc == 0)
        rc = au_policy_from_text(fb_buf_str(&policies), fb_buf_str(&schema), s->dir, ret, err);
    if (rc == FB_E_POLICY_LOAD_FAILED && policies.n > 0 && *ret == NULL)
        (void)blame(s, names, fb_buf_str(&schema), err);
    if (rc == 0)
        (*ret)->n_files = names->n;
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names);
    fb_buf_done(&policies);
    fb_buf_done(&schema);
    return rc;
}

static int open_dir(struct au_store *s, struct fb_err *err)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fb_err_sys(err, FB_E_POLICY_LOAD_FAILED, errno, "cannot open %s directory '%s'", s->what, s->dir);
    fb_fd_close(&s->dir_fd);
    s->dir_fd = fd;
    return 0;
}

int au_store_open(struct au_store *s, const char *what, const char *dir, const char *schema_path, struct fb_err *err)
{
    *s = (struct au_store){ .what = what, .dir_fd = -1 };
    s->dir = strdup(dir);
    s->schema_path = strdup(schema_path);
    if (s->dir == NULL || s->schema_path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    int rc = open_dir(s, err);
    return rc == 0 ? load(s, &s->now, err) : rc;
}

int au_store_reload(struct au_store *s, bool reopen, struct fb_err *err)
{
    struct au_policy *fresh = NULL;
    int rc = reopen ? open_dir(s, err) : 0;

    if (rc == 0)
        rc = load(s, &fresh, err);
    if (rc != 0)
        return rc;
    if (strcmp(fresh->version, s->now->version) == 0) {
        au_policy_free(fresh);
        return 0;
    }
    au_policy_free(s->now);
    s->now = fresh;
    return 1;
}

void au_store_done(struct au_store *s)
{
    au_policy_free(s->now);
    free(s->dir);
    free(s->schema_path);
    if (s->dir != NULL || s->dir_fd > 0)
        fb_fd_close(&s->dir_fd);
    *s = (struct au_store){ .dir_fd = -1 };
}
