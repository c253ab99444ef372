/* The TOML tree: nodes, limits, and the index that finds members. */
#include "base/toml_int.h"

#include <stdint.h>
#include <stdlib.h>

static uint64_t hash_of(const struct toml_node *table, struct fb_str key)
{
    uint64_t h = 0xcbf29ce484222325U ^ (uint64_t)(uintptr_t)table;
    for (size_t i = 0; i < key.n; i++)
        h = (h ^ (unsigned char)key.p[i]) * 0x100000001b3U;
    return h ^ h >> 29;
}

static void index_put(struct toml_index *ix, struct toml_node *node)
{
    size_t i = (size_t)node->hash & (ix->cap - 1);
    while (ix->slots[i] != NULL)
        i = (i + 1) & (ix->cap - 1);
    ix->slots[i] = node;
    ix->used++;
}

static int index_grow(struct toml_in *in)
{
    struct toml_index *ix = &in->index;
    if (ix->used * 4 < ix->cap * 3)
        return 0;
    struct toml_index bigger = { .cap = ix->cap == 0 ? 64 : ix->cap * 2 };
    bigger.slots = calloc(bigger.cap, sizeof(struct toml_node *));
    if (bigger.slots == NULL)
        return fb_err_set(in->err, FB_E_NOMEM, "out of memory");
    for (size_t i = 0; i < ix->cap; i++) {
        if (ix->slots[i] != NULL)
            index_put(&bigger, ix->slots[i]);
    }
    free(ix->slots);
    *ix = bigger;
    return 0;
}

void toml_index_done(struct toml_index *ix)
{
    free(ix->slots);
    *ix = (struct toml_index){ 0 };
}

struct toml_node *toml_find(const struct toml_in *in, const struct toml_node *table, struct fb_str key)
{
    const struct toml_index *ix = &in->index;
    if (ix->cap == 0)
        return NULL;
    uint64_t h = hash_of(table, key);
    for (size_t i = (size_t)h & (ix->cap - 1); ix->slots[i] != NULL; i = (i + 1) & (ix->cap - 1)) {
        struct toml_node *n = ix->slots[i];
        if (n->hash == h && n->parent == table && fb_str_eq(n->pub.key, key))
            return n;
    }
    return NULL;
}

int toml_twice(struct toml_in *in, const char *at, struct fb_str key, const struct toml_node *old)
{
    int n = key.n > 64 ? 64 : (int)key.n;
    return toml_failf(in, FB_E_PARSE, at, "expected a new key, found '%.*s' again (first on line %u)", n, key.p,
                      old->pub.line);
}

int toml_add(struct toml_in *in, struct toml_node *parent, struct fb_str key, const char *at, enum fb_toml_kind kind,
             struct toml_node **ret)
{
    if (in->n_nodes >= FB_TOML_NODES_MAX)
        return toml_failf(in, FB_E_LIMIT, at, "expected at most %d values, found more", FB_TOML_NODES_MAX);
    if (parent->depth >= FB_TOML_DEPTH_MAX)
        return toml_failf(in, FB_E_LIMIT, at, "expected at most %d levels, found more", FB_TOML_DEPTH_MAX);
    struct toml_node *n = fb_arena_calloc(in->arena, 1, sizeof *n);
    if (n == NULL)
        return fb_err_set(in->err, FB_E_NOMEM, "out of memory");
    n->pub.kind = kind;
    n->pub.line = in->line;
    n->pub.col = toml_col(in, at);
    n->parent = parent;
    n->depth = parent->depth + 1;
    if (key.p != NULL) {
        n->pub.key = key;
        n->hash = hash_of(parent, key);
        int rc = index_grow(in);
        if (rc < 0)
            return rc;
        index_put(&in->index, n);
    }
    if (parent->last == NULL)
        parent->pub.first = &n->pub;
    else
        parent->last->pub.next = &n->pub;
    parent->last = n;
    parent->pub.count++;
    in->n_nodes++;
    *ret = n;
    return 0;
}
