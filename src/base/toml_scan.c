/* TOML: places and messages, blanks and comments, keys. */
#include "base/toml_int.h"

#include "base/utf8.h"

#include <stdarg.h>

/* Counted on from the last place asked for, so that a long line costs one pass. */
unsigned toml_col(struct toml_in *in, const char *at)
{
    if (in->col_at < in->line_start || in->col_at > at) {
        in->col_at = in->line_start;
        in->col = 1;
    }
    for (const char *p = in->col_at; p < at; p++)
        in->col += ((unsigned char)*p & 0xc0) != 0x80;
    in->col_at = at;
    return in->col;
}

int toml_failf(struct toml_in *in, int code, const char *at, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return fb_err_set(in->err, code, "%s:%u:%u: %s", in->name, in->line, toml_col(in, at), text);
}

int toml_fail(struct toml_in *in, const char *at, const char *expected)
{
    size_t left = (size_t)(in->end - at);
    if (left == 0)
        return toml_failf(in, FB_E_PARSE, at, "expected %s, found the end of the file", expected);
    if (*at == '\n' || (*at == '\r' && left > 1 && at[1] == '\n'))
        return toml_failf(in, FB_E_PARSE, at, "expected %s, found the end of the line", expected);
    if (*at > ' ' && *at < 0x7f)
        return toml_failf(in, FB_E_PARSE, at, "expected %s, found '%c'", expected, *at);
    if (*at == ' ' || *at == '\t')
        return toml_failf(in, FB_E_PARSE, at, "expected %s, found a blank", expected);
    uint32_t c = (unsigned char)*at;
    if (fb_utf8_decode(at, left, &c) == 0)
        return toml_failf(in, FB_E_PARSE, at, "expected %s, found the byte 0x%02x, which is not UTF-8", expected,
                          (unsigned)(unsigned char)*at);
    return toml_failf(in, FB_E_PARSE, at, "expected %s, found the character U+%04X", expected, (unsigned)c);
}

void toml_blanks(struct toml_in *in)
{
    while (in->p < in->end && (*in->p == ' ' || *in->p == '\t'))
        in->p++;
}

bool toml_at_newline(const struct toml_in *in, size_t *ret_n)
{
    size_t left = (size_t)(in->end - in->p);
    if (left > 0 && in->p[0] == '\n')
        *ret_n = 1;
    else if (left > 1 && in->p[0] == '\r' && in->p[1] == '\n')
        *ret_n = 2;
    else
        return false;
    return true;
}

void toml_newline(struct toml_in *in, size_t n)
{
    in->p += n;
    in->line++;
    in->line_start = in->p;
    in->col_at = in->p;
    in->col = 1;
}

static int comment(struct toml_in *in)
{
    size_t n;
    while (in->p < in->end && !toml_at_newline(in, &n)) {
        unsigned char c = (unsigned char)*in->p;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return toml_fail(in, in->p, "text without control characters in the comment");
        in->p++;
    }
    return 0;
}

int toml_line_end(struct toml_in *in)
{
    toml_blanks(in);
    if (in->p < in->end && *in->p == '#') {
        int rc = comment(in);
        if (rc < 0)
            return rc;
    }
    size_t n;
    if (toml_at_newline(in, &n))
        toml_newline(in, n);
    else if (in->p < in->end)
        return toml_fail(in, in->p, "the end of the line");
    return 0;
}

int toml_gap(struct toml_in *in)
{
    for (;;) {
        size_t n;
        toml_blanks(in);
        if (in->p < in->end && *in->p == '#') {
            int rc = comment(in);
            if (rc < 0)
                return rc;
        } else if (toml_at_newline(in, &n)) {
            toml_newline(in, n);
        } else {
            return 0;
        }
    }
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

int toml_key_part(struct toml_in *in, struct fb_str *ret)
{
    if (in->p < in->end && (*in->p == '"' || *in->p == '\''))
        return toml_string(in, false, ret);
    const char *from = in->p;
    while (in->p < in->end && is_bare(*in->p))
        in->p++;
    if (in->p == from)
        return toml_fail(in, from, "a key");
    *ret = fb_str_n(from, (size_t)(in->p - from));
    return 0;
}
