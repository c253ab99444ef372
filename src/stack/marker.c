/* Making and removing the marker of a run. */
#include "stack/marker.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/toml.h"
#include "stack/live.h"
#include "stack/placeholders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROW_PREFIX ".new-"
enum { META_MAX_BYTES = 64 << 10 };

static void grow_name(char out[80], const char *id)
{
    snprintf(out, 80, GROW_PREFIX "%s", id);
}

/* Serialises making and collecting, so that a directory without its lock file yet is never taken for an orphan. */
int st_marker_lock(int run_fd)
{
    int fd = openat(run_fd, ".lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX) < 0)
        fb_fd_close(&fd);
    return fd;
}

bool st_marker_is_held(int dir_fd)
{
    fb_auto(fb_fd_close) int lock = openat(dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (lock < 0)
        return errno != ENOENT;
    return flock(lock, LOCK_EX | LOCK_NB) < 0;
}

/* True when nobody holds the lock of the growing directory @name. */
static bool is_orphan(int run_fd, const char *name)
{
    fb_auto(fb_fd_close) int dir = openat(run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return dir >= 0 && !st_marker_is_held(dir);
}

void st_marker_clear_traces(int run_fd, const char *name, const char *id)
{
    fb_auto(fb_fd_close) int dir = openat(run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir >= 0)
        st_placeholders_clear(dir);
    char file[80];
    fb_auto(fb_fd_close) int tokens = openat(run_fd, "../capabilities", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tokens >= 0 && snprintf(file, sizeof file, "%s.toml", id) < (int)sizeof file)
        (void)unlinkat(tokens, file, 0);
}

static int remove_dead(int run_fd, const char *name, const char *id, struct fb_err *err)
{
    st_marker_clear_traces(run_fd, name, id);
    return fb_fs_remove_tree_at(run_fd, name, err);
}

void st_marker_collect_unfinished(int run_fd)
{
    fb_auto(fb_fd_close) int guard = st_marker_lock(run_fd);
    int copy = guard < 0 ? -1 : openat(run_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy < 0 ? NULL : fdopendir(copy);
    if (d == NULL) {
        fb_fd_close(&copy);
        return;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (strncmp(e->d_name, GROW_PREFIX, strlen(GROW_PREFIX)) == 0 && is_orphan(run_fd, e->d_name))
            (void)remove_dead(run_fd, e->d_name, e->d_name + strlen(GROW_PREFIX), NULL);
    closedir(d);
}

/* The id must not name a live run; a dead one's marker makes room. */
static int claim_id(struct st_marker *m, const char *name, struct fb_err *err)
{
    enum st_live live = st_live_marker(m->run_fd, m->id);
    if (live == ST_LIVE_YES || live == ST_LIVE_UNSURE)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "sandbox id '%s' is in use by a live run", m->id);
    fb_auto(fb_fd_close) int old = openat(m->run_fd, m->id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (live == ST_LIVE_DEAD && old >= 0 && st_marker_is_held(old))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "sandbox id '%s' is in use by a run that is ending", m->id);
    int r = live == ST_LIVE_DEAD ? remove_dead(m->run_fd, m->id, m->id, err) : 0;
    if (r < 0)
        return r;
    if (faccessat(m->run_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    if (!is_orphan(m->run_fd, name))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "sandbox id '%s' is in use by a run that is starting", m->id);
    return remove_dead(m->run_fd, name, m->id, err);
}

static int make_growing(struct st_marker *m, struct fb_err *err)
{
    char name[80];
    grow_name(name, m->id);
    fb_auto(fb_fd_close) int guard = st_marker_lock(m->run_fd);
    if (guard < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot lock the directory of markers");
    int r = claim_id(m, name, err);
    if (r < 0)
        return r;
    m->dir_fd = fb_fs_private_dir_at(m->run_fd, name, err);
    if (m->dir_fd < 0)
        return m->dir_fd;
    m->lock_fd = openat(m->dir_fd, "lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (m->lock_fd < 0 || flock(m->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot lock the marker of '%s'", m->id);
    return 0;
}

int st_marker_begin(struct st_marker *m, const char *state_dir, const char *id, struct fb_err *err)
{
    *m = (struct st_marker){ .run_fd = -1, .dir_fd = -1, .lock_fd = -1 };
    snprintf(m->id, sizeof m->id, "%s", id);
    char name[80];
    grow_name(name, id);
    fb_auto(fb_fd_close) int state_fd = fb_fs_private_dir(state_dir, err);
    if (state_fd < 0)
        return state_fd;
    m->run_fd = fb_fs_private_dir_at(state_fd, "run", err);
    if (m->run_fd < 0)
        return m->run_fd;
    if (asprintf(&m->path, "%s/run/%s", state_dir, id) < 0 || asprintf(&m->grow_path, "%s/run/%s", state_dir, name) < 0)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    st_marker_collect_unfinished(m->run_fd);
    int r = make_growing(m, err);
    if (r < 0)
        st_marker_done(m, false, NULL);
    return r;
}

static int add_key(struct fb_buf *out, const char *key, struct fb_str value)
{
    fb_buf_addf(out, "%s = ", key);
    fb_toml_quote(out, value);
    return fb_buf_addc(out, '\n');
}

static void format_meta(struct fb_buf *out, const struct st_marker_meta *meta)
{
    char started[FB_CLOCK_TEXT_BYTES];
    fb_clock_format(started, meta->started_at_ns, 0, true);
    add_key(out, "sandbox_id", meta->sandbox_id);
    add_key(out, "agent_id", meta->agent_id);
    add_key(out, "session_id", meta->session_id);
    add_key(out, "authority_url", meta->authority_url);
    add_key(out, "policy_bundle_version", meta->policy_bundle_version);
    fb_buf_addf(out, "pid = %d\n", (int)meta->pid);
    add_key(out, "started_at", fb_str_of(started));
    /* Beyond the published keys: tells a reused pid from ours. */
    uint64_t ticks = 0;
    if (fb_proc_start_time(meta->pid, &ticks) == 0)
        fb_buf_addf(out, "pid_start_ticks = %llu\n", (unsigned long long)ticks);
}

int st_marker_publish(struct st_marker *m, const struct st_marker_meta *meta, struct fb_err *err)
{
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%d\n", (int)meta->pid);
    int r = fb_fs_write_atomic_at(m->dir_fd, "sidecar.pid", 0600, pid, (size_t)n, false, err);
    if (r < 0)
        return r;
    struct fb_buf text;
    fb_buf_init(&text, META_MAX_BYTES);
    format_meta(&text, meta);
    r = fb_buf_failed(&text) ? fb_err_set(err, FB_E_NOMEM, "marker metadata too long")
                             : fb_fs_write_atomic_at(m->dir_fd, "metadata.toml", 0600, text.p, text.n, false, err);
    fb_buf_done(&text);
    if (r < 0)
        return r;
    char name[80];
    grow_name(name, m->id);
    fb_auto(fb_fd_close) int guard = st_marker_lock(m->run_fd);
    if (guard < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot lock the directory of markers");
    if (renameat(m->run_fd, name, m->run_fd, m->id) < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot publish the marker '%s'", m->path);
    m->published = true;
    return 0;
}

/* Somebody else may have collected ours and taken the name since. */
static bool is_ours(const struct st_marker *m, const char *name)
{
    struct stat here;
    struct stat there;
    return fstat(m->dir_fd, &here) == 0 && fstatat(m->run_fd, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

int st_marker_done(struct st_marker *m, bool keep, struct fb_err *err)
{
    int r = 0;
    if (m->dir_fd >= 0 && !keep) {
        char name[80];
        grow_name(name, m->id);
        fb_auto(fb_fd_close) int guard = st_marker_lock(m->run_fd);
        const char *current = m->published ? m->id : name;
        if (guard >= 0 && is_ours(m, current))
            r = fb_fs_remove_tree_at(m->run_fd, current, err);
    }
    fb_fd_close(&m->lock_fd);
    fb_fd_close(&m->dir_fd);
    fb_fd_close(&m->run_fd);
    free(m->path);
    free(m->grow_path);
    m->path = NULL;
    m->grow_path = NULL;
    return r;
}
