/* TOML 1.0 into a tree whose every node knows its line and column. Layer: base (L0). Thread: a tree is read-only once
 * parsed. Source: the TOML 1.0.0 specification. Limits below; past one: FB_E_LIMIT. */
#ifndef BASE_TOML_H
#define BASE_TOML_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FB_TOML_INPUT_MAX_BYTES = 4 << 20,
    FB_TOML_DEPTH_MAX = 64,     /* arrays, inline tables and dotted keys together */
    FB_TOML_NODES_MAX = 200000, /* values and keys */
};

enum fb_toml_kind {
    FB_TOML_STRING,
    FB_TOML_INTEGER,
    FB_TOML_FLOAT,
    FB_TOML_BOOL,
    FB_TOML_DATETIME, /* .s holds the text as written (T separator normalised) */
    FB_TOML_ARRAY,
    FB_TOML_TABLE,
};
/* For FB_TOML_DATETIME. */
enum fb_toml_time { FB_TOML_OFFSET_DATETIME, FB_TOML_LOCAL_DATETIME, FB_TOML_LOCAL_DATE, FB_TOML_LOCAL_TIME };

struct fb_toml {
    enum fb_toml_kind kind;
    unsigned line;     /* from 1, where the value (for a table: its key) starts */
    unsigned col;      /* from 1, in characters */
    struct fb_str key; /* of a table member; empty for array items and the root */
    struct fb_str s;   /* STRING, DATETIME */
    int64_t i;
    double f;
    bool b;
    enum fb_toml_time time_kind;
    struct fb_toml *first; /* children of ARRAY and TABLE, in file order */
    struct fb_toml *next;
    size_t count;
};

struct fb_toml_doc; /* owns the tree and a copy of the text */

/* @name appears in messages: "name:line:col: expected ..., found ...". FB_E_PARSE or FB_E_LIMIT or FB_E_NOMEM. */
int fb_toml_parse(struct fb_str text, const char *name, struct fb_toml_doc **ret, struct fb_err *err) FB_MUST_USE;
void fb_toml_free(struct fb_toml_doc *doc); /* takes NULL */
const struct fb_toml *fb_toml_root(const struct fb_toml_doc *doc);
const char *fb_toml_name(const struct fb_toml_doc *doc);

/* Member of a table, NULL when absent or @table is NULL. */
const struct fb_toml *fb_toml_get(const struct fb_toml *table, const char *key);
/* "a.b.c" through nested tables. */
const struct fb_toml *fb_toml_path(const struct fb_toml *table, const char *dotted);
/* What a kind is called in messages ("a string"). */
const char *fb_toml_kind_name(enum fb_toml_kind kind);

/* Typed readers with one message form for every config file. @node may be NULL (absent): then *@ret is left alone and 0
 * returned. A wrong kind or range: FB_E_CONFIG_VALIDATION, "file:line:col: key 'x' must be ...". */
int fb_toml_want_str(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_str *ret, struct fb_err *err);
int fb_toml_want_bool(const struct fb_toml_doc *d, const struct fb_toml *node, bool *ret, struct fb_err *err);
int fb_toml_want_i64(const struct fb_toml_doc *d, const struct fb_toml *node, int64_t min, int64_t max, int64_t *ret,
                     struct fb_err *err);
int fb_toml_want_f64(const struct fb_toml_doc *d, const struct fb_toml *node, double *ret, struct fb_err *err);
int fb_toml_want_table(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_err *err);
/* @node must be an array of strings. */
int fb_toml_want_str_array(const struct fb_toml_doc *d, const struct fb_toml *node, struct fb_err *err);
/* Every key of @table must be in @allowed (NULL-terminated): else FB_E_CONFIG_VALIDATION naming the key, its place and
 * the nearest allowed one. @where is the table's name for the message ("sidecar.audit"; "" for the root). */
int fb_toml_only_keys(const struct fb_toml_doc *d, const struct fb_toml *table, const char *where,
                      const char *const *allowed, struct fb_err *err);

/* Appends @s as a TOML basic string, quotes included. */
struct fb_buf;
int fb_toml_quote(struct fb_buf *out, struct fb_str s);

#endif
