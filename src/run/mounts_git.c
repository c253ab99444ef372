/* Repositories in a writable mount: what git on the host would execute, or be told to execute, by files in them.
 * Hooks and configuration are read-only; so is everything that could point git at another configuration ("commondir",
 * "config.worktree", included files, core.hooksPath). Source: git-config(1), gitrepository-layout(5). */
#include "run/mounts_protect.h"

#include "base/fs.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONFIG_MAX_BYTES = 256 << 10, QUEUE_MAX = RUN_MOUNTS_SCAN_ENTRIES_MAX };

static bool exists(const struct run_protector *p, const char *dir, const char *name, mode_t type)
{
    char at[PATH_MAX];
    struct stat st;
    const int n = snprintf(at, sizeof(at), "%s/%s/%s", p->source, dir, name);
    return n > 0 && (size_t)n < sizeof(at) && lstat(at, &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static int protect_in(struct run_protector *p, const char *dir, const char *name, enum run_protect_absent absent)
{
    char rel[PATH_MAX];
    const int n = snprintf(rel, sizeof(rel), "%s%s%s", dir, dir[0] == '\0' ? "" : "/", name);
    if (n <= 0 || (size_t)n >= sizeof(rel))
        return fb_err_set(p->err, FB_E_LIMIT, "a path in '%s' is too long", p->source);
    return run_protect_path(p, rel, RUN_PROTECT_READ_ONLY, absent);
}

/* Takes "." and ".." out of @path, which is relative to the mount; false when it leads outside. */
static bool flatten(const char *path, char out[PATH_MAX])
{
    struct fb_str rest = fb_str_of(path);
    struct fb_str part;
    size_t n = 0;

    out[0] = '\0';
    while (fb_str_split(&rest, '/', &part)) {
        if (part.n == 0 || fb_str_eqz(part, "."))
            continue;
        if (fb_str_eqz(part, "..")) {
            if (n == 0)
                return false;
            while (n > 0 && out[n - 1] != '/')
                n--;
            n -= n > 0;
            out[n] = '\0';
            continue;
        }
        if (n + part.n + 2 > PATH_MAX)
            return false;
        if (n > 0)
            out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
        out[n] = '\0';
    }
    return n > 0;
}

/* A path that the configuration in @base names: protected if it lies in the mount. */
static int protect_named(struct run_protector *p, const char *base, const char *value)
{
    char joined[PATH_MAX];
    char rel[PATH_MAX];
    const size_t root = strlen(p->source);
    int n;

    if (value[0] == '~')
        return 0;
    if (value[0] == '/') {
        if (!run_mounts_within(value, p->source))
            return 0;
        n = snprintf(joined, sizeof(joined), "%s", value + root);
    } else {
        n = snprintf(joined, sizeof(joined), "%s/%s", base, value);
    }
    if (n <= 0 || (size_t)n >= sizeof(joined) || !flatten(joined, rel))
        return 0;
    return run_protect_path(p, rel, RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
}

/* The value of "key = value" on @line, unquoted, in place; NULL when the line has another key. */
static char *value_of(char *line, const char *key)
{
    const size_t n = strlen(key);

    while (isspace((unsigned char)*line))
        line++;
    if (strncasecmp(line, key, n) != 0)
        return NULL;
    line += n;
    while (isspace((unsigned char)*line))
        line++;
    if (*line++ != '=')
        return NULL;
    while (isspace((unsigned char)*line) || *line == '"')
        line++;
    line[strcspn(line, "\"\r\n#;")] = '\0';
    for (size_t len = strlen(line); len > 0 && isspace((unsigned char)line[len - 1]);)
        line[--len] = '\0';
    return *line == '\0' ? NULL : line;
}

/* Not a parser of git's format, and it need not be: a line taken for more than it is protects one file too many. */
static int protect_by_config(struct run_protector *p, const char *gitdir, const char *worktree)
{
    char path[PATH_MAX];
    struct fb_buf text fb_auto(fb_buf_done);
    int r = 0;

    fb_buf_init(&text, CONFIG_MAX_BYTES);
    const int n = snprintf(path, sizeof(path), "%s/%s/config", p->source, gitdir);
    if (n <= 0 || (size_t)n >= sizeof(path) || fb_fs_read(path, FB_FS_ANY, &text, NULL) != 0 || text.n == 0)
        return 0;
    for (char *line = text.p; r == 0 && line != NULL;) {
        char *next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        char *value = value_of(line, "hookspath");
        if (value != NULL)
            r = protect_named(p, worktree, value);
        else if ((value = value_of(line, "path")) != NULL)
            r = protect_named(p, gitdir, value);
        line = next;
    }
    return r;
}

/* A directory that git takes for a repository's own. */
static bool is_gitdir(const struct run_protector *p, const char *rel)
{
    return exists(p, rel, "HEAD", S_IFREG) &&
           (exists(p, rel, "objects", S_IFDIR) || exists(p, rel, "commondir", S_IFREG));
}

static int protect_gitdir(struct run_protector *p, const char *gitdir, const char *worktree)
{
    int r = protect_in(p, gitdir, "config.worktree", RUN_ABSENT_FILE);

    if (r == 0)
        r = protect_in(p, gitdir, "commondir", RUN_ABSENT_FILE);
    /* A linked worktree's directory takes hooks and configuration from the common one. */
    if (r < 0 || exists(p, gitdir, "gitdir", S_IFREG))
        return r < 0 ? r : protect_in(p, gitdir, "gitdir", RUN_ABSENT_SKIP);
    r = protect_in(p, gitdir, "hooks", RUN_ABSENT_DIR);
    if (r == 0)
        r = protect_in(p, gitdir, "config", RUN_ABSENT_FILE);
    if (r == 0)
        r = protect_by_config(p, gitdir, worktree);
    return r;
}

/* The ".git" of @worktree ("" is the mount's root), of whatever kind it is. */
static int protect_dot_git(struct run_protector *p, const char *worktree, enum run_protect_absent absent)
{
    char gitdir[PATH_MAX];
    const int n = snprintf(gitdir, sizeof(gitdir), "%s%s.git", worktree, worktree[0] == '\0' ? "" : "/");

    if (n <= 0 || (size_t)n >= sizeof(gitdir))
        return fb_err_set(p->err, FB_E_LIMIT, "a path in '%s' is too long", p->source);
    if (!exists(p, worktree, ".git", S_IFDIR))
        return run_protect_path(p, gitdir, RUN_PROTECT_READ_ONLY, absent); /* a worktree's file, a link, or nothing */
    return protect_gitdir(p, gitdir, worktree);
}

struct queue {
    char **at;
    unsigned char *depth;
    size_t head;
    size_t n;
};

static int push(struct run_protector *p, struct queue *q, const char *dir, const char *name, unsigned char depth)
{
    char rel[PATH_MAX];
    const int n = snprintf(rel, sizeof(rel), "%s%s%s", dir, dir[0] == '\0' ? "" : "/", name);

    if (depth > RUN_MOUNTS_SCAN_DEPTH_MAX || q->n >= QUEUE_MAX || n < 0 || (size_t)n >= sizeof(rel)) {
        p->m->scan_cut = true;
        return 0;
    }
    if (q->n % 256 == 0) {
        char **at = realloc(q->at, (q->n + 256) * sizeof(*at));
        if (at != NULL)
            q->at = at;
        unsigned char *depths = realloc(q->depth, q->n + 256);
        if (depths != NULL)
            q->depth = depths;
        if (at == NULL || depths == NULL)
            return fb_err_set(p->err, FB_E_NOMEM, "no memory to look through '%s'", p->source);
    }
    q->at[q->n] = strdup(rel);
    if (q->at[q->n] == NULL)
        return fb_err_set(p->err, FB_E_NOMEM, "no memory to look through '%s'", p->source);
    q->depth[q->n++] = depth;
    return 0;
}

static bool is_dir_entry(int dirfd, const struct dirent *e)
{
    struct stat st;
    if (e->d_type != DT_UNKNOWN)
        return e->d_type == DT_DIR;
    return fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* One directory: what it holds is protected, its directories are queued. */
static int scan_one(struct run_protector *p, struct queue *q, const char *rel, unsigned char depth)
{
    char path[PATH_MAX];
    int r = 0;

    (void)snprintf(path, sizeof(path), "%s/%s", p->source, rel);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return 0; /* not for us to read: the agent, with no more rights, cannot either */
    }
    bool head = false;
    bool inside = false;
    for (const struct dirent *e = readdir(dir); r == 0 && e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (p->entries_left == 0) {
            p->m->scan_cut = true;
            break;
        }
        p->entries_left--;
        head |= strcmp(e->d_name, "HEAD") == 0;
        inside |= strcmp(e->d_name, "objects") == 0 || strcmp(e->d_name, "commondir") == 0;
        if (depth > 0 && strcmp(e->d_name, ".git") == 0)
            r = protect_dot_git(p, rel, RUN_ABSENT_SKIP);
        else if (depth > 0 && strcmp(e->d_name, ".firma") == 0) {
            char firma[PATH_MAX];
            (void)snprintf(firma, sizeof(firma), "%s/.firma", rel);
            r = run_protect_path(p, firma, RUN_PROTECT_HIDE, RUN_ABSENT_SKIP);
        }
        if (r == 0 && is_dir_entry(fd, e) && strcmp(e->d_name, "objects") != 0)
            r = push(p, q, rel, e->d_name, (unsigned char)(depth + 1));
    }
    (void)closedir(dir);
    /* Also what is not called ".git": bare repositories, submodules' and worktrees' own directories. */
    if (r == 0 && head && inside && rel[0] != '\0' && is_gitdir(p, rel))
        r = protect_gitdir(p, rel, rel);
    return r;
}

int run_protect_repositories(struct run_protector *p)
{
    struct queue q = { 0 };

    int r = protect_dot_git(p, "", RUN_ABSENT_DIR);
    if (r == 0)
        r = push(p, &q, "", "", 0);
    /* Breadth first: what lies near the root is protected even where the limits end the search. */
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
