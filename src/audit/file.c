/* Opening, locking and writing the log file. */
#include "audit/file.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEXT_FILES_MAX = 1000, OPEN_ROUNDS_MAX = 8, SPACE_STEPS = 8 };

static char *with_suffix(const char *path, const char *suffix)
{
    char *out = NULL;
    return asprintf(&out, "%s%s", path, suffix) < 0 ? NULL : out;
}

int fa_file_init(struct fa_file *f, const char *path, const char *head_path, struct fa_key *key, struct fa_notes *notes)
{
    *f = (struct fa_file){ .key = key, .notes = notes, .fd = -1, .head_fd = -1 };
    if (path != NULL)
        f->base = strdup(path);
    if (head_path != NULL)
        f->base_head = strdup(head_path);
    else if (path != NULL)
        f->base_head = with_suffix(path, ".head");
    if ((path != NULL && f->base == NULL) || ((path != NULL || head_path != NULL) && f->base_head == NULL)) {
        fa_file_done(f);
        return FB_E_NOMEM;
    }
    return 0;
}

static void shut(struct fa_file *f)
{
    fb_fd_close(&f->fd);
    fb_fd_close(&f->head_fd);
    free(f->path);
    free(f->head_path);
    f->path = NULL;
    f->head_path = NULL;
    f->space_end = 0;
    f->can_reserve = false;
}

void fa_file_done(struct fa_file *f)
{
    if (f->key != NULL) /* else never readied: nothing is open */
        shut(f);
    free(f->base);
    free(f->base_head);
    f->base = NULL;
    f->base_head = NULL;
}

/* Ours, regular, and nobody else may write it: else an attacker owns the log's future. */
static int open_checked(const char *path, int flags, int *ret_fd, bool *ret_created, struct fb_err *err)
{
    struct stat st;
    *ret_created = false;
    int fb_auto(fb_fd_close) fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags, 0600);
    if (fd < 0 && errno == ENOENT) {
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | flags, 0600);
        *ret_created = true;
    }
    if (fd < 0 && errno == ELOOP)
        return fb_err_set(err, FB_E_INSECURE, "audit log '%s' is a symbolic link", path);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open audit log '%s'", path);
    if (fstat(fd, &st) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", path);
    if (!S_ISREG(st.st_mode))
        return fb_err_set(err, FB_E_INSECURE, "audit log '%s' is not a regular file", path);
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        return fb_err_set(err, FB_E_INSECURE, "audit log '%s' must belong to uid %u and be writable by nobody else",
                          path, (unsigned)geteuid());
    *ret_fd = fb_fd_take(&fd);
    return 0;
}

/* Another Sidecar holds a lock for microseconds; one that was stopped with it must not stop us for ever. */
static int lock_within(int fd, int how, const char *path, struct fb_err *err)
{
    int64_t until = fb_clock_mono_ms() + FA_LOCK_WAIT_MS;
    int wait_ms = 0;
    while (flock(fd, how | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return fb_err_sys(err, FB_E_IO, errno, "cannot lock '%s'", path);
        if (fb_clock_mono_ms() >= until)
            return fb_err_set(err, FB_E_TIMEOUT, "another process keeps '%s' locked", path);
        struct timespec pause = { 0, wait_ms == 0 ? 50000 : wait_ms * 1000000L };
        (void)ppoll(NULL, 0, &pause, NULL);
        wait_ms = wait_ms < 8 ? wait_ms + 1 : 8;
    }
    return 0;
}

static int open_pair(struct fa_file *f, struct fb_err *err)
{
    bool created = false;
    bool head_created = false;
    int rc = open_checked(f->path, O_APPEND, &f->fd, &created, err);
    if (rc == 0)
        rc = open_checked(f->head_path, 0, &f->head_fd, &head_created, err);
    /* Held for as long as we write here: the last one to leave gives the space back. */
    if (rc == 0)
        rc = lock_within(f->head_fd, LOCK_SH, f->head_path, err);
    /* Its two records get their room now, so that a full disk never stops the head. */
    if (rc == 0 && fallocate(f->head_fd, 0, 0, FA_HEAD_FILE_BYTES) != 0 && errno == ENOSPC)
        fa_notes_add(f->notes, true, "no room for the audit log's head '%s'", f->head_path);
    f->unsynced_dir = created || head_created;
    f->can_reserve = true;
    f->space_end = 0;
    return rc;
}

static int set_paths(struct fa_file *f, unsigned number, struct fb_err *err)
{
    char suffix[32] = "";
    if (number > 0)
        (void)snprintf(suffix, sizeof suffix, ".%u", number);
    f->path = with_suffix(f->base, suffix);
    f->head_path = number == 0 ? strdup(f->base_head) : with_suffix(f->path, ".head");
    return f->path == NULL || f->head_path == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : 0;
}

static int open_stdout(struct fa_file *f, struct fb_err *err)
{
    f->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    if (f->fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot use standard output");
    if (f->base_head == NULL)
        return 0;
    bool created;
    f->head_path = strdup(f->base_head);
    int rc = f->head_path == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory")
                                  : open_checked(f->head_path, 0, &f->head_fd, &created, err);
    /* What went out on an earlier pipe is not ours to continue: each run is a chain of its own. */
    if (rc == 0 && ftruncate(f->head_fd, 0) != 0)
        rc = fb_err_sys(err, FB_E_IO, errno, "cannot empty '%s'", f->head_path);
    return rc;
}

int fa_file_open(struct fa_file *f, struct fb_err *err)
{
    if (f->base == NULL)
        return open_stdout(f, err);
    for (int round = 0; round < OPEN_ROUNDS_MAX; round++) {
        shut(f);
        f->generation = 0;
        int rc = set_paths(f, 0, err);
        if (rc == 0)
            rc = open_pair(f, err);
        if (rc == 0)
            rc = fa_file_lock(f, err);
        if (rc < 0) {
            shut(f);
            return rc;
        }
        rc = fa_file_reconcile(f, true, err);
        fa_file_unlock(f);
        if (rc == 0)
            return 0;
        if (rc < 0) {
            shut(f);
            return rc;
        }
    }
    shut(f);
    return fb_err_set(err, FB_E_IO, "audit log '%s' keeps being moved away", f->base);
}

int fa_file_next(struct fa_file *f, struct fb_err *err)
{
    for (unsigned number = 1; number <= NEXT_FILES_MAX; number++) {
        struct fa_file fresh = *f;
        fresh.path = fresh.head_path = NULL;
        fresh.fd = fresh.head_fd = -1;
        int rc = set_paths(&fresh, number, err);
        if (rc < 0)
            return rc;
        int probe = open(fresh.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (probe < 0 && errno == EEXIST) {
            shut(&fresh);
            continue;
        }
        if (probe < 0)
            rc = fb_err_sys(err, FB_E_IO, errno, "cannot create '%s'", fresh.path);
        else
            (void)close(probe);
        if (rc == 0)
            rc = open_pair(&fresh, err);
        if (rc < 0) {
            (void)unlink(fresh.path);
            shut(&fresh);
            return rc;
        }
        shut(f);
        *f = fresh;
        f->at = (struct fa_chain){ 0 };
        f->bytes = 0;
        f->generation = 0;
        f->head_seen_n = 0;
        f->unsynced_dir = true;
        return 0;
    }
    return fb_err_set(err, FB_E_IO, "%d files follow '%s' already", NEXT_FILES_MAX, f->base);
}

int fa_file_lock(struct fa_file *f, struct fb_err *err)
{
    if (f->base == NULL)
        return 0;
    return lock_within(f->fd, LOCK_EX, f->path, err);
}

void fa_file_unlock(struct fa_file *f)
{
    if (f->base != NULL && f->fd >= 0)
        (void)flock(f->fd, LOCK_UN);
}

/* True when @path still names the file behind @fd. */
static bool same_file(int fd, const char *path)
{
    struct stat ours;
    struct stat there;
    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && ours.st_ino == there.st_ino &&
           ours.st_dev == there.st_dev;
}

static int follow_rotation(struct fa_file *f, struct fb_err *err)
{
    fa_notes_add(f->notes, false, "audit log '%s' or its head was moved away after line %llu; it is opened afresh",
                 f->path, (unsigned long long)f->at.seq);
    if (fdatasync(f->fd) != 0)
        return fb_err_sys(err, FB_E_IO, EIO, "cannot sync the audit log that was '%s'", f->path);
    fa_file_unlock(f);
    int rc = fa_file_open(f, err);
    return rc < 0 ? rc : fa_file_lock(f, err);
}

int fa_file_refresh(struct fa_file *f, struct fb_err *err)
{
    if (f->base == NULL)
        return 0;
    for (int round = 0; round < OPEN_ROUNDS_MAX; round++) {
        bool same = same_file(f->fd, f->path) && same_file(f->head_fd, f->head_path);
        int rc = same ? 0 : follow_rotation(f, err);
        if (rc == 0)
            rc = fa_file_reconcile(f, false, err);
        if (rc <= 0)
            return rc;
    }
    return fb_err_set(err, FB_E_IO, "audit log '%s' keeps being moved away", f->path);
}

/* A reader that is slow to take a pipe's content is waited for; the bounded ring in front of us refuses new calls then.
 */
static int write_some(int fd, const char *p, size_t n, size_t *ret_done)
{
    *ret_done = 0;
    while (*ret_done < n) {
        ssize_t got = write(fd, p + *ret_done, n - *ret_done);
        if (got > 0) {
            *ret_done += (size_t)got;
        } else if (got == 0) {
            return EIO;
        } else if (errno == EAGAIN) {
            struct pollfd wait = { fd, POLLOUT, 0 };
            (void)poll(&wait, 1, 1000);
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

int fa_file_write(struct fa_file *f, struct fb_str lines, const struct fa_chain *after, struct fb_err *err)
{
    size_t done = 0;
    int why = 0;
    if (f->torn && write_some(f->fd, "\n", 1, &done) == 0)
        f->torn = false;
    done = 0;
    if (f->torn)
        why = EPIPE;
    else
        why = write_some(f->fd, lines.p, lines.n, &done);
    if (why == 0) {
        f->bytes += lines.n;
        f->at = *after;
        return 0;
    }
    if (f->base == NULL)
        f->torn = f->torn || done > 0;
    else if (done > 0 && ftruncate(f->fd, (off_t)f->bytes) != 0)
        return fb_err_sys(err, FB_E_IO, EIO, "cannot take half a line out of '%s' again", f->path);
    f->space_end = 0; /* cutting gave it back, or it was not there */
    return fb_err_sys(err, FB_E_IO, why, "cannot write the audit log '%s'",
                      f->base == NULL ? "standard output" : f->path);
}

int fa_file_write_head(struct fa_file *f, bool sealed, struct fb_err *err)
{
    if (f->head_fd < 0)
        return 0;
    struct fa_head head = { f->generation + 1, f->at, f->bytes, fb_clock_wall_ns(), sealed };
    char record[FA_HEAD_RECORD_BYTES];
    size_t offset = (size_t)(head.generation % 2) * FA_HEAD_RECORD_BYTES;
    if (fa_head_format(record, &head, f->key) < 0)
        return fb_err_set(err, FB_E_INTERNAL, "cannot sign the head of the audit log");
    ssize_t n = pwrite(f->head_fd, record, sizeof record, (off_t)offset);
    if (n != (ssize_t)sizeof record)
        return fb_err_sys(err, FB_E_IO, n < 0 ? errno : ENOSPC, "cannot write '%s'", f->head_path);
    f->generation = head.generation;
    if (f->head_seen_n < offset)
        memset(f->head_seen + f->head_seen_n, 0, offset - f->head_seen_n);
    memcpy(f->head_seen + offset, record, sizeof record);
    if (f->head_seen_n < offset + sizeof record)
        f->head_seen_n = offset + sizeof record;
    return 0;
}

void fa_file_reserve_space(struct fa_file *f, uint64_t end)
{
    uint64_t start = f->space_end > f->bytes ? f->space_end : f->bytes;
    if (!f->can_reserve || end <= start)
        return;
    uint64_t want = end - start;
    for (int step = 0; step < SPACE_STEPS && want >= 4096; step++) {
        if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)start, (off_t)want) == 0) {
            f->space_end = start + want;
            return;
        }
        if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) {
            f->can_reserve = false;
            return;
        }
        want /= 2;
    }
}

/* Unused space goes back when nobody else writes here: others count on it. */
static void give_space_back(struct fa_file *f)
{
    if (f->space_end > f->bytes && flock(f->head_fd, LOCK_EX | LOCK_NB) == 0)
        if (ftruncate(f->fd, (off_t)f->bytes) != 0)
            return; /* it costs room, no record */
}

int fa_file_close(struct fa_file *f, bool seal, struct fb_err *err)
{
    int rc = 0;
    if (seal && f->fd >= 0) {
        rc = fa_file_lock(f, err);
        if (rc == 0) {
            rc = fa_file_refresh(f, err);
            if (rc == 0 && f->base != NULL && fdatasync(f->fd) != 0)
                rc = fb_err_sys(err, FB_E_IO, errno, "cannot sync the audit log '%s'", f->path);
            if (rc == 0)
                rc = fa_file_write_head(f, true, err);
            if (rc == 0 && f->head_fd >= 0 && fdatasync(f->head_fd) != 0)
                rc = fb_err_sys(err, FB_E_IO, errno, "cannot sync '%s'", f->head_path);
            if (rc == 0 && f->base != NULL)
                give_space_back(f);
            fa_file_unlock(f);
        }
    }
    shut(f);
    return rc;
}
