/* Mapping rules: from (method, host, path) to an action class. Files are read once into an immutable trie.
 * Source: [the Firma specification, sidecar 7.2] and docs/reference/mapping-rules.md. Layer: enforce (L2).
 * Thread: a loaded mapping is read-only and shared. */
#ifndef ENFORCE_MAPPING_H
#define ENFORCE_MAPPING_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FE_MAPPING_RULES_MAX = 65536,
    FE_MAPPING_PATTERN_MAX_BYTES = 1024, /* one host or path pattern */
    FE_MAPPING_FILES_MAX = 64,
};

struct fe_mapping;

struct fe_mapping_file {
    const char *name;  /* for messages */
    struct fb_str text; /* TOML */
};

/* Reads the files in order into one table. @texts are copied. FB_E_CONFIG_PARSE (not TOML), FB_E_CONFIG_VALIDATION (a
 * rule, named by its index from 0 over all files), FB_E_LIMIT, FB_E_NOMEM. */
int fe_mapping_load(const struct fe_mapping_file *files, size_t n, struct fe_mapping **ret, struct fb_err *err) FB_MUST_USE;
void fe_mapping_free(struct fe_mapping *m); /* takes NULL */

struct fe_rule {
    struct fb_str method; /* upper case; empty = any */
    struct fb_str host;   /* normalised */
    bool has_path;
    struct fb_str path;
    unsigned action;  /* index into the registry, core/action.h */
    unsigned score;   /* specificity */
    unsigned index;   /* position over all files */
    bool segment;     /* `*` stays inside a label or segment */
    bool opaque;             /* a tunnel may carry something else than TLS to that very name */
    bool encoded_separators; /* %2f and %5c are allowed in the path */
    bool names_host;  /* no `*` in the host */
};

size_t fe_mapping_count(const struct fe_mapping *m);
/* In file order; NULL past the end. */
const struct fe_rule *fe_mapping_rule(const struct fe_mapping *m, size_t index);
/* The rule that decides, or NULL. @method in upper case; @host and @path canonical. No allocation; time is bounded by
 * the number of rules whose host matches. */
const struct fe_rule *fe_mapping_match(const struct fe_mapping *m, struct fb_str method, struct fb_str host,
                                       struct fb_str path);

#endif
