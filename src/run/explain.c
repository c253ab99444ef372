/* bubblewrap's complaints, in words that say what to do on this host. */
#include "run/bwrap.h"

#include <string.h>

struct complaint {
    const char *has; /* part of what was said */
    int code;
    const char *means;
    const char *remedy;
};

static const struct complaint complaints[] = {
    { "RTM_NEWADDR", FB_E_UNSUPPORTED_BACKEND, "the network namespace cannot be set up: AppArmor restricts user namespaces",
      "add an AppArmor profile with `userns,` for /usr/bin/bwrap (recommended; docs/architecture names it), or on a "
      "development host: sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0" },
    { "setting up uid map", FB_E_UNSUPPORTED_BACKEND, "unprivileged user namespaces are disabled",
      "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000; with AppArmor, add a profile "
      "with `userns,` for /usr/bin/bwrap" },
    { "No permissions to create", FB_E_UNSUPPORTED_BACKEND, "unprivileged user namespaces are disabled",
      "sudo sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=15000" },
    { "Creating new namespace failed", FB_E_UNSUPPORTED_BACKEND, "the kernel refuses new namespaces",
      "sudo sysctl -w user.max_user_namespaces=15000; inside a container, allow unshare in its seccomp profile" },
    { "Can't mount proc", FB_E_UNSUPPORTED_BACKEND, "a new /proc cannot be mounted, as in a container with a masked /proc",
      "run firma on the host, or start the container with an unmasked /proc (docker: --security-opt systempaths=unconfined)" },
    { "mount proc on", FB_E_UNSUPPORTED_BACKEND, "a new /proc cannot be mounted, as in a container with a masked /proc",
      "run firma on the host, or start the container with an unmasked /proc (docker: --security-opt systempaths=unconfined)" },
    { "Unknown option", FB_E_UNSUPPORTED_BACKEND, "bubblewrap is too old", "install bubblewrap 0.8 or newer" },
    { "idmap:", FB_E_BACKEND, "the workspace belongs to root and cannot be shown as an ordinary user's",
      "run firma as an ordinary user, or give the workspace to one: chown -R USER DIR" },
    { "Can't find source path", FB_E_BACKEND, "a directory of the view has gone or cannot be reached", NULL },
    { "Can't bind mount", FB_E_BACKEND, "a mount of the view was refused", NULL },
    { "Can't mkdir", FB_E_BACKEND, "a mount point cannot be made",
      "choose a target that exists in the read-only tree, or one outside it" },
    { "Can't create file", FB_E_BACKEND, "a mount point cannot be made",
      "choose a target that exists in the read-only tree, or one outside it" },
    { "giving up root", FB_E_BACKEND, "root could not be given up", "run firma as an ordinary user" },
    { "execvp", FB_E_BACKEND, "firma-init cannot be executed in the sandbox", "reinstall firma: firma-init must stand beside it" },
    { "No such file or directory", FB_E_UNSUPPORTED_BACKEND, "bubblewrap could not be started",
      "install it: apt install bubblewrap (or dnf, pacman, apk)" },
};

int run_bwrap_explain(const char *said, struct fb_err *err)
{
    const size_t n = strcspn(said, "\n");

    for (size_t i = 0; i < FB_COUNT(complaints); i++) {
        const struct complaint *c = &complaints[i];
        if (strstr(said, c->has) == NULL)
            continue;
        fb_err_set(err, c->code, "%s (%.*s)", c->means, (int)n, said);
        if (c->remedy != NULL)
            fb_err_remedy(err, "%s", c->remedy);
        return c->code;
    }
    if (n == 0)
        return fb_err_set(err, FB_E_BACKEND, "the sandbox ended while it was being built, and said nothing");
    return fb_err_set(err, FB_E_BACKEND, "the sandbox could not be built (%.*s)", (int)n, said);
}
