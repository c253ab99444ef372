#include "enforce/params.h"

#include "base/jsonw.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int compare_nocase(struct fb_str a, struct fb_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        int d = (unsigned char)lower(a.p[i]) - (unsigned char)lower(b.p[i]);
        if (d != 0)
            return d;
    }
    return (a.n > b.n) - (a.n < b.n);
}

static bool is_secret(struct fb_str name)
{
    static const char *const names[] = { "authorization", "cookie", "set-cookie", "proxy-authorization", "x-api-key" };
    for (size_t i = 0; i < FB_COUNT(names); i++) {
        if (fb_str_eq_nocase(name, fb_str_of(names[i])))
            return true;
    }
    return name.n >= 8 && fb_str_eq_nocase(fb_str_n(name.p, 8), FB_STR("x-firma-"));
}

/* Order of the headers to be shown: by name, equal names as received. */
static size_t sort_headers(const struct fe_envelope *env, const struct fe_header **order)
{
    size_t n = 0;
    for (size_t i = 0; i < env->n_headers && i < FE_HEADERS_MAX; i++) {
        const struct fe_header *h = &env->headers[i];
        if (is_secret(h->name))
            continue;
        size_t at = n++;
        while (at > 0 && compare_nocase(order[at - 1]->name, h->name) > 0) {
            order[at] = order[at - 1];
            at--;
        }
        order[at] = h;
    }
    return n;
}

/* A key or value whose parts are written one after another into one JSON string. */
static void add_lowered(struct fb_buf *text, struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++)
        fb_buf_addc(text, lower(s.p[i]));
}

static void write_headers(struct fb_jsonw *w, struct fb_buf *text, const struct fe_envelope *env)
{
    const struct fe_header *order[FE_HEADERS_MAX];
    size_t n = sort_headers(env, order);
    fb_jsonw_object(w);
    for (size_t i = 0; i < n;) {
        fb_buf_reset(text);
        add_lowered(text, order[i]->name);
        fb_jsonw_keys(w, fb_buf_str(text));
        size_t end = i + 1;
        while (end < n && compare_nocase(order[i]->name, order[end]->name) == 0)
            end++;
        fb_buf_reset(text);
        for (size_t j = i; j < end; j++) {
            if (j > i)
                fb_buf_addz(text, ", ");
            fb_buf_adds(text, order[j]->value);
        }
        fb_jsonw_str(w, fb_buf_str(text));
        i = end;
    }
    fb_jsonw_object_end(w);
}

static void write_body(struct fb_buf *out, struct fb_jsonw *w, const struct fe_envelope *env)
{
    if (!env->has_body || env->body.n == 0) {
        fb_jsonw_null(w);
        return;
    }
    fb_jsonw_raw(w, FB_STR("["));
    char chunk[1024]; /* byte by byte into the buffer would take most of the time a decision has */
    size_t n = 0;
    for (size_t i = 0; i < env->body.n; i++) {
        unsigned c = (unsigned char)env->body.p[i];
        if (i > 0)
            chunk[n++] = ',';
        if (c >= 100)
            chunk[n++] = (char)('0' + c / 100);
        if (c >= 10)
            chunk[n++] = (char)('0' + c / 10 % 10);
        chunk[n++] = (char)('0' + c % 10);
        if (n + 4 > sizeof chunk) {
            fb_buf_add(out, chunk, n);
            n = 0;
        }
    }
    fb_buf_add(out, chunk, n);
    fb_buf_addc(out, ']');
}

static void write_method(struct fb_jsonw *w, struct fb_buf *text, struct fb_str method)
{
    fb_buf_reset(text);
    for (size_t i = 0; i < method.n; i++) {
        char c = method.p[i];
        fb_buf_addc(text, c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c);
    }
    fb_jsonw_str(w, fb_buf_str(text));
}

bool fe_params_write(struct fb_buf *out, struct fb_buf *text, const struct fe_envelope *env)
{
    struct fb_jsonw w;
    fb_buf_reset(out);
    fb_jsonw_init(&w, out, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "Http");
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "method");
    write_method(&w, text, env->method);
    fb_jsonw_key(&w, "headers");
    write_headers(&w, text, env);
    fb_jsonw_key(&w, "body");
    write_body(out, &w, env);
    fb_jsonw_key(&w, "query");
    fb_jsonw_object(&w);
    fb_jsonw_object_end(&w);
    fb_jsonw_object_end(&w);
    fb_jsonw_object_end(&w);
    return !fb_buf_failed(out) && !fb_buf_failed(text);
}
