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

/* Covered already, itself or a directory above it, and not shown again since: a second cover has no file left to stand on. */
static bool is_covered(const struct run_mounts *m, const char *target)
{
    bool covered = false;
    for (size_t i = 0; i < m->n_steps; i++) {
        const struct run_step *s = &m->steps[i];
        if ((s->kind == RUN_STEP_BIND || s->kind == RUN_STEP_BIND_RO) && run_mounts_within(target, s->target))
            covered = false;
        else if (s->kind == RUN_STEP_DATA_RO && strcmp(s->target, target) == 0)
            covered = true;
        else if (s->kind == RUN_STEP_COVER && run_mounts_within(target, s->target))
            covered = true;
    }
    return covered;
}

/* Covers @secret where the mount of @source at @target shows it. */
static int hide(struct run_mounts *m, const char *source, const char *target, const char *secret, struct fb_err *err)
{
    struct stat st;

    if (secret == NULL || !run_mounts_within(secret, source) || lstat(secret, &st) != 0)
        return 0;
    char *at = run_mounts_join(target, secret + (strcmp(source, "/") == 0 ? 0 : strlen(source)));
    if (at == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for the sandbox's view");
    int r = 0;
    const bool covered = is_covered(m, at);
    if (!covered && S_ISDIR(st.st_mode))
        r = run_mounts_add(m, RUN_STEP_COVER, NULL, at, 0555, false, err);
    else if (!covered && (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISFIFO(st.st_mode)))
        r = run_mounts_add_data(m, RUN_STEP_DATA_RO, at, "", 0, 0444, err);
    free(at);
    return r;
}

/* Canonical where it exists, as given where it does not (then no mount can show it). Heap. */
static char *canonical_or_same(const char *path)
{
    char *real = path == NULL ? NULL : realpath(path, NULL);
    return real != NULL ? real : (path == NULL ? NULL : strdup(path));
}

static int hide_all(struct run_mounts *m, const struct run_mounts_spec *spec, const char *source, const char *target,
                    struct fb_err *err)
{
    char *state = canonical_or_same(spec->state_dir);
    char *config = canonical_or_same(spec->config_path);
    int r = refuse_source(source, state, "the state directory", err);

    if (r == 0 && has_part(source, ".firma")) {
        fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' cannot be mounted: it lies in a .firma directory", source);
        r = FB_E_CONFIG_VALIDATION;
    }
    if (r == 0)
        r = hide(m, source, target, state, err);
    if (r == 0)
        r = hide(m, source, target, config, err);
    for (size_t i = 0; r == 0 && i < spec->n_hidden; i++) {
        char *secret = canonical_or_same(spec->hidden[i]);
        r = refuse_source(source, secret, "the control plane,", err);
        if (r == 0)
            r = hide(m, source, target, secret, err);
        free(secret);
    }
    free(state);
    free(config);
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
    if (r == 0)
        r = run_mounts_add(m, mount->read_only ? RUN_STEP_BIND_RO : RUN_STEP_BIND, source, mount->target, 0, true, err);
    if (r == 0 && S_ISDIR(st.st_mode) && !mount->read_only)
        r = run_mounts_protect(m, spec, source, mount->target, err);
    if (r == 0)
        r = hide_all(m, spec, source, mount->target, err);
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
