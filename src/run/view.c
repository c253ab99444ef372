#include "run/view.h"

#include "base/buf.h"
#include "base/fd.h"
#include "base/fs.h"
#include "init/wire.h"
#include "run/bwrap.h"
#include "run/handover.h"
#include "run/mounts_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LINKS_MAX = 8, HOST_MOUNTS_MAX_BYTES = 4 << 20 };

struct place {
    char *path;
    size_t order;
    struct init_view_entry entry;
};

struct view {
    const struct run_mounts *m;
    struct place *places;
    size_t n;
    size_t room;
};

int run_view_open(const char *path)
{
    const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

static void view_done(struct view *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->places[i].path);
    free(v->places);
}

/* One pass over the links of the frame: @at is rewritten when it lies below one. */
static bool follow_frame_link(const struct run_mounts *m, char at[PATH_MAX])
{
    for (size_t i = 0; i < m->n_steps; i++) {
        const struct run_step *s = &m->steps[i];
        if (s->kind != RUN_STEP_SYMLINK || !run_mounts_within(at, s->target))
            continue;
        char to[PATH_MAX];
        char base[PATH_MAX];
        const char *text = s->source;
        (void)snprintf(base, sizeof(base), "%s", s->target);
        *strrchr(base, '/') = '\0';
        for (; strncmp(text, "../", 3) == 0; text += 3)
            if (strrchr(base, '/') != NULL)
                *strrchr(base, '/') = '\0';
        const int n = snprintf(to, sizeof(to), "%s%s%s%s", text[0] == '/' ? "" : base, text[0] == '/' ? "" : "/", text,
                               at + strlen(s->target));
        if (n <= 0 || (size_t)n >= sizeof(to))
            return false;
        memcpy(at, to, (size_t)n + 1);
        return true;
    }
    return false;
}

/* @target + @rest as a place. Where a target lies below a link that the frame itself makes, the mount is behind it. */
static struct init_view_entry *add_place(struct view *v, const char *target, const char *rest, uint32_t flags,
                                         struct fb_err *err)
{
    char at[PATH_MAX];

    if (v->n == v->room) {
        const size_t room = v->room == 0 ? 128 : v->room * 2;
        struct place *grown = room > INIT_VIEW_ENTRIES_MAX ? NULL : realloc(v->places, room * sizeof(*grown));
        if (grown == NULL) {
            fb_err_set(err, FB_E_LIMIT, "the sandbox's view has too many mount points");
            return NULL;
        }
        v->places = grown;
        v->room = room;
    }
    const int n = snprintf(at, sizeof(at), "%s%s", strcmp(target, "/") == 0 && rest[0] != '\0' ? "" : target, rest);
    if (n <= 0 || (size_t)n >= sizeof(at)) {
        fb_err_set(err, FB_E_LIMIT, "the path of a mount point is too long");
        return NULL;
    }
    for (int i = 0; i < LINKS_MAX && follow_frame_link(v->m, at); i++)
        continue;
    struct place *p = &v->places[v->n];
    *p = (struct place){ .path = strdup(at), .order = v->n, .entry = { .flags = flags } };
    if (p->path == NULL) {
        fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
        return NULL;
    }
    v->n++;
    return &p->entry;
}

/* The agent of another run can exchange names only below what a profile gives; the system's own links are root's. */
static int look(const char *source, bool strict, struct init_view_entry *ret, struct fb_err *err)
{
    struct stat st;
    int fd fb_auto(fb_fd_close) = strict ? run_view_open(source) : open(source, O_PATH | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        const bool changed = errno == ELOOP || errno == ENOENT || errno == ENOTDIR;
        int r = fb_err_sys(err, FB_E_BACKEND, errno, "%s: '%s'",
                           changed ? "the file system changed while the sandbox was being built" : "cannot look at a mount",
                           source);
        fb_err_remedy(err, "look at who else writes there, and run again");
        return r;
    }
    ret->dev = (uint64_t)st.st_dev;
    ret->ino = (uint64_t)st.st_ino;
    ret->flags |= INIT_VIEW_SAME;
    return 0;
}

static int add_step(struct view *v, const struct run_step *s, struct fb_err *err)
{
    uint32_t flags = INIT_VIEW_REQUIRED;

    switch (s->kind) {
    case RUN_STEP_BIND:
    case RUN_STEP_DEV:
    case RUN_STEP_TMPFS:
        break;
    case RUN_STEP_BIND_RO:
    case RUN_STEP_COVER:
    case RUN_STEP_DATA_RO:
        flags |= INIT_VIEW_READ_ONLY;
        break;
    case RUN_STEP_PROC:
        flags |= INIT_VIEW_BELOW;
        break;
    default:
        return 0;
    }
    struct init_view_entry *e = add_place(v, s->target, "", flags, err);
    if (e == NULL)
        return FB_E_LIMIT;
    return s->source == NULL ? 0 : look(s->source, s->from_profile, e, err);
}

/* Where a later mount lies over a place, the place is there and cannot be seen. */
static void blind_hidden(struct view *v)
{
    for (size_t i = 0; i < v->n; i++)
        for (size_t j = i + 1; j < v->n; j++)
            if ((v->places[j].entry.flags & INIT_VIEW_REQUIRED) != 0 && strcmp(v->places[j].path, "/") != 0 &&
                run_mounts_within(v->places[i].path, v->places[j].path)) {
                v->places[i].entry.flags &= ~(uint32_t)(INIT_VIEW_SAME | INIT_VIEW_READ_ONLY);
                break;
            }
}

/* The fifth field of a line of mountinfo, its escapes undone in place. NULL when there is none. */
static char *mount_point(char *line)
{
    char *at = line;
    for (int i = 0; i < 4; i++) {
        at = strchr(at, ' ');
        if (at == NULL)
            return NULL;
        at++;
    }
    char *to = at;
    for (char *from = at; *from != '\0' && *from != ' '; to++) {
        if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
            from[3] <= '7') {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
    return at;
}

/* A bind brings along what the host has mounted below its source: allowed, not required. */
static int add_host_mounts(struct view *v, struct fb_err *err)
{
    struct fb_buf text fb_auto(fb_buf_done);

    fb_buf_init(&text, HOST_MOUNTS_MAX_BYTES);
    int r = fb_fs_read("/proc/self/mountinfo", FB_FS_ANY, &text, err);
    if (r == 0 && fb_buf_addc(&text, '\0') != 0)
        r = fb_err_set(err, FB_E_LIMIT, "the host has too many mounts");
    if (r < 0)
        return r;
    char *next = text.p;
    while (next != NULL && *next != '\0') {
        char *line = next;
        next = strchr(line, '\n');
        if (next != NULL)
            *next++ = '\0';
        const char *at = mount_point(line);
        for (size_t i = 0; at != NULL && i < v->m->n_steps; i++) {
            const struct run_step *s = &v->m->steps[i];
            if ((s->kind != RUN_STEP_BIND && s->kind != RUN_STEP_BIND_RO) || strcmp(at, s->source) == 0 ||
                !run_mounts_within(at, s->source))
                continue;
            if (add_place(v, s->target, at + (strcmp(s->source, "/") == 0 ? 0 : strlen(s->source)), 0, err) == NULL)
                return FB_E_LIMIT;
        }
    }
    return 0;
}

static int by_path(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;
    const int c = strcmp(left->path, right->path);
    return c != 0 ? c : (left->order > right->order) - (left->order < right->order);
}

/* Sorted, one entry a path: the mount that was made last is the one that shows. */
static int write_down(struct view *v, struct fb_err *err)
{
    struct init_view header = { .magic = INIT_VIEW_MAGIC };
    struct fb_buf out fb_auto(fb_buf_done);

    qsort(v->places, v->n, sizeof(v->places[0]), by_path);
    size_t kept = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (kept > 0 && strcmp(v->places[kept - 1].path, v->places[i].path) == 0) {
            /* One that is only allowed never takes the place of one that is required. */
            if ((v->places[i].entry.flags & INIT_VIEW_REQUIRED) != 0)
                v->places[kept - 1].entry = v->places[i].entry;
            free(v->places[i].path);
        } else {
            v->places[kept++] = v->places[i];
        }
    }
    v->n = kept;
    fb_buf_init(&out, INIT_VIEW_MAX_BYTES);
    header.n_entries = (uint32_t)kept;
    size_t at = sizeof(header) + kept * sizeof(struct init_view_entry);
    for (size_t i = 0; i < kept; i++) {
        v->places[i].entry.path_offset = (uint32_t)at;
        at += strlen(v->places[i].path) + 1;
    }
    header.total_bytes = (uint32_t)at;
    (void)fb_buf_add(&out, &header, sizeof(header));
    for (size_t i = 0; i < kept; i++)
        (void)fb_buf_add(&out, &v->places[i].entry, sizeof(v->places[i].entry));
    for (size_t i = 0; i < kept; i++)
        (void)fb_buf_add(&out, v->places[i].path, strlen(v->places[i].path) + 1);
    if (fb_buf_failed(&out))
        return fb_err_set(err, FB_E_LIMIT, "the sandbox's view has more than %d bytes", INIT_VIEW_MAX_BYTES);
    return run_handover_file("firma-view", out.p, out.n, err);
}

int run_view_file(const struct run_mounts *m, const char *init_path, struct fb_err *err)
{
    struct view v = { .m = m };
    int r = add_place(&v, "/", "", INIT_VIEW_REQUIRED | INIT_VIEW_READ_ONLY, err) == NULL ? FB_E_LIMIT : 0;

    for (size_t i = 0; r == 0 && i < m->n_steps; i++)
        r = add_step(&v, &m->steps[i], err);
    if (r == 0) {
        struct init_view_entry *e =
            add_place(&v, RUN_BWRAP_INIT_INSIDE, "", INIT_VIEW_REQUIRED | INIT_VIEW_READ_ONLY, err);
        r = e == NULL ? FB_E_LIMIT : look(init_path, false, e, err);
    }
    if (r == 0) {
        blind_hidden(&v);
        r = add_host_mounts(&v, err);
    }
    if (r == 0)
        r = write_down(&v, err);
    view_done(&v);
    return r;
}
