/* The two ways an Authority lives: in the foreground, and as a launcher's child. */
#include "authority/authority.h"
#include "authority/config.h"
#include "authority/rundir.h"
#include "authority/server.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "stack/child.h"
#include "token/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- foreground ---- */

static void on_signal(void *arg, int sig)
{
    (void)sig;
    au_server_drain(arg);
}

static int run_foreground(const struct au_config *config, struct fb_err *err)
{
    struct fb_loop *loop = NULL;
    struct au_server *server = NULL;
    int rc = fb_loop_new(&loop, err);

    if (rc != 0)
        return rc;
    rc = au_server_start(loop, config, &server, err);
    if (rc == 0)
        rc = fb_loop_on_signal(loop, SIGINT, on_signal, server, err);
    if (rc == 0)
        rc = fb_loop_on_signal(loop, SIGTERM, on_signal, server, err);
    if (rc == 0)
        fb_loop_run(loop);
    au_server_free(server);
    fb_loop_free(loop);
    return rc;
}

int au_main(const char *config_path, struct fb_err *err)
{
    struct au_config config;
    int rc = au_config_load(config_path, &config, err);

    if (rc != 0)
        return rc;
    FB_LOG(FB_LOG_INFO, "config resolved", FB_KZ("path", config.path), FB_KZ("source", config.source));
    signal(SIGPIPE, SIG_IGN);
    rc = run_foreground(&config, err);
    au_config_done(&config);
    return rc;
}

/* ---- child ---- */

struct child {
    int ctl;
    struct fb_loop *loop;
    struct fb_watch *watch;
    struct au_config config;
    struct au_server *server;
    struct st_msg start;
    char run_dir[4096]; /* "" when the configuration was given */
    char profile[64];
    int log_fd;
    bool stopping;
};

static int wait_for_start(struct child *c, struct fb_err *err)
{
    int rc = st_child_recv(c->ctl, &c->start, err);

    if (rc == 1)
        return fb_err_set(err, FB_E_CANCELLED, "the launcher is gone");
    if (rc == 0 && c->start.type != ST_MSG_START)
        return fb_err_set(err, FB_E_INTERNAL, "the launcher's first message is not START");
    return rc;
}

static int copy_value(const struct st_msg *m, const char *key, const char *fallback, char *out, size_t cap,
                      struct fb_err *err)
{
    struct fb_str v = st_msg_get(m, key);

    if (v.p == NULL)
        v = fb_str_of(fallback);
    if (v.n >= cap)
        return fb_err_set(err, FB_E_LIMIT, "START: '%s' is too long", key);
    memcpy(out, v.p, v.n);
    out[v.n] = '\0';
    return 0;
}

/* The four ready lines are read by others: no filter of the user may silence them. */
static int open_log(struct child *c, struct fb_err *err)
{
    struct fb_str path = st_msg_get(&c->start, "log");

    if (!fb_log_enabled(FB_LOG_INFO))
        fb_log_set_level(FB_LOG_INFO);
    if (path.p == NULL || path.n == 0)
        return 0;
    c->log_fd = open(path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
    if (c->log_fd < 0)
        return fb_err_sys(err, FB_E_AUTHORITY_STARTUP_FAILED, errno, "cannot open log file '%s'", path.p);
    fb_log_set_fd(c->log_fd);
    return 0;
}

static int load_config(struct child *c, struct fb_err *err)
{
    struct fb_str config = st_msg_get(&c->start, "config");
    int rc = copy_value(&c->start, "run_dir", "", c->run_dir, sizeof(c->run_dir), err);

    if (rc == 0)
        rc = copy_value(&c->start, "profile", "developer", c->profile, sizeof(c->profile), err);
    if (rc != 0)
        return rc;
    if (c->run_dir[0] != '\0')
        return au_rundir_make(c->run_dir, c->profile, &c->start, &c->config, err);
    if (config.p == NULL)
        return fb_err_set(err, FB_E_INTERNAL, "START names neither config nor run_dir");
    return au_config_load(config.p, &c->config, err);
}

static int say_ready(struct child *c, struct fb_err *err)
{
    char *public_key = tk_keyfile_public_path(c->config.key_file);

    if (public_key == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    const struct st_pair pairs[] = {
        { FB_STR("addr"), fb_str_of(au_server_addr(c->server)) },
        { FB_STR("public_key"), fb_str_of(public_key) },
    };
    int rc = st_child_send(c->ctl, ST_MSG_READY, pairs, FB_COUNT(pairs), NULL, 0, err);
    free(public_key);
    return rc;
}

static void stop(struct child *c)
{
    if (c->stopping)
        return;
    c->stopping = true;
    (void)fb_watch_set(c->watch, 0);
    au_server_drain(c->server);
}

static void on_control(void *arg, int ready)
{
    struct child *c = arg;

    (void)ready;
    for (;;) {
        struct st_msg m = { 0 };
        int rc = st_child_recv(c->ctl, &m, NULL);
        if (rc == 2)
            return;
        enum st_msg_type type = rc == 0 ? m.type : ST_MSG_NONE;
        st_msg_done(&m);
        if (rc == 1) { /* nobody is left to serve */
            fb_loop_stop(c->loop);
            return;
        }
        if (rc < 0 || type == ST_MSG_STOP) {
            stop(c);
            return;
        }
    }
}

static void on_child_signal(void *arg, int sig)
{
    (void)sig;
    stop(arg);
}

static int child_start(struct child *c, struct fb_err *err)
{
    int rc = wait_for_start(c, err);

    if (rc == 0)
        rc = open_log(c, err);
    if (rc == 0)
        rc = load_config(c, err);
    if (rc == 0)
        rc = fb_loop_new(&c->loop, err);
    if (rc == 0)
        rc = au_server_start(c->loop, &c->config, &c->server, err);
    if (rc == 0 && c->run_dir[0] != '\0')
        rc = au_rundir_note_ready(c->run_dir, c->profile, &c->start, au_server_addr(c->server), err);
    if (rc == 0 && fb_fd_set_nonblock(c->ctl) != 0)
        rc = fb_err_sys(err, FB_E_IO, errno, "cannot prepare the control socket");
    if (rc == 0)
        rc = fb_watch_new(c->loop, c->ctl, on_control, c, &c->watch, err);
    if (rc == 0)
        rc = fb_watch_set(c->watch, FB_READABLE);
    if (rc == 0)
        rc = fb_loop_on_signal(c->loop, SIGTERM, on_child_signal, c, err);
    return rc == 0 ? say_ready(c, err) : rc;
}

int au_child(int ctl_fd)
{
    struct child c = { .ctl = ctl_fd, .log_fd = -1 };
    struct fb_err err = { 0 };

    signal(SIGPIPE, SIG_IGN);
    int rc = child_start(&c, &err);
    if (rc == 0) {
        fb_loop_run(c.loop);
    } else if (rc != FB_E_CANCELLED) {
        fb_log_err(FB_LOG_ERROR, "authority did not start", &err);
        st_child_fail(c.ctl, &err);
    }
    fb_watch_free(c.watch);
    au_server_free(c.server);
    fb_loop_free(c.loop);
    au_config_done(&c.config);
    st_msg_done(&c.start);
    fb_fd_close(&c.ctl);
    if (c.log_fd >= 0) {
        fb_log_set_fd(2);
        fb_fd_close(&c.log_fd);
    }
    return rc == 0 ? 0 : 1;
}
