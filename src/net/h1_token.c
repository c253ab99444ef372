/* Byte classes of HTTP, name tables, and looking fields up. */
#include "net/h1.h"

/* The tchar set of RFC 9110, a bit a byte: !#$%&'*+-.^_`|~, digits, letters. */
static bool is_tchar(unsigned char c)
{
    static const uint32_t set[8] = { 0, 0x03ff6cfa, 0xc7fffffe, 0x57ffffff, 0, 0, 0, 0 };
    return (set[c >> 5] >> (c & 31) & 1) != 0;
}

bool fn_h1_is_token(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_tchar((unsigned char)s.p[i]))
            return false;
    }
    return s.n > 0;
}

bool fn_h1_is_value(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return s.n == fb_str_trim(s).n;
}

bool fn_h1_is_hop(struct fb_str name)
{
    /* With lengths, which rule out nearly every field without looking at its bytes. */
#define NAME(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }
    static const struct fb_str names[] = {
        NAME("connection"),
        NAME("keep-alive"),
        NAME("proxy-connection"),
        NAME("proxy-authenticate"),
        NAME("proxy-authorization"),
        NAME("te"),
        NAME("trailer"),
        NAME("transfer-encoding"),
        NAME("upgrade"),
        NAME("http2-settings"),
    };
#undef NAME
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        if (name.n == names[i].n && fb_str_eq_nocase(name, names[i]))
            return true;
    }
    return false;
}

bool fn_h1_is_ours(struct fb_str name)
{
    static const struct fb_str prefix = { "x-firma-", 8 };
    return name.n >= prefix.n && fb_str_eq_nocase(fb_str_n(name.p, prefix.n), prefix);
}

const struct fn_h1_field *fn_h1_get(const struct fn_h1_head *head, const char *name)
{
    struct fb_str want = fb_str_of(name);
    for (size_t i = 0; i < head->n_fields; i++) {
        if (fb_str_eq_nocase(head->fields[i].name, want))
            return &head->fields[i];
    }
    return NULL;
}

size_t fn_h1_count(const struct fn_h1_head *head, const char *name)
{
    struct fb_str want = fb_str_of(name);
    size_t n = 0;
    for (size_t i = 0; i < head->n_fields; i++)
        n += fb_str_eq_nocase(head->fields[i].name, want);
    return n;
}

bool fn_h1_has_token(const struct fn_h1_head *head, const char *name, const char *token)
{
    struct fb_str want_name = fb_str_of(name);
    struct fb_str want = fb_str_of(token);
    for (size_t i = 0; i < head->n_fields; i++) {
        if (!fb_str_eq_nocase(head->fields[i].name, want_name))
            continue;
        struct fb_str rest = head->fields[i].value;
        struct fb_str part;
        while (fb_str_split(&rest, ',', &part)) {
            if (fb_str_eq_nocase(fb_str_trim(part), want))
                return true;
        }
    }
    return false;
}

struct row {
    unsigned status;
    const char *name;
    const char *text;
};

static const struct row rows[] = {
    { 200, "ok", "not refused" },
#define FN_H1_REFUSAL(sym, status, name, text) { status, name, text },
#include "net/h1_refusals.h"
#undef FN_H1_REFUSAL
};

static const struct row *row_of(enum fn_h1_refusal r)
{
    return &rows[(size_t)r < FB_COUNT(rows) ? (size_t)r : 0];
}

unsigned fn_h1_refusal_status(enum fn_h1_refusal r)
{
    return row_of(r)->status;
}

const char *fn_h1_refusal_name(enum fn_h1_refusal r)
{
    return row_of(r)->name;
}

const char *fn_h1_refusal_text(enum fn_h1_refusal r)
{
    return row_of(r)->text;
}
