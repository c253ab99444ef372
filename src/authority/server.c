#include "authority/server.h"

#include "authority/dirwatch.h"
#include "authority/policy.h"
#include "authority/revlog.h"
#include "authority/service.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "rpc/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BACKLOG = 64 };

struct au_server {
    struct fb_loop *loop;
    const struct au_config *config;
    struct tk_secret_key key;
    struct au_store enforcement;
    struct au_store issuance;
    struct au_revlog revocations;
    int revocation_dir_fd; /* so that the directory may be renamed with its parent */
    char *revocation_dir;
    char *revocation_name;
    struct au_dirhub *changes;
    struct au_service service;
    struct rp_server *rpc;
    char addr[AU_ADDR_TEXT_BYTES];
};

/* ---- changes on disk ---- */

static void reload(struct au_server *s, struct au_store *store, bool replaced)
{
    struct fb_err err = { 0 };
    int rc = au_store_reload(store, replaced, &err);

    if (rc < 0) {
        FB_LOG(FB_LOG_ERROR, "policy reload failed; the last good bundle stays in force", FB_KZ("bundle", store->what),
               FB_KZ("dir", store->dir), FB_KZ("detail", err.msg));
    } else if (rc > 0) {
        FB_LOG(FB_LOG_INFO, "policy reloaded", FB_KZ("bundle", store->what), FB_KZ("version", store->now->version),
               FB_KU("policies", store->now->n_files));
        if (store == &s->enforcement)
            au_service_bundle_changed(&s->service);
    }
}

static void on_enforcement_change(void *arg, bool replaced)
{
    struct au_server *s = arg;

    reload(s, &s->enforcement, replaced);
}

static void on_issuance_change(void *arg, bool replaced)
{
    struct au_server *s = arg;

    reload(s, &s->issuance, replaced);
}

/* Returns how many were added, or a negative code. */
static int read_revocations(struct au_server *s, struct fb_err *err)
{
    struct fb_buf text;

    fb_buf_init(&text, AU_REVOCATION_FILE_MAX_BYTES);
    int rc = fb_fs_read_at(s->revocation_dir_fd, s->revocation_name, FB_FS_OWNED, &text, err);
    if (rc == 0)
        rc = au_revlog_merge(&s->revocations, fb_buf_str(&text), s->config->revocation_file, fb_clock_wall_ns(),
                             s->config->max_ttl_s, err);
    fb_buf_done(&text);
    return rc;
}

static int open_revocation_dir(struct au_server *s, struct fb_err *err)
{
    int fd = open(s->revocation_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open the directory of the revocation file, '%s'",
                          s->revocation_dir);
    fb_fd_close(&s->revocation_dir_fd);
    s->revocation_dir_fd = fd;
    return 0;
}

static void on_revocation_change(void *arg, bool replaced)
{
    struct au_server *s = arg;
    struct fb_err err = { 0 };
    size_t before = s->revocations.n;
    int rc = replaced ? open_revocation_dir(s, &err) : 0;

    if (rc == 0)
        rc = read_revocations(s, &err);
    if (rc < 0 && !(err.code == FB_E_IO && err.os_errno == ENOENT)) /* being replaced: the next event brings it */
        fb_log_err(FB_LOG_ERROR, "revocations could not be read; what is known stays revoked", &err);
    if (s->revocations.n == before)
        return;
    FB_LOG(FB_LOG_INFO, "revocations added", FB_KU("added", s->revocations.n - before),
           FB_KU("revocations_total", s->revocations.n));
    au_service_revocations_added(&s->service);
}

/* ---- start ---- */

static int load_revocations(struct au_server *s, struct fb_err *err)
{
    const char *path = s->config->revocation_file;
    const char *slash = strrchr(path, '/');

    s->revocation_dir = fb_fs_dirname(path);
    s->revocation_name = strdup(slash == NULL ? path : slash + 1);
    if (s->revocation_dir == NULL || s->revocation_name == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    int rc = open_revocation_dir(s, err);
    if (rc != 0)
        return rc;
    /* Made empty when absent, so that an operator finds where to write. */
    int fd =
        openat(s->revocation_dir_fd, s->revocation_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 && errno != EEXIST)
        return fb_err_sys(err, FB_E_IO, errno, "cannot create revocation file '%s'", path);
    fb_fd_close(&fd);
    rc = read_revocations(s, err);
    return rc < 0 ? rc : 0;
}

static int place_watches(struct au_server *s, struct fb_err *err)
{
    int rc = au_dirhub_new(s->loop, s->config->watch_delay_ms, &s->changes, err);

    if (rc == 0)
        rc = au_dirwatch_add(s->changes, s->enforcement.dir, NULL, on_enforcement_change, s, err);
    if (rc == 0)
        rc = au_dirwatch_add(s->changes, s->issuance.dir, NULL, on_issuance_change, s, err);
    if (rc == 0)
        rc = au_dirwatch_add(s->changes, s->revocation_dir, s->revocation_name, on_revocation_change, s, err);
    return rc;
}

static int bind_one(const struct sockaddr *sa, socklen_t len)
{
    int one = 1;
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, sa, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    int e = errno;
    fb_fd_close(&fd);
    errno = e;
    return -1;
}

static int bind_listener(struct au_server *s, int *ret_fd, struct fb_err *err)
{
    const struct au_config *c = s->config;
    const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

    *ret_fd = bind_one((const struct sockaddr *)&c->addr, c->addr_len);
    if (*ret_fd < 0 && c->loopback_fallback) /* a host without ::1 */
        *ret_fd = bind_one((const struct sockaddr *)&v4, sizeof(v4));
    if (*ret_fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot listen on %s", c->listen_addr);
    return 0;
}

static int note_addr(struct au_server *s, int fd, struct fb_err *err)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = { 0 };
    socklen_t len = sizeof(a);
    char host[INET6_ADDRSTRLEN];

    if (getsockname(fd, &a.sa, &len) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot read the listening address");
    if (a.sa.sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
        snprintf(s->addr, sizeof(s->addr), "[%s]:%u", host, (unsigned)ntohs(a.v6.sin6_port));
    } else {
        inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
        snprintf(s->addr, sizeof(s->addr), "%s:%u", host, (unsigned)ntohs(a.v4.sin_port));
    }
    return 0;
}

static int serve(struct au_server *s, struct fb_err *err)
{
    int fd = -1;

    s->service = (struct au_service){ .loop = s->loop,
                                      .config = s->config,
                                      .key = &s->key,
                                      .enforcement = &s->enforcement,
                                      .issuance = &s->issuance,
                                      .revocations = &s->revocations };
    au_service_init(&s->service);
    int rc = bind_listener(s, &fd, err);
    if (rc == 0)
        rc = note_addr(s, fd, err);
    if (rc == 0)
        rc = rp_server_new(s->loop, s->service.methods, &s->rpc, err);
    if (rc != 0) {
        fb_fd_close(&fd);
        return rc;
    }
    return rp_server_listen(s->rpc, fd, err);
}

/* Other programs read these four lines; words and order are a contract. */
static void log_ready(const struct au_server *s)
{
    FB_LOG(FB_LOG_INFO, "config loaded", FB_KZ("policy_dir", s->config->policy_dir),
           FB_KZ("listen_addr", s->config->listen_addr));
    FB_LOG(FB_LOG_INFO, "policy bundle loaded", FB_KU("policies", s->enforcement.now->n_files));
    FB_LOG(FB_LOG_INFO, "listening", FB_KZ("addr", s->addr));
    fb_log_write(FB_LOG_INFO, "authority ready", (const struct fb_kv[]){ FB_KV_LAST });
}

static int start(struct au_server *s, struct fb_err *err)
{
    const struct au_config *c = s->config;

    FB_LOG(FB_LOG_INFO, "authority starting", FB_KZ("configured_addr", c->listen_addr),
           FB_KZ("policies", c->policy_dir));
    FB_LOG(FB_LOG_WARN, "mini authority: one process, no high availability, no access control; not for production",
           FB_KI("pid", getpid()));
    int rc = tk_keyfile_read_secret(c->key_file, &s->key, err);
    if (rc != 0)
        return err == NULL ? rc : fb_err_wrap(err, "key_file '%s'", c->key_file);
    rc = au_store_open(&s->enforcement, "policy", c->policy_dir, c->schema_path, err);
    if (rc == 0)
        rc = au_store_open(&s->issuance, "issuance policy", c->issuance_policy_dir, c->schema_path, err);
    if (rc == 0)
        rc = load_revocations(s, err);
    if (rc == 0)
        rc = place_watches(s, err);
    if (rc == 0)
        rc = serve(s, err);
    if (rc == 0)
        log_ready(s);
    return rc;
}

int au_server_start(struct fb_loop *loop, const struct au_config *config, struct au_server **ret, struct fb_err *err)
{
    struct au_server *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    s->loop = loop;
    s->config = config;
    s->enforcement.dir_fd = s->issuance.dir_fd = s->revocation_dir_fd = -1;
    au_revlog_init(&s->revocations);
    int rc = start(s, err);
    if (rc != 0) {
        au_server_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

const char *au_server_addr(const struct au_server *s)
{
    return s->addr;
}

static void on_drained(void *arg)
{
    struct au_server *s = arg;

    fb_loop_stop(s->loop);
}

void au_server_drain(struct au_server *s)
{
    fb_log_write(FB_LOG_INFO, "authority stopping", (const struct fb_kv[]){ FB_KV_LAST });
    au_dirhub_stop(s->changes);
    rp_server_drain(s->rpc, AU_DRAIN_GRACE_MS, on_drained, s);
}

void au_server_free(struct au_server *s)
{
    if (s == NULL)
        return;
    rp_server_free(s->rpc);
    au_service_done(&s->service);
    au_dirhub_free(s->changes);
    au_store_done(&s->enforcement);
    au_store_done(&s->issuance);
    au_revlog_done(&s->revocations);
    fb_fd_close(&s->revocation_dir_fd);
    free(s->revocation_dir);
    free(s->revocation_name);
    tk_keyfile_wipe(&s->key);
    free(s);
}
