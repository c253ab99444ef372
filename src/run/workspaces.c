/* Remembering what an agent could write to. */
#include "run/workspaces.h"

#include "base/fd.h"
#include "base/fs.h"
#include "run/mounts_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The parsed list: borrowed lines of the text that it was read from, and of the mounts. */
struct list {
    struct fb_buf text;
    const char *at[RUN_WORKSPACES_MAX + RUN_MOUNTS_STEPS_MAX];
    size_t n;
};

char *run_workspaces_path(void)
{
    const char *data = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    struct passwd entry;
    struct passwd *found = NULL;
    struct stat st;
    char text[8192];

    if (data != NULL && data[0] == '/')
        return fb_fs_join(data, "firma/workspaces");
    /* Root with somebody's HOME (sudo -E) must not leave root's files there. */
    const bool usable = home != NULL && home[0] == '/' && stat(home, &st) == 0 && st.st_uid == geteuid();
    if (!usable && getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) == 0 && found != NULL)
        home = found->pw_dir;
    return home == NULL || home[0] != '/' ? NULL : fb_fs_join(home, ".local/share/firma/workspaces");
}

static int no_memory(struct fb_err *err)
{
    return fb_err_set(err, FB_E_NOMEM, "no memory for the list of workspaces");
}

static int load(const char *list_path, struct list *list, struct fb_err *err)
{
    struct fb_err why = { 0 };

    int r = fb_fs_read(list_path, FB_FS_PRIVATE, &list->text, &why);
    if (r == FB_E_IO && (why.os_errno == ENOENT || why.os_errno == ENOTDIR))
        return fb_buf_addc(&list->text, '\n') == 0 ? 0 : no_memory(err);
    if (r < 0) {
        if (err != NULL)
            *err = why;
        fb_err_remedy(err, "repair '%s', or remove it: what earlier agents may have written is then not known any more",
                      list_path);
        return r;
    }
    if (fb_buf_addc(&list->text, '\n') != 0)
        return no_memory(err);
    for (char *line = list->text.p, *next; line < list->text.p + list->text.n && list->n < RUN_WORKSPACES_MAX; line = next) {
        next = memchr(line, '\n', list->text.n - (size_t)(line - list->text.p));
        *next++ = '\0';
        if (line[0] == '/')
            list->at[list->n++] = line;
    }
    if (list->n < RUN_WORKSPACES_MAX)
        return 0;
    fb_err_set(err, FB_E_LIMIT, "'%s' has %d lines or more", list_path, RUN_WORKSPACES_MAX);
    fb_err_remedy(err, "take out the lines of directories in which no agent will have left anything");
    return FB_E_LIMIT;
}

static const char *above(const struct list *list, const char *path)
{
    for (size_t i = 0; i < list->n; i++)
        if (run_mounts_within(path, list->at[i]))
            return list->at[i];
    return NULL;
}

static void drop_gone(struct list *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        struct stat st;
        if (lstat(list->at[i], &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
            list->at[kept++] = list->at[i];
    }
    list->n = kept;
}

static int save(const char *list_path, struct list *list, struct fb_err *err)
{
    struct fb_buf out fb_auto(fb_buf_done);

    if (list->n >= RUN_WORKSPACES_MAX)
        drop_gone(list);
    fb_buf_init(&out, RUN_WORKSPACES_FILE_MAX_BYTES);
    for (size_t i = 0; i < list->n; i++)
        fb_buf_addf(&out, "%s\n", list->at[i]);
    if (list->n < RUN_WORKSPACES_MAX && !fb_buf_failed(&out))
        return fb_fs_write_atomic(list_path, 0600, out.p, out.n, err);
    fb_err_set(err, FB_E_LIMIT, "'%s' cannot hold more than %d workspaces", list_path, RUN_WORKSPACES_MAX - 1);
    fb_err_remedy(err, "take out the lines of directories in which no agent will have left anything");
    return FB_E_LIMIT;
}

/* The directory, which no one else may write to; the lock on it keeps two launches from losing each other's line. */
static int lock_dir(const char *list_path, struct fb_err *err)
{
    struct stat st;
    char *dir fb_auto(run_mounts_free_text) = fb_fs_dirname(list_path);
    int r = dir == NULL ? no_memory(err) : fb_fs_make_parents(list_path, err);
    if (r < 0)
        return r;
    int fd fb_auto(fb_fd_close) = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open '%s'", dir);
    if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 022) != 0) {
        fb_err_set(err, FB_E_INSECURE, "'%s' is somebody else's, or group or others may write in it", dir);
        fb_err_remedy(err, "chmod 700 it, or move it away");
        return FB_E_INSECURE;
    }
    while (flock(fd, LOCK_EX) != 0)
        if (errno != EINTR)
            return fb_err_sys(err, FB_E_IO, errno, "cannot lock '%s'", dir);
    return fb_fd_take(&fd);
}

void run_workspaces_prepare(const char *list_path)
{
    if (list_path != NULL)
        (void)fb_fs_make_parents(list_path, NULL);
}

static int record(const char *list_path, char *const *sources, size_t n, struct fb_err *err)
{
    struct list *list = calloc(1, sizeof(*list));
    bool changed = false;

    if (list == NULL)
        return no_memory(err);
    fb_buf_init(&list->text, RUN_WORKSPACES_FILE_MAX_BYTES + 1);
    int lock fb_auto(fb_fd_close) = lock_dir(list_path, err);
    int r = lock < 0 ? lock : load(list_path, list, err);
    for (size_t i = 0; r == 0 && i < n && list->n < FB_COUNT(list->at); i++) {
        if (above(list, sources[i]) != NULL)
            continue;
        list->at[list->n++] = sources[i];
        changed = true;
    }
    if (r == 0 && changed)
        r = save(list_path, list, err);
    fb_buf_done(&list->text);
    free(list);
    return r;
}

int run_workspaces_record(const char *list_path, const struct run_mount *mounts, size_t n, struct fb_err *err)
{
    char **sources = list_path == NULL ? NULL : calloc(n + 1, sizeof(*sources));
    size_t count = 0;
    int r = 0;

    if (list_path == NULL)
        return fb_err_set(err, FB_E_IO, "neither HOME nor the user database says where to keep it");
    if (sources == NULL)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        struct stat st;
        char *real = mounts[i].read_only ? NULL : realpath(mounts[i].source, NULL);
        if (real != NULL && stat(real, &st) == 0 && S_ISDIR(st.st_mode) && strchr(real, '\n') == NULL)
            sources[count++] = real;
        else
            free(real);
    }
    if (count > 0)
        r = record(list_path, sources, count, err);
    for (size_t i = 0; i < count; i++)
        free(sources[i]);
    free(sources);
    return r;
}

int run_workspaces_check(const char *list_path, const struct fc_config *c, struct fb_err *err)
{
    if (c->doc == NULL || c->source != FC_CONFIG_PROJECT || list_path == NULL)
        return 0;
    char *real fb_auto(run_mounts_free_text) = realpath(c->dir, NULL);
    char *project fb_auto(run_mounts_free_text) = real == NULL ? NULL : fb_fs_dirname(real);
    struct list *list = project == NULL ? NULL : calloc(1, sizeof(*list));
    if (list == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the directory of '%s' cannot be named", c->path);
    fb_buf_init(&list->text, RUN_WORKSPACES_FILE_MAX_BYTES + 1);
    int r = load(list_path, list, err);
    for (size_t i = 0; r == 0 && i < list->n; i++) {
        if (strcmp(project, list->at[i]) == 0 || !run_mounts_within(project, list->at[i]))
            continue;
        fb_err_set(err, FB_E_INSECURE, "'%s' lies in '%s', where an earlier agent could have written it", c->path, list->at[i]);
        fb_err_remedy(err, "read it, then name it: --config %s", c->path);
        r = FB_E_INSECURE;
    }
    fb_buf_done(&list->text);
    free(list);
    return r;
}
