/* The agent's view of the file system, as an ordered list of steps: an allow list, then covers over what must stay
 * hidden or unwritable. Nothing is touched on disk here; the plan can be printed without being carried out.
 * Source: [the Firma specification, run 6.2, 6.3]; [the Firma design, section 4].
 * Layer: run (L3). Thread: one owner a plan. */
#ifndef RUN_MOUNTS_H
#define RUN_MOUNTS_H

#include "base/err.h"
#include "base/macros.h"
#include "run/identity.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum {
    RUN_MOUNTS_STEPS_MAX = 2048,         /* steps in one plan; bubblewrap takes 9000 arguments */
    RUN_MOUNTS_SCAN_ENTRIES_MAX = 1000000, /* directory entries looked at for nested repositories, a workspace */
    RUN_MOUNTS_SCAN_DEPTH_MAX = 32,      /* directories below the workspace root; what lies deeper is read-only */
    RUN_MOUNTS_FILE_MAX_BYTES = 4 << 20, /* one file whose content is copied in */
};

/* What the profile asks for. Paths are absolute; @source is canonicalised by run_mounts_plan. */
struct run_mount {
    const char *source;
    const char *target;
    bool read_only;
};

/* A file given by content, not by path: it never lies on the host's disk. */
struct run_file {
    const char *target;
    const void *p;
    size_t n_bytes;
    mode_t mode;
};

/* Everything the plan is made from; all strings are borrowed for the call. */
struct run_mounts_spec {
    struct run_identity identity;
    const char *hostname; /* NULL: "firma" */
    const char *home;     /* HOME inside; a private tmpfs unless a mount covers it */
    const char *cwd;      /* working directory inside; NULL: home */
    const struct run_mount *mounts;
    size_t n_mounts;
    const struct run_file *files;
    size_t n_files;
    const char *state_dir;        /* hidden; no source and no cwd may lie inside */
    const char *config_path;      /* the selected firma.toml, NULL when none: covered where a mount shows it */
    const char *const *hidden;    /* further host paths that no mount may show (policy, audit log, keys) */
    size_t n_hidden;
    const bool *hidden_replaced; /* for each of @hidden: firma renames another over it; no mount may show it. NULL: none */
    const char *etc_dir; /* NULL: "/etc"; tests point it elsewhere */
    size_t scan_entries_max; /* 0: RUN_MOUNTS_SCAN_ENTRIES_MAX; tests set a smaller one */
};

enum run_step_kind {
    RUN_STEP_BIND,     /* source on target, read-write */
    RUN_STEP_BIND_RO,  /* source on target, read-only */
    RUN_STEP_DEV,      /* one device node */
    RUN_STEP_TMPFS,    /* empty, writable, mode */
    RUN_STEP_COVER,    /* empty directory, read-only */
    RUN_STEP_DIR,      /* directory in the root tmpfs, mode */
    RUN_STEP_SYMLINK,  /* source is the link's text */
    RUN_STEP_FILE,     /* content, mode; in the root tmpfs */
    RUN_STEP_DATA_RO,  /* content mounted read-only over an existing file */
    RUN_STEP_PROC,     /* a new proc */
};

struct run_step {
    enum run_step_kind kind;
    char *source; /* host path or link text; NULL for kinds without one */
    char *target;
    char *data; /* RUN_STEP_FILE, RUN_STEP_DATA_RO; a NUL follows */
    size_t data_bytes;
    mode_t mode;
    bool from_profile; /* source came from the profile's mounts (matters for id-mapping) */
};

/* A host path that must exist while the run lasts only to be mounted over. It is made by run_sandbox_start and removed
 * by run_mounts_remove_placeholders: the caller writes the list into its marker in between. */
struct run_placeholder {
    char *path;
    bool is_dir;
};

struct run_mounts {
    struct run_step *steps;
    size_t n_steps;
    struct run_placeholder *placeholders;
    size_t n_placeholders;
    int *holds; /* a lock on each placeholder while the run lasts, so that no other run removes it */
    size_t n_holds;
};

/* Builds the plan. 0; FB_E_CONFIG_VALIDATION for a mount that is relative, missing, inside the state directory or
 * over a place the sandbox owns, for a writable one of a home, of a place of the system or of too many files, for a path of
 * the control plane that a mount would show once it exists, and for a cwd that no mount shows or that lies in the state
 * directory; FB_E_INSECURE for a `.firma` or another protected name that is a symbolic link; FB_E_LIMIT; FB_E_NOMEM.
 * On failure *@ret is empty. */
int run_mounts_plan(const struct run_mounts_spec *spec, struct run_mounts *ret, struct fb_err *err) FB_MUST_USE;
void run_mounts_done(struct run_mounts *m);

/* Finds @command as the sandbox will: an absolute or cwd-relative path, else through @path_env, judged against the
 * plan. 0 with *@ret_path the path inside (heap, caller frees); FB_E_SPAWN naming the host path that no mount shows,
 * and the `mounts` key. A command found nowhere is no error: *@ret_path is NULL, and exec inside says 127. */
int run_mounts_find_command(const struct run_mounts *m, const char *command, const char *path_env, const char *cwd,
                            char **ret_path, struct fb_err *err) FB_MUST_USE;

/* Makes the placeholders and locks each (never follows a link, never replaces anything; one that another run has made is
 * shared). 0, or FB_E_IO, FB_E_NOMEM with those made removed again. */
int run_mounts_make_placeholders(struct run_mounts *m, const struct run_identity *id, struct fb_err *err) FB_MUST_USE;
/* Gives up the locks; before removing. */
void run_mounts_let_go(struct run_mounts *m);
/* Removes each that is still as it was made and that no other run has locked; anything else is left alone. Never fails. */
void run_mounts_remove_placeholders(const struct run_placeholder *list, size_t n);

#endif
