/* Liveness of a marker's process, with reused pids told apart. */
#include "stack/live.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/num.h"
#include "base/proc.h"
#include "base/toml.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { META_MAX_BYTES = 64 << 10, START_SLACK_S = 2 };

/* Wall-clock second at which the machine booted, 0 when unknown. */
static int64_t boot_unix_s(void)
{
    struct timespec boot;
    struct timespec wall;
    if (clock_gettime(CLOCK_BOOTTIME, &boot) < 0 || clock_gettime(CLOCK_REALTIME, &wall) < 0)
        return 0;
    return (int64_t)wall.tv_sec - (int64_t)boot.tv_sec;
}

bool st_live_process(pid_t pid, uint64_t start_ticks, int64_t recorded_unix_s)
{
    if (pid <= 0)
        return false;
    /* EPERM: somebody else's process, but alive. */
    if (kill(pid, 0) < 0 && errno != EPERM)
        return false;
    uint64_t ticks = 0;
    if (fb_proc_start_time(pid, &ticks) < 0)
        return false;
    if (start_ticks != 0)
        return ticks == start_ticks;
    long hz = sysconf(_SC_CLK_TCK);
    int64_t boot = boot_unix_s();
    if (recorded_unix_s == 0 || hz <= 0 || boot == 0)
        return true;
    int64_t started = boot + (int64_t)(ticks / (uint64_t)hz);
    return started <= recorded_unix_s + START_SLACK_S;
}

static int64_t recorded_time(int dir)
{
    struct stat st;
    return fstatat(dir, "sidecar.pid", &st, AT_SYMLINK_NOFOLLOW) == 0 ? (int64_t)st.st_mtim.tv_sec : 0;
}

static enum st_live judge(int dir, const struct fb_toml_doc *doc)
{
    const struct fb_toml *pid = fb_toml_get(fb_toml_root(doc), "pid");
    const struct fb_toml *ticks = fb_toml_get(fb_toml_root(doc), "pid_start_ticks");
    if (pid == NULL || pid->kind != FB_TOML_INTEGER || pid->i < 0 || pid->i > INT32_MAX)
        return ST_LIVE_UNSURE;
    uint64_t start = ticks != NULL && ticks->kind == FB_TOML_INTEGER && ticks->i > 0 ? (uint64_t)ticks->i : 0;
    return st_live_process((pid_t)pid->i, start, recorded_time(dir)) ? ST_LIVE_YES : ST_LIVE_DEAD;
}

enum st_live st_live_marker(int run_fd, const char *id)
{
    fb_auto(fb_fd_close) int dir = openat(run_fd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return errno == ENOENT ? ST_LIVE_NONE : ST_LIVE_UNSURE;
    struct fb_buf text;
    fb_buf_init(&text, META_MAX_BYTES);
    struct fb_toml_doc *doc = NULL;
    enum st_live live = ST_LIVE_UNSURE;
    if (fb_fs_read_at(dir, "metadata.toml", FB_FS_ANY, &text, NULL) == 0 &&
        fb_toml_parse(fb_buf_str(&text), "metadata.toml", &doc, NULL) == 0)
        live = judge(dir, doc);
    fb_toml_free(doc);
    fb_buf_done(&text);
    return live;
}
