/* A directory of Cedar policies, and the snapshot that was last loaded from it. Source: [the Firma specification,
 * authority 9]. Layer: authority (L3). Thread: the loop's. */
#ifndef AUTHORITY_POLICY_H
#define AUTHORITY_POLICY_H

#include "base/err.h"
#include "base/str.h"

#include <cedar/cedar.h>
#include <stddef.h>

enum {
    AU_POLICY_FILES_MAX = 1024,
    AU_POLICY_TEXT_MAX_BYTES = (4 << 20) - 4096, /* policies and schema together: what fits into one message */
    AU_VERSION_BYTES = 65
};

/* Immutable once made. */
struct au_policy {
    char *policies; /* the files one after another */
    size_t policies_n;
    char *schema_text;
    size_t schema_n;
    struct cedar_policy_set *set;
    struct cedar_schema *schema;
    char version[AU_VERSION_BYTES]; /* lower-case hex SHA-256 of policies, '|', schema */
    size_t n_files;
};

/* One of the two bundles. */
struct au_store {
    const char *what; /* "policy" or "issuance policy", for messages */
    char *dir;
    char *schema_path; /* "" = the directory's, else the built-in one */
    int dir_fd;        /* so that the directory may be renamed with its parent */
    struct au_policy *now;
};

/* Opens the directory and loads it. FB_E_POLICY_LOAD_FAILED naming file and place; @s must be given to au_store_done in
 * any case. */
int au_store_open(struct au_store *s, const char *what, const char *dir, const char *schema_path, struct fb_err *err);
/* Loads again; @reopen: the directory itself was replaced. 1: a new snapshot is in force. 0: same version, nothing
 * changed. Negative: the old one stays. */
int au_store_reload(struct au_store *s, bool reopen, struct fb_err *err);
void au_store_done(struct au_store *s);

/* Parses and validates texts into a snapshot (copied). @name stands for the file in messages. */
int au_policy_from_text(struct fb_str policies, struct fb_str schema, const char *name, struct au_policy **ret,
                        struct fb_err *err);
void au_policy_free(struct au_policy *p);

#endif
