/* Reading and writing files that must be ours. */
#include "base/fs.h"

#include "base/enc.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_BYTES = 16 << 10, RANDOM_BYTES = 8, TEMP_NAME_BYTES = 2 * RANDOM_BYTES + 8 };

static void close_fd(int *fd)
{
    fb_fd_close(fd);
}

static int check_trust(const char *name, const struct stat *st, enum fb_fs_trust trust, struct fb_err *err)
{
    if (!S_ISREG(st->st_mode))
        return fb_err_set(err, FB_E_INSECURE, "'%s' is not a regular file", name);
    if (trust == FB_FS_ANY)
        return 0;
    if (st->st_uid != geteuid() && st->st_uid != 0)
        return fb_err_set(err, FB_E_INSECURE, "'%s' is owned by uid %u; expected uid %u or root", name,
                          (unsigned)st->st_uid, (unsigned)geteuid());
    unsigned mode = (unsigned)st->st_mode & 07777U;
    if ((mode & 022U) != 0)
        return fb_err_set(err, FB_E_INSECURE, "'%s' has mode %04o: group or others may write it", name, mode);
    if (trust == FB_FS_PRIVATE && (mode & 077U) != 0)
        return fb_err_set(err, FB_E_INSECURE, "'%s' has mode %04o; expected 0600: it holds a secret", name, mode);
    return 0;
}

static int open_to_read(int dirfd, const char *name, enum fb_fs_trust trust, int *ret_fd, struct fb_err *err)
{
    /* O_NONBLOCK: opening a FIFO that somebody put here must not hang. */
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (trust == FB_FS_ANY ? 0 : O_NOFOLLOW);
    int fb_auto(close_fd) fd = openat(dirfd, name, flags);
    if (fd < 0 && errno == ELOOP && trust != FB_FS_ANY)
        return fb_err_set(err, FB_E_INSECURE, "'%s' is a symbolic link", name);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open '%s'", name);
    struct stat st;
    if (fstat(fd, &st) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", name);
    int r = check_trust(name, &st, trust, err);
    if (r != 0)
        return r;
    *ret_fd = fb_fd_take(&fd);
    return 0;
}

static int read_all(int fd, const char *name, struct fb_buf *out, struct fb_err *err)
{
    for (;;) {
        size_t room = out->max - out->n;
        if (room == 0) {
            char extra;
            ssize_t got = read(fd, &extra, 1);
            if (got == 0)
                return 0;
            if (got < 0 && errno == EINTR)
                continue;
            out->failed = true;
            return fb_err_set(err, FB_E_LIMIT, "'%s' is larger than %zu bytes", name, out->max);
        }
        size_t want = room < READ_BYTES ? room : READ_BYTES;
        int r = fb_buf_reserve(out, want);
        if (r != 0)
            return fb_err_set(err, r, "no memory to read '%s'", name);
        ssize_t got = read(fd, out->p + out->n, want);
        if (got == 0)
            return 0;
        if (got < 0) {
            if (errno == EINTR)
                continue;
            return fb_err_sys(err, FB_E_IO, errno, "cannot read '%s'", name);
        }
        out->n += (size_t)got;
        out->p[out->n] = '\0';
    }
}

int fb_fs_read_at(int dirfd, const char *name, enum fb_fs_trust trust, struct fb_buf *out, struct fb_err *err)
{
    int fb_auto(close_fd) fd = -1;
    int r = open_to_read(dirfd, name, trust, &fd, err);
    return r != 0 ? r : read_all(fd, name, out, err);
}

int fb_fs_read(const char *path, enum fb_fs_trust trust, struct fb_buf *out, struct fb_err *err)
{
    return fb_fs_read_at(AT_FDCWD, path, trust, out, err);
}

/* Opens the directory that holds @path; *@ret_name points at the last component. */
static int open_parent(const char *path, int *ret_fd, const char **ret_name, struct fb_err *err)
{
    const char *slash = strrchr(path, '/');
    *ret_name = slash == NULL ? path : slash + 1;
    if (**ret_name == '\0')
        return fb_err_set(err, FB_E_IO, "'%s' does not name a file", path);
    char *dir = fb_fs_dirname(path);
    if (dir == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for a path");
    *ret_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = *ret_fd >= 0 ? 0 : fb_err_sys(err, FB_E_IO, errno, "cannot open the directory '%s'", dir);
    free(dir);
    return r;
}

/* Makes a new file with the content; removes it again on failure. */
static int make_file(int dirfd, const char *name, mode_t mode, const void *p, size_t n, bool durable,
                     struct fb_err *err)
{
    int fb_auto(close_fd) fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return fb_err_sys(err, errno == EEXIST ? FB_E_EXISTS : FB_E_IO, errno, "cannot create '%s'", name);
    int r = 0;
    /* The mode is set by hand, because the umask takes bits from open's. */
    if (fb_fd_write_all(fd, p, n) != 0 || fchmod(fd, mode) != 0 || (durable && fsync(fd) != 0)) {
        r = fb_err_sys(err, FB_E_IO, errno, "cannot write '%s'", name);
        (void)unlinkat(dirfd, name, 0);
    }
    return r;
}

static int sync_dir(int dirfd, const char *name, struct fb_err *err)
{
    /* Some file systems cannot sync a directory and say EINVAL; they have nothing to lose either. */
    int fd = dirfd == AT_FDCWD ? open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : dirfd;
    int r = 0;
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        r = fb_err_sys(err, FB_E_IO, errno, "cannot sync the directory of '%s'", name);
    if (fd >= 0 && dirfd == AT_FDCWD)
        fb_fd_close(&fd);
    return r;
}

int fb_fs_create(const char *path, mode_t mode, const void *p, size_t n, struct fb_err *err)
{
    int fb_auto(close_fd) dirfd = -1;
    const char *name;
    int r = open_parent(path, &dirfd, &name, err);
    if (r != 0)
        return r;
    r = make_file(dirfd, name, mode, p, n, true, err);
    return r != 0 ? r : sync_dir(dirfd, name, err);
}

static int temp_name(char out[TEMP_NAME_BYTES], struct fb_err *err)
{
    unsigned char random[RANDOM_BYTES];
    char hex[2 * RANDOM_BYTES + 1];
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return fb_err_sys(err, FB_E_IO, errno, "no random numbers");
    fb_enc_hex(hex, random, sizeof random);
    (void)snprintf(out, TEMP_NAME_BYTES, ".%s.tmp", hex);
    return 0;
}

enum { UNNAMED_AS_TEMP = 1, UNNAMED_CANNOT = 2 };

/* A file without a name leaves nothing when its writer is killed. 0 when it is in place as @name, UNNAMED_AS_TEMP when
 * that name is taken and it stands as @temp for the rename, UNNAMED_CANNOT when this place knows no such files. */
static int make_unnamed(int dirfd, const char *name, const char *temp, mode_t mode, const void *p, size_t n, bool durable)
{
    char self[64];
    int fb_auto(close_fd) fd = openat(dirfd, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 || fb_fd_write_all(fd, p, n) != 0 || fchmod(fd, mode) != 0 || (durable && fsync(fd) != 0))
        return UNNAMED_CANNOT;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, self, dirfd, name, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno == EEXIST && linkat(AT_FDCWD, self, dirfd, temp, AT_SYMLINK_FOLLOW) == 0)
        return UNNAMED_AS_TEMP;
    return UNNAMED_CANNOT;
}

int fb_fs_write_atomic_at(int dirfd, const char *name, mode_t mode, const void *p, size_t n, bool durable,
                          struct fb_err *err)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL)
        return fb_err_set(err, FB_E_IO, "'%s' is not a plain file name", name);
    char temp[TEMP_NAME_BYTES];
    int r = temp_name(temp, err);
    if (r != 0)
        return err == NULL ? r : fb_err_wrap(err, "writing '%s'", name);
    r = make_unnamed(dirfd, name, temp, mode, p, n, durable);
    if (r == 0)
        return durable ? sync_dir(dirfd, name, err) : 0;
    if (r == UNNAMED_CANNOT)
        r = make_file(dirfd, temp, mode, p, n, durable, err);
    else
        r = 0;
    if (r != 0)
        return err == NULL ? r : fb_err_wrap(err, "writing '%s'", name);
    if (renameat(dirfd, temp, dirfd, name) != 0) {
        r = fb_err_sys(err, FB_E_IO, errno, "cannot replace '%s'", name);
        (void)unlinkat(dirfd, temp, 0);
        return r;
    }
    return durable ? sync_dir(dirfd, name, err) : 0;
}

int fb_fs_write_atomic(const char *path, mode_t mode, const void *p, size_t n, struct fb_err *err)
{
    int fb_auto(close_fd) dirfd = -1;
    const char *name;
    int r = open_parent(path, &dirfd, &name, err);
    return r != 0 ? r : fb_fs_write_atomic_at(dirfd, name, mode, p, n, true, err);
}

char *fb_fs_join(const char *base, const char *path)
{
    char *out = NULL;
    if (path[0] == '/' || path[0] == '\0' || base[0] == '\0')
        return strdup(path);
    const char *sep = base[strlen(base) - 1] == '/' ? "" : "/";
    return asprintf(&out, "%s%s%s", base, sep, path) < 0 ? NULL : out;
}

char *fb_fs_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return strdup(".");
    while (slash > path && slash[-1] == '/')
        slash--;
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}
