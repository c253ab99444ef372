/* Inside of a loaded mapping. Layer: enforce (L2), private to mapping*.c. */
#ifndef ENFORCE_MAPPING_PRIV_H
#define ENFORCE_MAPPING_PRIV_H

#include "base/arena.h"
#include "enforce/epoch.h"
#include "enforce/mapping.h"

struct rule_list {
    const struct fe_rule **items; /* best first */
    size_t n;
    size_t cap;
};

/* One path segment of the rules of a host. */
struct path_node {
    struct path_child *children; /* literal segments, sorted */
    size_t n_children;
    size_t cap_children;
    struct path_node *any;  /* the segment is a whole `*` (strict rules only) */
    struct rule_list ends;  /* the path is over */
    struct rule_list globs; /* the rest needs the full pattern */
};

struct path_child {
    struct fb_str segment;
    struct path_node *node;
};

/* All rules with the same host. */
struct host_group {
    struct fb_str host;
    bool segment; /* reading of the wildcards in host */
    bool exact;
    struct path_node root;
    struct host_group *next; /* same key in its hash table, or next in the residual list */
};

struct host_table {
    struct host_group **slots;
    size_t n_slots; /* power of two */
};

struct fe_mapping {
    struct fe_retired retired;
    struct fb_arena arena;
    struct fe_rule *rules;
    size_t n_rules;
    struct host_table exact;    /* by whole host */
    struct host_table tails;    /* wildcard hosts whose text after the last star begins with a dot, by that text */
    struct host_group *residual; /* other wildcard hosts */
    struct host_group **groups; /* all, for enumeration */
    size_t n_groups;
};

/* FNV-1a; the keys come from the operator's file, not from the agent. */
static inline uint32_t fe_mapping_hash(struct fb_str s)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 16777619u;
    return h;
}

/* The text behind the last `*`. */
static inline struct fb_str fe_mapping_tail(struct fb_str host)
{
    size_t n = host.n;
    while (n > 0 && host.p[n - 1] != '*')
        n--;
    return fb_str_n(host.p + n, host.n - n);
}

/* Puts the rules (filled in, m->rules) into the tables. FB_E_NOMEM. */
int fe_mapping_index(struct fe_mapping *m);

/* Host of a rule in canonical form, in the mapping's arena. 0, FB_E_CONFIG_VALIDATION with *@ret_why, FB_E_NOMEM. */
int fe_mapping_normalise_host(struct fb_arena *a, struct fb_str raw, bool is_connect, struct fb_str *ret,
                              enum fe_rule_scheme *ret_scheme, const char **ret_why);
/* Specificity by the table of the specification. */
unsigned fe_mapping_score(const struct fe_rule *r);

#endif
