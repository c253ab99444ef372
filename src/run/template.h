/* The configuration of a per-run Sidecar: a template's [sidecar] table with this run's values laid over it.
 * Layer: run (L3). Thread: start-up. Source: [the Firma specification, run 5.4 step 2]. */
#ifndef RUN_TEMPLATE_H
#define RUN_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"

struct fb_toml;
struct fb_toml_doc;

enum { RUN_TEMPLATE_OVERRIDES_MAX = 32, RUN_TEMPLATE_MAX_BYTES = 4 << 20 };

/* "interceptor.mode" and the TOML text of its value. */
struct run_override {
    const char *key;
    const char *value;
};

/* Appends a complete file to @out: every value of the table `sidecar` of @doc (NULL = none) that no override replaces, written as
 * dotted keys, relative paths of the known path keys joined to @dir (the template's directory, absolute), then the
 * overrides. FB_E_LIMIT or FB_E_NOMEM when @out is full. */
int run_template_write(struct fb_buf *out, const struct fb_toml_doc *doc, const char *dir,
                       const struct run_override *overrides, size_t n, struct fb_err *err);

#endif
