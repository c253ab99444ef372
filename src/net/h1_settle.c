/* What a head means once all its fields are there: framing, persistence, Host. Every field that decides it may occur
 * once only, and two answers to one question are a refusal. */
#include "net/h1_int.h"

#include "base/num.h"

/* Bounds the nominations of Connection, so that marking stays linear in practice. */
enum { CONNECTION_TOKENS_MAX = 32 };

struct seen {
    const struct fn_h1_field *length;
    const struct fn_h1_field *coding;
    const struct fn_h1_field *host;
    const struct fn_h1_field *expect;
    bool upgrade_field;
    bool close;
    bool stay;
    bool upgrade_token;
};

static inline bool is(const struct fn_h1_field *f, struct fb_str name)
{
    return f->name.n == name.n && fb_str_eq_nocase(f->name, name);
}

static enum fn_h1_refusal once(const struct fn_h1_field **slot, const struct fn_h1_field *f, enum fn_h1_refusal why)
{
    if (*slot != NULL)
        return why;
    *slot = f;
    return FN_H1_OK;
}

static enum fn_h1_refusal sort(struct fn_h1 *h, struct seen *s)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        struct fn_h1_field *f = &h->fields[i];
        enum fn_h1_refusal why = FN_H1_OK;
        f->hop = fn_h1_is_hop(f->name);
        if (is(f, FB_STR("content-length")))
            why = once(&s->length, f, FN_H1_BAD_LENGTH_REPEATED);
        else if (is(f, FB_STR("transfer-encoding")))
            why = once(&s->coding, f, FN_H1_BAD_CODING_REPEATED);
        else if (is(f, FB_STR("host")))
            why = once(&s->host, f, h->kind == FN_H1_REQUEST ? FN_H1_BAD_HOST_REPEATED : FN_H1_OK);
        else if (is(f, FB_STR("expect")))
            why = once(&s->expect, f, h->kind == FN_H1_REQUEST ? FN_H1_BAD_EXPECT : FN_H1_OK);
        else if (is(f, FB_STR("upgrade")))
            s->upgrade_field = true;
        if (why != FN_H1_OK)
            return why;
    }
    return FN_H1_OK;
}

/* Names that no peer may declare to be for this hop only: dropping them would change where the message goes or how it
 * is framed. */
static bool may_not_be_named(struct fb_str name)
{
    static const char *const names[] = { "host", "content-length", "content-encoding", "content-type", "expect" };
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        if (fb_str_eq_nocase(name, fb_str_of(names[i])))
            return true;
    }
    return false;
}

static void mark_hop(struct fn_h1 *h, struct fb_str name)
{
    for (size_t i = 0; i < h->n_fields; i++) {
        if (fb_str_eq_nocase(h->fields[i].name, name))
            h->fields[i].hop = true;
    }
}

static enum fn_h1_refusal connection(struct fn_h1 *h, struct seen *s)
{
    unsigned tokens = 0;
    for (size_t i = 0; i < h->n_fields; i++) {
        if (!is(&h->fields[i], FB_STR("connection")))
            continue;
        struct fb_str rest = h->fields[i].value;
        struct fb_str part;
        while (fb_str_split(&rest, ',', &part)) {
            part = fb_str_trim(part);
            if (part.n == 0)
                continue;
            if (!fn_h1_is_token(part) || may_not_be_named(part) || ++tokens > CONNECTION_TOKENS_MAX)
                return FN_H1_BAD_CONNECTION;
            if (fb_str_eq_nocase(part, FB_STR("close")))
                s->close = true;
            else if (fb_str_eq_nocase(part, FB_STR("keep-alive")))
                s->stay = true;
            else if (fb_str_eq_nocase(part, FB_STR("upgrade")))
                s->upgrade_token = true;
            else
                mark_hop(h, part);
        }
    }
    return FN_H1_OK;
}

/* Accepted is the one word "chunked"; everything else is told apart only to name it. */
static enum fn_h1_refusal coding(struct fb_str value)
{
    struct fb_str rest = value;
    struct fb_str part;
    struct fb_str last = { 0 };
    unsigned n = 0;
    unsigned n_chunked = 0;
    while (fb_str_split(&rest, ',', &part)) {
        last = fb_str_trim(part);
        n_chunked += fb_str_eq_nocase(last, FB_STR("chunked"));
        n++;
    }
    if (n == 1 && n_chunked == 1)
        return FN_H1_OK;
    if (n_chunked > 1)
        return FN_H1_BAD_CODING_REPEATED;
    if (!fb_str_eq_nocase(last, FB_STR("chunked")))
        return FN_H1_BAD_CODING_NOT_CHUNKED;
    return FN_H1_BAD_CODING_UNKNOWN;
}

static enum fn_h1_refusal framing(struct fn_h1_head *head, const struct seen *s)
{
    if (s->length != NULL && s->coding != NULL)
        return FN_H1_BAD_LENGTH_AND_CODING;
    if (s->coding != NULL) {
        if (head->minor == 0)
            return FN_H1_BAD_CODING_IN_10;
        head->chunked = true;
        head->framing = FN_H1_BODY_CHUNKED;
        return coding(s->coding->value);
    }
    if (s->length != NULL) {
        /* "0" but not "00" or "+5": whoever writes those may read them otherwise than we do. */
        if (fb_num_u64(s->length->value, 0, INT64_MAX, &head->content_length) < 0)
            return FN_H1_BAD_LENGTH_INVALID;
        head->has_length = true;
        head->framing = FN_H1_BODY_LENGTH;
    }
    return FN_H1_OK;
}

enum fn_h1_refusal h1_settle(struct fn_h1 *h)
{
    struct fn_h1_head *head = &h->head;
    struct seen s = { 0 };
    enum fn_h1_refusal why = sort(h, &s);
    if (why == FN_H1_OK)
        why = connection(h, &s);
    if (why == FN_H1_OK)
        why = framing(head, &s);
    /* What follows a CONNECT is the tunnel; a body in front of it would be read as its first bytes by one side only. */
    bool body = head->chunked || head->content_length > 0;
    if (why == FN_H1_OK && body && fb_str_eqz(head->method, "CONNECT"))
        why = FN_H1_BAD_CONNECT_BODY;
    if (why != FN_H1_OK)
        return why;
    if (s.host != NULL)
        head->host = s.host->value;
    if (s.expect != NULL && h->kind == FN_H1_REQUEST) {
        if (!fb_str_eq_nocase(s.expect->value, FB_STR("100-continue")))
            return FN_H1_BAD_EXPECT;
        head->expect_continue = head->minor == 1;
    }
    head->keep_alive = !s.close && (head->minor == 1 || s.stay);
    head->upgrade = s.upgrade_token && s.upgrade_field;
    if (h->kind == FN_H1_RESPONSE)
        head->framing = fn_h1_response_framing(head, (struct fb_str){ 0 });
    return FN_H1_OK;
}

enum fn_h1_framing fn_h1_response_framing(const struct fn_h1_head *response, struct fb_str request_method)
{
    unsigned status = response->status;
    if (status == 101 || (status / 100 == 2 && fb_str_eqz(request_method, "CONNECT")))
        return FN_H1_BODY_TUNNEL;
    if (status / 100 == 1 || status == 204 || status == 304 || fb_str_eqz(request_method, "HEAD"))
        return FN_H1_BODY_NONE;
    if (response->chunked)
        return FN_H1_BODY_CHUNKED;
    return response->has_length ? FN_H1_BODY_LENGTH : FN_H1_BODY_CLOSE;
}
