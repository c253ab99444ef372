/* Redaction of query values and of name=value in free text. */
#include "net/redact.h"

#include "base/enc.h"
#include "base/err.h"

/* Lower case. A name is sensitive when it ends in one of these, so the shorter ones cover longer compounds. */
static const char *const words[] = {
    "api_key",     "apikey",        "api-key",      "api.key",      "key",           "token",
    "auth",        "authorization", "bearer",       "password",     "passwd",        "pwd",
    "secret",      "signature",     "sig",          "sas",          "credential",    "credentials",
    "private_key", "privatekey",    "access_token", "access-token", "refresh_token",
};

static bool ends_in(struct fb_str name, struct fb_str word)
{
    return word.n > 0 && name.n >= word.n && fb_str_eq_nocase(fb_str_n(name.p + name.n - word.n, word.n), word);
}

bool fn_redact_name(struct fb_str name, const struct fn_redact *r)
{
    for (size_t i = 0; i < FB_COUNT(words); i++) {
        if (ends_in(name, fb_str_of(words[i])))
            return true;
    }
    for (size_t i = 0; r != NULL && i < r->n_extra; i++) {
        if (ends_in(name, r->extra[i]))
            return true;
    }
    return false;
}

/* One pass of percent decoding in place; true when something was decoded. */
static bool decode(char *p, size_t *n)
{
    size_t to = 0;
    bool any = false;
    for (size_t i = 0; i < *n; to++) {
        int high = p[i] == '%' && *n - i > 2 ? fb_enc_hex_value(p[i + 1]) : -1;
        int low = high >= 0 ? fb_enc_hex_value(p[i + 2]) : -1;
        p[to] = (char)(low >= 0 ? (high << 4 | low) : p[i]);
        i += low >= 0 ? 3 : 1;
        any |= low >= 0;
    }
    *n = to;
    return any;
}

/* A server decodes "%74oken" to "token", and a careless one "%2574oken", so the end of the name is looked at after every
 * decoding. Only the last bytes count. Each pass makes the text shorter, which bounds them. */
static bool encoded_name(struct fb_str name, const struct fn_redact *r)
{
    char plain[512];
    if (name.n == 0)
        return false;
    size_t n = name.n < sizeof plain ? name.n : sizeof plain;
    memcpy(plain, name.p + name.n - n, n);
    do {
        if (fn_redact_name(fb_str_n(plain, n), r))
            return true;
    } while (decode(plain, &n));
    return false;
}

int fn_redact_query(struct fb_buf *out, struct fb_str query, const struct fn_redact *r)
{
    size_t i = 0;
    for (;;) {
        size_t from = i;
        size_t eq = query.n;
        for (; i < query.n && query.p[i] != '&' && query.p[i] != ';'; i++) {
            if (query.p[i] == '=' && eq == query.n)
                eq = i;
        }
        struct fb_str name = fb_str_n(query.p + from, (eq < i ? eq : i) - from);
        if (eq < i && eq + 1 < i && encoded_name(name, r)) {
            fb_buf_add(out, query.p + from, eq + 1 - from);
            fb_buf_addz(out, FN_REDACT_MARK);
        } else {
            fb_buf_add(out, query.p + from, i - from);
        }
        if (i == query.n)
            break;
        fb_buf_addc(out, query.p[i++]);
    }
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}

static bool ends_value(char c)
{
    return c == '&' || c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '"' || c == '\'';
}

int fn_redact_text(struct fb_buf *out, struct fb_str text, const struct fn_redact *r)
{
    size_t copied = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != '=')
            continue;
        size_t from = i;
        while (from > copied && !ends_value(text.p[from - 1]) && text.p[from - 1] != '=')
            from--;
        size_t to = i + 1;
        while (to < text.n && !ends_value(text.p[to]))
            to++;
        if (to == i + 1 || !encoded_name(fb_str_n(text.p + from, i - from), r))
            continue;
        fb_buf_add(out, text.p + copied, i + 1 - copied);
        fb_buf_addz(out, FN_REDACT_MARK);
        copied = to;
        i = to - 1;
    }
    fb_buf_add(out, text.p + copied, text.n - copied);
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}
