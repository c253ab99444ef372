/* What git's configuration files name, read as the person's git will: other configuration, directories of hooks, and the
 * programs that git starts by itself. Source: git-config(1).
 * Not git's own parser, and it need not be: a word taken for more than it is protects one file too many. */
#include "run/mounts_protect.h"

#include "base/fd.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    CONFIG_MAX_BYTES = 256 << 10,
    INCLUDES_MAX = 8, /* files deep; git itself gives up at ten */
    WORD_MAX_BYTES = 64,
};

/* One file while it is read. */
struct reader {
    struct run_protector *p;
    const char *dir; /* of the file, relative to the mount */
    char worktree[PATH_MAX];
    int depth;
    char section[WORD_MAX_BYTES];
};

enum want { WANT_ANY, WANT_FILE };

static int too_long(struct run_protector *p)
{
    return fb_err_set(p->err, FB_E_LIMIT, "a path in '%s' is too long", p->source);
}

/* Takes @path, absolute, down to what is relative to the mount. 1 when it leads elsewhere. ".." is taken textually, which
 * is what the kernel does only where no link stands before it. */
static int resolve(struct run_protector *p, const char *path, char rel[PATH_MAX])
{
    const size_t root = strlen(p->source);
    char out[PATH_MAX] = "";
    struct fb_str rest = fb_str_of(path);
    struct fb_str part;
    size_t n = 0;

    while (fb_str_split(&rest, '/', &part)) {
        if (part.n == 0 || fb_str_eqz(part, "."))
            continue;
        if (fb_str_eqz(part, "..")) {
            mode_t type = S_IFDIR;
            if (n > root && run_mounts_within(out, p->source) && run_protect_type(p, out + root + 1, &type) == 0 &&
                type == S_IFLNK)
                return run_protect_refuse_way(p, path);
            while (n > 0 && out[--n] != '/')
                continue;
            out[n] = '\0';
            continue;
        }
        if (n + part.n + 2 > PATH_MAX)
            return too_long(p);
        out[n++] = '/';
        memcpy(out + n, part.p, part.n);
        n += part.n;
        out[n] = '\0';
    }
    if (n <= root || !run_mounts_within(out, p->source))
        return 1;
    memcpy(rel, out + root + 1, n - root);
    return 0;
}

/* Where @value, relative to @base, lies in the mount. 1 when it does not. */
static int place_of(struct run_protector *p, const char *base, const char *value, char rel[PATH_MAX])
{
    char joined[PATH_MAX];
    const char *home = getenv("HOME");
    int n;

    if (value[0] == '/')
        n = snprintf(joined, sizeof(joined), "%s", value);
    else if (value[0] == '~' && value[1] == '/' && home != NULL)
        n = snprintf(joined, sizeof(joined), "%s%s", home, value + 1);
    else if (value[0] == '~')
        return 1;
    else
        n = snprintf(joined, sizeof(joined), "%s/%s/%s", p->source, base, value);
    if (n <= 0 || (size_t)n >= sizeof(joined))
        return too_long(p);
    int r = resolve(p, joined, rel);
    if (r != 1)
        return r;
    /* The mount's directory under another name. */
    char *real fb_auto(run_mounts_free_text) = realpath(joined, NULL);
    return real == NULL ? 1 : resolve(p, real, rel);
}

static int protect_named(struct run_protector *p, const char *base, const char *value, enum want want)
{
    char rel[PATH_MAX];
    mode_t type;

    int r = place_of(p, base, value, rel);
    if (r != 0)
        return r < 0 ? r : 0;
    if (want == WANT_FILE && run_protect_type(p, rel, &type) == 0 && type != S_IFREG && type != S_IFLNK)
        return 0;
    return run_protect_path(p, rel, RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
}

/* Every word of a command line that is a file of the workspace: the program, or the script that an interpreter is given. */
static int protect_command(struct run_protector *p, const char *base, char *value)
{
    static const char between[] = " \t!\"'`;|&()<>=";
    int r = 0;

    for (char *word = value; r == 0 && *word != '\0';) {
        const size_t n = strcspn(word, between);
        const char end = word[n];
        word[n] = '\0';
        if (n > 0)
            r = protect_named(p, base, word, WANT_FILE);
        word += n + (end != '\0');
    }
    return r;
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcasecmp(word, *list) == 0)
            return true;
    return false;
}

static bool is_command(const char *section, const char *key, const char *value)
{
    static const char *const sections[] = { "alias", "pager", "difftool", "mergetool", "browser", "man", "guitool", NULL };
    static const char *const keys[] = { "fsmonitor", "sshcommand", "editor", "pager", "askpass", "gitproxy", "command",
                                        "textconv", "external", "driver", "clean", "smudge", "process", "helper",
                                        "program", "cmd", "difffilter", "packobjectshook", "alternaterefscommand",
                                        "defaultkeycommand", "uploadpack", "receivepack", "smtpserver", "tocmd", "cccmd",
                                        "update", NULL };
    static const char *const data[] = { "url", "pushurl", "worktree", "path", "fetch", "push", NULL };

    if (is_one_of(section, sections) || is_one_of(key, keys))
        return true;
    return (value[0] == '!' || strncmp(value, "./", 2) == 0) && !is_one_of(key, data);
}

static int read_file(struct run_protector *p, const char *rel, const char *worktree, int depth);

static int include(struct reader *r, const char *value)
{
    char rel[PATH_MAX];

    int code = place_of(r->p, r->dir, value, rel);
    if (code != 0)
        return code < 0 ? code : 0;
    code = run_protect_path(r->p, rel, RUN_PROTECT_READ_ONLY, RUN_ABSENT_SKIP);
    return code < 0 ? code : read_file(r->p, rel, r->worktree, r->depth + 1);
}

static int take_value(struct reader *r, const char *key, char *value)
{
    static const char *const paths[] = { "hookspath", "templatedir", "attributesfile", NULL };
    static const char *const includes[] = { "include", "includeif", NULL };

    if (value[0] == '\0')
        return 0;
    if (is_one_of(r->section, includes) && strcasecmp(key, "path") == 0)
        return include(r, value);
    if (is_one_of(key, paths))
        return protect_named(r->p, r->worktree, value, WANT_ANY);
    return is_command(r->section, key, value) ? protect_command(r->p, r->worktree, value) : 0;
}

/* Takes quotes, escapes and a comment out of @text, in place. */
static void unquote(char *text)
{
    bool quoted = false;
    char *out = text;

    for (const char *in = text; *in != '\0' && (quoted || (*in != '#' && *in != ';')); in++) {
        if (*in == '"')
            quoted = !quoted;
        else if (*in != '\\')
            *out++ = *in;
        else if (in[1] != '\0')
            *out++ = *++in;
    }
    while (out > text && isspace((unsigned char)out[-1]))
        out--;
    *out = '\0';
}

/* Behind "[section "sub"]" at @line, which git also accepts a key behind. */
static char *take_section(struct reader *r, char *line)
{
    const size_t n = strcspn(line + 1, " \t.\"]");
    bool quoted = false;

    (void)snprintf(r->section, sizeof(r->section), "%.*s", (int)(n > WORD_MAX_BYTES ? WORD_MAX_BYTES : n), line + 1);
    for (line++; *line != '\0' && (quoted || *line != ']'); line++) {
        if (*line == '\\' && line[1] != '\0')
            line++;
        else if (*line == '"')
            quoted = !quoted;
    }
    return *line == '\0' ? line : line + 1;
}

/* @value is what @line sets @key to; false for a line that sets nothing. */
static bool split_line(struct reader *r, char *line, char **ret_key, char **ret_value)
{
    for (;;) {
        while (isspace((unsigned char)*line))
            line++;
        if (*line != '[')
            break;
        line = take_section(r, line);
    }
    const size_t n = strcspn(line, " \t\r=");
    char *value = line + n + strspn(line + n, " \t\r");
    if (n == 0 || *line == '#' || *line == ';' || *value != '=')
        return false;
    value += 1 + strspn(value + 1, " \t\r");
    line[n] = '\0';
    unquote(value);
    *ret_key = line;
    *ret_value = value;
    return true;
}

static void join_lines(struct fb_buf *text)
{
    size_t out = 0;
    for (size_t i = 0; i < text->n; i++) {
        if (text->p[i] == '\\' && i + 1 < text->n && text->p[i + 1] == '\n')
            i++;
        else
            text->p[out++] = text->p[i] == '\0' ? ' ' : text->p[i];
    }
    text->n = out;
    text->p[out] = '\0';
}

/* 1: nothing there to read. */
static int load(struct run_protector *p, const char *rel, struct fb_buf *out)
{
    char block[4096];
    struct stat st;
    int fd fb_auto(fb_fd_close) = run_protect_open(p, rel, O_RDONLY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return 1;
    for (size_t n = sizeof(block); n == sizeof(block);) {
        if (fb_fd_read_full(fd, block, sizeof(block), &n) != 0)
            return 1;
        (void)fb_buf_add(out, block, n);
    }
    (void)fb_buf_addc(out, '\n');
    if (!fb_buf_failed(out))
        return 0;
    fb_err_set(p->err, FB_E_CONFIG_VALIDATION, "'%s/%s' has more than %d bytes: what git would run by it is not known",
               p->source, rel, CONFIG_MAX_BYTES);
    fb_err_remedy(p->err, "shorten it, or run in another directory");
    return FB_E_CONFIG_VALIDATION;
}

/* Where git's commands run, should the file say so itself. */
static int take_worktree(struct reader *r, const struct fb_buf *text)
{
    char *copy fb_auto(run_mounts_free_text) = strdup(text->p);
    char *key;
    char *value;
    char rel[PATH_MAX];

    if (copy == NULL)
        return fb_err_set(r->p->err, FB_E_NOMEM, "no memory for the sandbox's view");
    for (char *line = copy, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (!split_line(r, line, &key, &value) || strcasecmp(r->section, "core") != 0 || strcasecmp(key, "worktree") != 0)
            continue;
        int code = place_of(r->p, r->dir, value, rel);
        if (code < 0)
            return code;
        if (code == 0)
            memcpy(r->worktree, rel, strlen(rel) + 1);
    }
    return 0;
}

static int read_file(struct run_protector *p, const char *rel, const char *worktree, int depth)
{
    struct fb_buf text fb_auto(fb_buf_done);
    char *dir fb_auto(run_mounts_free_text) = strdup(rel);
    struct reader r = { .p = p, .depth = depth };
    char *key;
    char *value;

    if (dir == NULL || (size_t)snprintf(r.worktree, sizeof(r.worktree), "%s", worktree) >= sizeof(r.worktree))
        return fb_err_set(p->err, FB_E_NOMEM, "no memory for the sandbox's view");
    char *slash = strrchr(dir, '/');
    dir[slash == NULL ? 0 : slash - dir] = '\0';
    r.dir = dir;
    fb_buf_init(&text, CONFIG_MAX_BYTES);
    int code = depth > INCLUDES_MAX ? 1 : load(p, rel, &text);
    if (code != 0)
        return code < 0 ? code : 0;
    join_lines(&text);
    code = take_worktree(&r, &text);
    r.section[0] = '\0';
    for (char *line = text.p, *next; code == 0 && line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        if (split_line(&r, line, &key, &value))
            code = take_value(&r, key, value);
    }
    /* The person needs to know which file says so. */
    if (code == FB_E_INSECURE && depth == 0) {
        (void)fb_err_wrap(p->err, "'%s/%s' names something by a link", p->source, rel);
        fb_err_remedy(p->err, "replace the link by what it points to, or take the line out of that file");
    }
    return code;
}

int run_protect_by_config(struct run_protector *p, const char *rel, const char *worktree)
{
    return read_file(p, rel, worktree, 0);
}
