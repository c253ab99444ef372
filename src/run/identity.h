/* Who the agent is: numbers and names inside the sandbox, and the host user whose rights it borrows.
 * Source: [the Firma design, section 4, "run by root" and "sandbox-user"]; [the Firma specification, run 6.4].
 * Layer: run (L3). Thread: any; reads only the environment, the user database and stat(2). */
#ifndef RUN_IDENTITY_H
#define RUN_IDENTITY_H

#include "base/err.h"
#include "base/macros.h"

#include <stdbool.h>
#include <sys/types.h>

enum run_identity_mode {
    RUN_IDENTITY_SANDBOX_USER = 0, /* uid and gid 10001, name "firma-user" */
    RUN_IDENTITY_HOST_USER,        /* the host user's own numbers and name */
};

enum {
    RUN_IDENTITY_SANDBOX_ID = 10001, /* uid and gid inside, sandbox-user mode */
    RUN_IDENTITY_NOBODY_ID = 65534,  /* host ids when root has nobody better to become */
    RUN_IDENTITY_NAME_BYTES = 64,
};

struct run_identity {
    enum run_identity_mode mode;
    uid_t uid_inside;
    gid_t gid_inside;
    uid_t uid_outside; /* host ids of every process in the sandbox; never 0 */
    gid_t gid_outside;
    bool drop;                    /* the launcher is root: the sandbox child changes to uid_outside and gid_outside */
    bool workspace_is_root_owned; /* needs an id-mapped mount; only ever true together with drop */
    char name[RUN_IDENTITY_NAME_BYTES];
};

/* Decides the identity. @workspace is the directory whose owner root becomes, NULL when the profile mounts none.
 * Not root: the caller's own ids. Root: the owner of @workspace if not root, else SUDO_UID and SUDO_GID, else 65534.
 * 0; FB_E_CONFIG_VALIDATION when @workspace cannot be looked at, FB_E_BACKEND when SUDO_UID is not a plain number. */
int run_identity_resolve(enum run_identity_mode mode, const char *workspace, struct run_identity *ret,
                         struct fb_err *err) FB_MUST_USE;

#endif
