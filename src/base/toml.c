/* TOML: the document, its headers, and reading the tree. */
#include "base/toml.h"

#include "base/toml_int.h"
#include "base/utf8.h"

#include <stdlib.h>

/* Text, strings and nodes of the largest legal input. */
enum { ARENA_MAX_BYTES = 3 * FB_TOML_INPUT_MAX_BYTES + FB_TOML_NODES_MAX * (int)sizeof(struct toml_node) * 2 };

struct fb_toml_doc {
    struct fb_arena arena;
    struct fb_str name; /* NUL after it */
    struct toml_node root;
};

/* One step of a header's path: through an older table, the newest of an array of tables, or a new table. */
static int header_step(struct toml_in *in, struct toml_node **at_table, struct fb_str key, const char *at)
{
    struct toml_node *old = toml_find(in, *at_table, key);
    if (old == NULL)
        return toml_add(in, *at_table, key, at, FB_TOML_TABLE, at_table);
    if ((old->flags & TOML_OF_TABLES) != 0)
        old = old->last;
    if (old->pub.kind != FB_TOML_TABLE || (old->flags & TOML_CLOSED) != 0)
        return toml_twice(in, at, key, old);
    *at_table = old;
    return 0;
}

static int define_table(struct toml_in *in, struct toml_node *parent, struct fb_str key, const char *at,
                        struct toml_node **ret)
{
    struct toml_node *old = toml_find(in, parent, key);
    if (old == NULL) {
        int rc = toml_add(in, parent, key, at, FB_TOML_TABLE, &old);
        if (rc < 0)
            return rc;
    } else if (old->pub.kind != FB_TOML_TABLE || (old->flags & (TOML_BY_HEADER | TOML_BY_DOTS | TOML_CLOSED)) != 0) {
        return toml_twice(in, at, key, old);
    }
    old->flags |= TOML_BY_HEADER;
    /* A table that a deeper header had implied gets its own place now. */
    old->pub.line = in->line;
    old->pub.col = toml_col(in, at);
    *ret = old;
    return 0;
}

static int define_item(struct toml_in *in, struct toml_node *parent, struct fb_str key, const char *at,
                       struct toml_node **ret)
{
    struct toml_node *list = toml_find(in, parent, key);
    if (list == NULL) {
        int rc = toml_add(in, parent, key, at, FB_TOML_ARRAY, &list);
        if (rc < 0)
            return rc;
        list->flags |= TOML_OF_TABLES;
    } else if ((list->flags & TOML_OF_TABLES) == 0) {
        return toml_twice(in, at, key, list);
    }
    int rc = toml_add(in, list, (struct fb_str){ 0 }, at, FB_TOML_TABLE, ret);
    if (rc == 0)
        (*ret)->flags |= TOML_BY_HEADER;
    return rc;
}

/* "[a.b]" or "[[a.b]]"; *@table becomes the one that follows belong to. */
static int header(struct toml_in *in, struct toml_node *root, struct toml_node **table)
{
    bool item = in->end - in->p > 1 && in->p[1] == '[';
    in->p += item ? 2 : 1;
    struct toml_node *parent = root;
    struct fb_str key;
    const char *at;
    for (;;) {
        toml_blanks(in);
        at = in->p;
        int rc = toml_key_part(in, &key);
        if (rc < 0)
            return rc;
        toml_blanks(in);
        if (in->p == in->end || *in->p != '.')
            break;
        rc = header_step(in, &parent, key, at);
        if (rc < 0)
            return rc;
        in->p++;
    }
    if (in->p == in->end || *in->p != ']')
        return toml_fail(in, in->p, "'.' or ']'");
    in->p++;
    if (item) {
        if (in->p == in->end || *in->p != ']')
            return toml_fail(in, in->p, "a second ']'");
        in->p++;
    }
    int rc = item ? define_item(in, parent, key, at, table) : define_table(in, parent, key, at, table);
    return rc < 0 ? rc : toml_line_end(in);
}

static int document(struct toml_in *in, struct toml_node *root)
{
    struct toml_node *table = root;
    for (;;) {
        int rc = toml_gap(in);
        if (rc < 0)
            return rc;
        if (in->p == in->end)
            return 0;
        if (*in->p == '[') {
            rc = header(in, root, &table);
        } else {
            rc = toml_pair(in, table);
            if (rc == 0)
                rc = toml_line_end(in);
        }
        if (rc < 0)
            return rc;
    }
}

/* The first byte that is no UTF-8, so that nothing later has to ask. */
static int check_utf8(struct toml_in *in)
{
    struct toml_in probe = *in;
    while (probe.p < probe.end) {
        size_t newline;
        uint32_t c;
        size_t n = fb_utf8_decode(probe.p, (size_t)(probe.end - probe.p), &c);
        if (n == 0)
            return toml_fail(&probe, probe.p, "UTF-8 text");
        if (toml_at_newline(&probe, &newline))
            toml_newline(&probe, newline);
        else
            probe.p += n;
    }
    return 0;
}

static int parse(struct fb_toml_doc *doc, struct fb_str text, struct fb_err *err)
{
    struct fb_str copy = fb_arena_str(&doc->arena, text);
    if (copy.p == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    static const char bom[] = "\xef\xbb\xbf";
    if (fb_str_starts(copy, FB_STR(bom)))
        copy = fb_str_n(copy.p + 3, copy.n - 3);
    struct toml_in in = {
        .p = copy.p,
        .end = copy.p + copy.n,
        .line_start = copy.p,
        .line = 1,
        .col_at = copy.p,
        .col = 1,
        .name = doc->name.p,
        .arena = &doc->arena,
        .err = err,
    };
    int rc = check_utf8(&in);
    if (rc == 0)
        rc = document(&in, &doc->root);
    toml_index_done(&in.index);
    return rc;
}

int fb_toml_parse(struct fb_str text, const char *name, struct fb_toml_doc **ret, struct fb_err *err)
{
    if (text.n > FB_TOML_INPUT_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "%s: expected at most %d bytes, found %zu", name, FB_TOML_INPUT_MAX_BYTES,
                          text.n);
    struct fb_toml_doc *doc = calloc(1, sizeof *doc);
    if (doc == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    fb_arena_init(&doc->arena, (size_t)ARENA_MAX_BYTES);
    doc->root.pub = (struct fb_toml){ .kind = FB_TOML_TABLE, .line = 1, .col = 1 };
    doc->name = fb_arena_str(&doc->arena, fb_str_of(name));
    int rc = doc->name.p == NULL ? fb_err_set(err, FB_E_NOMEM, "out of memory") : parse(doc, text, err);
    if (rc < 0) {
        fb_toml_free(doc);
        return rc;
    }
    *ret = doc;
    return 0;
}

void fb_toml_free(struct fb_toml_doc *doc)
{
    if (doc == NULL)
        return;
    fb_arena_done(&doc->arena);
    free(doc);
}

const struct fb_toml *fb_toml_root(const struct fb_toml_doc *doc)
{
    return &doc->root.pub;
}

const char *fb_toml_name(const struct fb_toml_doc *doc)
{
    return doc->name.p;
}

static const struct fb_toml *get(const struct fb_toml *table, struct fb_str key)
{
    if (table == NULL || table->kind != FB_TOML_TABLE)
        return NULL;
    for (const struct fb_toml *n = table->first; n != NULL; n = n->next) {
        if (fb_str_eq(n->key, key))
            return n;
    }
    return NULL;
}

const struct fb_toml *fb_toml_get(const struct fb_toml *table, const char *key)
{
    return get(table, fb_str_of(key));
}

const struct fb_toml *fb_toml_path(const struct fb_toml *table, const char *dotted)
{
    struct fb_str rest = fb_str_of(dotted);
    struct fb_str part;
    while (table != NULL && fb_str_split(&rest, '.', &part))
        table = get(table, part);
    return table;
}

const char *fb_toml_kind_name(enum fb_toml_kind kind)
{
    switch (kind) {
    case FB_TOML_STRING:
        return "a string";
    case FB_TOML_INTEGER:
        return "an integer";
    case FB_TOML_FLOAT:
        return "a float";
    case FB_TOML_BOOL:
        return "a boolean";
    case FB_TOML_DATETIME:
        return "a date or time";
    case FB_TOML_ARRAY:
        return "an array";
    case FB_TOML_TABLE:
        return "a table";
    }
    return "nothing";
}
