/* Ancestors: the transitive closure of `parents`, computed once, refusing cycles. */
#include "cedar/diag.h"
#include "cedar/entities.h"
#include "cedar/schema.h"
#include "cedar/sort.h"

#include <string.h>

enum { WHITE, GREY, BLACK };

struct frame {
    uint32_t entity;
    size_t next; /* parent to look at */
};

struct walk {
    struct cedar_entities *ents;
    struct cedar_error *err;
    uint8_t *colour;
    struct frame *stack;
    size_t depth, total;
};

static int by_uid(const void *a, const void *b)
{
    return cedar_uid_cmp(*(const struct cedar_uid *const *)a, *(const struct cedar_uid *const *)b);
}

/* All parents are black: our ancestors are they and theirs. */
static int merge(struct walk *w, struct cedar_entity *e)
{
    size_t n = e->n_parents, kept = 0;
    for (size_t i = 0; i < e->n_parents; i++) {
        const struct cedar_entity *p = cedar_entities_find(w->ents, &e->parents[i]);
        n += p ? p->n_ancestors : 0;
    }
    if (n > CEDAR_MAX_ANCESTORS)
        return cedar_error_set(w->err, CEDAR_E_LIMIT, "TooManyAncestors", "too many ancestors in the entity hierarchy");
    const struct cedar_uid **list = cedar_arena_array(w->ents->arena, n, sizeof *list);
    if (!list)
        return cedar_error_set(w->err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    n = 0;
    for (size_t i = 0; i < e->n_parents; i++) {
        const struct cedar_entity *p = cedar_entities_find(w->ents, &e->parents[i]);
        list[n++] = &e->parents[i];
        for (size_t k = 0; p && k < p->n_ancestors; k++)
            list[n++] = p->ancestors[k];
    }
    cedar_sort(list, n, sizeof *list, by_uid);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || !cedar_uid_eq(list[kept - 1], list[i]))
            list[kept++] = list[i];
    }
    e->ancestors = list;
    e->n_ancestors = kept;
    w->total += kept;
    if (w->total > CEDAR_MAX_ANCESTORS)
        return cedar_error_set(w->err, CEDAR_E_LIMIT, "TooManyAncestors", "too many ancestors in the entity hierarchy");
    return 0;
}

/* Depth first with a stack of our own: data may be a chain of any length. */
static int visit(struct walk *w, uint32_t root)
{
    w->stack[0] = (struct frame){ root, 0 };
    w->depth = 1;
    w->colour[root] = GREY;
    while (w->depth) {
        struct frame *f = &w->stack[w->depth - 1];
        struct cedar_entity *e = &w->ents->items[f->entity];
        if (f->next == e->n_parents) {
            int rc = merge(w, e);
            if (rc)
                return rc;
            w->colour[f->entity] = BLACK;
            w->depth--;
            continue;
        }
        const struct cedar_uid *parent = &e->parents[f->next++];
        const struct cedar_entity *p = cedar_entities_find_own(w->ents, parent);
        if (!p)
            continue;
        uint32_t i = (uint32_t)(p - w->ents->items);
        if (w->colour[i] == GREY)
            return cedar_error_set(w->err, CEDAR_E_ENTITY, "Cycle", "cycle in the hierarchy at `%.*s::\"%.*s\"`",
                                   CEDAR_ARG(parent->type), CEDAR_ARG(parent->id));
        if (w->colour[i] == WHITE) {
            w->colour[i] = GREY;
            w->stack[w->depth++] = (struct frame){ i, 0 };
        }
    }
    return 0;
}

int cedar_entities_finish(struct cedar_entities *ents, struct cedar_error *err)
{
    bool any = false;
    if (ents->finished)
        return 0;
    for (size_t i = 0; i < ents->n; i++) {
        const struct cedar_entity *e = &ents->items[i];
        any |= e->n_parents > 0;
    }
    if (!any) {
        ents->finished = true;
        return 0;
    }
    struct walk w = { .ents = ents, .err = err };
    w.colour = CEDAR_NEW_N(ents->arena, ents->n, uint8_t);
    w.stack = cedar_arena_array(ents->arena, ents->n, sizeof *w.stack);
    if (!w.colour || !w.stack)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    for (uint32_t i = 0; i < ents->n; i++) {
        int rc = w.colour[i] == WHITE ? visit(&w, i) : 0;
        if (rc)
            return rc;
    }
    ents->finished = true;
    return 0;
}
