/* The thread that syncs, so that a slow disk never stands between a call and its line. */
#include "audit/log_int.h"

#include "base/fd.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int sync_all(const struct fa_sync *s)
{
    /* The log first: a head on disk that is ahead of its log would look like a cut. */
    if (fdatasync(s->fd) != 0)
        return errno;
    if (s->head_fd >= 0 && fdatasync(s->head_fd) != 0)
        return errno;
    return s->dir_fd >= 0 && fsync(s->dir_fd) != 0 ? errno : 0;
}

static void close_all(struct fa_sync *s)
{
    fb_fd_close(&s->fd);
    fb_fd_close(&s->head_fd);
    fb_fd_close(&s->dir_fd);
}

void *fa_sync_main(void *arg)
{
    struct fa_log *log = arg;
    struct fa_sync *s = &log->sync;
    (void)pthread_mutex_lock(&log->lock);
    for (;;) {
        while (!s->asked && !s->stop)
            (void)pthread_cond_wait(&s->cond, &log->lock);
        if (!s->asked)
            break;
        s->asked = false;
        struct fa_sync now = *s; /* the descriptors are ours until `done` is set */
        (void)pthread_mutex_unlock(&log->lock);
        int failed = sync_all(&now);
        (void)pthread_mutex_lock(&log->lock);
        close_all(s);
        s->os_errno = failed;
        s->busy = false;
        s->done = true;
        (void)pthread_cond_signal(&log->cond);
    }
    (void)pthread_mutex_unlock(&log->lock);
    return NULL;
}

void fa_sync_start(struct fa_log *log)
{
    struct fa_file *f = &log->file;
    struct fa_sync *s = &log->sync;
    int fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
    int head_fd = f->head_fd < 0 ? -1 : fcntl(f->head_fd, F_DUPFD_CLOEXEC, 3);
    int dir_fd = -1;
    if (f->unsynced_dir) {
        char *dir = fb_fs_dirname(f->path);
        dir_fd = dir == NULL ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        free(dir);
        f->unsynced_dir = false;
    }
    int failed = 0;
    if (fd < 0) /* out of descriptors: then here and now */
        failed = fdatasync(f->fd) != 0 ? errno : 0;
    (void)pthread_mutex_lock(&log->lock);
    s->fd = fd;
    s->head_fd = head_fd;
    s->dir_fd = dir_fd;
    if (fd < 0) {
        close_all(s);
        s->done = true;
        s->os_errno = failed;
    } else {
        s->asked = true;
        s->busy = true;
        (void)pthread_cond_signal(&s->cond);
    }
    (void)pthread_mutex_unlock(&log->lock);
}

bool fa_sync_take(struct fa_log *log, int *ret_errno)
{
    (void)pthread_mutex_lock(&log->lock);
    bool done = log->sync.done;
    log->sync.done = false;
    *ret_errno = log->sync.os_errno;
    (void)pthread_mutex_unlock(&log->lock);
    return done;
}

bool fa_sync_is_busy(struct fa_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    bool busy = log->sync.busy || log->sync.done;
    (void)pthread_mutex_unlock(&log->lock);
    return busy;
}

void fa_sync_stop(struct fa_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    log->sync.stop = true;
    (void)pthread_cond_signal(&log->sync.cond);
    (void)pthread_mutex_unlock(&log->lock);
}
