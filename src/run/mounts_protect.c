/* What a writable mount must not let the agent plant for the host to run, or obey, later.
 *
 * Two facts shape this. A read-only mount over ".git/hooks" is worth nothing while ".git" itself can be renamed away and
 * made anew: so every directory between the mount's root and a protected name is bound over itself, and a mount point
 * cannot be renamed (EBUSY). And a name that is not there yet can be made: so it gets a mount point of its own for as
 * long as the run lasts. Source: [the Firma design, section 4, "protected names"]. */
#include "run/mounts_protect.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct name_row {
    const char *name;
    enum run_protect_how how;
    enum run_protect_absent absent;
};

/* At the root of every writable directory. Settings that a tool obeys without asking are protected even while absent;
 * those that it asks about first (direnv, MCP servers) only where they exist. */
static const struct name_row root_names[] = {
    { ".firma", RUN_PROTECT_HIDE, RUN_ABSENT_DIR },
    { "firma.toml", RUN_PROTECT_HIDE, RUN_ABSENT_DIR },
    { ".vscode", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".idea", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".zed", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".devcontainer", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".claude", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".codex", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".cursor", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".gemini", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR },
    { ".mcp.json", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".envrc", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".husky", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".pre-commit-config.yaml", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    /* Should the workspace be somebody's home. */
    { ".bashrc", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".bash_profile", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".bash_login", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".profile", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".zshrc", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".zshenv", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".zprofile", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".gitconfig", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP },
    { ".ssh", RUN_PROTECT_HIDE, RUN_ABSENT_SKIP },
};

/* The step of this plan that stands exactly at @target, after the mount itself; NULL when none does. */
static const struct run_step *step_at(const struct run_mounts *m, const char *target)
{
    for (size_t i = m->n_steps; i-- > 0;)
        if (strcmp(m->steps[i].target, target) == 0)
            return &m->steps[i];
    return NULL;
}

int run_protect_open(const struct run_protector *p, const char *rel, int flags)
{
    struct open_how how = { .flags = (unsigned int)flags | O_CLOEXEC | O_NOFOLLOW,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, p->root, rel[0] == '\0' ? "." : rel, &how, sizeof(how));
}

int run_protect_type(const struct run_protector *p, const char *rel, mode_t *ret)
{
    struct stat st;
    int fd fb_auto(fb_fd_close) = run_protect_open(p, rel, O_PATH);

    *ret = 0;
    if (fd < 0 || fstat(fd, &st) != 0)
        return -errno;
    *ret = st.st_mode & S_IFMT;
    return 0;
}

static int refuse_link(struct run_protector *p, const char *path)
{
    fb_err_set(p->err, FB_E_INSECURE, "'%s' is a symbolic link, and a link cannot be protected from the agent", path);
    fb_err_remedy(p->err, "replace it by the directory or file it points to");
    return FB_E_INSECURE;
}

int run_protect_refuse_way(struct run_protector *p, const char *path)
{
    fb_err_set(p->err, FB_E_INSECURE, "the way to '%s' leads through a symbolic link, which the agent could change", path);
    fb_err_remedy(p->err, "name it by its real path, or replace the link by the directory it points to");
    return FB_E_INSECURE;
}

static bool shows_content(const struct run_step *s)
{
    return s->kind == RUN_STEP_BIND || s->kind == RUN_STEP_BIND_RO;
}

/* Makes each directory above @rel a mount point. 1 when one of them is itself closed: nothing more is needed then, and a
 * writable bind inside it would open it again. What is only read-only is not closed enough for what must be hidden. */
static int pin_ancestors(struct run_protector *p, const char *rel, enum run_protect_how how)
{
    char part[PATH_MAX];
    bool read_only = false;

    for (const char *slash = strchr(rel, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        const size_t n = (size_t)(slash - rel);
        if (n >= sizeof(part))
            return fb_err_set(p->err, FB_E_LIMIT, "a path in '%s' is too long", p->source);
        memcpy(part, rel, n);
        part[n] = '\0';
        char *source fb_auto(run_mounts_free_text) = run_mounts_join(p->source, part);
        char *target fb_auto(run_mounts_free_text) = run_mounts_join(p->target, part);
        if (source == NULL || target == NULL)
            return fb_err_set(p->err, FB_E_NOMEM, "no memory for the sandbox's view");
        const struct run_step *there = step_at(p->m, target);
        if (there != NULL && (!shows_content(there) || (there->kind == RUN_STEP_BIND_RO && how != RUN_PROTECT_HIDE)))
            return 1;
        read_only |= there != NULL && there->kind == RUN_STEP_BIND_RO;
        if (there != NULL || read_only)
            continue;
        /* bubblewrap follows links: only what is a directory all the way may be bound. */
        mode_t type;
        if (run_protect_type(p, part, &type) != 0 || type != S_IFDIR)
            return run_protect_refuse_way(p, source);
        int r = run_mounts_add(p->m, RUN_STEP_BIND, source, target, 0, true, p->err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int close_over(struct run_protector *p, const char *source, const char *target, bool is_dir,
                      enum run_protect_how how)
{
    if (how == RUN_PROTECT_READ_ONLY)
        return run_mounts_add(p->m, RUN_STEP_BIND_RO, source, target, 0, true, p->err);
    if (is_dir)
        return run_mounts_add(p->m, RUN_STEP_COVER, NULL, target, 0555, false, p->err);
    return run_mounts_add_data(p->m, RUN_STEP_DATA_RO, target, "", 0, 0444, p->err);
}

/* The name is free: take it, unless the agent could not make it either. */
static int occupy(struct run_protector *p, const char *rel, const char *source, const char *target,
                  enum run_protect_absent absent)
{
    const bool is_dir = absent == RUN_ABSENT_DIR;
    char *parent fb_auto(run_mounts_free_text) = strdup(source);

    if (absent == RUN_ABSENT_SKIP)
        return 0;
    if (parent == NULL)
        return fb_err_set(p->err, FB_E_NOMEM, "no memory for the sandbox's view");
    char *slash = strrchr(parent, '/');
    if (slash == NULL || slash == parent)
        return 0;
    *slash = '\0';
    if (access(parent, W_OK) != 0)
        return 0;
    int r = pin_ancestors(p, rel, RUN_PROTECT_READ_ONLY);
    if (r != 0)
        return r < 0 ? r : 0;
    r = run_mounts_add_placeholder(p->m, source, is_dir, p->err);
    return r < 0 ? r : close_over(p, source, target, is_dir, is_dir ? RUN_PROTECT_HIDE : RUN_PROTECT_READ_ONLY);
}

int run_protect_path(struct run_protector *p, const char *rel, enum run_protect_how how, enum run_protect_absent absent)
{
    char *source fb_auto(run_mounts_free_text) = run_mounts_join(p->source, rel);
    char *target fb_auto(run_mounts_free_text) = run_mounts_join(p->target, rel);
    mode_t type;

    if (source == NULL || target == NULL)
        return fb_err_set(p->err, FB_E_NOMEM, "no memory for the sandbox's view");
    const struct run_step *there = step_at(p->m, target);
    if (there != NULL && (!shows_content(there) || (there->kind == RUN_STEP_BIND_RO && how != RUN_PROTECT_HIDE)))
        return 0;
    int r = run_protect_type(p, rel, &type);
    if (r == -ENOENT || r == -ENOTDIR)
        return r == -ENOENT ? occupy(p, rel, source, target, absent) : 0;
    if (r == -ELOOP)
        return run_protect_refuse_way(p, source);
    if (r != 0)
        return fb_err_sys(p->err, FB_E_CONFIG_VALIDATION, -r, "cannot look at '%s'", source);
    if (type == S_IFLNK)
        return refuse_link(p, source);
    /* Another run in this workspace has taken the name; sharing it keeps it there until both have ended. */
    if (absent != RUN_ABSENT_SKIP && run_mounts_is_placeholder(source, absent == RUN_ABSENT_DIR))
        return occupy(p, rel, source, target, absent);
    r = pin_ancestors(p, rel, how);
    if (r != 0)
        return r < 0 ? r : 0;
    return close_over(p, source, target, type == S_IFDIR, how);
}

/* From the mount's root down to the working directory, each place where firma looks for its configuration. */
static int protect_walk_up(struct run_protector *p, const char *cwd)
{
    if (cwd == NULL || !run_mounts_within(cwd, p->target))
        return 0;
    const char *rel = cwd + (strcmp(p->target, "/") == 0 ? 0 : strlen(p->target));
    while (*rel == '/')
        rel++;
    for (const char *end = rel; *end != '\0';) {
        char at[PATH_MAX];
        end += strcspn(end, "/");
        const int n = snprintf(at, sizeof(at), "%.*s/.firma", (int)(end - rel), rel);
        if (n <= 0 || (size_t)n >= sizeof(at))
            return fb_err_set(p->err, FB_E_LIMIT, "the working directory's path is too long");
        int r = run_protect_path(p, at, RUN_PROTECT_HIDE, RUN_ABSENT_DIR);
        if (r < 0)
            return r;
        while (*end == '/')
            end++;
    }
    return 0;
}

int run_mounts_protect(struct run_mounts *m, const struct run_mounts_spec *spec, const char *source, const char *target,
                       struct fb_err *err)
{
    int root fb_auto(fb_fd_close) = open(source, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct run_protector p = { .m = m, .source = source, .target = target, .root = root, .err = err };
    int r = 0;

    if (root < 0)
        return fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "cannot look at '%s'", source);
    p.entries_left = spec->scan_entries_max > 0 ? spec->scan_entries_max : RUN_MOUNTS_SCAN_ENTRIES_MAX;
    for (size_t i = 0; r == 0 && i < FB_COUNT(root_names); i++)
        r = run_protect_path(&p, root_names[i].name, root_names[i].how, root_names[i].absent);
    if (r == 0)
        r = protect_walk_up(&p, spec->cwd);
    if (r == 0)
        r = run_protect_repositories(&p);
    return r;
}

int run_mounts_cover_in_writable(struct run_mounts *m, const char *source, const char *target, const char *rel,
                                 struct fb_err *err)
{
    int root fb_auto(fb_fd_close) = open(source, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct run_protector p = { .m = m, .source = source, .target = target, .root = root, .err = err };

    if (root < 0)
        return fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "cannot look at '%s'", source);
    return run_protect_path(&p, rel, RUN_PROTECT_HIDE, RUN_ABSENT_SKIP);
}
