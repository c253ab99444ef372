/* The profile's mounts: only what was asked for, by its canonical name, and never the product's own control plane. */
#include "run/mounts_priv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct run_step *run_mounts_covering(const struct run_mounts *m, const char *inside)
{
    for (size_t i = m->n_steps; i-- > 0;)
        if (run_mounts_within(inside, m->steps[i].target))
            return &m->steps[i];
    return NULL;
}

/* Places that are the sandbox's own. */
static int check_target(const char *target, struct fb_err *err)
{
    static const char *const taken[] = { "/proc", "/dev", "/etc", RUN_MOUNTS_FIRMA_DIR };

    if (target[0] != '/')
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount target '%s' is not absolute", target);
    if (strstr(target, "/../") != NULL || strstr(target, "/./") != NULL || strstr(target, "//") != NULL)
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount target '%s' is not in its plain form", target);
    const size_t n = strlen(target);
    if (strcmp(target, "/") == 0 || (n >= 3 && strcmp(target + n - 3, "/..") == 0) ||
        (n >= 2 && strcmp(target + n - 2, "/.") == 0))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "nothing can be mounted on '%s'", target);
    static const char *const parents[] = { "/usr", "/bin", "/sbin", "/lib", "/lib64", "/run" };
    for (size_t i = 0; i < FB_COUNT(taken); i++)
        if (run_mounts_within(target, taken[i]))
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount target '%s' belongs to the sandbox itself", target);
    for (size_t i = 0; i < FB_COUNT(parents); i++)
        if (strcmp(target, parents[i]) == 0)
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount target '%s' belongs to the sandbox itself", target);
    return 0;
}

/* The canonical name of what is to be mounted; every later comparison is between canonical names. */
static char *canonical_source(const struct run_mount *mount, struct fb_err *err)
{
    if (mount->source[0] != '/') {
        fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount source '%s' is not absolute", mount->source);
        return NULL;
    }
    char *real = realpath(mount->source, NULL);
    if (real == NULL) {
        fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "cannot mount '%s'", mount->source);
        fb_err_remedy(err, "create it, or take it out of `mounts` of the profile");
    }
    return real;
}

static int refuse_source(const char *source, const char *secret, const char *what, struct fb_err *err)
{
    if (secret == NULL || !run_mounts_within(source, secret))
        return 0;
    fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' cannot be mounted: it lies in %s '%s'", source, what, secret);
    fb_err_remedy(err, "take it out of `mounts` of the profile");
    return FB_E_CONFIG_VALIDATION;
}

static bool has_part(const char *path, const char *part)
{
    struct fb_str rest = fb_str_of(path);
    struct fb_str one;
    while (fb_str_split(&rest, '/', &one))
        if (fb_str_eqz(one, part))
            return true;
    return false;
}

/* A mount of the profile that is being added. */
struct shown {
    const char *source; /* canonical */
    const char *target;
    bool read_only;
};

/* What may become of a path of the control plane while the run lasts. */
enum change {
    STAYS,
    IS_REPLACED,
    IS_MADE, /* by the launcher, before it plans what it carries out */
};

/* What the last step at @target, or above it, leaves to be seen there: nothing. A second cover has no file to stand on. */
static bool is_covered(const struct run_mounts *m, const char *target)
{
    const struct run_step *s = run_mounts_covering(m, target);
    return s != NULL && (s->kind == RUN_STEP_COVER || s->kind == RUN_STEP_DATA_RO);
}

/* Covers @secret where @in shows it. What is not there yet must not appear later, uncovered; and where firma itself
 * replaces the file by another, the cover goes with the old one. */
static int hide(struct run_mounts *m, const struct shown *in, const char *secret, enum change change, struct fb_err *err)
{
    struct stat st;

    if (secret == NULL || !run_mounts_within(secret, in->source))
        return 0;
    const char *rel = secret + (strcmp(in->source, "/") == 0 ? 0 : strlen(in->source));
    rel += strspn(rel, "/");
    char *at fb_auto(run_mounts_free_text) = run_mounts_join(in->target, rel);
    if (at == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    if (is_covered(m, at))
        return 0;
    const bool there = lstat(secret, &st) == 0;
    if (!there && change == IS_MADE)
        return run_mounts_add(m, RUN_STEP_COVER, NULL, at, 0555, false, err);
    if (change == IS_REPLACED || !there) {
        const bool replaced = change == IS_REPLACED;
        fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' %s, and lies in '%s', which the agent sees", secret,
                   replaced ? "is replaced while the agent runs" : "does not exist yet", in->source);
        fb_err_remedy(err, "%s", replaced ? "put it outside of every mount, or into the workspace's .firma directory"
                                          : "create it first, or put it outside of every mount");
        return FB_E_CONFIG_VALIDATION;
    }
    if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode) && !S_ISSOCK(st.st_mode) && !S_ISFIFO(st.st_mode))
        return 0;
    if (!in->read_only && rel[0] != '\0')
        return run_mounts_cover_in_writable(m, in->source, in->target, rel, err);
    return S_ISDIR(st.st_mode) ? run_mounts_add(m, RUN_STEP_COVER, NULL, at, 0555, false, err)
                               : run_mounts_add_data(m, RUN_STEP_DATA_RO, at, "", 0, 0444, err);
}

/* Canonical as far as it exists, as given behind that. Heap. */
static char *canonical_or_same(const char *path)
{
    char *start fb_auto(run_mounts_free_text) = path == NULL ? NULL : strdup(path);

    for (size_t n = start == NULL ? 0 : strlen(start); n > 0;) {
        char *real fb_auto(run_mounts_free_text) = realpath(start, NULL);
        if (real != NULL)
            return run_mounts_join(real, path + n + (path[n] == '/'));
        while (n > 0 && start[--n] != '/')
            continue;
        start[n] = '\0';
    }
    return path == NULL ? NULL : strdup(path);
}

/* A link in a writable mount is the agent's to turn, and what firma reads through it next time is then the agent's. */
static int refuse_link(const struct shown *in, const char *secret, struct fb_err *err)
{
    char *part fb_auto(run_mounts_free_text) = secret == NULL ? NULL : strdup(secret);

    for (char *slash = part == NULL || in->read_only ? NULL : part; slash != NULL;) {
        struct stat st;
        slash = strchr(slash + 1, '/');
        if (slash != NULL)
            *slash = '\0';
        char *last = strrchr(part, '/');
        if (last != NULL && last != part && lstat(part, &st) == 0 && S_ISLNK(st.st_mode)) {
            *last = '\0';
            char *real fb_auto(run_mounts_free_text) = realpath(part, NULL);
            *last = '/';
            if (real != NULL && run_mounts_within(real, in->source)) {
                fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' is named through the link '%s', which the agent could change",
                           secret, part);
                fb_err_remedy(err, "name it by its real path, outside of every mount");
                return FB_E_CONFIG_VALIDATION;
            }
        }
        if (slash != NULL)
            *slash = '/';
    }
    return 0;
}

static int hide_one(struct run_mounts *m, const struct shown *in, const char *path, const char *what, enum change change,
                    struct fb_err *err)
{
    char *secret fb_auto(run_mounts_free_text) = canonical_or_same(path);
    int r = what == NULL ? 0 : refuse_source(in->source, secret, what, err);

    if (r == 0)
        r = refuse_link(in, path, err);
    return r < 0 ? r : hide(m, in, secret, change, err);
}

static int hide_all(struct run_mounts *m, const struct run_mounts_spec *spec, const struct shown *in, struct fb_err *err)
{
    if (has_part(in->source, ".firma"))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' cannot be mounted: it lies in a .firma directory", in->source);
    int r = hide_one(m, in, spec->state_dir, "the state directory", IS_MADE, err);
    if (r == 0)
        r = hide_one(m, in, spec->config_path, NULL, STAYS, err);
    for (size_t i = 0; r == 0 && i < spec->n_hidden; i++)
        r = hide_one(m, in, spec->hidden[i], "the control plane,",
                     spec->hidden_replaced != NULL && spec->hidden_replaced[i] ? IS_REPLACED : STAYS, err);
    return r;
}

static int add_one(struct run_mounts *m, const struct run_mounts_spec *spec, const struct run_mount *mount,
                   struct fb_err *err)
{
    struct stat st;

    int r = check_target(mount->target, err);
    if (r < 0)
        return r;
    char *source = canonical_source(mount, err);
    if (source == NULL)
        return FB_E_CONFIG_VALIDATION;
    if (stat(source, &st) != 0)
        r = fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "cannot mount '%s'", source);
    else if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
        r = fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' is neither a directory nor a regular file", source);
    if (r == 0 && S_ISDIR(st.st_mode) && !mount->read_only)
        r = run_mounts_check_writable(spec, source, err);
    if (r == 0)
        r = run_mounts_add(m, mount->read_only ? RUN_STEP_BIND_RO : RUN_STEP_BIND, source, mount->target, 0, true, err);
    if (r == 0 && S_ISDIR(st.st_mode) && !mount->read_only)
        r = run_mounts_protect(m, spec, source, mount->target, err);
    if (r == 0)
        r = hide_all(m, spec, &(struct shown){ source, mount->target, mount->read_only }, err);
    free(source);
    return r;
}

int run_mounts_add_profile(struct run_mounts *m, const struct run_mounts_spec *spec, struct fb_err *err)
{
    for (size_t i = 0; i < spec->n_mounts; i++) {
        int r = add_one(m, spec, &spec->mounts[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}
