/* The one configuration file `firma.toml`: finding it, loading it, and paths inside it.
 * Source: [the Firma specification, operate 2; run 3.1; sidecar 2] and docs/reference/config.md. Layer: core (L1).
 * Thread: any; a loaded file is read-only.
 * The file decides about security, so it must be a regular file, not a link, owned by our effective uid or root and not
 * writable by group or others; a file found by the walk or in the user's directory also stands in a directory with these
 * properties (FB_E_INSECURE otherwise, naming the path). A selected file that cannot be read or parsed is fatal
 * (FB_E_CONFIG_PARSE): nothing falls through to the next place. */
#ifndef CORE_CONFIG_H
#define CORE_CONFIG_H

#include "base/err.h"
#include "base/toml.h"

enum { FC_CONFIG_MAX_BYTES = 1 << 20 };

enum fc_config_source {
    FC_CONFIG_NONE, /* nothing found: built-in defaults */
    FC_CONFIG_FLAG, /* --config */
    FC_CONFIG_ENV,
    FC_CONFIG_PROJECT, /* .firma/firma.toml in the working directory or an ancestor */
    FC_CONFIG_USER,    /* $XDG_CONFIG_HOME/firma/firma.toml or ~/.config/firma/firma.toml */
};

struct fc_config {
    struct fb_toml_doc *doc; /* NULL when no file was found; then path and dir are NULL too */
    char *path;              /* as it was named or found */
    char *dir;               /* absolute directory of the file: relative paths inside the file start here */
    enum fc_config_source source;
};

/* Finds and loads: @explicit_path (NULL or "" = not given), the variable named @first_env (may be NULL; for the Sidecar
 * "FIRMA_SIDECAR_CONFIG_FILE"), FIRMA_CONFIG, the walk up from the working directory, the user's directory. Empty variables
 * count as unset. Found nothing: 0 with ret->doc NULL. On failure @ret is empty. Give *@ret to fc_config_done. */
int fc_config_discover(const char *explicit_path, const char *first_env, struct fc_config *ret, struct fb_err *err)
    FB_MUST_USE;
/* Loads one file; ret->source is FC_CONFIG_FLAG. */
int fc_config_load(const char *path, struct fc_config *ret, struct fb_err *err) FB_MUST_USE;
/* Takes an empty struct, and one already done. */
void fc_config_done(struct fc_config *c);

/* "flag", "environment", "project", "user", "none": the field `source` of the line `config resolved`. */
const char *fc_config_source_name(enum fc_config_source source);

/* Where a user's file would be: $XDG_CONFIG_HOME/firma/firma.toml (an absolute value only), else
 * ~/.config/firma/firma.toml. Heap string; NULL when HOME is unset or memory is out. */
char *fc_config_user_path(void) FB_MUST_USE;

/* The table of a command's own section. FB_E_CONFIG_VALIDATION when it is absent or no table, naming file and section. */
int fc_config_section(const struct fc_config *c, const char *name, const struct fb_toml **ret, struct fb_err *err)
    FB_MUST_USE;

#endif
