/* Mount points that must exist on the host only while the run lasts.
 *
 * Removing a directory on the host takes away, in every namespace, what is mounted on it: a run that ends must not take
 * the covers off another that shares the workspace. So each run holds a shared lock on every placeholder, and removes
 * only what it can lock exclusively: the last one out does. Both recognise a placeholder by its unusual mode.
 *
 * The workspace is the agent's to change, and the launcher may be root: every path is walked without following a link. */
#include "run/mounts_priv.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    DIR_MODE = 0500,
    FILE_MODE = 0400,
    HOLD_TRIES = 200, /* another run may be removing it this very moment */
};

int run_mounts_add_placeholder(struct run_mounts *m, const char *path, bool is_dir, struct fb_err *err)
{
    for (size_t i = 0; i < m->n_placeholders; i++)
        if (strcmp(m->placeholders[i].path, path) == 0)
            return 0;
    if (m->n_placeholders >= RUN_MOUNTS_STEPS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d mount points to make", RUN_MOUNTS_STEPS_MAX);
    struct run_placeholder *grown = realloc(m->placeholders, (m->n_placeholders + 1) * sizeof(*grown));
    if (grown == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    m->placeholders = grown;
    char *copy = strdup(path);
    if (copy == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    grown[m->n_placeholders++] = (struct run_placeholder){ .path = copy, .is_dir = is_dir };
    return 0;
}

/* git takes a "commondir" that says "." for what it would assume without one; an empty one it refuses. */
static bool is_commondir(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL && strcmp(slash, "/commondir") == 0;
}

/* The directory that holds @path, reached without any link; -1 with errno. *@ret_name is the last part. */
static int open_parent(const char *path, const char **ret_name)
{
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                            .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    char *dir fb_auto(run_mounts_free_text) = strdup(path);
    char *slash = dir == NULL ? NULL : strrchr(dir, '/');

    if (slash == NULL || slash[1] == '\0') {
        errno = EINVAL;
        return -1;
    }
    *ret_name = path + (slash - dir) + 1;
    slash[slash == dir] = '\0';
    return (int)syscall(SYS_openat2, AT_FDCWD, dir, &how, sizeof(how));
}

static int open_it(int parent, const char *name, bool is_dir)
{
    return openat(parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));
}

static int create(int parent, const char *name, const struct run_placeholder *p, const struct run_identity *id)
{
    int fd fb_auto(fb_fd_close) = -1;

    if (p->is_dir) {
        if (mkdirat(parent, name, DIR_MODE) != 0)
            return errno == EEXIST ? 0 : -1;
        fd = open_it(parent, name, true);
    } else {
        fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
        if (fd < 0)
            return errno == EEXIST ? 0 : -1;
        if (is_commondir(p->path) && write(fd, ".\n", 2) != 2)
            return -1;
    }
    /* Should it be left behind, it should not be root's in someone else's directory. */
    if (fd >= 0 && id->drop && !id->workspace_is_root_owned && fchown(fd, id->uid_outside, id->gid_outside) != 0)
        return -1;
    return 0;
}

/* Makes it unless it is there, and locks it. Returns the descriptor that holds the lock, -1 with errno. */
static int make_and_hold(const struct run_placeholder *p, const struct run_identity *id)
{
    const char *name;
    int parent fb_auto(fb_fd_close) = open_parent(p->path, &name);

    if (parent < 0)
        return -1;
    for (int i = 0; i < HOLD_TRIES; i++) {
        struct stat st;
        if (create(parent, name, p, id) != 0)
            return -1;
        int fd fb_auto(fb_fd_close) = open_it(parent, name, p->is_dir);
        if (fd < 0 && errno != ENOENT)
            return -1;
        /* Removed between our look and our lock: made anew in the next round. */
        if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0) {
            if (p->is_dir ? S_ISDIR(st.st_mode) : S_ISREG(st.st_mode))
                return fb_fd_take(&fd);
            errno = EEXIST;
            return -1;
        }
        (void)sched_yield();
    }
    errno = EBUSY;
    return -1;
}

int run_mounts_make_placeholders(struct run_mounts *m, const struct run_identity *id, struct fb_err *err)
{
    m->holds = m->n_placeholders == 0 ? NULL : calloc(m->n_placeholders, sizeof(*m->holds));
    if (m->n_placeholders > 0 && m->holds == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the mount points");
    for (m->n_holds = 0; m->n_holds < m->n_placeholders; m->n_holds++) {
        const struct run_placeholder *p = &m->placeholders[m->n_holds];
        m->holds[m->n_holds] = make_and_hold(p, id);
        if (m->holds[m->n_holds] >= 0)
            continue;
        fb_err_sys(err, FB_E_IO, errno, "cannot make the mount point '%s'", p->path);
        const size_t made = m->n_holds;
        run_mounts_let_go(m);
        run_mounts_remove_placeholders(m->placeholders, made);
        return FB_E_IO;
    }
    return 0;
}

void run_mounts_let_go(struct run_mounts *m)
{
    for (size_t i = 0; i < m->n_holds; i++) {
        /* Said aloud: a child of the launcher may still have a copy of the descriptor. */
        (void)flock(m->holds[i], LOCK_UN);
        (void)close(m->holds[i]);
    }
    free(m->holds);
    m->holds = NULL;
    m->n_holds = 0;
}

static bool dir_is_empty(int fd)
{
    char entries[512];
    /* "." and ".." are all that fits into an empty one: 24 bytes each. */
    const long n = syscall(SYS_getdents64, fd, entries, sizeof(entries));
    return n >= 0 && n <= 48;
}

static bool content_is_ours(int fd, const char *path, const struct stat *st)
{
    char text[2];
    if (!is_commondir(path))
        return st->st_size == 0;
    return st->st_size == 2 && pread(fd, text, 2, 0) == 2 && memcmp(text, ".\n", 2) == 0;
}

bool run_mounts_is_placeholder(const char *path, bool is_dir)
{
    const char *name;
    struct stat st;
    int parent fb_auto(fb_fd_close) = open_parent(path, &name);
    int fd fb_auto(fb_fd_close) = parent < 0 ? -1 : open_it(parent, name, is_dir);

    if (fd < 0 || fstat(fd, &st) != 0 || (st.st_mode & 07777) != (is_dir ? DIR_MODE : FILE_MODE))
        return false;
    return is_dir ? S_ISDIR(st.st_mode) && dir_is_empty(fd) : S_ISREG(st.st_mode) && content_is_ours(fd, path, &st);
}

static void remove_one(const struct run_placeholder *p)
{
    const char *name;
    struct stat st;
    int parent fb_auto(fb_fd_close) = open_parent(p->path, &name);
    int fd fb_auto(fb_fd_close) = parent < 0 ? -1 : open_it(parent, name, p->is_dir);

    if (fd < 0 || fstat(fd, &st) != 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return; /* another run lives under it */
    if (p->is_dir)
        (void)unlinkat(parent, name, AT_REMOVEDIR);
    else if (S_ISREG(st.st_mode) && content_is_ours(fd, p->path, &st))
        (void)unlinkat(parent, name, 0);
}

void run_mounts_remove_placeholders(const struct run_placeholder *list, size_t n)
{
    /* Backwards: what was made inside another comes out first. */
    for (size_t i = n; i-- > 0;)
        remove_one(&list[i]);
}
