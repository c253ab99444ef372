/* Looking up a rule: host by hash, then a walk down the segments of the path. */
#include "enforce/mapping.h"

#include "enforce/glob.h"
#include "enforce/mapping_priv.h"

#include <stdlib.h>

/* Characters that the globs of one lookup may compare: some milliseconds, far more than honest paths need. */
#define MATCH_STEPS UINT64_C(2000000)

static const char *const method_names[] = {
    [FE_METHOD_OTHER] = "",      [FE_METHOD_GET] = "GET",         [FE_METHOD_POST] = "POST",
    [FE_METHOD_PUT] = "PUT",     [FE_METHOD_DELETE] = "DELETE",   [FE_METHOD_PATCH] = "PATCH",
    [FE_METHOD_HEAD] = "HEAD",   [FE_METHOD_OPTIONS] = "OPTIONS", [FE_METHOD_CONNECT] = "CONNECT",
    [FE_METHOD_ANY] = "",
};

enum fe_method fe_method_of(struct fb_str name)
{
    for (unsigned m = FE_METHOD_GET; m <= FE_METHOD_CONNECT; m++) {
        if (fb_str_eqz(name, method_names[m]))
            return (enum fe_method)m;
    }
    return FE_METHOD_OTHER;
}

enum fe_method fe_method_spelt(struct fb_str name)
{
    for (unsigned m = FE_METHOD_GET; m <= FE_METHOD_CONNECT; m++) {
        if (fb_str_eq_nocase(name, fb_str_of(method_names[m])))
            return (enum fe_method)m;
    }
    return FE_METHOD_OTHER;
}

struct fb_str fe_method_name(enum fe_method m)
{
    return fb_str_of((unsigned)m <= FE_METHOD_ANY ? method_names[m] : "");
}

void fe_mapping_free(struct fe_mapping *m)
{
    if (m == NULL)
        return;
    fb_arena_done(&m->arena);
    free(m);
}

size_t fe_mapping_count(const struct fe_mapping *m)
{
    return m->n_rules;
}

const struct fe_rule *fe_mapping_rule(const struct fe_mapping *m, size_t index)
{
    return index < m->n_rules ? &m->rules[index] : NULL;
}

struct search {
    const struct fe_mapping_query *q;
    const struct fe_rule *best;
    uint64_t steps;
    bool exhausted;
};

static bool is_better(const struct fe_rule *r, const struct fe_rule *best)
{
    return best == NULL || r->score > best->score || (r->score == best->score && r->index < best->index);
}

static bool head_matches(const struct fe_rule *r, const struct fe_mapping_query *q)
{
    if (r->method_id != FE_METHOD_ANY && r->method_id != q->method)
        return false;
    if (r->scheme == FE_RULE_ANY_SCHEME)
        return true;
    return (r->scheme == FE_RULE_HTTPS) == q->is_https;
}

static bool path_matches(struct search *s, const struct fe_rule *r)
{
    if (!r->has_path)
        return true;
    if (!r->segment)
        return fe_glob_loose(r->path, s->q->path);
    enum fe_glob_result res = fe_glob_segment(r->path, s->q->path, "/", &s->steps);
    if (res == FE_GLOB_TOO_MUCH)
        s->exhausted = true;
    return res == FE_GLOB_YES;
}

static void try_list(struct search *s, const struct rule_list *list, bool need_path)
{
    for (size_t i = 0; i < list->n && !s->exhausted; i++) {
        const struct fe_rule *r = list->items[i];
        if (!is_better(r, s->best))
            return;
        if (head_matches(r, s->q) && (!need_path || path_matches(s, r))) {
            s->best = r;
            return;
        }
    }
}

static const struct path_node *find_child(const struct path_node *node, struct fb_str segment)
{
    size_t low = 0;
    size_t high = node->n_children;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int c = fb_str_cmp(segment, node->children[mid].segment);
        if (c == 0)
            return node->children[mid].node;
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* @rest: what is left of the path; @over: nothing, not even an empty segment. The depth is that of the trie, which the
 * length limit of a pattern bounds, and no node is visited twice. */
static void walk(struct search *s, const struct path_node *node, struct fb_str rest, bool over)
{
    try_list(s, &node->globs, true);
    if (over) {
        try_list(s, &node->ends, false);
        return;
    }
    size_t n = fb_str_index(rest, '/');
    struct fb_str segment = fb_str_n(rest.p, n);
    bool last = n == rest.n;
    struct fb_str next = last ? fb_str_n(rest.p + n, 0) : fb_str_n(rest.p + n + 1, rest.n - n - 1);
    const struct path_node *child = find_child(node, segment);
    if (child != NULL)
        walk(s, child, next, last);
    if (node->any != NULL && segment.n > 0)
        walk(s, node->any, next, last);
}

static void search_group(struct search *s, const struct host_group *g)
{
    struct fb_str path = s->q->path;
    /* A path without a leading slash cannot come from an interceptor; only rules without a path may match it. */
    bool rooted = path.n > 0 && path.p[0] == '/';
    if (rooted)
        walk(s, &g->root, fb_str_n(path.p + 1, path.n - 1), false);
    else
        try_list(s, &g->root.globs, true);
}

static bool host_matches(struct search *s, const struct host_group *g, struct fb_str host)
{
    if (!g->segment)
        return fe_glob_loose(g->host, host);
    enum fe_glob_result res = fe_glob_segment(g->host, host, ".:", &s->steps);
    if (res == FE_GLOB_TOO_MUCH)
        s->exhausted = true;
    return res == FE_GLOB_YES;
}

static const struct host_group *bucket(const struct host_table *t, struct fb_str key)
{
    return t->n_slots == 0 ? NULL : t->slots[fe_mapping_hash(key) & (t->n_slots - 1)];
}

static void search_wildcards(struct search *s, const struct fe_mapping *m, struct fb_str host)
{
    for (size_t i = 0; i < host.n && m->tails.n_slots > 0; i++) {
        if (host.p[i] != '.')
            continue;
        struct fb_str tail = fb_str_n(host.p + i, host.n - i);
        for (const struct host_group *g = bucket(&m->tails, tail); g != NULL && !s->exhausted; g = g->next) {
            if (fb_str_eq(fe_mapping_tail(g->host), tail) && host_matches(s, g, host))
                search_group(s, g);
        }
    }
    for (const struct host_group *g = m->residual; g != NULL && !s->exhausted; g = g->next) {
        if (host_matches(s, g, host))
            search_group(s, g);
    }
}

int fe_mapping_match(const struct fe_mapping *m, const struct fe_mapping_query *q, const struct fe_rule **ret)
{
    struct search s = { .q = q, .steps = MATCH_STEPS };
    for (const struct host_group *g = bucket(&m->exact, q->host); g != NULL; g = g->next) {
        if (fb_str_eq(g->host, q->host))
            search_group(&s, g);
    }
    search_wildcards(&s, m, q->host);
    if (s.exhausted)
        return FB_E_LIMIT;
    *ret = s.best;
    return s.best != NULL;
}
