/* Building the tables of a mapping once its rules are read. Everything lives in the mapping's arena. */
#include "enforce/mapping_priv.h"

static int list_add(struct fb_arena *a, struct rule_list *list, const struct fe_rule *rule)
{
    if (list->n == list->cap) {
        size_t cap = list->cap == 0 ? 4 : list->cap * 2;
        const struct fe_rule **items = fb_arena_calloc(a, cap, sizeof(*items));
        if (items == NULL)
            return FB_E_NOMEM;
        if (list->n > 0)
            memcpy(items, list->items, list->n * sizeof(*items));
        list->items = items;
        list->cap = cap;
    }
    /* Rules arrive in file order, so that among equals the earlier one stays in front. */
    size_t at = list->n;
    while (at > 0 && list->items[at - 1]->score < rule->score) {
        list->items[at] = list->items[at - 1];
        at--;
    }
    list->items[at] = rule;
    list->n++;
    return 0;
}

static struct path_node *child_for(struct fb_arena *a, struct path_node *node, struct fb_str segment)
{
    size_t at = 0;
    size_t high = node->n_children;
    while (at < high) {
        size_t mid = (at + high) / 2;
        int c = fb_str_cmp(node->children[mid].segment, segment);
        if (c == 0)
            return node->children[mid].node;
        if (c > 0)
            high = mid;
        else
            at = mid + 1;
    }
    if (node->n_children == node->cap_children) {
        size_t cap = node->cap_children == 0 ? 4 : node->cap_children * 2;
        struct path_child *children = fb_arena_calloc(a, cap, sizeof(*children));
        if (children == NULL)
            return NULL;
        if (node->n_children > 0)
            memcpy(children, node->children, node->n_children * sizeof(*children));
        node->children = children;
        node->cap_children = cap;
    }
    struct path_node *fresh = fb_arena_calloc(a, 1, sizeof(*fresh));
    if (fresh == NULL)
        return NULL;
    memmove(node->children + at + 1, node->children + at, (node->n_children - at) * sizeof(*node->children));
    node->children[at] = (struct path_child){ segment, fresh };
    node->n_children++;
    return fresh;
}

static struct path_node *any_for(struct fb_arena *a, struct path_node *node)
{
    if (node->any == NULL)
        node->any = fb_arena_calloc(a, 1, sizeof(*node->any));
    return node->any;
}

static int insert_path(struct fb_arena *a, struct path_node *root, const struct fe_rule *rule)
{
    if (!rule->has_path || rule->path.n == 0 || rule->path.p[0] != '/')
        return list_add(a, &root->globs, rule);
    struct path_node *node = root;
    struct fb_str rest = fb_str_n(rule->path.p + 1, rule->path.n - 1);
    for (;;) {
        size_t n = fb_str_index(rest, '/');
        struct fb_str segment = fb_str_n(rest.p, n);
        if (fb_str_index(segment, '*') == segment.n)
            node = child_for(a, node, segment);
        else if (rule->segment && fb_str_eqz(segment, "*"))
            node = any_for(a, node);
        else
            return list_add(a, &node->globs, rule);
        if (node == NULL)
            return FB_E_NOMEM;
        if (n == rest.n)
            return list_add(a, &node->ends, rule);
        rest = fb_str_n(rest.p + n + 1, rest.n - n - 1);
    }
}

static int table_init(struct fb_arena *a, struct host_table *t, size_t n)
{
    size_t slots = 16;
    while (slots < n * 2)
        slots *= 2;
    t->slots = fb_arena_calloc(a, slots, sizeof(*t->slots));
    t->n_slots = t->slots == NULL ? 0 : slots;
    return t->slots == NULL ? FB_E_NOMEM : 0;
}

/* The head of the chain that a host belongs to. */
static struct host_group **chain_of(struct fe_mapping *m, struct fb_str host, bool exact)
{
    struct fb_str key = host;
    struct host_table *t = &m->exact;
    if (!exact) {
        key = fe_mapping_tail(host);
        t = &m->tails;
        if (key.n == 0 || key.p[0] != '.')
            return &m->residual;
    }
    return &t->slots[fe_mapping_hash(key) & (t->n_slots - 1)];
}

static struct host_group *group_for(struct fe_mapping *m, const struct fe_rule *rule)
{
    bool exact = fb_str_index(rule->host, '*') == rule->host.n;
    struct host_group **head = chain_of(m, rule->host, exact);
    for (struct host_group *g = *head; g != NULL; g = g->next) {
        if (fb_str_eq(g->host, rule->host) && (exact || g->segment == rule->segment))
            return g;
    }
    struct host_group *g = fb_arena_calloc(&m->arena, 1, sizeof(*g));
    if (g == NULL)
        return NULL;
    g->host = rule->host;
    g->segment = rule->segment;
    g->exact = exact;
    g->next = *head;
    *head = g;
    m->groups[m->n_groups++] = g;
    return g;
}

int fe_mapping_index(struct fe_mapping *m)
{
    m->groups = fb_arena_calloc(&m->arena, m->n_rules, sizeof(*m->groups));
    if (m->groups == NULL || table_init(&m->arena, &m->exact, m->n_rules) < 0 ||
        table_init(&m->arena, &m->tails, m->n_rules) < 0)
        return FB_E_NOMEM;
    for (size_t i = 0; i < m->n_rules; i++) {
        struct host_group *g = group_for(m, &m->rules[i]);
        if (g == NULL || insert_path(&m->arena, &g->root, &m->rules[i]) < 0)
            return FB_E_NOMEM;
    }
    return 0;
}
