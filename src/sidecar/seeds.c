/* All files or none: a reload that fails leaves the map as it was. */
#include "sidecar/seeds.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "enforce/engine.h"
#include "token/seed.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <unistd.h>

struct sc_seeds {
    struct fe_engine *engine;
    char **paths;
    size_t n_paths;
    struct tk_public_key key;
    int64_t leeway_ns;
    char *session_id;
    int64_t high_wall_ns; /* the latest time seen, and when that was: setting the clock back revives nothing */
    int64_t high_mono_ns;
    int inotify;
    struct fb_watch *watch;
    struct fb_timer *settle;
};

static int check_session(const struct sc_seeds *s, const char *path, const struct tk_claims *claims, struct fb_err *err)
{
    if (s->session_id[0] == '\0' || fb_str_eqz(claims->session_id, s->session_id))
        return 0;
    return fb_err_set(err, FB_E_CAPABILITY, "invalid capability seed '%s': it belongs to another session", path);
}

static int64_t clamped_now_ns(struct sc_seeds *s)
{
    int64_t wall = fb_clock_wall_ns();
    int64_t mono = fb_clock_mono_ns();
    int64_t least = s->high_wall_ns + (mono - s->high_mono_ns);
    if (s->high_wall_ns != 0 && wall < least)
        wall = least;
    s->high_wall_ns = wall;
    s->high_mono_ns = mono;
    return wall;
}

/* *@ret_n of @seeds are filled, also on failure. */
static int read_all(struct sc_seeds *s, struct tk_seed *seeds, size_t *ret_n, struct fb_err *err)
{
    int64_t now = clamped_now_ns(s);
    size_t expired = 0;
    for (size_t i = 0; i < s->n_paths; i++) {
        enum tk_fault fault = TK_FAULT_NONE;
        int r = tk_seed_read(s->paths[i], &s->key, now, s->leeway_ns, &seeds[*ret_n], &fault, err);
        if (fault == TK_FAULT_EXPIRED) {
            FB_LOG(FB_LOG_WARN, "capability seed has expired; issue a new one for the same session",
                   FB_KZ("path", s->paths[i]));
            expired++;
            continue;
        }
        if (r < 0)
            return r;
        (*ret_n)++;
        r = check_session(s, s->paths[i], &seeds[*ret_n - 1].claims, err);
        if (r < 0)
            return r;
    }
    if (expired > 0 && *ret_n == 0)
        return err->code != 0 ? err->code : FB_E_TOKEN_EXPIRED;
    return 0;
}

static int load(struct sc_seeds *s, size_t *ret_loaded, struct fb_err *err)
{
    struct tk_seed *seeds = calloc(s->n_paths + 1, sizeof *seeds);
    const struct tk_claims **claims = calloc(s->n_paths + 1, sizeof *claims);
    size_t n = 0;
    size_t useless = 0;
    int r = seeds == NULL || claims == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : read_all(s, seeds, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        claims[i] = &seeds[i].claims;
    if (r == 0)
        r = fe_engine_set_capabilities(s->engine, claims, n, &useless, err);
    if (r == 0 && useless > 0)
        FB_LOG(FB_LOG_WARN, "capability scopes that cover nothing", FB_KU("count", useless));
    for (size_t i = 0; seeds != NULL && i < n; i++)
        tk_seed_done(&seeds[i]);
    free(seeds);
    free(claims);
    *ret_loaded = n;
    return r;
}

/* --- reload --- */

int sc_seeds_reload(struct sc_seeds *s)
{
    struct fb_err err = { 0 };
    size_t n = 0;
    int r = load(s, &n, &err);
    if (r == 0) {
        FB_LOG(FB_LOG_INFO, "capability map hot-reloaded from updated seed file(s)", FB_KU("count", n));
        return 0;
    }
    /* A run removes its file when it ends: nothing to shout about. */
    enum fb_log_level level = err.os_errno == ENOENT ? FB_LOG_DEBUG : FB_LOG_ERROR;
    fb_log_err(level, "capability seed reload failed; keeping previous map (it will fail closed on its own expiry)", &err);
    return r;
}

static void on_settled(void *arg)
{
    (void)sc_seeds_reload(arg);
}

static bool is_ours(const struct sc_seeds *s, const char *name)
{
    for (size_t i = 0; i < s->n_paths; i++) {
        const char *slash = strrchr(s->paths[i], '/');
        if (strcmp(slash == NULL ? s->paths[i] : slash + 1, name) == 0)
            return true;
    }
    return false;
}

static void on_changes(void *arg, int ready)
{
    struct sc_seeds *s = arg;
    _Alignas(struct inotify_event) char buf[4 * (sizeof(struct inotify_event) + NAME_MAX + 1)];
    bool hit = false;
    (void)ready;
    for (;;) {
        ssize_t n = read(s->inotify, buf, sizeof buf);
        if (n <= 0)
            break;
        for (char *p = buf; p < buf + n;) {
            const struct inotify_event *ev = (const struct inotify_event *)(const void *)p;
            hit = hit || (ev->mask & IN_Q_OVERFLOW) != 0 || (ev->len > 0 && is_ours(s, ev->name));
            p += sizeof *ev + ev->len;
        }
    }
    if (hit)
        fb_timer_start(s->settle, SC_SEEDS_SETTLE_MS, 0);
}

static int watch_dirs(struct fb_loop *loop, struct sc_seeds *s, struct fb_err *err)
{
    s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (s->inotify < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot watch the capability seeds");
    for (size_t i = 0; i < s->n_paths; i++) {
        char *dir = fb_fs_dirname(s->paths[i]);
        if (dir == NULL)
            return fb_err_set(err, FB_E_NOMEM, "out of memory");
        int wd = inotify_add_watch(s->inotify, dir, IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_MOVED_FROM);
        free(dir);
        if (wd < 0)
            return fb_err_sys(err, FB_E_IO, errno, "cannot watch the directory of '%s'", s->paths[i]);
    }
    int r = fb_timer_new(loop, on_settled, s, &s->settle, err);
    if (r == 0)
        r = fb_watch_new(loop, s->inotify, on_changes, s, &s->watch, err);
    if (r == 0)
        r = fb_watch_set(s->watch, FB_READABLE);
    return r;
}

static int copy_paths(struct sc_seeds *s, const struct sc_seeds_options *o)
{
    s->paths = calloc(o->n_paths + 1, sizeof *s->paths);
    s->session_id = fb_str_dupz(o->session_id);
    if (s->paths == NULL || s->session_id == NULL)
        return FB_E_NOMEM;
    for (size_t i = 0; i < o->n_paths; i++) {
        s->paths[i] = fb_str_dupz(fb_str_of(o->paths[i]));
        if (s->paths[i] == NULL)
            return FB_E_NOMEM;
        s->n_paths++;
    }
    return 0;
}

int sc_seeds_new(struct fb_loop *loop, struct fe_engine *engine, const struct sc_seeds_options *o, size_t *ret_loaded,
                 struct sc_seeds **ret, struct fb_err *err)
{
    struct fb_err local = { 0 };
    err = err == NULL ? &local : err;
    if (o->n_paths > SC_SEEDS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d capability seeds", (int)SC_SEEDS_MAX);
    struct sc_seeds *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    s->engine = engine;
    s->inotify = -1;
    s->leeway_ns = o->leeway_ns;
    if (o->key != NULL)
        s->key = *o->key;
    int r = copy_paths(s, o);
    if (r < 0)
        (void)fb_err_set(err, r, "out of memory");
    if (r == 0 && o->watch && s->n_paths > 0)
        r = watch_dirs(loop, s, err); /* before loading: a change in between is seen */
    if (r == 0)
        r = load(s, ret_loaded, err);
    if (r < 0) {
        sc_seeds_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void sc_seeds_free(struct sc_seeds *s)
{
    if (s == NULL)
        return;
    fb_watch_free(s->watch);
    fb_timer_free(s->settle);
    fb_fd_close(&s->inotify);
    for (size_t i = 0; i < s->n_paths; i++)
        free(s->paths[i]);
    free(s->paths);
    free(s->session_id);
    free(s);
}
