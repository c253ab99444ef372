/* Paths in canonical form: what is decided on is what is sent. */
#include "net/url.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static int refuse(struct fb_err *err, const char *why)
{
    return fb_err_set(err, FB_E_PARSE, "%s", why);
}

static int check_bytes(struct fb_str s, struct fb_err *err)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return refuse(err, "the request target holds a blank, control or non-ASCII byte");
    }
    return 0;
}

/* Escapes of the path: all well-formed, none that would be a separator or an end to somebody else. */
static int check_escapes(struct fb_str path, unsigned flags, bool *ret_separator, struct fb_err *err)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '\\')
            return refuse(err, "a backslash in the path");
        if (path.p[i] != '%')
            continue;
        int high = path.n - i > 2 ? hex_value(path.p[i + 1]) : -1;
        int low = path.n - i > 2 ? hex_value(path.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return refuse(err, "a broken percent escape in the path");
        int c = high << 4 | low;
        if (c == 0)
            return refuse(err, "%00 in the path");
        if (c == '/' || c == '\\') {
            if ((flags & FN_PATH_ENCODED_SEPARATORS) == 0)
                return refuse(err, "an encoded slash or backslash in the path");
            *ret_separator = true;
        }
        i += 2;
    }
    return 0;
}

/* How many dots @segment is made of (%2e is one), 0 when it holds anything else, or 3 for three and more. */
static unsigned dots(struct fb_str segment)
{
    unsigned n = 0;
    for (size_t i = 0; i < segment.n; n += n < 3) {
        if (segment.p[i] == '.')
            i++;
        else if (segment.n - i > 2 && segment.p[i] == '%' && segment.p[i + 1] == '2' &&
                 (segment.p[i + 2] | 0x20) == 'e')
            i += 3;
        else
            return 0;
    }
    return n;
}

/* Writes "/seg/seg[/]" and returns its length; never longer than @path, which begins with '/'. */
static size_t resolve(struct fb_str path, char *out)
{
    size_t n = 0;
    bool slash = false; /* the last segment names a directory */
    for (size_t i = 0; i < path.n;) {
        while (i < path.n && path.p[i] == '/') {
            slash = true;
            i++;
        }
        size_t from = i;
        while (i < path.n && path.p[i] != '/')
            i++;
        struct fb_str segment = fb_str_n(path.p + from, i - from);
        if (segment.n == 0)
            break;
        unsigned d = dots(segment);
        if (d == 2) {
            while (n > 0 && out[n - 1] != '/')
                n--;
            n -= n > 0;
        }
        slash = d == 1 || d == 2;
        if (slash)
            continue;
        out[n++] = '/';
        memcpy(out + n, segment.p, segment.n);
        n += segment.n;
    }
    if (n == 0 || slash)
        out[n++] = '/';
    return n;
}

int fn_url_path(struct fb_str raw, unsigned flags, char *out, size_t cap, struct fn_path *ret, struct fb_err *err)
{
    *ret = (struct fn_path){ 0 };
    int rc = check_bytes(raw, err);
    if (rc < 0)
        return rc;
    struct fb_str kept = fb_str_n(raw.p, fb_str_index(raw, '#'));
    struct fb_str path = fb_str_n(kept.p, fb_str_index(kept, '?'));
    if (path.n < kept.n) {
        ret->has_query = true;
        ret->query = fb_str_n(kept.p + path.n + 1, kept.n - path.n - 1);
    }
    if (path.n == 0)
        path = FB_STR("/");
    if (path.p[0] != '/')
        return refuse(err, "the path does not begin with '/'");
    if (path.n > cap)
        return fb_err_set(err, FB_E_LIMIT, "the path is longer than %zu bytes", cap);
    rc = check_escapes(path, flags, &ret->has_encoded_separator, err);
    if (rc < 0)
        return rc;
    ret->wire = fb_str_n(out, resolve(path, out));
    ret->match = ret->wire;
    if (ret->match.n > 1 && ret->match.p[ret->match.n - 1] == '/')
        ret->match.n--;
    return 0;
}
