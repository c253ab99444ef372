/* The state directory: one rule for its place, one check before it is trusted. */
#include "stack/statedir.h"

#include "base/fd.h"
#include "base/fs.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static char *absolute(const char *path)
{
    if (path[0] == '/')
        return strdup(path);
    char here[PATH_MAX];
    if (getcwd(here, sizeof here) == NULL)
        return NULL;
    return fb_fs_join(here, path);
}

char *st_statedir_resolve(const char *flag)
{
    if (given(flag))
        return absolute(flag);
    const char *env = getenv("FIRMA_STATE_DIR");
    if (given(env))
        return absolute(env);
    const char *xdg = getenv("XDG_RUNTIME_DIR");
    /* The XDG rules call a relative value invalid: it would follow the working directory around. */
    if (given(xdg) && xdg[0] == '/')
        return fb_fs_join(xdg, "firma");
    char path[64];
    snprintf(path, sizeof path, "/tmp/firma-%u", (unsigned)geteuid());
    return strdup(path);
}

int st_statedir_open(const char *path, struct fb_err *err)
{
    int r = fb_fs_make_parents(path, err);
    if (r < 0)
        return r;
    r = fb_fs_private_dir(path, err);
    if (r < 0)
        fb_err_remedy(err, "move '%s' away, or point FIRMA_STATE_DIR at a directory of your own with mode 0700", path);
    return r;
}

int st_statedir_open_existing(const char *path, struct fb_err *err)
{
    struct stat st;
    if (lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        return -1;
    int r = fb_fs_private_dir(path, err);
    if (r < 0)
        fb_err_remedy(err, "move '%s' away, or point FIRMA_STATE_DIR at a directory of your own with mode 0700", path);
    return r;
}
