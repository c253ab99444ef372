/* One layer of a profile: a TOML table read over what is there. Layer: run (L3), used by profile.c only. */
#ifndef RUN_PROFILE_PATCH_H
#define RUN_PROFILE_PATCH_H

#include "run/profile.h"

struct fb_toml;

/* Applies @table (`where` names it in messages). See profile.h for the merge rules and errors. */
int run_profile_patch(struct run_profile *p, const struct fb_toml_doc *doc, const struct fb_toml *table,
                      const char *where, struct fb_err *err);

/* Adds to a list; FB_E_LIMIT when it is full. @item must outlive the profile. */
int run_names_add(struct run_names *names, const char *item, struct fb_err *err);
/* Sets or replaces a variable. */
int run_profile_env_set(struct run_profile *p, const char *name, const char *value, struct fb_err *err);

#endif
