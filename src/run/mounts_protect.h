/* One writable mount while its protected names are worked out: shared by mounts_protect.c and mounts_git.c.
 * Layer: run (L3). */
#ifndef RUN_MOUNTS_PROTECT_H
#define RUN_MOUNTS_PROTECT_H

#include "run/mounts_priv.h"

struct run_protector {
    struct run_mounts *m;
    const char *source; /* host path of the mount, canonical */
    const char *target; /* where it shows */
    size_t entries_left;
    struct fb_err *err;
};

enum run_protect_how {
    RUN_PROTECT_READ_ONLY, /* the agent may read it: hooks, configuration */
    RUN_PROTECT_HIDE,      /* it may not even do that: the control plane */
};

enum run_protect_absent {
    RUN_ABSENT_SKIP,
    RUN_ABSENT_DIR,  /* a directory takes the name: git does not track it, so no agent commits it */
    RUN_ABSENT_FILE, /* an empty file takes the name: inside .git, where a directory would confuse git */
};

/* Protects @rel (relative to the mount, no leading '/'). Every directory on the way becomes a mount point of its own, so
 * that none can be renamed away. 0; FB_E_INSECURE when @rel is a symbolic link; errors of run_mounts_add. */
int run_protect_path(struct run_protector *p, const char *rel, enum run_protect_how how, enum run_protect_absent absent);

/* Protects every repository in the mount, as deep as the limits allow; sets m->scan_cut when they do not. */
int run_protect_repositories(struct run_protector *p);

#endif
