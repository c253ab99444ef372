/* Paths in canonical form: what is decided on is what is sent. */
#include "net/url.h"

#include "base/enc.h"
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

static bool is_unreserved(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
           c == '~';
}

static int check_escaped(int c, unsigned flags, bool *ret_separator, struct fb_err *err)
{
    if (c < 0x20 || c == 0x7f)
        return refuse(err, "an encoded control character in the path");
    if (c == '/' || c == '\\') {
        if ((flags & FN_PATH_ENCODED_SEPARATORS) == 0)
            return refuse(err, "an encoded slash or backslash in the path");
        *ret_separator = true;
    }
    return 0;
}

/* Somebody who decodes once more than the rules do would see another path. Looked for after the decoding, which may have
 * made the digits ("%25%32%65"). */
static int check_double(struct fb_str path, struct fb_err *err)
{
    for (size_t i = 0; i + 4 < path.n; i++) {
        if (path.p[i] == '%' && path.p[i + 1] == '2' && path.p[i + 2] == '5' && fb_enc_hex_value(path.p[i + 3]) >= 0 &&
            fb_enc_hex_value(path.p[i + 4]) >= 0)
            return refuse(err, "a doubly encoded character in the path");
    }
    return 0;
}

int fn_url_escapes(struct fb_str path, unsigned flags, char *out, size_t *ret_n, bool *ret_separator, struct fb_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == '\\')
            return refuse(err, "a backslash in the path");
        if (path.p[i] != '%') {
            out[n++] = path.p[i];
            continue;
        }
        int high = path.n - i > 2 ? fb_enc_hex_value(path.p[i + 1]) : -1;
        int low = path.n - i > 2 ? fb_enc_hex_value(path.p[i + 2]) : -1;
        if (high < 0 || low < 0)
            return refuse(err, "a broken percent escape in the path");
        int c = high << 4 | low;
        int rc = check_escaped(c, flags, ret_separator, err);
        if (rc < 0)
            return rc;
        i += 2;
        if (is_unreserved(c)) {
            out[n++] = (char)c;
            continue;
        }
        out[n++] = '%';
        out[n++] = "0123456789ABCDEF"[high];
        out[n++] = "0123456789ABCDEF"[low];
    }
    *ret_n = n;
    return check_double(fb_str_n(out, n), err);
}

/* How many dots @segment is made of: 1 or 2, else 0. */
static unsigned dots(struct fb_str segment)
{
    if (fb_str_eqz(segment, "."))
        return 1;
    return fb_str_eqz(segment, "..") ? 2 : 0;
}

/* Writes "/seg/seg[/]" and returns its length; never longer than @path, which begins with '/' and may be @out itself: what
 * is written never overtakes what is read. */
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
        memmove(out + n, segment.p, segment.n);
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
    size_t n = 0;
    rc = fn_url_escapes(path, flags, out, &n, &ret->has_encoded_separator, err);
    if (rc < 0)
        return rc;
    ret->wire = fb_str_n(out, resolve(fb_str_n(out, n), out));
    ret->match = ret->wire;
    if (ret->match.n > 1 && ret->match.p[ret->match.n - 1] == '/')
        ret->match.n--;
    return 0;
}
