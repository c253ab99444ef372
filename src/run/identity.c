#include "run/identity.h"

#include "base/num.h"
#include "base/str.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* SUDO_UID and SUDO_GID, both or none, numbers above 0. Returns 1 when they are not set. */
static int from_sudo(struct run_identity *id, struct fb_err *err)
{
    const char *uid = getenv("SUDO_UID");
    const char *gid = getenv("SUDO_GID");
    uint64_t u;
    uint64_t g;

    if (uid == NULL || gid == NULL || strcmp(uid, "0") == 0)
        return 1;
    if (fb_num_u64(fb_str_of(uid), 1, UINT32_MAX - 1, &u) != 0 || fb_num_u64(fb_str_of(gid), 1, UINT32_MAX - 1, &g) != 0) {
        fb_err_set(err, FB_E_BACKEND, "SUDO_UID or SUDO_GID is not a plain number");
        fb_err_remedy(err, "unset SUDO_UID and SUDO_GID, or run firma without sudo");
        return FB_E_BACKEND;
    }
    id->uid_outside = (uid_t)u;
    id->gid_outside = (gid_t)g;
    return 0;
}

/* Root never runs an agent as itself: without a single capability, uid 0 may still write the host's core_pattern. */
static int give_up_root(const char *workspace, struct run_identity *id, struct fb_err *err)
{
    struct stat st;

    id->drop = true;
    if (workspace != NULL) {
        if (workspace[0] != '/')
            return fb_err_set(err, FB_E_CONFIG_VALIDATION, "mount source '%s' is not absolute", workspace);
        if (stat(workspace, &st) != 0)
            return fb_err_sys(err, FB_E_CONFIG_VALIDATION, errno, "cannot mount '%s'", workspace);
        if (st.st_uid != 0) {
            id->uid_outside = st.st_uid;
            id->gid_outside = st.st_gid != 0 ? st.st_gid : RUN_IDENTITY_NOBODY_ID;
            return 0;
        }
        id->workspace_is_root_owned = true;
    }
    int r = from_sudo(id, err);
    if (r <= 0)
        return r;
    id->uid_outside = RUN_IDENTITY_NOBODY_ID;
    id->gid_outside = RUN_IDENTITY_NOBODY_ID;
    return 0;
}

/* The host's name for @uid; numbers make a name of their own when the host has none. */
static void host_name(uid_t uid, char out[RUN_IDENTITY_NAME_BYTES])
{
    struct passwd pw;
    struct passwd *found = NULL;
    char space[4096];

    int n = -1;
    /* A name with a colon or a newline would forge a line of the generated passwd. */
    if (getpwuid_r(uid, &pw, space, sizeof(space), &found) == 0 && found != NULL && strpbrk(pw.pw_name, ":\n/") == NULL)
        n = snprintf(out, RUN_IDENTITY_NAME_BYTES, "%s", pw.pw_name);
    if (n <= 0 || n >= RUN_IDENTITY_NAME_BYTES)
        (void)snprintf(out, RUN_IDENTITY_NAME_BYTES, "user%u", (unsigned int)uid);
}

int run_identity_resolve(enum run_identity_mode mode, const char *workspace, struct run_identity *ret, struct fb_err *err)
{
    struct run_identity id = { .mode = mode, .uid_outside = geteuid(), .gid_outside = getegid() };

    if (id.uid_outside == 0) {
        int r = give_up_root(workspace, &id, err);
        if (r < 0)
            return r;
    }
    if (mode == RUN_IDENTITY_HOST_USER) {
        id.uid_inside = id.uid_outside;
        id.gid_inside = id.gid_outside;
        host_name(id.uid_outside, id.name);
    } else {
        id.uid_inside = RUN_IDENTITY_SANDBOX_ID;
        id.gid_inside = RUN_IDENTITY_SANDBOX_ID;
        (void)snprintf(id.name, sizeof(id.name), "firma-user");
    }
    *ret = id;
    return 0;
}
