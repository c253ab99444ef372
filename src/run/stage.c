#include "run/stage.h"

#include "base/fd.h"
#include "base/proc.h"
#include "run/mounts_priv.h"
#include "run/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Covered in the child's private mount namespace only; bubblewrap itself requires it to exist. */
#define STAGE_DIR "/tmp"

static const struct run_stage_entry *find(const struct run_stage *s, const char *source)
{
    for (size_t i = 0; i < s->n; i++)
        if (run_mounts_within(source, s->entries[i].source))
            return &s->entries[i];
    return NULL;
}

static int add_entry(struct run_stage *s, const char *source, bool writable, struct fb_err *err)
{
    struct stat st;

    if (find(s, source) != NULL)
        return 0;
    if (s->n >= RUN_STAGE_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d mounts in a run by root", RUN_STAGE_MAX);
    if (stat(source, &st) != 0)
        return fb_err_sys(err, FB_E_BACKEND, errno, "cannot look at '%s'", source);
    struct run_stage_entry *e = &s->entries[s->n];
    *e = (struct run_stage_entry){ .is_dir = S_ISDIR(st.st_mode) };
    e->idmap = writable && st.st_uid == 0 && s->identity.workspace_is_root_owned;
    e->source = strdup(source);
    if (e->source == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the mounts");
    (void)snprintf(e->staged, sizeof(e->staged), STAGE_DIR "/%zu", s->n);
    s->n++;
    return 0;
}

int run_stage_plan(const struct run_mounts *m, const struct run_identity *id, const char *init_path,
                   struct run_stage *ret, struct fb_err *err)
{
    *ret = (struct run_stage){ .identity = *id };
    int r = add_entry(ret, init_path, false, err);
    for (size_t i = 0; r == 0 && i < m->n_steps; i++)
        if (m->steps[i].from_profile)
            r = add_entry(ret, m->steps[i].source, m->steps[i].kind == RUN_STEP_BIND, err);
    return r;
}

void run_stage_done(struct run_stage *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->entries[i].source);
    *s = (struct run_stage){ 0 };
}

const char *run_stage_source(const void *ctx, const char *source)
{
    static char at[PATH_MAX];
    const struct run_stage_entry *e = find(ctx, source);

    if (e == NULL)
        return source;
    const int n = snprintf(at, sizeof(at), "%s%s", e->staged, source + strlen(e->source));
    return n > 0 && (size_t)n < sizeof(at) ? at : source;
}

static bool write_text(const char *path, const char *text)
{
    int fd fb_auto(fb_fd_close) = open(path, O_WRONLY | O_CLOEXEC);
    return fd >= 0 && fb_fd_write_all(fd, text, strlen(text)) == 0;
}

/* A user namespace that only serves as a table: what root owns on disk appears as the lesser user's. -1 with errno. */
static int idmap_namespace(const struct run_identity *id)
{
    char path[64];
    char map[64];
    const pid_t parent = getpid();
    int made[2];
    char byte = 0;
    int ns = -1;

    if (pipe2(made, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0) {
        /* The caller's descriptors are not for a process that only waits; nor may it outwait its parent. */
        fb_proc_die_with_parent(parent);
        if (dup2(made[1], 0) < 0 || syscall(SYS_close_range, 1U, ~0U, 0U) != 0 || unshare(CLONE_NEWUSER) != 0 ||
            write(0, "x", 1) != 1)
            _exit(1);
        (void)pause();
        _exit(0);
    }
    (void)close(made[1]);
    if (read(made[0], &byte, 1) == 1) {
        (void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)pid);
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned int)id->uid_outside);
        bool ok = write_text(path, map);
        (void)snprintf(path, sizeof(path), "/proc/%d/gid_map", (int)pid);
        (void)snprintf(map, sizeof(map), "0 %u 1", (unsigned int)id->gid_outside);
        ok = write_text(path, map) && ok;
        (void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
        if (ok)
            ns = open(path, O_RDONLY | O_CLOEXEC);
    }
    int saved = errno;
    (void)close(made[0]);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    errno = saved;
    return ns;
}

static const char *map_tree(int tree, const struct run_stage *s)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP };
    int ns = idmap_namespace(&s->identity);

    if (ns < 0)
        return "idmap: user namespace";
    attr.userns_fd = (unsigned int)ns;
    const int r = mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr));
    int saved = errno;
    (void)close(ns);
    errno = saved;
    return r == 0 ? NULL : "idmap: mount_setattr";
}

static const char *place(const struct run_stage_entry *e, int tree)
{
    if (e->is_dir) {
        if (mkdir(e->staged, 0755) != 0)
            return "staging: mkdir";
    } else {
        int fd = open(e->staged, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (fd < 0)
            return "staging: create";
        (void)close(fd);
    }
    return move_mount(tree, "", AT_FDCWD, e->staged, MOVE_MOUNT_F_EMPTY_PATH) == 0 ? NULL : "staging: move_mount";
}

const char *run_stage_enter(const struct run_stage *s)
{
    int trees[RUN_STAGE_MAX];

    if (unshare(CLONE_NEWNS) != 0)
        return "staging: unshare";
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return "staging: private mounts";
    /* All are taken before the staging directory covers anything: a source may lie below it. */
    for (size_t i = 0; i < s->n; i++) {
        int at = run_view_open(s->entries[i].source); /* root must not follow what an agent may have put there */
        if (at < 0)
            return "staging: source";
        trees[i] = open_tree(at, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
        if (trees[i] < 0)
            return "staging: open_tree";
        (void)close(at);
        const char *failed = s->entries[i].idmap ? map_tree(trees[i], s) : NULL;
        if (failed != NULL)
            return failed;
    }
    if (mount("tmpfs", STAGE_DIR, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0)
        return "staging: tmpfs";
    for (size_t i = 0; i < s->n; i++) {
        const char *failed = place(&s->entries[i], trees[i]);
        if (failed != NULL)
            return failed;
        (void)close(trees[i]);
    }
    return NULL;
}
