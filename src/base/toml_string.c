/* TOML strings: basic and literal, of one line and of several. */
#include "base/toml_int.h"

#include "base/enc.h"
#include "base/utf8.h"

/* The text so far: a view of the input until the first change forces a copy. */
struct text {
    struct toml_in *in;
    const char *from;
    char *copy; /* NULL while the view is enough */
    size_t n;
};

/* No string is longer than what is left of the input, so one piece of that size is always enough: the closing quote is
 * looked for first. */
static int own(struct text *t, const char *close)
{
    if (t->copy != NULL)
        return 0;
    t->copy = fb_arena_alloc(t->in->arena, (size_t)(close - t->from) + 1);
    if (t->copy == NULL)
        return fb_err_set(t->in->err, FB_E_NOMEM, "out of memory");
    memcpy(t->copy, t->from, t->n);
    return 0;
}

static void put(struct text *t, const char *p, size_t n)
{
    if (t->copy != NULL)
        memcpy(t->copy + t->n, p, n);
    t->n += n;
}

static bool at_three(const struct toml_in *in, char quote)
{
    return in->end - in->p >= 3 && in->p[0] == quote && in->p[1] == quote && in->p[2] == quote;
}

/* An upper bound for where the string ends; the real reading decides. */
static const char *find_close(const struct toml_in *in, char quote, bool three)
{
    const char *p = in->p;
    while (p < in->end) {
        if (*p == '\\' && quote == '"') {
            p += in->end - p > 1 ? 2 : 1;
            continue;
        }
        if (*p == quote && (!three || (in->end - p >= 3 && p[1] == quote && p[2] == quote)))
            return !three ? p : in->end - p >= 5 ? p + 5 : in->end;
        if (*p == '\n' && !three)
            return p;
        p++;
    }
    return in->end;
}

static int unicode_escape(struct toml_in *in, struct text *t, unsigned digits)
{
    const char *at = in->p - 2;
    uint32_t c = 0;
    for (unsigned i = 0; i < digits; i++) {
        int v = in->p < in->end ? fb_enc_hex_value(*in->p) : -1;
        if (v < 0)
            return toml_fail(in, in->p, digits == 4 ? "four hex digits after \\u" : "eight hex digits after \\U");
        c = c << 4 | (uint32_t)v;
        in->p++;
    }
    char out[4];
    size_t n = fb_utf8_encode(out, c);
    if (n == 0)
        return toml_failf(in, FB_E_PARSE, at, "expected a Unicode scalar value, found U+%04X", (unsigned)c);
    put(t, out, n);
    return 0;
}

/* "\", blanks, end of line: this and every blank and line end after it vanish. 1 when it was that. */
static int line_continues(struct toml_in *in)
{
    const char *p = in->p;
    while (p < in->end && (*p == ' ' || *p == '\t'))
        p++;
    bool newline = p < in->end && (*p == '\n' || (*p == '\r' && in->end - p > 1 && p[1] == '\n'));
    if (!newline)
        return 0;
    for (size_t n;;) {
        toml_blanks(in);
        if (!toml_at_newline(in, &n))
            return 1;
        toml_newline(in, n);
    }
}

/* Behind the backslash. */
static int escape(struct toml_in *in, struct text *t, bool three)
{
    static const char from[] = "btnfr\"\\";
    static const char to[] = "\b\t\n\f\r\"\\";
    if (three && line_continues(in))
        return 0;
    if (in->p < in->end && *in->p != '\0') {
        char c = *in->p;
        const char *hit = strchr(from, c);
        if (hit != NULL) {
            put(t, &to[hit - from], 1);
            in->p++;
            return 0;
        }
        if (c == 'u' || c == 'U') {
            in->p++;
            return unicode_escape(in, t, c == 'u' ? 4 : 8);
        }
    }
    return toml_fail(in, in->p, "one of b t n f r \" \\ u U after the backslash");
}

/* At a quote inside a three-quote string: 1 when it closes (one or two more quotes may belong to the text). */
static int closes(struct toml_in *in, struct text *t, char quote)
{
    if (!at_three(in, quote)) {
        put(t, in->p++, 1);
        return 0;
    }
    unsigned more = 0;
    while (more < 2 && in->end - in->p > 3 && in->p[3] == quote) {
        put(t, in->p++, 1);
        more++;
    }
    in->p += 3;
    return 1;
}

static int body(struct toml_in *in, struct text *t, char quote, bool three, const char *close)
{
    for (size_t n; in->p < in->end;) {
        unsigned char c = (unsigned char)*in->p;
        if (c == (unsigned char)quote) {
            if (!three) {
                in->p++;
                return 0;
            }
            if (closes(in, t, quote))
                return 0;
        } else if (c == '\\' && quote == '"') {
            int rc = own(t, close);
            if (rc < 0)
                return rc;
            in->p++;
            rc = escape(in, t, three);
            if (rc < 0)
                return rc;
        } else if (three && toml_at_newline(in, &n)) {
            put(t, in->p, n);
            toml_newline(in, n);
        } else if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return toml_fail(in, in->p, quote == '"' ? "the closing '\"'" : "the closing \"'\"");
        } else {
            put(t, in->p++, 1);
        }
    }
    return toml_fail(in, in->p, quote == '"' ? "the closing '\"'" : "the closing \"'\"");
}

int toml_string(struct toml_in *in, bool multi, struct fb_str *ret)
{
    char quote = *in->p;
    bool three = at_three(in, quote);
    if (three && !multi)
        return toml_failf(in, FB_E_PARSE, in->p, "expected a key of one line, found a string of several");
    in->p += three ? 3 : 1;
    size_t n;
    if (three && toml_at_newline(in, &n))
        toml_newline(in, n);
    struct text t = { .in = in, .from = in->p };
    int rc = body(in, &t, quote, three, find_close(in, quote, three));
    if (rc < 0)
        return rc;
    *ret = fb_str_n(t.copy != NULL ? t.copy : t.from, t.n);
    return 0;
}
