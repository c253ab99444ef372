/* The frame of the view: system directories, /etc, /proc, /dev, scratch space. The profile's part is in
 * mounts_profile.c, the covers in writable mounts in mounts_protect.c. */
#include "run/mounts.h"

#include "base/fs.h"
#include "run/etcfiles.h"
#include "run/mounts_priv.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct run_step *new_step(struct run_mounts *m, struct fb_err *err)
{
    if (m->n_steps >= RUN_MOUNTS_STEPS_MAX) {
        fb_err_set(err, FB_E_LIMIT, "the sandbox's view needs more than %d mounts", RUN_MOUNTS_STEPS_MAX);
        fb_err_remedy(err, "mount a smaller directory, or fewer");
        return NULL;
    }
    /* Grows by doubling: at 0, 32, 64, ... */
    if (m->n_steps == 0 || (m->n_steps >= 32 && (m->n_steps & (m->n_steps - 1)) == 0)) {
        size_t cap = m->n_steps == 0 ? 32 : m->n_steps * 2;
        struct run_step *grown = realloc(m->steps, cap * sizeof(*grown));
        if (grown == NULL) {
            fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
            return NULL;
        }
        m->steps = grown;
    }
    struct run_step *s = &m->steps[m->n_steps];
    *s = (struct run_step){ 0 };
    return s;
}

int run_mounts_add(struct run_mounts *m, enum run_step_kind kind, const char *source, const char *target, mode_t mode,
                   bool from_profile, struct fb_err *err)
{
    struct run_step *s = new_step(m, err);
    if (s == NULL)
        return err != NULL ? err->code : FB_E_LIMIT;
    s->kind = kind;
    s->mode = mode;
    s->from_profile = from_profile;
    s->source = source == NULL ? NULL : strdup(source);
    s->target = strdup(target);
    if (s->target == NULL || (source != NULL && s->source == NULL)) {
        free(s->source);
        free(s->target);
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    }
    m->n_steps++;
    return 0;
}

int run_mounts_add_data(struct run_mounts *m, enum run_step_kind kind, const char *target, const void *p, size_t n,
                        mode_t mode, struct fb_err *err)
{
    int r = run_mounts_add(m, kind, NULL, target, mode, false, err);
    if (r < 0)
        return r;
    struct run_step *s = &m->steps[m->n_steps - 1];
    s->data = malloc(n + 1);
    if (s->data == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for '%s'", target);
    if (n > 0)
        memcpy(s->data, p, n);
    s->data[n] = '\0';
    s->data_bytes = n;
    return 0;
}

void run_mounts_done(struct run_mounts *m)
{
    for (size_t i = 0; i < m->n_steps; i++) {
        free(m->steps[i].source);
        free(m->steps[i].target);
        free(m->steps[i].data);
    }
    for (size_t i = 0; i < m->n_placeholders; i++)
        free(m->placeholders[i].path);
    run_mounts_let_go(m);
    free(m->steps);
    free(m->placeholders);
    *m = (struct run_mounts){ 0 };
}

bool run_mounts_within(const char *path, const char *dir)
{
    const size_t n = strlen(dir);
    if (strcmp(dir, "/") == 0)
        return true;
    return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

char *run_mounts_join(const char *a, const char *b)
{
    struct fb_buf out;
    fb_buf_init(&out, PATH_MAX);
    (void)fb_buf_addz(&out, strcmp(a, "/") == 0 ? "" : a);
    if (b[0] != '\0') {
        if (b[0] != '/')
            (void)fb_buf_addc(&out, '/');
        (void)fb_buf_addz(&out, b);
    } else if (out.n == 0) {
        (void)fb_buf_addc(&out, '/');
    }
    if (fb_buf_failed(&out)) {
        fb_buf_done(&out);
        return NULL;
    }
    return out.p;
}

/* /usr, and the top-level names that are links into it on a merged system and directories of their own elsewhere. */
static int add_system(struct run_mounts *m, struct fb_err *err)
{
    static const char *const names[] = { "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32" };

    int r = run_mounts_add(m, RUN_STEP_BIND_RO, "/usr", "/usr", 0, false, err);
    for (size_t i = 0; r == 0 && i < FB_COUNT(names); i++) {
        struct stat st;
        char text[PATH_MAX];
        if (lstat(names[i], &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            r = run_mounts_add(m, RUN_STEP_BIND_RO, names[i], names[i], 0, false, err);
        } else if (S_ISLNK(st.st_mode)) {
            ssize_t n = readlink(names[i], text, sizeof(text) - 1);
            if (n <= 0)
                continue;
            text[n] = '\0';
            r = run_mounts_add(m, RUN_STEP_SYMLINK, text, names[i], 0, false, err);
        }
    }
    return r;
}

/* Small world-readable files are copied (a mount costs more), directories are bound. A missing one is simply missing. */
static int add_etc_from_host(struct run_mounts *m, const char *etc, struct fb_err *err)
{
    static const char *const files[] = { "ld.so.cache", "ld.so.conf", "localtime", "timezone", "protocols", "services",
                                         "mime.types",  "gai.conf",   "shells",    "bash.bashrc", "profile", "inputrc",
                                         "os-release",  "debian_version" };
    static const char *const dirs[] = { "alternatives", "ssl", "pki", "ca-certificates", "crypto-policies" };

    for (size_t i = 0; i < FB_COUNT(files); i++) {
        struct fb_buf content fb_auto(fb_buf_done);
        char *path fb_auto(run_mounts_free_text) = run_mounts_join(etc, files[i]);
        char *target fb_auto(run_mounts_free_text) = run_mounts_join("/etc", files[i]);
        struct stat st;
        fb_buf_init(&content, RUN_MOUNTS_FILE_MAX_BYTES);
        if (path == NULL || target == NULL)
            return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
        /* Root may read what the agent must not: only what everybody may read is copied. */
        if (stat(path, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & S_IROTH) == 0 ||
            fb_fs_read(path, FB_FS_ANY, &content, NULL) != 0)
            continue;
        int r = run_mounts_add_data(m, RUN_STEP_FILE, target, content.p, content.n, 0444, err);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < FB_COUNT(dirs); i++) {
        char *path fb_auto(run_mounts_free_text) = run_mounts_join(etc, dirs[i]);
        char *target fb_auto(run_mounts_free_text) = run_mounts_join("/etc", dirs[i]);
        struct stat st;
        if (path == NULL || target == NULL)
            return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
        if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
            continue;
        int r = run_mounts_add(m, RUN_STEP_BIND_RO, path, target, 0, false, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int add_etc(struct run_mounts *m, const struct run_mounts_spec *spec, const char *hostname, struct fb_err *err)
{
    size_t n;
    const struct run_etcfile *generated = run_etcfiles_table(&n);

    int r = add_etc_from_host(m, spec->etc_dir == NULL ? "/etc" : spec->etc_dir, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct fb_buf content fb_auto(fb_buf_done);
        fb_buf_init(&content, RUN_MOUNTS_FILE_MAX_BYTES);
        if (generated[i].write(&content, &spec->identity, spec->home, hostname) != 0)
            return fb_err_set(err, FB_E_NOMEM, "no memory for '%s'", generated[i].target);
        r = run_mounts_add_data(m, RUN_STEP_FILE, generated[i].target, content.p, content.n, 0444, err);
    }
    return r;
}

struct frame_row {
    enum run_step_kind kind;
    const char *source;
    const char *target;
    mode_t mode;
};

/* /dev is made of single nodes: a new devpts is mounted by firma-init, and the host's terminals, /dev/tty included, are
 * not here under any name. */
static const struct frame_row frame[] = {
    { RUN_STEP_PROC, NULL, "/proc", 0 },
    { RUN_STEP_DIR, NULL, "/dev", 0755 },
    { RUN_STEP_DEV, "/dev/null", "/dev/null", 0 },
    { RUN_STEP_DEV, "/dev/zero", "/dev/zero", 0 },
    { RUN_STEP_DEV, "/dev/full", "/dev/full", 0 },
    { RUN_STEP_DEV, "/dev/random", "/dev/random", 0 },
    { RUN_STEP_DEV, "/dev/urandom", "/dev/urandom", 0 },
    { RUN_STEP_DIR, NULL, "/dev/pts", 0755 },
    { RUN_STEP_SYMLINK, "pts/ptmx", "/dev/ptmx", 0 },
    { RUN_STEP_SYMLINK, "/proc/self/fd", "/dev/fd", 0 },
    { RUN_STEP_SYMLINK, "/proc/self/fd/0", "/dev/stdin", 0 },
    { RUN_STEP_SYMLINK, "/proc/self/fd/1", "/dev/stdout", 0 },
    { RUN_STEP_SYMLINK, "/proc/self/fd/2", "/dev/stderr", 0 },
    { RUN_STEP_TMPFS, NULL, "/dev/shm", 01777 },
    { RUN_STEP_TMPFS, NULL, "/tmp", 01777 },
    { RUN_STEP_TMPFS, NULL, "/var/tmp", 01777 },
    { RUN_STEP_TMPFS, NULL, "/run", 0755 },
    { RUN_STEP_DIR, NULL, RUN_MOUNTS_FIRMA_DIR, 0755 },
    { RUN_STEP_SYMLINK, "../run", "/var/run", 0 },
};

static int add_frame(struct run_mounts *m, struct fb_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < FB_COUNT(frame); i++)
        r = run_mounts_add(m, frame[i].kind, frame[i].source, frame[i].target, frame[i].mode, false, err);
    return r;
}

/* A private home, unless it already lies in scratch space. */
static int add_home(struct run_mounts *m, const char *home, struct fb_err *err)
{
    static const char *const taken[] = { "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/dev", "/run" };

    if (strcmp(home, "/") == 0)
        return 0;
    for (size_t i = 0; i < FB_COUNT(taken); i++)
        if (run_mounts_within(home, taken[i])) {
            fb_err_set(err, FB_E_CONFIG_VALIDATION, "HOME '%s' lies in a directory of the system", home);
            fb_err_remedy(err, "set HOME to another directory: HOME=/tmp firma run ...");
            return FB_E_CONFIG_VALIDATION;
        }
    if (run_mounts_within(home, "/tmp") || run_mounts_within(home, "/var/tmp"))
        return run_mounts_add(m, RUN_STEP_DIR, NULL, home, 0700, false, err);
    return run_mounts_add(m, RUN_STEP_TMPFS, NULL, home, 0700, false, err);
}

static int add_files(struct run_mounts *m, const struct run_mounts_spec *spec, struct fb_err *err)
{
    for (size_t i = 0; i < spec->n_files; i++) {
        const struct run_file *f = &spec->files[i];
        int r = run_mounts_add_data(m, RUN_STEP_FILE, f->target, f->p, f->n_bytes, f->mode & 0555, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_cwd(const struct run_mounts *m, const struct run_mounts_spec *spec, struct fb_err *err)
{
    if (spec->cwd == NULL)
        return 0;
    if (spec->cwd[0] != '/')
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "the working directory '%s' is not absolute", spec->cwd);
    if (spec->state_dir != NULL && run_mounts_within(spec->cwd, spec->state_dir)) {
        fb_err_set(err, FB_E_CONFIG_VALIDATION, "the working directory '%s' lies in the state directory", spec->cwd);
        fb_err_remedy(err, "change to another directory and run again");
        return FB_E_CONFIG_VALIDATION;
    }
    if (strcmp(spec->cwd, "/") == 0 || run_mounts_covering(m, spec->cwd) != NULL)
        return 0;
    fb_err_set(err, FB_E_CONFIG_VALIDATION, "the working directory '%s' is not mounted in the sandbox", spec->cwd);
    fb_err_remedy(err, "add it to `mounts` of the profile, or use --profile codex");
    return FB_E_CONFIG_VALIDATION;
}

int run_mounts_plan(const struct run_mounts_spec *spec, struct run_mounts *ret, struct fb_err *err)
{
    const char *hostname = spec->hostname == NULL ? "firma" : spec->hostname;
    struct run_mounts m = { 0 };

    *ret = m;
    int r = run_etcfiles_check(spec->home, hostname, err);
    if (r == 0)
        r = add_system(&m, err);
    if (r == 0)
        r = add_etc(&m, spec, hostname, err);
    if (r == 0)
        r = add_frame(&m, err);
    if (r == 0)
        r = add_home(&m, spec->home, err);
    if (r == 0)
        r = run_mounts_add_profile(&m, spec, err);
    if (r == 0)
        r = add_files(&m, spec, err);
    if (r == 0)
        r = check_cwd(&m, spec, err);
    if (r < 0) {
        run_mounts_done(&m);
        return r;
    }
    *ret = m;
    return 0;
}
