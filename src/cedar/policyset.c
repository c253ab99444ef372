#include "cedar/policyset.h"

#include "cedar/diag.h"
#include "cedar/eval.h"
#include "cedar/parse.h"

#include <stdio.h>
#include <stdlib.h>

static const size_t SET_MAX_BYTES = (size_t)8 << 30;

struct cedar_policy_set *cedar_policy_set_new(void)
{
    struct cedar_policy_set *set = calloc(1, sizeof *set);
    if (set)
        cedar_arena_init(&set->arena, SET_MAX_BYTES);
    return set;
}

void cedar_policy_set_free(struct cedar_policy_set *set)
{
    if (!set)
        return;
    cedar_arena_done(&set->arena);
    cedar_index_done(&set->index);
    free(set->items);
    free(set->ids);
    free(set);
}

static bool grow(struct cedar_policy_set *set)
{
    size_t cap = set->cap ? set->cap * 2 : 16;
    struct cedar_policy *items = realloc(set->items, cap * sizeof *items);
    if (!items)
        return false;
    set->items = items;
    uint32_t *ids = calloc(cap * 2, sizeof *ids);
    if (!ids)
        return false;
    for (size_t i = 0; i < set->n; i++) {
        size_t h = cedar_str_hash(0, items[i].id) & (cap * 2 - 1);
        while (ids[h])
            h = (h + 1) & (cap * 2 - 1);
        ids[h] = (uint32_t)i + 1;
    }
    free(set->ids);
    set->ids = ids;
    set->cap = cap;
    set->n_ids = cap * 2;
    return true;
}

size_t cedar_policy_find(const struct cedar_policy_set *set, struct cedar_str id)
{
    if (set->n == 0)
        return SIZE_MAX;
    for (size_t h = cedar_str_hash(0, id) & (set->n_ids - 1); set->ids[h]; h = (h + 1) & (set->n_ids - 1)) {
        if (cedar_str_eq(set->items[set->ids[h] - 1].id, id))
            return set->ids[h] - 1;
    }
    return SIZE_MAX;
}

int cedar_policy_set_add(struct cedar_policy_set *set, const struct cedar_policy *p, struct cedar_error *err)
{
    if (cedar_policy_find(set, p->id) != SIZE_MAX)
        return cedar_error_set(err, CEDAR_E_LINK, "DuplicatePolicyId", "policy id `%.*s` is taken", CEDAR_ARG(p->id));
    if (set->n >= CEDAR_MAX_POLICIES)
        return cedar_error_set(err, CEDAR_E_LIMIT, "TooManyPolicies", "more than %d policies", CEDAR_MAX_POLICIES);
    if (set->n == set->cap && !grow(set))
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    bool ok = true;
    for (size_t i = 0; i < p->n_conds && p->template_index == SIZE_MAX; i++)
        ok &= cedar_fold(&set->arena, p->conds[i].expr);
    if (!ok || !cedar_index_add(&set->index, p, (uint32_t)set->n))
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    size_t h = cedar_str_hash(0, p->id) & (set->n_ids - 1);
    while (set->ids[h])
        h = (h + 1) & (set->n_ids - 1);
    set->items[set->n] = *p;
    set->ids[h] = (uint32_t)++set->n;
    return 0;
}

static int parse_all(struct cedar_policy_set *set, struct cedar_parser *p)
{
    uint32_t line = 1;
    size_t at = 0;
    while (p->t->kind != CEDAR_T_END) {
        struct cedar_policy pol;
        char id[32];
        if (!cedar_parse_policy(p, &pol))
            return p->rc;
        for (; at < pol.off; at++)
            line += set->text.ptr[at] == '\n';
        pol.line = line;
        snprintf(id, sizeof id, "policy%zu", set->n);
        pol.id = cedar_arena_str(&set->arena, cedar_str_c(id));
        if (!pol.id.ptr)
            return cedar_error_set(p->src.err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
        int rc = cedar_policy_set_add(set, &pol, p->src.err);
        if (rc)
            return rc;
    }
    return 0;
}

int cedar_policy_set_parse(const char *text, size_t len, struct cedar_policy_set **ret_set, struct cedar_error *err)
{
    struct cedar_error local;
    struct cedar_policy_set *set = cedar_policy_set_new();
    struct cedar_arena temp;
    struct cedar_parser p;
    if (!err)
        err = &local;
    if (!set)
        return cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    cedar_arena_init(&temp, SET_MAX_BYTES);
    int rc = 0;
    if (len <= CEDAR_MAX_TEXT_BYTES) { /* else the lexer refuses it */
        set->text = cedar_arena_str(&set->arena, (struct cedar_str){ text, len });
        if (!set->text.ptr)
            rc = cedar_error_set(err, CEDAR_E_NOMEM, "NoMemory", "out of memory");
    } else {
        set->text = (struct cedar_str){ text, len };
    }
    if (!rc)
        rc = cedar_parser_init(&p, &set->arena, &temp, set->text.ptr, set->text.len, err) ? parse_all(set, &p) : p.rc;
    cedar_arena_done(&temp);
    if (rc) {
        cedar_policy_set_free(set);
        return rc;
    }
    *ret_set = set;
    return 0;
}

size_t cedar_policy_set_count(const struct cedar_policy_set *set)
{
    return set->n;
}

struct cedar_str cedar_policy_set_text(const struct cedar_policy_set *set)
{
    return set->text;
}

struct cedar_str cedar_policy_id(const struct cedar_policy_set *set, size_t index)
{
    return index < set->n ? set->items[index].id : CEDAR_S("");
}

enum cedar_effect cedar_policy_effect(const struct cedar_policy_set *set, size_t index)
{
    return index < set->n ? set->items[index].effect : CEDAR_FORBID;
}

bool cedar_policy_is_template(const struct cedar_policy_set *set, size_t index)
{
    return index < set->n && set->items[index].is_template;
}

uint32_t cedar_policy_line(const struct cedar_policy_set *set, size_t index)
{
    return index < set->n ? set->items[index].line : 0;
}

struct cedar_str cedar_policy_text(const struct cedar_policy_set *set, size_t index)
{
    if (index >= set->n || set->items[index].len == 0)
        return CEDAR_S("");
    return (struct cedar_str){ set->text.ptr + set->items[index].off, set->items[index].len };
}

size_t cedar_policy_annotation_count(const struct cedar_policy_set *set, size_t index)
{
    return index < set->n ? set->items[index].n_annots : 0;
}

bool cedar_policy_annotation_at(const struct cedar_policy_set *set, size_t index, size_t i, struct cedar_str *ret_key,
                                struct cedar_str *ret_value)
{
    if (i >= cedar_policy_annotation_count(set, index))
        return false;
    *ret_key = set->items[index].annots[i].key;
    *ret_value = set->items[index].annots[i].value;
    return true;
}

bool cedar_policy_annotation(const struct cedar_policy_set *set, size_t index, const char *key,
                             struct cedar_str *ret_value)
{
    for (size_t i = 0; i < cedar_policy_annotation_count(set, index); i++) {
        const struct cedar_annotation *a = &set->items[index].annots[i];
        if (!cedar_str_eq(a->key, cedar_str_c(key)))
            continue;
        if (ret_value)
            *ret_value = a->value;
        return true;
    }
    return false;
}
