#include "authority/rundir.h"

#include "authority/dirwatch.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/toml.h"
#include "core/embed.h"
#include "token/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_MAX_BYTES = 64 << 10, ASSET_NAME_BYTES = 64, RUN_TTL_S = 3600 };

/* Only names of files that are built in. */
static int find_profile(const char *profile, struct fb_str *ret_issuance, struct fb_str *ret_enforcement,
                        struct fb_err *err)
{
    char name[ASSET_NAME_BYTES];

    snprintf(name, sizeof(name), "issuance/%s.cedar", profile);
    *ret_issuance = fc_asset_get(name);
    snprintf(name, sizeof(name), "enforcement/%s.cedar", profile);
    *ret_enforcement = fc_asset_get(name);
    if (ret_issuance->p != NULL && ret_enforcement->p != NULL)
        return 0;
    return fb_err_set(err, FB_E_AUTHORITY_UNKNOWN_PROFILE, "there is no authority profile '%s'", profile);
}

/* Nothing here outlives the run, so nothing waits for the disk. */
static int put(int dir_fd, const char *name, mode_t mode, const void *p, size_t n, struct fb_err *err)
{
    return fb_fs_write_atomic_at(dir_fd, name, mode, p, n, false, err);
}

static int put_policy(int run_fd, const char *sub, const char *profile, struct fb_str text, struct fb_err *err)
{
    char name[ASSET_NAME_BYTES];
    int fd = fb_fs_private_dir_at(run_fd, sub, err);

    if (fd < 0)
        return fd;
    snprintf(name, sizeof(name), "%s.cedar", profile);
    int rc = put(fd, name, 0600, text.p, text.n, err);
    fb_fd_close(&fd);
    return rc;
}

static int put_keys(int run_fd, struct fb_err *err)
{
    struct tk_secret_key secret;
    struct tk_public_key public_key;
    int rc = tk_keyfile_make(&secret, &public_key, err);

    if (rc != 0)
        return rc;
    int fd = fb_fs_private_dir_at(run_fd, "keys", err);
    rc = fd < 0 ? fd : put(fd, "authority.key", 0600, secret.bytes, sizeof(secret.bytes), err);
    if (rc == 0)
        rc = put(fd, "authority.pub", 0644, public_key.bytes, sizeof(public_key.bytes), err);
    fb_fd_close(&fd);
    tk_keyfile_wipe(&secret);
    return rc;
}

static int set_path(char **field, const char *dir, const char *name, struct fb_err *err)
{
    char *path = fb_fs_join(dir, name);

    if (path == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    free(*field);
    *field = path;
    return 0;
}

/* The persisted choice's path. One that leads nowhere is refused: the built-in rules would permit more than meant. */
static int prefer(char **field, const struct st_msg *start, const char *key, struct fb_err *err)
{
    struct fb_str value = st_msg_get(start, key);
    struct stat st;

    if (value.p == NULL || value.n == 0)
        return 0;
    if (stat(value.p, &st) != 0)
        return fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "[authority].%s '%s'", key, value.p);
    return au_config_set(field, value, err);
}

/* A key of a persisted choice that was lost, with a tmpfs for instance, is made anew. */
static int prefer_key(char **field, const struct st_msg *start, struct fb_err *err)
{
    struct fb_str value = st_msg_get(start, "key_file");
    int rc = 0;

    if (value.p == NULL || value.n == 0)
        return 0;
    if (access(value.p, F_OK) != 0 && errno == ENOENT)
        rc = tk_keyfile_generate(value.p, NULL, NULL, err);
    if (rc != 0 && rc != FB_E_EXISTS) /* a run beside us was quicker */
        return err == NULL ? rc : fb_err_wrap(err, "[authority].key_file '%s'", value.p);
    return au_config_set(field, value, err);
}

/* The operator's own limits hold for a run's Authority too. */
static int prefer_number(uint64_t *value, const struct st_msg *start, const char *key, struct fb_err *err)
{
    struct fb_str text = st_msg_get(start, key);

    if (text.n == 0 || fb_num_u64(text, 1, AU_TTL_MAX_S, value) == 0)
        return 0;
    return fb_err_set(err, FB_E_CONFIG_VALIDATION, "[authority].%s must be a number from 1 to %d", key, AU_TTL_MAX_S);
}

static int fill_config(const char *run_dir, const struct st_msg *start, struct au_config *c, struct fb_err *err)
{
    int rc = au_config_defaults(c, err);

    if (rc == 0)
        rc = au_config_set(&c->listen_addr, FB_STR("[::1]:0"), err);
    if (rc == 0)
        rc = set_path(&c->policy_dir, run_dir, "policy_dir", err);
    if (rc == 0)
        rc = set_path(&c->issuance_policy_dir, run_dir, "issuance", err);
    if (rc == 0)
        rc = set_path(&c->revocation_file, run_dir, "revocations.txt", err);
    if (rc == 0)
        rc = set_path(&c->key_file, run_dir, "keys/authority.key", err);
    if (rc == 0)
        rc = prefer(&c->policy_dir, start, "policy_dir", err);
    if (rc == 0)
        rc = prefer(&c->issuance_policy_dir, start, "issuance_policy_dir", err);
    if (rc == 0)
        rc = prefer(&c->schema_path, start, "schema_path", err);
    if (rc == 0 && st_msg_get(start, "revocation_file").n > 0) /* the server makes it when absent */
        rc = au_config_set(&c->revocation_file, st_msg_get(start, "revocation_file"), err);
    if (rc == 0)
        rc = prefer_key(&c->key_file, start, err);
    uint64_t max_ttl = RUN_TTL_S;
    uint64_t bundle_ttl = c->bundle_ttl_s;
    if (rc == 0)
        rc = prefer_number(&max_ttl, start, "max_ttl_seconds", err);
    if (rc == 0)
        rc = prefer_number(&bundle_ttl, start, "bundle_ttl_seconds", err);
    c->max_ttl_s = (int32_t)max_ttl;
    c->bundle_ttl_s = (uint32_t)bundle_ttl;
    c->loopback_fallback = true;
    c->watch_delay_ms = AU_DIRWATCH_DELAY_MS;
    return rc == 0 ? au_config_check(c, err) : rc;
}

static void add_text(struct fb_buf *out, const char *key, struct fb_str value)
{
    (void)fb_buf_addf(out, "%s = ", key);
    (void)fb_toml_quote(out, value);
    (void)fb_buf_addc(out, '\n');
}

static int put_config(int run_fd, const struct au_config *c, struct fb_err *err)
{
    struct fb_buf out;

    fb_buf_init(&out, TEXT_MAX_BYTES);
    (void)fb_buf_addz(&out, "# Of this run only; written anew by every run.\n[authority]\n");
    add_text(&out, "listen_addr", fb_str_of(c->listen_addr));
    add_text(&out, "policy_dir", fb_str_of(c->policy_dir));
    add_text(&out, "issuance_policy_dir", fb_str_of(c->issuance_policy_dir));
    if (c->schema_path[0] != '\0')
        add_text(&out, "schema_path", fb_str_of(c->schema_path));
    add_text(&out, "revocation_file", fb_str_of(c->revocation_file));
    add_text(&out, "key_file", fb_str_of(c->key_file));
    (void)fb_buf_addf(&out, "max_ttl_seconds = %d\nbundle_ttl_seconds = %u\nlog_level = \"info\"\n", (int)c->max_ttl_s,
                      (unsigned)c->bundle_ttl_s);
    int rc = fb_buf_failed(&out) ? fb_err_set(err, FB_E_LIMIT, "the configuration of the run is too large")
                                 : put(run_fd, "authority.toml", 0600, out.p, out.n, err);
    fb_buf_done(&out);
    return rc;
}

int au_rundir_make(const char *run_dir, const char *profile, const struct st_msg *start, struct au_config *c,
                   struct fb_err *err)
{
    struct fb_str issuance;
    struct fb_str enforcement;
    int rc = find_profile(profile, &issuance, &enforcement, err);

    if (rc != 0)
        return rc;
    int fd = fb_fs_private_dir(run_dir, err);
    if (fd < 0)
        return fd;
    rc = put_policy(fd, "policy_dir", profile, enforcement, err);
    if (rc == 0)
        rc = put_policy(fd, "issuance", profile, issuance, err);
    if (rc == 0 && st_msg_get(start, "key_file").n == 0)
        rc = put_keys(fd, err);
    if (rc == 0)
        rc = put(fd, "revocations.txt", 0600, "", 0, err);
    if (rc == 0)
        rc = fill_config(run_dir, start, c, err);
    if (rc == 0)
        rc = put_config(fd, c, err);
    fb_fd_close(&fd);
    if (rc != 0)
        au_config_done(c);
    return rc;
}

int au_rundir_note_ready(const char *run_dir, const char *profile, const struct st_msg *start, const char *addr,
                         struct fb_err *err)
{
    static const char *const ids[] = { "sandbox_id", "agent_id", "session_id" };
    struct fb_buf out;
    char at[FB_CLOCK_TEXT_BYTES];
    int fd = fb_fs_private_dir(run_dir, err);

    if (fd < 0)
        return fd;
    fb_buf_init(&out, TEXT_MAX_BYTES);
    (void)fb_buf_addf(&out, "%d\n", (int)getpid());
    int rc = put(fd, "authority.pid", 0600, out.p, out.n, err);
    fb_buf_reset(&out);
    for (size_t i = 0; i < FB_COUNT(ids); i++) {
        struct fb_str value = st_msg_get(start, ids[i]);
        add_text(&out, ids[i], value.p == NULL ? FB_STR("") : value);
    }
    fb_clock_format(at, fb_clock_wall_ns(), 0, true);
    add_text(&out, "profile", fb_str_of(profile));
    add_text(&out, "listen_addr", fb_str_of(addr));
    (void)fb_buf_addf(&out, "pid = %d\n", (int)getpid());
    add_text(&out, "started_at", fb_str_of(at));
    if (rc == 0)
        rc = fb_buf_failed(&out) ? FB_E_NOMEM : put(fd, "metadata.toml", 0600, out.p, out.n, err);
    fb_buf_done(&out);
    fb_fd_close(&fd);
    return rc;
}
