/* Remembering and removing empty mount points. The list is a file of lines: `d PATH` or `f PATH`. */
#include "stack/placeholders.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_NAME "placeholders"

int st_placeholders_save(int marker_fd, const struct st_placeholder *list, size_t n, struct fb_err *err)
{
    if (n == 0)
        return 0;
    struct fb_buf text;
    fb_buf_init(&text, ST_PLACEHOLDERS_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        if (strchr(list[i].path, '\n') != NULL) {
            fb_buf_done(&text);
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "a path of the workspace holds a line feed");
        }
        fb_buf_addf(&text, "%c %s\n", list[i].is_dir ? 'd' : 'f', list[i].path);
    }
    int r = fb_buf_failed(&text) ? fb_err_set(err, FB_E_LIMIT, "too many protected names in the workspace")
                                 : fb_fs_write_atomic_at(marker_fd, FILE_NAME, 0600, text.p, text.n, false, err);
    fb_buf_done(&text);
    return r;
}

/* The agent could write in the workspace: a link put in the way must not lead us elsewhere. */
static int open_parent(const char *path)
{
    char *dir = fb_fs_dirname(path);
    struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    int fd = dir == NULL ? -1 : (int)syscall(SYS_openat2, AT_FDCWD, dir, &how, sizeof how);
    free(dir);
    return fd;
}

/* git refuses an empty "commondir"; one that says "." means what none at all means. */
static bool is_as_made(int fd, const char *name, const struct stat *st)
{
    char text[2];
    if (strcmp(name, "commondir") != 0)
        return st->st_size == 0;
    return st->st_size == 2 && pread(fd, text, sizeof text, 0) == 2 && memcmp(text, ".\n", 2) == 0;
}

/* Removing a mount point uncovers it in every namespace: one that a living run has locked is that run's to remove. */
static void remove_if_empty(const char *path, bool is_dir)
{
    const char *name = strrchr(path, '/');
    fb_auto(fb_fd_close) int parent = name == NULL || name[1] == '\0' ? -1 : open_parent(path);
    struct stat st;
    if (parent < 0)
        return;
    fb_auto(fb_fd_close) int fd =
        openat(parent, name + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (is_dir ? O_DIRECTORY : 0));
    if (fd < 0 || fstat(fd, &st) < 0 || (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK))
        return;
    if (is_dir)
        (void)unlinkat(parent, name + 1, AT_REMOVEDIR);
    else if (S_ISREG(st.st_mode) && is_as_made(fd, name + 1, &st))
        (void)unlinkat(parent, name + 1, 0);
}

void st_placeholders_clear(int marker_fd)
{
    struct fb_buf text;
    fb_buf_init(&text, ST_PLACEHOLDERS_MAX_BYTES);
    struct fb_str rest = { NULL, 0 };
    if (fb_fs_read_at(marker_fd, FILE_NAME, FB_FS_PRIVATE, &text, NULL) == 0)
        rest = fb_buf_str(&text);
    struct fb_str line;
    while (fb_str_split(&rest, '\n', &line)) {
        if (line.n < 4 || line.p[1] != ' ' || line.p[2] != '/')
            continue;
        char *path = fb_str_dupz(fb_str_n(line.p + 2, line.n - 2));
        if (path != NULL)
            remove_if_empty(path, line.p[0] == 'd');
        free(path);
    }
    fb_buf_done(&text);
}
