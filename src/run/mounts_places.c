/* Places that no agent gets for writing: a home, with the credentials and start-up files of its owner, and the directories
 * of the system. Whatever is protected by name in a workspace, these hold more. */
#include "run/mounts_priv.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* The first test: the place itself, or anything above it (a mount of "/" shows all of them). */
static const char *const whole[] = { "/home", "/root", "/tmp", "/var", "/var/tmp", "/var/lib", "/opt", "/srv", "/run", "/run/user",
                                     "/mnt", "/media" };
/* The place itself, what is above and what is below it. */
static const char *const closed[] = { "/usr", "/etc", "/boot", "/proc", "/sys", "/dev",
                                      "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };

static int refuse(const char *source, const char *what, struct fb_err *err)
{
    fb_err_set(err, FB_E_CONFIG_VALIDATION, "'%s' cannot be given to an agent for writing: it is %s", source, what);
    fb_err_remedy(err, "change to a project directory of its own and run again, or mount it with read_only = true");
    return FB_E_CONFIG_VALIDATION;
}

/* @source is @home or above it. */
static bool shows_home(const char *source, const char *home)
{
    if (home == NULL || home[0] != '/' || home[1] == '\0')
        return false;
    char *real fb_auto(run_mounts_free_text) = realpath(home, NULL);
    return run_mounts_within(home, source) || (real != NULL && real[1] != '\0' && run_mounts_within(real, source));
}

static bool shows_home_of(const char *source, uid_t uid)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char text[8192];
    return getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found != NULL && shows_home(source, found->pw_dir);
}

int run_mounts_check_writable(const struct run_mounts_spec *spec, const char *source, struct fb_err *err)
{
    for (size_t i = 0; i < FB_COUNT(whole); i++)
        if (strcmp(source, whole[i]) == 0)
            return refuse(source, "a directory of the system", err);
    for (size_t i = 0; i < FB_COUNT(closed); i++)
        if (run_mounts_within(source, closed[i]) || run_mounts_within(closed[i], source))
            return refuse(source, "a directory of the system", err);
    if (shows_home(source, getenv("HOME")) || shows_home_of(source, geteuid()) ||
        shows_home_of(source, spec->identity.uid_outside))
        return refuse(source, "a home directory, or above one", err);
    return 0;
}
