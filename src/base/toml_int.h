/* What the TOML files share; nobody else includes this. Layer: base (L0). Thread: one parse, one thread.
 * Source: the TOML 1.0.0 specification. Functions return 0 or a negative code with in->err filled. */
#ifndef BASE_TOML_INT_H
#define BASE_TOML_INT_H

#include "base/arena.h"
#include "base/toml.h"

enum toml_flag {
    TOML_BY_HEADER = 1u << 0, /* a [header] named it: not again */
    TOML_BY_DOTS = 1u << 1,   /* dotted keys made it: no header may define it, further dotted keys may add to it */
    TOML_CLOSED = 1u << 2,    /* inline tables and written arrays: complete once read */
    TOML_OF_TABLES = 1u << 3, /* array made by [[header]] */
};

struct toml_node {
    struct fb_toml pub; /* first, so that a public pointer is a node pointer */
    struct toml_node *parent;
    struct toml_node *last;
    uint64_t hash;
    unsigned flags;
    unsigned depth;
};

/* Finds members by parent and key, so that reading stays linear however wide a table is. */
struct toml_index {
    struct toml_node **slots;
    size_t cap; /* a power of two, or 0 */
    size_t used;
};

struct toml_in {
    const char *p;
    const char *end;
    const char *line_start;
    unsigned line;
    const char *col_at; /* column of this place is known ... */
    unsigned col;       /* ... to be this */
    const char *name;
    struct fb_arena *arena;
    struct toml_index index;
    size_t n_nodes;
    struct fb_err *err;
};

/* toml_scan.c: places, messages, blanks, keys. */
unsigned toml_col(struct toml_in *in, const char *at);
/* "name:line:col: expected @expected, found (what stands at @at)"; @at is on the current line. */
int toml_fail(struct toml_in *in, const char *at, const char *expected);
int toml_failf(struct toml_in *in, int code, const char *at, const char *fmt, ...) FB_PRINTF(4, 5);
void toml_blanks(struct toml_in *in);
/* Blanks, one comment, and the end of the line (or of the input). */
int toml_line_end(struct toml_in *in);
/* Any number of blanks, comments and line ends: between array items. */
int toml_gap(struct toml_in *in);
bool toml_at_newline(const struct toml_in *in, size_t *ret_n);
void toml_newline(struct toml_in *in, size_t n);
/* One part of a key: bare or quoted. */
int toml_key_part(struct toml_in *in, struct fb_str *ret);

/* toml_string.c: at a quote. @multi allows the three-quote forms. */
int toml_string(struct toml_in *in, bool multi, struct fb_str *ret);
/* toml_scalar.c: numbers, booleans, dates and times. */
int toml_scalar(struct toml_in *in, struct fb_toml *ret);
/* toml_date.c: 1 when @s is a date or time, 0 when it does not look like one, negative when it is a wrong one. */
int toml_date(struct toml_in *in, struct fb_str s, struct fb_toml *ret);
/* toml_value.c */
int toml_value(struct toml_in *in, struct toml_node *node);
/* "a.b.c = value" into @table. */
int toml_pair(struct toml_in *in, struct toml_node *table);

/* toml_tree.c: a new child at the place @at; @key.p NULL for an array item. The member must not exist. */
int toml_add(struct toml_in *in, struct toml_node *parent, struct fb_str key, const char *at, enum fb_toml_kind kind,
             struct toml_node **ret);
struct toml_node *toml_find(const struct toml_in *in, const struct toml_node *table, struct fb_str key);
void toml_index_done(struct toml_index *ix);
/* Refuses a key that exists already. */
int toml_twice(struct toml_in *in, const char *at, struct fb_str key, const struct toml_node *old);

#endif
