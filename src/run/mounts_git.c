/* Repositories in a writable mount: what git on the host would execute, or be told to execute, by files in them.
 * Hooks and configuration are read-only; so is everything that could point git at another configuration ("commondir",
 * "config.worktree"), and what the configuration names (mounts_gitconfig.c). The same search finds files with the set-uid
 * bit, which a shared mapping can rewrite without clearing it. Source: git-config(1), gitrepository-layout(5). */
#include "run/mounts_protect.h"

#include "base/fd.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int too_long(struct run_protector *p)
{
    return fb_err_set(p->err, FB_E_LIMIT, "a path in '%s' is too long", p->source);
}

static bool join(char out[PATH_MAX], const char *dir, const char *name)
{
    const int n = snprintf(out, PATH_MAX, "%s%s%s", dir, dir[0] == '\0' ? "" : "/", name);
    return n > 0 && n < PATH_MAX;
}

/* The S_IFMT bits of @name in @dir; 0 when there is nothing. */
static mode_t type_in(const struct run_protector *p, const char *dir, const char *name)
{
    char rel[PATH_MAX];
    mode_t type = 0;
    return join(rel, dir, name) && run_protect_type(p, rel, &type) == 0 ? type : 0;
}

static int protect_in(struct run_protector *p, const char *dir, const char *name, enum run_protect_how how,
                      enum run_protect_absent absent)
{
    char rel[PATH_MAX];
    return join(rel, dir, name) ? run_protect_path(p, rel, how, absent) : too_long(p);
}

/* Read-only as a whole: what cannot be looked into cannot be protected piece by piece. */
static int close_dir(struct run_protector *p, const char *rel)
{
    if (rel[0] != '\0')
        return run_protect_path(p, rel, RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
    fb_err_set(p->err, FB_E_CONFIG_VALIDATION, "'%s' cannot be looked through for what must be protected", p->source);
    fb_err_remedy(p->err, "chmod u+rwx it, or run in another directory");
    return FB_E_CONFIG_VALIDATION;
}

/* A directory that git takes for a repository's own; HEAD and objects may be links. */
static bool is_gitdir(const struct run_protector *p, const char *rel)
{
    return type_in(p, rel, "HEAD") != 0 && (type_in(p, rel, "objects") != 0 || type_in(p, rel, "commondir") != 0);
}

/* Something in it stands behind a link, or cannot be looked at. */
static bool is_odd(const struct run_protector *p, const char *gitdir)
{
    static const char *const names[] = { "config.worktree", "commondir", "gitdir", "hooks", "config" };
    int fd fb_auto(fb_fd_close) = run_protect_open(p, gitdir, O_RDONLY | O_DIRECTORY);

    if (fd < 0 || faccessat(fd, ".", X_OK, 0) != 0)
        return true;
    for (size_t i = 0; i < FB_COUNT(names); i++)
        if (type_in(p, gitdir, names[i]) == S_IFLNK)
            return true;
    return false;
}

static int protect_gitdir(struct run_protector *p, const char *gitdir, const char *worktree)
{
    char config[PATH_MAX];

    /* The repository of the workspace itself is refused by name instead: closed, nobody could commit. */
    if (strcmp(gitdir, ".git") != 0 && is_odd(p, gitdir))
        return close_dir(p, gitdir);
    int r = protect_in(p, gitdir, "config.worktree", RUN_PROTECT_READ_ONLY, RUN_ABSENT_FILE);
    if (r == 0)
        r = protect_in(p, gitdir, "commondir", RUN_PROTECT_READ_ONLY, RUN_ABSENT_FILE);
    /* A linked worktree's directory takes hooks and configuration from the common one. */
    if (r < 0 || type_in(p, gitdir, "gitdir") == S_IFREG)
        return r < 0 ? r : protect_in(p, gitdir, "gitdir", RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
    r = protect_in(p, gitdir, "hooks", RUN_PROTECT_READ_ONLY, RUN_ABSENT_DIR);
    if (r == 0)
        r = protect_in(p, gitdir, "config", RUN_PROTECT_READ_ONLY, RUN_ABSENT_FILE);
    for (size_t i = 0; r == 0 && i < 2; i++)
        r = join(config, gitdir, i == 0 ? "config" : "config.worktree") ? run_protect_by_config(p, config, worktree)
                                                                       : too_long(p);
    return r;
}

/* The ".git" of @worktree ("" is the mount's root), of whatever kind it is. */
static int protect_dot_git(struct run_protector *p, const char *worktree, enum run_protect_absent absent)
{
    char gitdir[PATH_MAX];
    const mode_t type = type_in(p, worktree, ".git");

    if (type == S_IFDIR)
        return join(gitdir, worktree, ".git") ? protect_gitdir(p, gitdir, worktree) : too_long(p);
    /* Below the root the agent may have made the link, so that no later run could start. What it points to is found
     * where it lies. */
    if (type == S_IFLNK && worktree[0] != '\0')
        return 0;
    return protect_in(p, worktree, ".git", RUN_PROTECT_READ_ONLY, absent);
}

struct queue {
    char **at;
    unsigned char *depth;
    size_t head;
    size_t n;
};

static int no_memory(struct run_protector *p)
{
    return fb_err_set(p->err, FB_E_NOMEM, "no memory to look through '%s'", p->source);
}

static int push(struct run_protector *p, struct queue *q, const char *rel, unsigned char depth)
{
    if (depth > RUN_MOUNTS_SCAN_DEPTH_MAX)
        return close_dir(p, rel);
    if (q->n % 256 == 0) {
        char **at = realloc(q->at, (q->n + 256) * sizeof(*at));
        if (at != NULL)
            q->at = at;
        unsigned char *depths = realloc(q->depth, q->n + 256);
        if (depths != NULL)
            q->depth = depths;
        if (at == NULL || depths == NULL)
            return no_memory(p);
    }
    q->at[q->n] = strdup(rel);
    if (q->at[q->n] == NULL)
        return no_memory(p);
    q->depth[q->n++] = depth;
    return 0;
}

/* Git's own store of 256 directories: as many entries as commits, and none for a person to work in. */
static bool is_object_shard(const char *rel, const char *name)
{
    const char *slash = strrchr(rel, '/');
    return strcmp(slash == NULL ? rel : slash + 1, "objects") == 0 && strlen(name) == 2 &&
           isxdigit((unsigned char)name[0]) && isxdigit((unsigned char)name[1]);
}

static int refuse_size(struct run_protector *p)
{
    fb_err_set(p->err, FB_E_CONFIG_VALIDATION,
               "'%s' holds too many files to look for every repository in it, and those not found could not be protected",
               p->source);
    fb_err_remedy(p->err, "run in a smaller directory, remove what is not needed, or mount this one read_only");
    return FB_E_CONFIG_VALIDATION;
}

/* One entry of the directory @fd at @rel. */
static int look_at(struct run_protector *p, struct queue *q, int fd, const char *rel, unsigned char depth,
                   const struct dirent *e)
{
    char below[PATH_MAX];
    struct stat st = { .st_mode = (mode_t)DTTOIF(e->d_type) };
    int r = 0;

    if (p->entries_left-- == 0)
        return refuse_size(p);
    if (!join(below, rel, e->d_name))
        return too_long(p);
    /* A directory's bits do not matter, and a file's are worth the call. */
    if ((e->d_type == DT_REG || e->d_type == DT_UNKNOWN) && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0;
    if (S_ISREG(st.st_mode) && ((st.st_mode & S_ISUID) != 0 || (st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP)))
        r = run_protect_path(p, below, RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
    if (r == 0 && depth > 0 && strcmp(e->d_name, ".git") == 0)
        r = protect_dot_git(p, rel, RUN_ABSENT_SKIP);
    else if (r == 0 && depth > 0 && strcmp(e->d_name, ".firma") == 0 && !S_ISLNK(st.st_mode))
        r = run_protect_path(p, below, RUN_PROTECT_HIDE, RUN_ABSENT_SKIP);
    if (r == 0 && S_ISDIR(st.st_mode) && !is_object_shard(rel, e->d_name))
        r = push(p, q, below, (unsigned char)(depth + 1));
    return r;
}

/* One directory: what it holds is protected, its directories are queued. */
static int scan_one(struct run_protector *p, struct queue *q, const char *rel, unsigned char depth)
{
    int r = 0;

    int fd = run_protect_open(p, rel, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT)
        return 0;
    /* Closed now, but the agent may be its owner and open it again. */
    if (fd < 0 && errno == EACCES)
        return close_dir(p, rel);
    if (fd < 0)
        return fb_err_sys(p->err, FB_E_CONFIG_VALIDATION, errno, "cannot look into '%s/%s'", p->source, rel);
    const bool searchable = faccessat(fd, ".", X_OK, 0) == 0;
    DIR *dir = searchable ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        fb_fd_close(&fd);
        return searchable ? no_memory(p) : close_dir(p, rel);
    }
    for (const struct dirent *e = readdir(dir); r == 0 && e != NULL; e = readdir(dir))
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            r = look_at(p, q, fd, rel, depth, e);
    (void)closedir(dir);
    /* Also what is not called ".git": bare repositories, submodules' and worktrees' own directories. */
    if (r == 0 && rel[0] != '\0' && strcmp(rel, ".git") != 0 && is_gitdir(p, rel))
        r = protect_gitdir(p, rel, rel);
    return r;
}

int run_protect_repositories(struct run_protector *p)
{
    struct queue q = { 0 };

    int r = protect_dot_git(p, "", RUN_ABSENT_DIR);
    if (r == 0)
        r = push(p, &q, "", 0);
    while (r == 0 && q.head < q.n) {
        r = scan_one(p, &q, q.at[q.head], q.depth[q.head]);
        q.head++;
    }
    for (size_t i = 0; i < q.n; i++)
        free(q.at[i]);
    free(q.at);
    free(q.depth);
    return r;
}
