/* The plan while it is being built: shared by the mounts_*.c files only. Layer: run (L3). */
#ifndef RUN_MOUNTS_PRIV_H
#define RUN_MOUNTS_PRIV_H

#include "base/buf.h"
#include "run/mounts.h"

#include <stdbool.h>
#include <stdlib.h>

/* Where firma-init and the files of GO live inside; closed to profiles. */
#define RUN_MOUNTS_FIRMA_DIR "/run/firma"

/* For fb_auto on heap strings. */
static inline void run_mounts_free_text(char **p)
{
    free(*p);
}

/* Appends a step. Strings are copied; NULL stays NULL. FB_E_LIMIT past RUN_MOUNTS_STEPS_MAX, FB_E_NOMEM. */
int run_mounts_add(struct run_mounts *m, enum run_step_kind kind, const char *source, const char *target, mode_t mode,
                   bool from_profile, struct fb_err *err);
/* The same for kinds with content, which is copied. */
int run_mounts_add_data(struct run_mounts *m, enum run_step_kind kind, const char *target, const void *p, size_t n,
                        mode_t mode, struct fb_err *err);
int run_mounts_add_placeholder(struct run_mounts *m, const char *path, bool is_dir, struct fb_err *err);

/* @path is a placeholder of another run, living or dead. */
bool run_mounts_is_placeholder(const char *path, bool is_dir);

/* @path is @dir or lies below it; both absolute and without "." parts. */
bool run_mounts_within(const char *path, const char *dir);
/* Heap: @a + "/" + @b, without doubling the slash; @b empty gives @a. NULL when out of memory. */
char *run_mounts_join(const char *a, const char *b);

/* mounts_profile.c: the profile's mounts, checked and canonicalised, with everything that hides or protects. */
int run_mounts_add_profile(struct run_mounts *m, const struct run_mounts_spec *spec, struct fb_err *err);
/* The part of the view a path belongs to: the last step that shows @inside. NULL when nothing does. */
const struct run_step *run_mounts_covering(const struct run_mounts *m, const char *inside);

/* mounts_protect.c: what a writable mount must not let the agent plant. @source is canonical. */
int run_mounts_protect(struct run_mounts *m, const struct run_mounts_spec *spec, const char *source, const char *target,
                       struct fb_err *err);
/* Hides @rel, which exists below the writable mount of @source at @target, so that it cannot be renamed away either. */
int run_mounts_cover_in_writable(struct run_mounts *m, const char *source, const char *target, const char *rel,
                                 struct fb_err *err);

/* mounts_places.c: FB_E_CONFIG_VALIDATION when @source (canonical) is no place to give an agent for writing. */
int run_mounts_check_writable(const struct run_mounts_spec *spec, const char *source, struct fb_err *err);

#endif
