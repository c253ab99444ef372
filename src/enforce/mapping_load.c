/* Reading rule files: every refusal names the file, the place and the rule's index over all files. */
#include "enforce/mapping.h"

#include "base/toml.h"
#include "core/action.h"
#include "enforce/mapping_priv.h"
#include "net/url.h"

#include <stdarg.h>
#include <stdlib.h>

/* Texts and tables of FE_MAPPING_RULES_MAX rules with the longest patterns. */
#define MAPPING_MEMORY_MAX_BYTES ((size_t)256 << 20)

struct load {
    struct fe_mapping *m;
    const struct fb_toml_doc *doc;
    bool segment; /* reading chosen by the file at hand */
    struct fb_err *err;
};

static int refuse(const struct load *l, const struct fb_toml *at, const char *fmt, ...) FB_PRINTF(3, 4);

/* "file:line:col: rule 3: ..." */
static int refuse(const struct load *l, const struct fb_toml *at, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fb_err_set(l->err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: rule %zu: %s", fb_toml_name(l->doc), at->line, at->col,
                      l->m->n_rules, text);
}

/* For "%.*s" of text from a file: no more than fits a message. */
static int shown(struct fb_str s)
{
    return s.n > 120 ? 120 : (int)s.n;
}

static int read_method(const struct load *l, const struct fb_toml *table, struct fe_rule *r)
{
    const struct fb_toml *node = fb_toml_get(table, "method");
    struct fb_str text = { NULL, 0 };
    int rc = fb_toml_want_str(l->doc, node, &text, l->err);
    if (rc < 0)
        return rc;
    r->method_id = FE_METHOD_ANY;
    if (node == NULL)
        return 0;
    r->method_id = fe_method_spelt(text);
    if (r->method_id == FE_METHOD_OTHER)
        return refuse(l, node, "invalid HTTP method '%.*s'; expected one of: GET, POST, PUT, DELETE, PATCH, HEAD, OPTIONS, "
                               "CONNECT", shown(text), text.p);
    r->method = fe_method_name((enum fe_method)r->method_id);
    return 0;
}

static int read_host(const struct load *l, const struct fb_toml *table, struct fe_rule *r)
{
    const struct fb_toml *node = fb_toml_get(table, "host");
    struct fb_str text = { NULL, 0 };
    int rc = fb_toml_want_str(l->doc, node, &text, l->err);
    if (rc < 0)
        return rc;
    if (fb_str_trim(text).n == 0)
        return refuse(l, node == NULL ? table : node, "host must not be empty");
    const char *why = "";
    rc = fe_mapping_normalise_host(&l->m->arena, text, r->method_id == FE_METHOD_CONNECT, &r->host, &r->scheme, &why);
    if (rc == FB_E_CONFIG_VALIDATION)
        return refuse(l, node, "host '%.*s' %s", shown(text), text.p, why);
    if (rc < 0)
        return fb_err_set(l->err, rc, "no memory for mapping rules");
    struct fb_str name = r->host;
    size_t colon = name.n;
    while (colon > 0 && name.p[colon - 1] != ':' && name.p[colon - 1] != ']')
        colon--;
    if (colon > 0 && name.p[colon - 1] == ':')
        name.n = colon - 1;
    r->names_host = fb_str_index(name, '*') == name.n;
    return 0;
}

/* A pattern gets the form that requests have, or a rule could be dodged by the other spelling. */
static int canonical_path(struct fb_str text, char *out, struct fb_str *ret, struct fb_err *err)
{
    if (text.p[0] == '/') {
        struct fn_path p;
        int rc = fn_url_path(text, FN_PATH_ENCODED_SEPARATORS, out, text.n, &p, err);
        *ret = p.match;
        return rc;
    }
    bool separator = false;
    size_t n = 0;
    int rc = fn_url_escapes(text, FN_PATH_ENCODED_SEPARATORS, out, &n, &separator, err);
    if (n > 1 && out[n - 1] == '/')
        n--;
    *ret = fb_str_n(out, n);
    return rc;
}

static int read_path(const struct load *l, const struct fb_toml *table, struct fe_rule *r)
{
    const struct fb_toml *node = fb_toml_get(table, "path");
    struct fb_str text = { NULL, 0 };
    int rc = fb_toml_want_str(l->doc, node, &text, l->err);
    if (rc < 0 || node == NULL)
        return rc;
    if (text.n == 0)
        return refuse(l, node, "path must not be empty; leave the key out to match every path");
    if (text.n > FE_MAPPING_PATTERN_MAX_BYTES)
        return refuse(l, node, "path is longer than %d bytes", FE_MAPPING_PATTERN_MAX_BYTES);
    if (text.p[0] != '/' && text.p[0] != '*')
        return refuse(l, node, "path '%.*s' can never match: it must begin with '/' or '*'", shown(text), text.p);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c >= 0x7f || c == '?' || c == '#')
            return refuse(l, node, "path '%.*s' can never match: it holds a blank, a query or a character that must be "
                                   "percent-encoded", shown(text), text.p);
    }
    char *out = fb_arena_alloc(&l->m->arena, text.n + 1);
    if (out == NULL)
        return fb_err_set(l->err, FB_E_NOMEM, "no memory for mapping rules");
    struct fb_err why = { 0 };
    if (canonical_path(text, out, &r->path, &why) < 0)
        return refuse(l, node, "path '%.*s' can never match: %s", shown(text), text.p, why.msg);
    r->has_path = true;
    return 0;
}

static int read_action(const struct load *l, const struct fb_toml *table, struct fe_rule *r)
{
    const struct fb_toml *node = fb_toml_get(table, "action_class");
    struct fb_str text = { NULL, 0 };
    int rc = fb_toml_want_str(l->doc, node, &text, l->err);
    if (rc < 0)
        return rc;
    if (text.n == 0)
        return refuse(l, node == NULL ? table : node, "action_class must not be empty");
    size_t index = fc_action_find(text);
    if (index == fc_action_count()) {
        rc = refuse(l, node, "action class '%.*s' not in registry", shown(text), text.p);
        const char *near = fc_action_nearest(text);
        if (near != NULL)
            fb_err_remedy(l->err, "did you mean '%s'? classes are fixed; the Cedar schema does not extend them", near);
        else
            fb_err_remedy(l->err, "docs/reference/action-classes.md lists the classes; the Cedar schema does not extend them");
        return rc;
    }
    r->action = (unsigned)index;
    return 0;
}

static int read_rule(const struct load *l, const struct fb_toml *table)
{
    static const char *const keys[] = { "method", "host", "path", "action_class", "opaque", "encoded_separators", NULL };
    if (l->m->n_rules == FE_MAPPING_RULES_MAX)
        return fb_err_set(l->err, FB_E_LIMIT, "%s: more than %d mapping rules", fb_toml_name(l->doc), FE_MAPPING_RULES_MAX);
    int rc = fb_toml_want_table(l->doc, table, l->err);
    if (rc < 0 || (rc = fb_toml_only_keys(l->doc, table, "rules", keys, l->err)) < 0)
        return rc;
    struct fe_rule *r = &l->m->rules[l->m->n_rules];
    *r = (struct fe_rule){ .index = (unsigned)l->m->n_rules, .segment = l->segment };
    if ((rc = read_method(l, table, r)) < 0 || (rc = read_host(l, table, r)) < 0 || (rc = read_path(l, table, r)) < 0 ||
        (rc = read_action(l, table, r)) < 0)
        return rc;
    rc = fb_toml_want_bool(l->doc, fb_toml_get(table, "opaque"), &r->opaque, l->err);
    if (rc == 0)
        rc = fb_toml_want_bool(l->doc, fb_toml_get(table, "encoded_separators"), &r->encoded_separators, l->err);
    if (rc < 0)
        return rc;
    r->score = fe_mapping_score(r);
    l->m->n_rules++;
    return 0;
}

static int read_reading(struct load *l, const struct fb_toml *node)
{
    struct fb_str text = FB_STR("any");
    int rc = fb_toml_want_str(l->doc, node, &text, l->err);
    if (rc < 0)
        return rc;
    l->segment = fb_str_eqz(text, "segment");
    if (!l->segment && !fb_str_eqz(text, "any"))
        return fb_err_set(l->err, FB_E_CONFIG_VALIDATION,
                          "%s:%u:%u: glob must be \"segment\" (`*` stays inside a label or segment) or \"any\"",
                          fb_toml_name(l->doc), node->line, node->col);
    return 0;
}

static int read_doc(struct load *l)
{
    static const char *const keys[] = { "glob", "rules", NULL };
    const struct fb_toml *root = fb_toml_root(l->doc);
    int rc = fb_toml_only_keys(l->doc, root, "", keys, l->err);
    if (rc < 0 || (rc = read_reading(l, fb_toml_get(root, "glob"))) < 0)
        return rc;
    const struct fb_toml *rules = fb_toml_get(root, "rules");
    if (rules != NULL && rules->kind != FB_TOML_ARRAY)
        return fb_err_set(l->err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: rules must be an array of tables: [[rules]]",
                          fb_toml_name(l->doc), rules->line, rules->col);
    if (rules == NULL || rules->first == NULL)
        return fb_err_set(l->err, FB_E_CONFIG_VALIDATION, "%s: mapping rules file contains no rules", fb_toml_name(l->doc));
    for (const struct fb_toml *t = rules->first; t != NULL; t = t->next) {
        if ((rc = read_rule(l, t)) < 0)
            return rc;
    }
    return 0;
}

static int compare_tuple(const struct fe_rule *a, const struct fe_rule *b)
{
    int c = fb_str_cmp(a->host, b->host);
    if (c == 0)
        c = (int)a->method_id - (int)b->method_id;
    if (c == 0)
        c = (int)a->scheme - (int)b->scheme;
    return c != 0 ? c : fb_str_cmp(a->path, b->path);
}

static int compare_for_sort(const void *pa, const void *pb)
{
    const struct fe_rule *a = *(const struct fe_rule *const *)pa;
    const struct fe_rule *b = *(const struct fe_rule *const *)pb;
    int c = compare_tuple(a, b);
    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

static int refuse_duplicates(const struct fe_mapping *m, struct fb_err *err)
{
    const struct fe_rule **sorted = calloc(m->n_rules, sizeof(*sorted));
    if (sorted == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for mapping rules");
    for (size_t i = 0; i < m->n_rules; i++)
        sorted[i] = &m->rules[i];
    qsort(sorted, m->n_rules, sizeof(*sorted), compare_for_sort);
    const struct fe_rule *first = NULL;
    const struct fe_rule *again = NULL;
    for (size_t i = 1; i < m->n_rules; i++) {
        if (compare_tuple(sorted[i - 1], sorted[i]) == 0 && (again == NULL || sorted[i]->index < again->index)) {
            first = sorted[i - 1];
            again = sorted[i];
        }
    }
    free(sorted);
    if (again == NULL)
        return 0;
    return fb_err_set(err, FB_E_CONFIG_VALIDATION,
                      "rule %u: duplicate mapping tuple method=%.*s host=%.*s path=%.*s (first given by rule %u)",
                      again->index, shown(again->method), again->method.n == 0 ? "" : again->method.p, shown(again->host),
                      again->host.p, shown(again->path), again->path.n == 0 ? "" : again->path.p, first->index);
}

static int load_file(struct load *l, const struct fe_mapping_file *file)
{
    struct fb_toml_doc *doc = NULL;
    int rc = fb_toml_parse(file->text, file->name, &doc, l->err);
    if (rc < 0)
        return rc == FB_E_PARSE ? fb_err_recode(l->err, FB_E_CONFIG_PARSE) : rc;
    l->doc = doc;
    rc = read_doc(l);
    fb_toml_free(doc);
    return rc;
}

static void free_retired(struct fe_retired *self)
{
    fe_mapping_free((struct fe_mapping *)self);
}

int fe_mapping_load(const struct fe_mapping_file *files, size_t n, struct fe_mapping **ret, struct fb_err *err)
{
    if (n > FE_MAPPING_FILES_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d mapping files", FE_MAPPING_FILES_MAX);
    struct fe_mapping *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return fb_err_set(err, FB_E_NOMEM, "no memory for mapping rules");
    m->retired.free = free_retired;
    fb_arena_init(&m->arena, MAPPING_MEMORY_MAX_BYTES);
    struct load l = { .m = m, .err = err };
    struct fe_rule *rules = calloc(FE_MAPPING_RULES_MAX, sizeof(*rules));
    m->rules = rules;
    int rc = rules == NULL ? fb_err_set(err, FB_E_NOMEM, "no memory for mapping rules") : 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = load_file(&l, &files[i]);
    if (rc == 0 && m->n_rules == 0)
        rc = fb_err_set(err, FB_E_CONFIG_VALIDATION, "mapping rules file contains no rules");
    if (rc == 0)
        rc = refuse_duplicates(m, err);
    if (rc == 0) {
        m->rules = fb_arena_calloc(&m->arena, m->n_rules, sizeof(*m->rules));
        if (m->rules != NULL)
            memcpy(m->rules, rules, m->n_rules * sizeof(*rules));
        if (m->rules == NULL || fe_mapping_index(m) < 0)
            rc = fb_err_set(err, FB_E_NOMEM, "no memory for mapping rules");
    }
    free(rules);
    if (rc < 0) {
        fe_mapping_free(m);
        return rc;
    }
    *ret = m;
    return 0;
}
