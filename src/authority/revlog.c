#include "authority/revlog.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "token/claims.h"

#include <stdlib.h>

enum { NS_PER_S = 1000000000, FIRST_CAP = 64 };

void au_revlog_init(struct au_revlog *l)
{
    *l = (struct au_revlog){ 0 };
}

void au_revlog_done(struct au_revlog *l)
{
    for (size_t i = 0; i < l->n; i++) {
        free(l->items[i].token_id);
        free(l->items[i].reason);
    }
    free(l->items);
    free(l->index);
    au_revlog_init(l);
}

/* FNV-1a: whoever writes the file is trusted not to craft collisions, and lookups are bounded by the number of items.
 */
static size_t hash(struct fb_str s)
{
    uint64_t h = 14695981039346656037u;

    for (size_t i = 0; i < s.n; i++)
        h = (h ^ (unsigned char)s.p[i]) * 1099511628211u;
    return (size_t)h;
}

/* The slot of @id: taken by it, or the empty one where it belongs. */
static size_t slot_of(const struct au_revlog *l, struct fb_str id)
{
    size_t at = hash(id) & (l->index_cap - 1);

    while (l->index[at] != 0 && !fb_str_eqz(id, l->items[l->index[at] - 1].token_id))
        at = (at + 1) & (l->index_cap - 1);
    return at;
}

bool au_revlog_has(const struct au_revlog *l, struct fb_str token_id)
{
    return l->index_cap > 0 && l->index[slot_of(l, token_id)] != 0;
}

static int grow(struct au_revlog *l)
{
    size_t cap = l->cap == 0 ? FIRST_CAP : l->cap * 2;
    struct au_revocation *items = reallocarray(l->items, cap, sizeof(*items));
    uint32_t *index = calloc(cap * 2, sizeof(*index)); /* half full at most */

    if (items != NULL)
        l->items = items;
    if (items == NULL || index == NULL) {
        free(index);
        return FB_E_NOMEM;
    }
    free(l->index);
    l->index = index;
    l->index_cap = cap * 2;
    l->cap = cap;
    for (size_t i = 0; i < l->n; i++)
        l->index[slot_of(l, fb_str_of(l->items[i].token_id))] = (uint32_t)i + 1;
    return 0;
}

int au_revlog_add(struct au_revlog *l, struct fb_str token_id, struct fb_str reason, int64_t at_ns, struct fb_err *err)
{
    if (au_revlog_has(l, token_id))
        return 0;
    if (l->n >= AU_REVOCATIONS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "more than %d revocations; run `firma authority revocations compact`",
                          AU_REVOCATIONS_MAX);
    if (l->n == l->cap && grow(l) != 0)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    struct au_revocation *r = &l->items[l->n];
    *r = (struct au_revocation){ fb_str_dupz(token_id), fb_str_dupz(reason), at_ns };
    if (r->token_id == NULL || r->reason == NULL) {
        free(r->token_id);
        free(r->reason);
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    }
    l->n++;
    l->index[slot_of(l, token_id)] = (uint32_t)l->n;
    return 1;
}

/* White space around a line goes, as far as it is no separator. */
static struct fb_str trim_line(struct fb_str s)
{
    while (s.n > 0 && (s.p[s.n - 1] == '\r' || s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    while (s.n > 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    return s;
}

struct line {
    struct fb_str id;
    struct fb_str reason;
    int64_t at_ns;
};

/* Splits on the first two tabs; a line without a reason is a legacy one and counts from now. */
static struct line read_line(struct fb_str s, int64_t now_ns)
{
    struct line l = { s, FB_STR(AU_REVOCATION_DEFAULT_REASON), now_ns };
    size_t first = fb_str_index(s, '\t');

    if (first == s.n)
        return l;
    l.id = fb_str_trim(fb_str_n(s.p, first));
    struct fb_str rest = fb_str_n(s.p + first + 1, s.n - first - 1);
    size_t second = fb_str_index(rest, '\t');
    if (second == rest.n)
        return l;
    l.reason = fb_str_n(rest.p + second + 1, rest.n - second - 1);
    if (fb_clock_parse(fb_str_trim(fb_str_n(rest.p, second)), &l.at_ns, NULL) != 0)
        l.at_ns = now_ns;
    return l;
}

static bool is_expired(int64_t at_ns, int64_t now_ns, int64_t max_ttl_s)
{
    int64_t until = 0;

    return !__builtin_add_overflow(at_ns, max_ttl_s * NS_PER_S, &until) && until < now_ns;
}

int au_revlog_merge(struct au_revlog *l, struct fb_str text, const char *name, int64_t now_ns, int64_t max_ttl_s,
                    struct fb_err *err)
{
    struct fb_str raw;
    int added = 0;

    for (uint64_t number = 1; fb_str_split(&text, '\n', &raw); number++) {
        struct fb_str s = trim_line(raw);
        if (s.n == 0)
            continue;
        struct line line = read_line(s, now_ns);
        if (tk_claims_check_token_id(line.id, NULL) != 0 || !fb_utf8_valid(line.reason)) {
            FB_LOG(FB_LOG_WARN, "revocation line ignored: no token id", FB_KZ("file", name), FB_KU("line", number));
            continue;
        }
        if (is_expired(line.at_ns, now_ns, max_ttl_s))
            continue;
        if (line.reason.n > AU_REVOCATION_REASON_MAX_BYTES) {
            line.reason = FB_STR("(reason too long)"); /* the revocation counts, whatever stands behind it */
        }
        int rc = au_revlog_add(l, line.id, line.reason, line.at_ns, err);
        if (rc < 0)
            return rc;
        added += rc;
    }
    return added;
}
