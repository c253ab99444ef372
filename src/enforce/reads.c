/* A walk over the words of a policy text: comments and strings are skipped, then every `context`, and in conditions every
 * `resource` and `principal`, is looked at with what follows it. */
#include "enforce/reads.h"

struct words {
    struct fb_str text;
    size_t at;
};

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next word, or a single character of another kind (a string gives one `"`); false at the end. */
static bool next_word(struct words *w, struct fb_str *ret)
{
    const char *p = w->text.p;
    size_t n = w->text.n;
    for (;;) {
        while (w->at < n && (p[w->at] == ' ' || p[w->at] == '\t' || p[w->at] == '\n' || p[w->at] == '\r'))
            w->at++;
        if (w->at + 1 < n && p[w->at] == '/' && p[w->at + 1] == '/') {
            while (w->at < n && p[w->at] != '\n' && p[w->at] != '\r')
                w->at++;
            continue;
        }
        break;
    }
    if (w->at >= n)
        return false;
    size_t from = w->at;
    if (is_word_char(p[from])) {
        while (w->at < n && is_word_char(p[w->at]))
            w->at++;
        *ret = fb_str_n(p + from, w->at - from);
        return true;
    }
    w->at++;
    if (p[from] == '"') {
        while (w->at < n && p[w->at] != '"')
            w->at += p[w->at] == '\\' ? 2 : 1;
        w->at = w->at < n ? w->at + 1 : n;
    }
    *ret = fb_str_n(p + from, 1);
    return true;
}

/* Behind `context`: `.name` and `has name` tell which attribute; anything else may be any. */
static uint64_t context_use(struct words w, const char *const *names, size_t n_names)
{
    struct fb_str word;
    if (!next_word(&w, &word) || !(fb_str_eqz(word, ".") || fb_str_eqz(word, "has")))
        return UINT64_MAX;
    if (!next_word(&w, &word) || !is_word_char(word.p[0]))
        return UINT64_MAX;
    for (size_t i = 0; i < n_names; i++) {
        if (fb_str_eqz(word, names[i]))
            return UINT64_C(1) << i;
    }
    return 0;
}

struct fe_reads fe_reads_scan(struct fb_str text, const char *const *names, size_t n_names)
{
    struct fe_reads r = { 0, false, false };
    struct words w = { text, 0 };
    struct fb_str word;
    size_t depth = 0;
    while (next_word(&w, &word)) {
        if (fb_str_eqz(word, "{"))
            depth++;
        else if (fb_str_eqz(word, "}"))
            depth -= depth > 0;
        else if (fb_str_eqz(word, "context"))
            r.context |= context_use(w, names, n_names);
        else if (depth > 0 && fb_str_eqz(word, "resource"))
            r.resource_attrs = true;
        else if (depth > 0 && fb_str_eqz(word, "principal"))
            r.principal_attrs = true;
    }
    return r;
}
