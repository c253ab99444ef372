/* Typed reading of config keys, one form of message. */
#include "sidecar/config_read.h"

#include "base/fs.h"
#include "base/num.h"
#include "net/url.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 512 };
static const uint64_t size_max = 1ULL << 40;

void sc_read_fail(struct sc_reader *r, const struct fb_toml *node, const char *fmt, ...)
{
    if (r->code != 0)
        return;
    char text[MESSAGE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    r->code = fb_err_set(r->err, FB_E_CONFIG_VALIDATION, "%s:%u:%u: %s: %s", fb_toml_name(r->doc), node->line,
                         node->col, r->section, text);
}

static void no_memory(struct sc_reader *r)
{
    if (r->code == 0)
        r->code = fb_err_set(r->err, FB_E_NOMEM, "no memory for the configuration");
}

/* The key's full name in the config's own memory. */
static const char *full(struct sc_reader *r, const char *key)
{
    if (r->where[0] == '\0')
        return key;
    struct fb_str name = fb_arena_fmt(r->arena, "%s.%s", r->where, key);
    return name.p == NULL ? key : name.p;
}

void *sc_read_room(struct sc_reader *r, size_t count, size_t size)
{
    if (r->code != 0)
        return NULL;
    void *p = fb_arena_calloc(r->arena, count, size);
    if (p == NULL)
        no_memory(r);
    return p;
}

const char *sc_read_copy(struct sc_reader *r, struct fb_str s)
{
    if (r->code != 0)
        return NULL;
    const char *copy = fb_arena_str(r->arena, s).p;
    if (copy == NULL)
        no_memory(r);
    return copy;
}

static const struct fb_toml *member(struct sc_reader *r, const struct fb_toml *t, const char *key)
{
    return r->code != 0 ? NULL : fb_toml_get(t, key);
}

const struct fb_toml *sc_read_table(struct sc_reader *r, const struct fb_toml *parent, const char *key,
                                    const char *where, const char *const *allowed)
{
    r->where = where;
    const struct fb_toml *t = member(r, parent, key);
    if (t == NULL)
        return NULL;
    r->code = fb_toml_want_table(r->doc, t, r->err);
    if (r->code == 0 && allowed != NULL) {
        struct fb_str name = fb_arena_fmt(r->arena, "sidecar.%s", where);
        r->code = fb_toml_only_keys(r->doc, t, name.p == NULL ? where : name.p, allowed, r->err);
    }
    return r->code == 0 ? t : NULL;
}

/* One text: checked, re-based when asked for, copied. */
static const char *take_text(struct sc_reader *r, const struct fb_toml *node, struct fb_str s, unsigned flags,
                             const char *name)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        sc_read_fail(r, node, "%s must not hold a NUL", name);
    else if (s.n == 0 && (flags & SC_READ_EMPTY_OK) == 0)
        sc_read_fail(r, node, "%s must not be empty", name);
    const char *copy = sc_read_copy(r, s);
    if (copy == NULL || (flags & SC_READ_REBASE) == 0)
        return copy;
    char *joined = fb_fs_join(r->dir, copy);
    copy = joined == NULL ? NULL : sc_read_copy(r, fb_str_of(joined));
    free(joined);
    if (copy == NULL)
        no_memory(r);
    return copy;
}

void sc_read_str(struct sc_reader *r, const struct fb_toml *t, const char *key, unsigned flags, const char **ret)
{
    const struct fb_toml *node = member(r, t, key);
    struct fb_str s;
    if (node == NULL || (r->code = fb_toml_want_str(r->doc, node, &s, r->err)) != 0)
        return;
    const char *text = take_text(r, node, s, flags, full(r, key));
    if (text != NULL)
        *ret = text;
}

void sc_read_bool(struct sc_reader *r, const struct fb_toml *t, const char *key, bool *ret)
{
    const struct fb_toml *node = member(r, t, key);
    if (node != NULL)
        r->code = fb_toml_want_bool(r->doc, node, ret, r->err);
}

static void check_range(struct sc_reader *r, const struct fb_toml *node, const char *key, int64_t v, uint64_t min,
                        uint64_t max)
{
    if (v < 0 || (uint64_t)v < min) {
        if (min <= 1)
            sc_read_fail(r, node, "%s must be %s 0", full(r, key), min == 1 ? ">" : ">=");
        else
            sc_read_fail(r, node, "%s must be >= %llu", full(r, key), (unsigned long long)min);
    } else if ((uint64_t)v > max) {
        sc_read_fail(r, node, "%s must be <= %llu", full(r, key), (unsigned long long)max);
    }
}

void sc_read_u64(struct sc_reader *r, const struct fb_toml *t, const char *key, uint64_t min, uint64_t max,
                 uint64_t *ret)
{
    const struct fb_toml *node = member(r, t, key);
    int64_t v = 0;
    if (node == NULL || (r->code = fb_toml_want_i64(r->doc, node, INT64_MIN, INT64_MAX, &v, r->err)) != 0)
        return;
    check_range(r, node, key, v, min, max);
    if (r->code == 0)
        *ret = (uint64_t)v;
}

/* The text of the second spelling; NULL node when it is not used. */
static const struct fb_toml *second_spelling(struct sc_reader *r, const struct fb_toml *t, const char *int_key,
                                             const char *text_key, struct fb_str *ret)
{
    const struct fb_toml *node = text_key == NULL ? NULL : member(r, t, text_key);
    if (node == NULL)
        return NULL;
    if (member(r, t, int_key) != NULL)
        sc_read_fail(r, node, "%s and %s are two spellings of one key; keep one", full(r, int_key), full(r, text_key));
    else
        r->code = fb_toml_want_str(r->doc, node, ret, r->err);
    return r->code == 0 ? node : NULL;
}

void sc_read_ms(struct sc_reader *r, const struct fb_toml *t, const char *int_key, uint64_t unit_ms,
                const char *text_key, uint64_t min_ms, uint64_t *ret_ms)
{
    const uint64_t max_ms = (uint64_t)SC_CONFIG_SECONDS_MAX * 1000;
    uint64_t v = *ret_ms / unit_ms;
    struct fb_str text;
    const struct fb_toml *node = second_spelling(r, t, int_key, text_key, &text);
    if (node == NULL) {
        if (member(r, t, int_key) == NULL)
            return;
        sc_read_u64(r, t, int_key, min_ms == 0 ? 0 : 1, max_ms / unit_ms, &v);
        if (r->code == 0)
            *ret_ms = v * unit_ms;
        return;
    }
    if (fb_num_duration_ms(text, &v) != 0 || v > max_ms)
        sc_read_fail(r, node, "%s must be a duration such as \"250ms\", \"10s\", \"10m\" or \"24h\"", full(r, text_key));
    else if (v < min_ms)
        sc_read_fail(r, node, "%s must be > 0", full(r, text_key));
    else
        *ret_ms = v;
}

void sc_read_size(struct sc_reader *r, const struct fb_toml *t, const char *int_key, const char *text_key,
                  uint64_t *ret)
{
    uint64_t v;
    struct fb_str text;
    const struct fb_toml *node = second_spelling(r, t, int_key, text_key, &text);
    if (node == NULL)
        sc_read_u64(r, t, int_key, 1, size_max, ret);
    else if (fb_num_size_bytes(text, &v) != 0 || v > size_max)
        sc_read_fail(r, node, "%s must be a size such as \"4096\", \"64KiB\" or \"4MiB\"", full(r, text_key));
    else if (v == 0)
        sc_read_fail(r, node, "%s must be > 0", full(r, text_key));
    else
        *ret = v;
}

/* "a, b, c" */
static const char *joined_names(struct sc_reader *r, const char *const *names)
{
    struct fb_str all = FB_STR("");
    for (size_t i = 0; names[i] != NULL; i++)
        all = fb_arena_fmt(r->arena, "%.*s%s%s", FB_STR_ARG(all), i == 0 ? "" : ", ", names[i]);
    return all.p == NULL ? "" : all.p;
}

int sc_read_choice(struct sc_reader *r, const struct fb_toml *t, const char *key, const char *const *names,
                   int fallback)
{
    const struct fb_toml *node = member(r, t, key);
    struct fb_str s;
    if (node == NULL || (r->code = fb_toml_want_str(r->doc, node, &s, r->err)) != 0)
        return fallback;
    for (int i = 0; names[i] != NULL; i++)
        if (fb_str_eqz(s, names[i]))
            return i;
    sc_read_fail(r, node, "%s '%.*s' is invalid; expected one of: %s", full(r, key), (int)(s.n > 64 ? 64 : s.n), s.p,
                 joined_names(r, names));
    return fallback;
}

void sc_read_list(struct sc_reader *r, const struct fb_toml *t, const char *key, unsigned flags,
                  struct sc_strings *ret)
{
    const struct fb_toml *node = member(r, t, key);
    if (node == NULL || (r->code = fb_toml_want_str_array(r->doc, node, r->err)) != 0)
        return;
    if (node->count > SC_CONFIG_LIST_MAX) {
        sc_read_fail(r, node, "%s must hold at most %d items", full(r, key), SC_CONFIG_LIST_MAX);
        return;
    }
    const char **items = sc_read_room(r, node->count, sizeof *items);
    size_t n = 0;
    for (const struct fb_toml *item = node->first; item != NULL && r->code == 0; item = item->next) {
        struct fb_str name = fb_arena_fmt(r->arena, "%s[%zu]", full(r, key), n);
        items[n++] = take_text(r, item, item->s, flags, name.p == NULL ? key : name.p);
    }
    if (r->code == 0)
        *ret = (struct sc_strings){ items, n };
}

/* Fills @addr from "ip:port"; false when it is none. */
static bool parse_addr(const char *text, uint64_t min_port, struct sockaddr_storage *addr)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    struct fn_host host;
    if (colon == NULL || fb_num_u64(fb_str_of(colon + 1), min_port, 65535, &port) != 0)
        return false;
    struct fb_str name = fb_str_n(text, (size_t)(colon - text));
    bool bracketed = name.n > 0 && name.p[0] == '[';
    if (fn_url_host(name, &host, NULL) != 0 || bracketed != (host.kind == FN_HOST_IPV6))
        return false;
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    memset(addr, 0, sizeof *addr);
    if (inet_pton(AF_INET, host.text, &v4.sin_addr) == 1)
        memcpy(addr, &v4, sizeof v4);
    else if (inet_pton(AF_INET6, host.text, &v6.sin6_addr) == 1)
        memcpy(addr, &v6, sizeof v6);
    else
        return false;
    return true;
}

void sc_read_addr(struct sc_reader *r, const struct fb_toml *t, const char *key, uint64_t min_port, const char **ret,
                  struct sockaddr_storage *ret_addr)
{
    const char *text = NULL;
    struct sockaddr_storage addr;
    sc_read_str(r, t, key, 0, &text);
    if (text == NULL)
        return;
    if (!parse_addr(text, min_port, &addr)) {
        sc_read_fail(r, fb_toml_get(t, key), "%s '%.64s' must be an IP address and a port, such as 127.0.0.1:8080",
                     full(r, key), text);
        return;
    }
    *ret = text;
    if (ret_addr != NULL)
        *ret_addr = addr;
}

size_t sc_read_tables(struct sc_reader *r, const struct fb_toml *parent, const char *key, const char *where,
                      const struct fb_toml **ret_first)
{
    r->where = where;
    *ret_first = NULL;
    const struct fb_toml *node = member(r, parent, key);
    if (node == NULL)
        return 0;
    if (node->kind != FB_TOML_ARRAY || node->count > SC_CONFIG_LIST_MAX) {
        sc_read_fail(r, node, "%s must be an array of at most %d tables", where, SC_CONFIG_LIST_MAX);
        return 0;
    }
    for (const struct fb_toml *item = node->first; item != NULL; item = item->next)
        if (item->kind != FB_TOML_TABLE) {
            sc_read_fail(r, item, "%s must be an array of tables", where);
            return 0;
        }
    *ret_first = node->first;
    return node->count;
}
