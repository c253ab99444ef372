/* Mount points that must exist on the host only while the run lasts. */
#include "run/mounts_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* 0 made or there already as the right kind, else -1 with errno. */
static int make(const struct run_placeholder *p, const struct run_identity *id)
{
    struct stat st;

    if (p->is_dir) {
        if (mkdir(p->path, 0755) != 0 && errno != EEXIST)
            return -1;
    } else {
        int fd = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0 && errno != EEXIST)
            return -1;
        if (fd >= 0) {
            const bool ok = !is_commondir(p->path) || write(fd, ".\n", 2) == 2;
            (void)close(fd);
            if (!ok)
                return -1;
        }
    }
    if (lstat(p->path, &st) != 0)
        return -1;
    if (p->is_dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode)) {
        errno = EEXIST;
        return -1;
    }
    /* Should it be left behind, it should not be root's in someone else's directory. */
    if (id->drop && !id->workspace_is_root_owned && lchown(p->path, id->uid_outside, id->gid_outside) != 0)
        return -1;
    return 0;
}

int run_mounts_make_placeholders(const struct run_mounts *m, const struct run_identity *id, struct fb_err *err)
{
    for (size_t i = 0; i < m->n_placeholders; i++) {
        if (make(&m->placeholders[i], id) == 0)
            continue;
        fb_err_sys(err, FB_E_IO, errno, "cannot make the mount point '%s'", m->placeholders[i].path);
        run_mounts_remove_placeholders(m->placeholders, i);
        return FB_E_IO;
    }
    return 0;
}

void run_mounts_remove_placeholders(const struct run_placeholder *list, size_t n)
{
    /* Backwards: what was made inside another comes out first. */
    for (size_t i = n; i-- > 0;) {
        struct stat st;
        if (list[i].is_dir)
            (void)rmdir(list[i].path);
        else if (lstat(list[i].path, &st) == 0 && S_ISREG(st.st_mode) &&
                 st.st_size == (is_commondir(list[i].path) ? 2 : 0))
            (void)unlink(list[i].path);
    }
}
