/* TOML values: dispatch, arrays, inline tables, and `key = value`. */
#include "base/toml_int.h"

/* Depth is bounded by toml_add, and so is the recursion from here. */
static int array(struct toml_in *in, struct toml_node *node)
{
    node->pub.kind = FB_TOML_ARRAY;
    node->flags |= TOML_CLOSED;
    in->p++;
    for (;;) {
        int rc = toml_gap(in);
        if (rc < 0)
            return rc;
        if (in->p < in->end && *in->p == ']')
            break;
        struct toml_node *item;
        rc = toml_add(in, node, (struct fb_str){ 0 }, in->p, FB_TOML_STRING, &item);
        if (rc == 0)
            rc = toml_value(in, item);
        if (rc == 0)
            rc = toml_gap(in);
        if (rc < 0)
            return rc;
        if (in->p < in->end && *in->p == ']')
            break;
        if (in->p == in->end || *in->p != ',')
            return toml_fail(in, in->p, "',' or ']'");
        in->p++;
    }
    in->p++;
    return 0;
}

static int inline_table(struct toml_in *in, struct toml_node *node)
{
    node->pub.kind = FB_TOML_TABLE;
    in->p++;
    toml_blanks(in);
    if (in->p == in->end || *in->p != '}') {
        for (;;) {
            toml_blanks(in);
            int rc = toml_pair(in, node);
            if (rc < 0)
                return rc;
            toml_blanks(in);
            if (in->p < in->end && *in->p == '}')
                break;
            if (in->p == in->end || *in->p != ',')
                return toml_fail(in, in->p, "',' or '}'");
            in->p++;
        }
    }
    in->p++;
    node->flags |= TOML_CLOSED;
    return 0;
}

int toml_value(struct toml_in *in, struct toml_node *node)
{
    if (in->p == in->end)
        return toml_fail(in, in->p, "a value");
    node->pub.line = in->line;
    node->pub.col = toml_col(in, in->p);
    switch (*in->p) {
    case '"':
    case '\'':
        node->pub.kind = FB_TOML_STRING;
        return toml_string(in, true, &node->pub.s);
    case '[':
        return array(in, node);
    case '{':
        return inline_table(in, node);
    default:
        return toml_scalar(in, &node->pub);
    }
}

/* The table that a dotted key's part @key names inside @table: an older one made by dots, or a new one. */
static int dotted_step(struct toml_in *in, struct toml_node *table, struct fb_str key, const char *at,
                       struct toml_node **ret)
{
    struct toml_node *old = toml_find(in, table, key);
    if (old == NULL) {
        int rc = toml_add(in, table, key, at, FB_TOML_TABLE, ret);
        if (rc == 0)
            (*ret)->flags |= TOML_BY_DOTS;
        return rc;
    }
    if (old->pub.kind != FB_TOML_TABLE || (old->flags & TOML_CLOSED) != 0 || (old->flags & TOML_BY_DOTS) == 0)
        return toml_twice(in, at, key, old);
    *ret = old;
    return 0;
}

int toml_pair(struct toml_in *in, struct toml_node *table)
{
    struct fb_str key;
    const char *at = in->p;
    int rc = toml_key_part(in, &key);
    for (;;) {
        if (rc < 0)
            return rc;
        toml_blanks(in);
        if (in->p == in->end || *in->p != '.')
            break;
        rc = dotted_step(in, table, key, at, &table);
        if (rc < 0)
            return rc;
        in->p++;
        toml_blanks(in);
        at = in->p;
        rc = toml_key_part(in, &key);
    }
    if (in->p == in->end || *in->p != '=')
        return toml_fail(in, in->p, "'=' after the key");
    struct toml_node *old = toml_find(in, table, key);
    if (old != NULL)
        return toml_twice(in, at, key, old);
    in->p++;
    toml_blanks(in);
    struct toml_node *node;
    rc = toml_add(in, table, key, at, FB_TOML_STRING, &node);
    return rc < 0 ? rc : toml_value(in, node);
}
