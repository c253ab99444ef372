/* Finding and loading firma.toml. */
#include "core/config.h"

#include "base/fd.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "firma.toml";
static const char project_dir[] = ".firma";

/* The tables of the commands; `defaults` and `profiles` are the bare form of a run file. */
static const char *const sections[] = { "project", "sidecar", "authority", "run", "defaults", "profiles", NULL };

static void free_text(char **text)
{
    free(*text);
}

static int no_memory(struct fb_err *err)
{
    return fb_err_set(err, FB_E_NOMEM, "no memory for the configuration");
}

const char *fc_config_source_name(enum fc_config_source source)
{
    switch (source) {
    case FC_CONFIG_FLAG:
        return "flag";
    case FC_CONFIG_ENV:
        return "environment";
    case FC_CONFIG_PROJECT:
        return "project";
    case FC_CONFIG_USER:
        return "user";
    case FC_CONFIG_NONE:
        break;
    }
    return "none";
}

void fc_config_done(struct fc_config *c)
{
    if (c == NULL)
        return;
    fb_toml_free(c->doc);
    free(c->path);
    free(c->dir);
    *c = (struct fc_config){ 0 };
}

/* The directory of @path with the working directory put in front when it is relative. */
static char *absolute_dir(const char *path)
{
    char *fb_auto(free_text) dir = fb_fs_dirname(path);
    char cwd[PATH_MAX];
    if (dir == NULL)
        return NULL;
    if (dir[0] == '/')
        return strdup(dir);
    if (getcwd(cwd, sizeof cwd) == NULL)
        return NULL;
    return strcmp(dir, ".") == 0 ? strdup(cwd) : fb_fs_join(cwd, dir);
}

/* Opens the directory of a file that nobody named, so that others cannot put one there. */
static int open_found_dir(const char *path, enum fc_config_source source, int *ret_fd, struct fb_err *err)
{
    char *fb_auto(free_text) dir = fb_fs_dirname(path);
    if (dir == NULL)
        return no_memory(err);
    /* A link `.firma` could lead to the laxer file of another project. */
    int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (source == FC_CONFIG_PROJECT ? O_NOFOLLOW : 0);
    int fd = open(dir, flags);
    struct stat st;
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return fb_err_set(err, FB_E_INSECURE, "'%s' is not a directory, or a link to one", dir);
    if (fd < 0)
        return fb_err_sys(err, FB_E_IO, errno, "cannot open the directory '%s'", dir);
    int r = 0;
    if (fstat(fd, &st) != 0)
        r = fb_err_sys(err, FB_E_IO, errno, "cannot examine '%s'", dir);
    else if (st.st_uid != geteuid() && st.st_uid != 0)
        r = fb_err_set(err, FB_E_INSECURE, "the directory '%s' is owned by uid %u; expected uid %u or root", dir,
                       (unsigned)st.st_uid, (unsigned)geteuid());
    else if ((st.st_mode & 022U) != 0)
        r = fb_err_set(err, FB_E_INSECURE, "the directory '%s' has mode %04o: group or others may write in it", dir,
                       (unsigned)st.st_mode & 07777U);
    if (r != 0)
        fb_fd_close(&fd);
    *ret_fd = fd;
    return r;
}

static int read_text(const char *path, enum fc_config_source source, struct fb_buf *out, struct fb_err *err)
{
    if (source != FC_CONFIG_PROJECT && source != FC_CONFIG_USER)
        return fb_fs_read(path, FB_FS_OWNED, out, err);
    int fb_auto(fb_fd_close) dir = -1;
    int r = open_found_dir(path, source, &dir, err);
    return r != 0 ? r : fb_fs_read_at(dir, file_name, FB_FS_OWNED, out, err);
}

static int load(const char *path, enum fc_config_source source, struct fc_config *c, struct fb_err *err)
{
    struct fb_buf fb_auto(fb_buf_done) text;
    fb_buf_init(&text, FC_CONFIG_MAX_BYTES);
    c->source = source;
    c->path = strdup(path);
    c->dir = absolute_dir(path);
    if (c->path == NULL || c->dir == NULL)
        return no_memory(err);
    int r = read_text(path, source, &text, err);
    if (r != 0) {
        (void)fb_err_wrap(err, "failed to read config file %s", path);
        return r == FB_E_INSECURE || r == FB_E_NOMEM ? r : fb_err_recode(err, FB_E_CONFIG_PARSE);
    }
    r = fb_toml_parse(fb_buf_str(&text), path, &c->doc, err);
    if (r != 0) {
        c->doc = NULL;
        (void)fb_err_wrap(err, "failed to parse config file %s", path);
        return r == FB_E_NOMEM ? r : fb_err_recode(err, FB_E_CONFIG_PARSE);
    }
    return fb_toml_only_keys(c->doc, fb_toml_root(c->doc), "", sections, err);
}

static int load_or_empty(const char *path, enum fc_config_source source, struct fc_config *ret, struct fb_err *err)
{
    *ret = (struct fc_config){ 0 };
    int r = load(path, source, ret, err);
    if (r != 0)
        fc_config_done(ret);
    return r;
}

int fc_config_load(const char *path, struct fc_config *ret, struct fb_err *err)
{
    return load_or_empty(path, FC_CONFIG_FLAG, ret, err);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Is a file selected here? One that cannot be looked at is selected too, and loading it then fails. */
static bool has_project_file(const char *dir, const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        return true;
    if (errno == ENOENT || errno == ENOTDIR)
        return false;
    char below[PATH_MAX];
    int n = snprintf(below, sizeof below, "%s/%s", dir, project_dir);
    /* Without `.firma` in sight it is an ancestor that may not be searched, which holds no project of ours. */
    return n > 0 && (size_t)n < sizeof below && exists(below);
}

/* *@ret stays NULL when no ancestor has one. */
static int find_project(char **ret, struct fb_err *err)
{
    char dir[PATH_MAX];
    char path[PATH_MAX + sizeof project_dir + sizeof file_name];
    if (getcwd(dir, sizeof dir) == NULL)
        return fb_err_sys(err, FB_E_IO, errno, "cannot tell the working directory");
    for (;;) {
        (void)snprintf(path, sizeof path, "%s/%s/%s", dir[1] == '\0' ? "" : dir, project_dir, file_name);
        if (has_project_file(dir, path)) {
            *ret = strdup(path);
            return *ret == NULL ? no_memory(err) : 0;
        }
        char *slash = strrchr(dir, '/');
        if (slash == NULL || dir[1] == '\0')
            return 0;
        slash[slash == dir ? 1 : 0] = '\0';
    }
}

static const char *set_variable(const char *name)
{
    const char *value = name == NULL ? NULL : getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

char *fc_config_user_path(void)
{
    const char *base = set_variable("XDG_CONFIG_HOME");
    const char *home = set_variable("HOME");
    char *path = NULL;
    if (base != NULL && base[0] == '/')
        return asprintf(&path, "%s/firma/%s", base, file_name) < 0 ? NULL : path;
    if (home == NULL)
        return NULL;
    return asprintf(&path, "%s/.config/firma/%s", home, file_name) < 0 ? NULL : path;
}

int fc_config_discover(const char *explicit_path, const char *first_env, struct fc_config *ret, struct fb_err *err)
{
    *ret = (struct fc_config){ 0 };
    if (explicit_path != NULL && explicit_path[0] != '\0')
        return load_or_empty(explicit_path, FC_CONFIG_FLAG, ret, err);
    const char *named = set_variable(first_env);
    if (named == NULL)
        named = set_variable("FIRMA_CONFIG");
    if (named != NULL)
        return load_or_empty(named, FC_CONFIG_ENV, ret, err);
    char *fb_auto(free_text) project = NULL;
    int r = find_project(&project, err);
    if (r != 0)
        return r;
    if (project != NULL)
        return load_or_empty(project, FC_CONFIG_PROJECT, ret, err);
    char *fb_auto(free_text) user = fc_config_user_path();
    if (user != NULL && exists(user))
        return load_or_empty(user, FC_CONFIG_USER, ret, err);
    return 0;
}

int fc_config_section(const struct fc_config *c, const char *name, const struct fb_toml **ret, struct fb_err *err)
{
    if (c->doc == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "no config file was found; a section [%s] is needed", name);
    const struct fb_toml *table = fb_toml_get(fb_toml_root(c->doc), name);
    if (table == NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "config file %s has no section [%s]", c->path, name);
    int r = fb_toml_want_table(c->doc, table, err);
    if (r == 0)
        *ret = table;
    return r;
}
