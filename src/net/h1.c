/* HTTP/1.1 heads, line by line: each line is judged as soon as it is whole, so that the answer does not depend on how
 * the bytes were cut. */
#include "net/h1.h"

#include "net/h1_int.h"

void fn_h1_init(struct fn_h1 *h, enum fn_h1_kind kind, struct fn_h1_field *fields, size_t fields_cap,
                size_t head_max_bytes)
{
    *h = (struct fn_h1){
        .kind = kind,
        .fields = fields,
        .fields_cap = fields_cap,
        .head_max_bytes = head_max_bytes == 0 ? FN_H1_HEAD_MAX_BYTES : head_max_bytes,
    };
    h->head.fields = fields;
}

static int refuse(struct fn_h1 *h, enum fn_h1_refusal why)
{
    h->refusal = why;
    return fn_h1_refusal_status(why) == 431 ? FB_E_LIMIT : FB_E_PARSE;
}

static void move(struct fb_str *s, uintptr_t from, const char *to)
{
    if (s->p != NULL)
        s->p = to + ((uintptr_t)s->p - from);
}

/* The buffer may have been moved by growing: what was found so far points into the old one. */
static void rebase(struct fn_h1 *h, const char *base)
{
    uintptr_t from = (uintptr_t)h->base;
    if (h->base != NULL && h->base != base) {
        move(&h->head.method, from, base);
        move(&h->head.target, from, base);
        move(&h->head.reason, from, base);
        for (size_t i = 0; i < h->n_fields; i++) {
            move(&h->fields[i].name, from, base);
            move(&h->fields[i].value, from, base);
        }
    }
    h->base = base;
}

/* "HTTP/1.0" and "HTTP/1.1" only; another well-formed version is told apart from no version at all. */
static enum fn_h1_refusal version(struct fb_str s, unsigned *ret_minor)
{
    bool shape = s.n == 8 && memcmp(s.p, "HTTP/", 5) == 0 && s.p[5] >= '0' && s.p[5] <= '9' && s.p[6] == '.' &&
                 s.p[7] >= '0' && s.p[7] <= '9';
    if (!shape)
        return FN_H1_BAD_START_LINE;
    if (s.p[5] != '1' || s.p[7] > '1')
        return FN_H1_BAD_VERSION;
    *ret_minor = (unsigned)(s.p[7] - '0');
    return FN_H1_OK;
}

static enum fn_h1_refusal request_line(struct fn_h1 *h, struct fb_str line)
{
    size_t a = fb_str_index(line, ' ');
    struct fb_str method = fb_str_n(line.p, a);
    if (method.n > 32 || !fn_h1_is_token(method))
        return FN_H1_BAD_METHOD;
    if (a == line.n)
        return FN_H1_BAD_START_LINE;
    struct fb_str rest = fb_str_n(line.p + a + 1, line.n - a - 1);
    size_t b = fb_str_index(rest, ' ');
    struct fb_str target = fb_str_n(rest.p, b);
    if (target.n == 0)
        return FN_H1_BAD_TARGET;
    for (size_t i = 0; i < target.n; i++) {
        unsigned char c = (unsigned char)target.p[i];
        if (c <= 0x20 || c >= 0x7f)
            return FN_H1_BAD_TARGET;
    }
    if (b == rest.n)
        return FN_H1_BAD_START_LINE;
    struct fb_str after = fb_str_n(rest.p + b + 1, rest.n - b - 1);
    if (fb_str_index(after, ' ') < after.n)
        return FN_H1_BAD_TARGET;
    h->head.method = method;
    h->head.target = target;
    return version(after, &h->head.minor);
}

static enum fn_h1_refusal status_line(struct fn_h1 *h, struct fb_str line)
{
    enum fn_h1_refusal why = version(fb_str_n(line.p, line.n < 8 ? line.n : 8), &h->head.minor);
    if (why != FN_H1_OK)
        return why;
    if (line.n < 9 || line.p[8] != ' ')
        return FN_H1_BAD_START_LINE;
    unsigned status = 0;
    size_t i = 9;
    for (; i < line.n && line.p[i] >= '0' && line.p[i] <= '9' && i < 13; i++)
        status = status * 10 + (unsigned)(line.p[i] - '0');
    if (i != 12 || status < 100)
        return FN_H1_BAD_STATUS;
    if (i < line.n && line.p[i] != ' ')
        return FN_H1_BAD_STATUS;
    h->head.status = status;
    h->head.reason = i < line.n ? fb_str_n(line.p + i + 1, line.n - i - 1) : fb_str_n(line.p + i, 0);
    return FN_H1_OK;
}

static enum fn_h1_refusal field_line(struct fn_h1 *h, struct fb_str line)
{
    if (line.p[0] == ' ' || line.p[0] == '\t')
        return FN_H1_BAD_OBS_FOLD;
    size_t colon = fb_str_index(line, ':');
    if (colon == line.n)
        return FN_H1_BAD_NO_COLON;
    struct fb_str name = fb_str_n(line.p, colon);
    if (colon > 0 && (name.p[colon - 1] == ' ' || name.p[colon - 1] == '\t'))
        return FN_H1_BAD_BLANK_BEFORE_COLON;
    if (!fn_h1_is_token(name))
        return FN_H1_BAD_FIELD_NAME;
    struct fb_str value = fb_str_trim(fb_str_n(line.p + colon + 1, line.n - colon - 1));
    if (h->n_fields == h->fields_cap)
        return FN_H1_BAD_TOO_MANY_FIELDS;
    h->fields[h->n_fields++] = (struct fn_h1_field){ .name = name, .value = value };
    return FN_H1_OK;
}

/* No control stands anywhere in a head but the tab. Without an early way out, so that it runs on vectors. */
static enum fn_h1_refusal line_bytes(struct fb_str line)
{
    unsigned bad = 0;
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        bad |= (unsigned)(c < 0x20 && c != '\t') | (unsigned)(c == 0x7f);
    }
    if (bad == 0)
        return FN_H1_OK;
    return memchr(line.p, '\r', line.n) != NULL ? FN_H1_BAD_BARE_CR : FN_H1_BAD_CONTROL;
}

/* One line without its CRLF. 1: it was the empty line at the end. */
static int take_line(struct fn_h1 *h, struct fb_str line)
{
    enum fn_h1_refusal why;
    if (line.n == 0 && h->lines == 0) {
        if (h->kind == FN_H1_RESPONSE || h->skipped_empty)
            return refuse(h, FN_H1_BAD_EMPTY_LINES);
        h->skipped_empty = true;
        return 0;
    }
    if (line.n == 0)
        return 1;
    why = line_bytes(line);
    if (why == FN_H1_OK) {
        if (h->lines > 0)
            why = field_line(h, line);
        else
            why = h->kind == FN_H1_REQUEST ? request_line(h, line) : status_line(h, line);
    }
    if (why != FN_H1_OK)
        return refuse(h, why);
    h->lines++;
    return 0;
}

static int finish(struct fn_h1 *h, const struct fn_h1_head **ret_head)
{
    h->head.n_fields = h->n_fields;
    h->head.head_bytes = h->line_at;
    enum fn_h1_refusal why = h1_settle(h);
    if (why != FN_H1_OK)
        return refuse(h, why);
    *ret_head = &h->head;
    return 0;
}

int fn_h1_parse(struct fn_h1 *h, struct fb_str buf, const struct fn_h1_head **ret_head)
{
    if (h->refusal != FN_H1_OK)
        return refuse(h, h->refusal);
    rebase(h, buf.p);
    for (;;) {
        const char *lf = buf.n > h->scan_at ? memchr(buf.p + h->scan_at, '\n', buf.n - h->scan_at) : NULL;
        if (lf == NULL) {
            h->scan_at = buf.n;
            return buf.n >= h->head_max_bytes ? refuse(h, FN_H1_BAD_HEAD_TOO_LARGE) : FN_H1_MORE;
        }
        size_t end = (size_t)(lf - buf.p);
        if (end + 1 > h->head_max_bytes)
            return refuse(h, FN_H1_BAD_HEAD_TOO_LARGE);
        if (end == h->line_at || buf.p[end - 1] != '\r')
            return refuse(h, FN_H1_BAD_BARE_LF);
        struct fb_str line = fb_str_n(buf.p + h->line_at, end - 1 - h->line_at);
        h->line_at = end + 1;
        h->scan_at = end + 1;
        int rc = take_line(h, line);
        if (rc < 0)
            return rc;
        if (rc > 0)
            return finish(h, ret_head);
    }
}
