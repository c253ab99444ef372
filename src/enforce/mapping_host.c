/* A rule's host in the form that requests have, and how specific a rule is. */
#include "enforce/mapping_priv.h"

static bool host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.*:[]", c) != NULL;
}

/* "x.:8080" and "x." lose the dot. */
static void drop_trailing_dot(char *p, size_t *n)
{
    size_t end = *n;
    for (size_t i = 0; i < *n && p[*n - 1] != ']'; i++) {
        if (p[i] == ':') {
            end = i;
            break;
        }
    }
    if (end < 2 || p[end - 1] != '.')
        return;
    memmove(p + end - 1, p + end, *n - end);
    (*n)--;
}

static bool cut_suffix(struct fb_str *s, const char *suffix)
{
    struct fb_str x = fb_str_of(suffix);
    if (s->n <= x.n || !fb_str_ends(*s, x))
        return false;
    s->n -= x.n;
    return true;
}

static void cut_default_port(struct fb_str *host, bool is_connect, enum fe_rule_scheme *ret_scheme)
{
    *ret_scheme = FE_RULE_ANY_SCHEME;
    if (cut_suffix(host, ":443"))
        /* A CONNECT is https by itself; elsewhere the port tells the scheme. */
        *ret_scheme = is_connect ? FE_RULE_ANY_SCHEME : FE_RULE_HTTPS;
    else if (!is_connect && cut_suffix(host, ":80"))
        *ret_scheme = FE_RULE_HTTP;
}

int fe_mapping_normalise_host(struct fb_arena *a, struct fb_str raw, bool is_connect, struct fb_str *ret,
                              enum fe_rule_scheme *ret_scheme, const char **ret_why)
{
    raw = fb_str_trim(raw);
    *ret_why = "";
    if (raw.n > FE_MAPPING_PATTERN_MAX_BYTES) {
        *ret_why = "is too long";
        return FB_E_CONFIG_VALIDATION;
    }
    char *p = fb_arena_alloc(a, raw.n + 3);
    if (p == NULL)
        return FB_E_NOMEM;
    size_t n = 0;
    size_t colons = 0;
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i] >= 'A' && raw.p[i] <= 'Z' ? (char)(raw.p[i] - 'A' + 'a') : raw.p[i];
        if (!host_char(c)) {
            *ret_why = c == '/' ? "must be a host alone, without scheme and path" : "holds a character that no host has";
            return FB_E_CONFIG_VALIDATION;
        }
        colons += c == ':';
        p[n++] = c;
    }
    if (colons >= 2 && p[0] != '[' && memchr(p, '*', n) == NULL) {
        /* A bare IPv6 address: requests carry the brackets. */
        memmove(p + 1, p, n);
        p[0] = '[';
        p[n + 1] = ']';
        n += 2;
    }
    drop_trailing_dot(p, &n);
    struct fb_str host = fb_str_n(p, n);
    cut_default_port(&host, is_connect, ret_scheme);
    *ret = host;
    return 0;
}

unsigned fe_mapping_score(const struct fe_rule *r)
{
    unsigned score = 0;
    if (fb_str_index(r->host, '*') == r->host.n)
        score += 100;
    if (r->method_id != FE_METHOD_ANY)
        score += 10;
    if (!r->has_path)
        return score;
    score += 5;
    struct fb_str rest = r->path;
    struct fb_str part;
    while (fb_str_split(&rest, '/', &part))
        score += part.n > 0;
    if (fb_str_index(r->path, '*') == r->path.n)
        score += 10;
    return score;
}
