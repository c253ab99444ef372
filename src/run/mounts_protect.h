/* One writable mount while its protected names are worked out: shared by mounts_protect.c, mounts_git.c and
 * mounts_gitconfig.c.
 * Layer: run (L3). */
#ifndef RUN_MOUNTS_PROTECT_H
#define RUN_MOUNTS_PROTECT_H

#include "run/mounts_priv.h"

struct run_protector {
    struct run_mounts *m;
    const char *source; /* host path of the mount, canonical */
    const char *target; /* where it shows */
    int root;           /* descriptor of @source: every look below it starts here */
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

/* Opens @rel ("" is the mount's root) with @flags, through no link at all and not above the root. -1 with errno: ELOOP for
 * a link on the way. With O_PATH a link at the end is opened itself. */
int run_protect_open(const struct run_protector *p, const char *rel, int flags);
/* The S_IFMT bits of @rel, found in the same way. 0, or the negative errno with *@ret 0. */
int run_protect_type(const struct run_protector *p, const char *rel, mode_t *ret);

/* Protects @rel (relative to the mount, not empty, no leading '/', no ".."). Every directory on the way becomes a mount
 * point of its own, so that none can be renamed away. 0; FB_E_INSECURE when @rel, or a directory on the way to it, is a
 * symbolic link; errors of run_mounts_add. */
int run_protect_path(struct run_protector *p, const char *rel, enum run_protect_how how, enum run_protect_absent absent);

/* Says that the way to @path has a link in it; returns FB_E_INSECURE. */
int run_protect_refuse_way(struct run_protector *p, const char *path);

/* Protects what the git configuration @rel names, and what the files that it includes name. @worktree is where git runs
 * its programs, relative to the mount. Errors of run_protect_path; FB_E_CONFIG_VALIDATION for a file that is too large. */
int run_protect_by_config(struct run_protector *p, const char *rel, const char *worktree);

/* Protects every repository in the mount. What cannot be searched (closed, or deeper than RUN_MOUNTS_SCAN_DEPTH_MAX) is
 * read-only as a whole; FB_E_CONFIG_VALIDATION for a mount with too many entries. */
int run_protect_repositories(struct run_protector *p);

#endif
