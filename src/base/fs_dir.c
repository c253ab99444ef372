/* Directories that must be ours, and removing a tree without being led out of it. */
#include "base/fs.h"

#include "base/fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A pass may miss entries that appear while it runs. */
enum { REMOVE_PASSES = 4 };

static int check_private(const char *path, const struct stat *st, struct fb_err *err)
{
    unsigned uid = (unsigned)geteuid();
    unsigned mode = (unsigned)st->st_mode & 07777U;
    if (S_ISLNK(st->st_mode))
        return fb_err_set(err, FB_E_INSECURE, "'%s' is a symbolic link; expected a directory with mode 0700 of uid %u",
                          path, uid);
    if (!S_ISDIR(st->st_mode))
        return fb_err_set(err, FB_E_INSECURE, "'%s' is not a directory; expected one with mode 0700 of uid %u", path,
                          uid);
    if ((unsigned)st->st_uid != uid)
        return fb_err_set(err, FB_E_INSECURE, "'%s' is owned by uid %u; expected mode 0700 and owner uid %u", path,
                          (unsigned)st->st_uid, uid);
    if ((mode & 077U) != 0)
        return fb_err_set(err, FB_E_INSECURE, "'%s' has mode %04o; expected mode 0700 and owner uid %u", path, mode,
                          uid);
    return 0;
}

int fb_fs_private_dir_at(int dirfd, const char *name, struct fb_err *err)
{
    /* A slash or dot at the end would make the kernel follow a link before it. */
    char path[PATH_MAX];
    size_t n = strlen(name);
    while (n > 1 && name[n - 1] == '/')
        n--;
    if (n == 0 || n >= sizeof path)
        return fb_err_set(err, FB_E_IO, "'%.64s' is no path for a directory", name);
    memcpy(path, name, n);
    path[n] = '\0';
    const char *slash = strrchr(path, '/');
    const char *last = slash == NULL ? path : slash + 1;
    if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0)
        return fb_err_set(err, FB_E_INSECURE, "'%s' must end in the name of a directory", path);
    bool made = mkdirat(dirfd, path, 0700) == 0;
    if (!made && errno != EEXIST)
        return fb_err_sys(err, FB_E_IO, errno, "cannot make the directory '%s'", path);
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0) {
        int open_errno = errno;
        /* Say what stands there instead, if it still does. */
        if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0) {
            int r = check_private(path, &st, err);
            if (r != 0)
                return r;
        }
        return fb_err_sys(err, FB_E_IO, open_errno, "cannot open the directory '%s'", path);
    }
    int r = 0;
    if (made && fchmod(fd, 0700) != 0)
        r = fb_err_sys(err, FB_E_IO, errno, "cannot set the mode of '%s'", path);
    else if (fstat(fd, &st) != 0)
        r = fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", path);
    else
        r = check_private(path, &st, err);
    if (r != 0)
        fb_fd_close(&fd);
    return r != 0 ? r : fd;
}

int fb_fs_private_dir(const char *path, struct fb_err *err)
{
    return fb_fs_private_dir_at(AT_FDCWD, path, err);
}

int fb_fs_make_parents(const char *path, struct fb_err *err)
{
    char prefix[PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof prefix)
        return fb_err_set(err, FB_E_LIMIT, "a path is longer than %d bytes", PATH_MAX - 1);
    memcpy(prefix, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (prefix[i] != '/' || prefix[i - 1] == '/')
            continue;
        prefix[i] = '\0';
        struct stat st;
        int failed = mkdir(prefix, 0700) != 0 ? errno : 0;
        /* An existing one may be reported as read-only or forbidden instead of existing. */
        if (failed != 0 && (stat(prefix, &st) != 0 || !S_ISDIR(st.st_mode)))
            return fb_err_sys(err, FB_E_IO, failed == EEXIST ? ENOTDIR : failed, "cannot make the directory '%s'",
                              prefix);
        prefix[i] = '/';
    }
    return 0;
}

/* Opens a directory below @dirfd without a link and without crossing any mount, bind mounts included. */
static int open_inside(int dirfd, const char *name, dev_t device)
{
    struct open_how how = { .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                            .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH };
    int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof how);
    if (fd >= 0 || errno != ENOSYS)
        return fd;
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd >= 0 && (fstat(fd, &st) != 0 || st.st_dev != device)) {
        fb_fd_close(&fd);
        errno = EXDEV;
    }
    return fd;
}

static int remove_entry(int dirfd, const char *name, dev_t device, int depth, struct fb_err *err);

static int empty_dir(DIR *dir, dev_t device, int depth, struct fb_err *err)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(dir);
        if (entry == NULL)
            return errno == 0 ? 0 : fb_err_sys(err, FB_E_IO, errno, "cannot list a directory to be removed");
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        int r = remove_entry(dirfd(dir), entry->d_name, device, depth + 1, err);
        if (r != 0)
            return r;
    }
}

static int remove_dir(int parent, const char *name, dev_t device, int depth, struct fb_err *err)
{
    int fd = open_inside(parent, name, device);
    if (fd < 0)
        return errno == ENOENT ? 0 : fb_err_sys(err, FB_E_IO, errno, "cannot open the directory '%s'", name);
    DIR *dir = fdopendir(fd);
    if (dir == NULL) {
        int r = fb_err_sys(err, FB_E_IO, errno, "cannot list the directory '%s'", name);
        fb_fd_close(&fd);
        return r;
    }
    int r = 0;
    for (int pass = 0; r == 0; pass++) {
        r = empty_dir(dir, device, depth, err);
        if (r != 0 || unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            break;
        if (errno != ENOTEMPTY || pass == REMOVE_PASSES)
            r = fb_err_sys(err, FB_E_IO, errno, "cannot remove the directory '%s'", name);
        rewinddir(dir);
    }
    (void)closedir(dir);
    return r;
}

static int remove_entry(int parent, const char *name, dev_t device, int depth, struct fb_err *err)
{
    if (depth > FB_FS_TREE_DEPTH_MAX)
        return fb_err_set(err, FB_E_LIMIT, "'%s' lies more than %d directories deep", name, FB_FS_TREE_DEPTH_MAX);
    if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return fb_err_sys(err, FB_E_IO, errno, "cannot remove '%s'", name);
    return remove_dir(parent, name, device, depth, err);
}

int fb_fs_remove_tree_at(int dirfd, const char *name, struct fb_err *err)
{
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return fb_err_set(err, FB_E_IO, "'%s' is not a plain name", name);
    struct stat st;
    if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", name);
    return remove_entry(dirfd, name, st.st_dev, 0, err);
}
