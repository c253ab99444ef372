/* Conflicts between flags, found before anything is touched. */
#include "run/options.h"

#include "base/err.h"
#include "base/str.h"
#include "stack/ids.h"

#include <stdlib.h>
#include <string.h>

static bool is_one_of(const char *value, const char *const *list)
{
    for (; *list != NULL; list++)
        if (strcmp(value, *list) == 0)
            return true;
    return false;
}

static int check_lists(const struct run_options *o, struct fb_err *err)
{
    static const char *const backends[] = { "bwrap", "vz", "wsl2", "firecracker", NULL };
    static const char *const modes[] = { "sandbox-user", "host-user", NULL };
    if (o->backend != NULL && !is_one_of(o->backend, backends))
        return fb_err_set(err, FB_E_USAGE, "--backend must be bwrap, vz, wsl2 or firecracker, not '%s'", o->backend);
    if (o->identity_mode != NULL && !is_one_of(o->identity_mode, modes))
        return fb_err_set(err, FB_E_USAGE, "--identity-mode must be sandbox-user or host-user, not '%s'",
                          o->identity_mode);
    if (o->sandbox_id != NULL && !st_ids_sandbox_ok(fb_str_of(o->sandbox_id)))
        return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                          "--sandbox-id must be 1 to 64 letters, digits, dots, underscores or hyphens, and not . or ..");
    return 0;
}

int run_options_check(const struct run_options *o, struct fb_err *err)
{
    if (o->no_autostart && o->sidecar != NULL && strcmp(o->sidecar, "local") == 0)
        return fb_err_set(err, FB_E_SIDECAR_LOCAL_NO_AUTOSTART,
                          "--sidecar local starts a Sidecar, --no-autostart forbids it");
    if (o->no_autostart && o->authority != NULL && strcmp(o->authority, "local") == 0)
        return fb_err_set(err, FB_E_AUTHORITY_LOCAL_NO_AUTOSTART,
                          "--authority local starts an Authority, --no-autostart forbids it");
    int r = check_lists(o, err);
    if (r < 0)
        return r;
    if (o->n_command == 0)
        return fb_err_set(err, FB_E_MISSING_COMMAND, "there is nothing to run");
    if (getenv("FIRMA_RUN_SANDBOX_ID") != NULL)
        return fb_err_set(err, FB_E_RESERVED_SANDBOX_ID, "FIRMA_RUN_SANDBOX_ID is set; it is reserved for the sandbox");
    return 0;
}

bool run_options_env_is_set(const char *name)
{
    static const char *const words[] = { "1", "true", "yes", "on" };
    struct fb_str value = fb_str_trim(fb_str_of(getenv(name)));
    for (size_t i = 0; i < FB_COUNT(words); i++)
        if (fb_str_eq_nocase(value, fb_str_of(words[i])))
            return true;
    return false;
}
