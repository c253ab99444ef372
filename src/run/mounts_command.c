/* Where will CMD be found inside? Asked before anything starts, so that the answer can name the missing mount. */
#include "run/mounts_priv.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The host path that shows as @inside; NULL when nothing shows it, or it lies in scratch space (then *@ret_scratch). */
static char *host_path(const struct run_mounts *m, const char *inside, bool *ret_scratch)
{
    const struct run_step *s = run_mounts_covering(m, inside);

    *ret_scratch = false;
    if (s == NULL)
        return NULL;
    if (s->kind == RUN_STEP_BIND || s->kind == RUN_STEP_BIND_RO || s->kind == RUN_STEP_DEV)
        return run_mounts_join(s->source, inside + (strcmp(s->target, "/") == 0 ? 0 : strlen(s->target)));
    if (s->kind == RUN_STEP_SYMLINK && s->target[1] != '\0' && strchr(s->target + 1, '/') == NULL) {
        /* A top-level link such as /bin -> usr/bin. */
        char *to = run_mounts_join(s->source[0] == '/' ? "" : "/", s->source);
        char *whole = to == NULL ? NULL : run_mounts_join(to, inside + strlen(s->target));
        free(to);
        char *found = whole == NULL || strcmp(whole, inside) == 0 ? NULL : host_path(m, whole, ret_scratch);
        free(whole);
        return found;
    }
    *ret_scratch = true;
    return NULL;
}

/* Does the host have a file at this path, whatever the sandbox shows? */
static bool on_host(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static int judge(const struct run_mounts *m, const char *inside, bool *ret_found, struct fb_err *err)
{
    bool scratch;
    char *host = host_path(m, inside, &scratch);

    *ret_found = host != NULL && on_host(host);
    free(host);
    if (*ret_found || !on_host(inside))
        return 0;
    const char *slash = strrchr(inside, '/');
    fb_err_set(err, FB_E_SPAWN, "'%s' is on the host but no mount shows it in the sandbox", inside);
    fb_err_remedy(err, "add { source = \"%.*s\", target = \"%.*s\", read_only = true } to `mounts` of the profile",
                  (int)(slash - inside), inside, (int)(slash - inside), inside);
    return FB_E_SPAWN;
}

static int by_path(const struct run_mounts *m, const char *command, const char *path_env, char **ret_path,
                   struct fb_err *err)
{
    struct fb_str rest = fb_str_of(path_env);
    struct fb_str dir;
    struct fb_err first_miss = { 0 };

    while (fb_str_split(&rest, ':', &dir)) {
        char at[PATH_MAX];
        bool found;
        if (dir.n == 0 || dir.p[0] != '/' || dir.n + strlen(command) + 2 > sizeof(at))
            continue;
        memcpy(at, dir.p, dir.n);
        at[dir.n] = '/';
        memcpy(at + dir.n + 1, command, strlen(command) + 1);
        struct fb_err miss = { 0 };
        if (judge(m, at, &found, &miss) < 0) {
            if (first_miss.code == 0)
                first_miss = miss;
        } else if (found) {
            *ret_path = strdup(at);
            return *ret_path == NULL ? fb_err_set(err, FB_E_NOMEM, "no memory") : 0;
        }
    }
    if (first_miss.code != 0 && err != NULL)
        *err = first_miss;
    return first_miss.code;
}

int run_mounts_find_command(const struct run_mounts *m, const char *command, const char *path_env, const char *cwd,
                            char **ret_path, struct fb_err *err)
{
    *ret_path = NULL;
    if (strchr(command, '/') == NULL)
        return path_env == NULL ? 0 : by_path(m, command, path_env, ret_path, err);
    char *inside = command[0] == '/' ? strdup(command) : run_mounts_join(cwd == NULL ? "/" : cwd, command);
    bool found = false;
    int r = inside == NULL ? fb_err_set(err, FB_E_NOMEM, "no memory") : judge(m, inside, &found, err);
    if (r == 0 && found)
        *ret_path = inside;
    else
        free(inside);
    return r;
}
