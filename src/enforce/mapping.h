/* Mapping rules: from (method, host, path) to an action class. Files are read once into an immutable trie.
 * Source: [the Firma specification, sidecar 7.2] and docs/reference/mapping-rules.md. Layer: enforce (L2).
 * Thread: a loaded mapping is read-only and shared. */
#ifndef ENFORCE_MAPPING_H
#define ENFORCE_MAPPING_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FE_MAPPING_RULES_MAX = 16384,
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

/* Which schemes a rule speaks of: `:443` in its host means https only, `:80` plain http only. */
enum fe_rule_scheme { FE_RULE_ANY_SCHEME, FE_RULE_HTTPS, FE_RULE_HTTP };

struct fe_rule {
    struct fb_str method; /* upper case; empty = any */
    struct fb_str host;   /* normalised, default port cut off */
    enum fe_rule_scheme scheme;
    bool has_path;
    struct fb_str path;
    unsigned action; /* index into the registry, core/action.h */
    unsigned score;  /* specificity */
    unsigned index;  /* position over all files */
    unsigned method_id; /* enum fe_method, FE_METHOD_ANY when absent */
    bool segment;            /* `*` stays inside a label or segment */
    bool opaque;             /* a tunnel may carry something else than TLS to that very name */
    bool encoded_separators; /* %2f and %5c are allowed in the path */
    bool names_host;         /* no `*` before the port */
};

enum fe_method {
    FE_METHOD_OTHER, /* no rule can name it */
    FE_METHOD_GET,
    FE_METHOD_POST,
    FE_METHOD_PUT,
    FE_METHOD_DELETE,
    FE_METHOD_PATCH,
    FE_METHOD_HEAD,
    FE_METHOD_OPTIONS,
    FE_METHOD_CONNECT,
    FE_METHOD_ANY,
};
/* A request's: byte by byte, RFC 9110 9.1. */
enum fe_method fe_method_of(struct fb_str name);
/* A rule's: without regard to case. */
enum fe_method fe_method_spelt(struct fb_str name);
/* "GET"; "" for OTHER and ANY. */
struct fb_str fe_method_name(enum fe_method m);

size_t fe_mapping_count(const struct fe_mapping *m);
/* In file order; NULL past the end. */
const struct fe_rule *fe_mapping_rule(const struct fe_mapping *m, size_t index);

struct fe_mapping_query {
    enum fe_method method;
    bool is_https; /* CONNECT counts as https */
    struct fb_str host; /* canonical */
    struct fb_str path; /* canonical, no query */
};
/* 1 and *@ret: the rule that decides. 0: none matches. FB_E_LIMIT: too much work, to be denied. No allocation. */
int fe_mapping_match(const struct fe_mapping *m, const struct fe_mapping_query *q, const struct fe_rule **ret);

/* Would any rule's host, its port left aside, match @name (canonical, no port)? For the DNS stub. */
bool fe_mapping_routes_host(const struct fe_mapping *m, struct fb_str name);
/* Calls @fn for each host pattern in the strict reading, see fe_engine_routes. */
void fe_mapping_routes(const struct fe_mapping *m, bool (*fn)(void *arg, struct fb_str host_pattern), void *arg);

#endif
