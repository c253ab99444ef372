/* One authority, one path, one header list: what the policy sees is what is sent. */
#include "sidecar/intake.h"

#include "net/h1w.h"

#include <stdio.h>
#include <string.h>

enum { NAME_LOOK_BYTES = 64 }; /* longer than any name that matters */

static bool is_repeatable(struct fb_str m)
{
    return fb_str_eqz(m, "GET") || fb_str_eqz(m, "HEAD") || fb_str_eqz(m, "OPTIONS") || fb_str_eqz(m, "PUT") ||
           fb_str_eqz(m, "DELETE") || fb_str_eqz(m, "TRACE");
}

bool sc_intake_is_routes(const struct fn_h1_head *head)
{
    return fb_str_eqz(head->method, "GET") && fb_str_eqz(head->target, "/routes") && head->host.p != NULL &&
           fb_str_eq_nocase(head->host, FB_STR("firma")) && head->framing == FN_H1_BODY_NONE;
}

static int refuse(char text[SC_INTAKE_TEXT_BYTES], int code, const char *why)
{
    snprintf(text, SC_INTAKE_TEXT_BYTES, "%s", why);
    return code;
}

/* Servers that make variables of field names take '_' for '-': a name that would so become one of these is no accident. */
static const char *const confusable[] = { "host", "content-length", "transfer-encoding", "connection",
                                          "proxy-authorization" };
/* What frames, addresses or authorizes the request is not for Connection to take away. */
static const char *const end_to_end[] = { "host", "content-length", "transfer-encoding", "authorization" };

static bool is_confusing(struct fb_str name)
{
    char text[NAME_LOOK_BYTES];
    bool underscored = false;
    size_t n = name.n < sizeof text ? name.n : sizeof text;
    for (size_t i = 0; i < n; i++) {
        underscored = underscored || name.p[i] == '_';
        text[i] = name.p[i] == '_' ? '-' : name.p[i];
    }
    if (!underscored)
        return false;
    if (fn_h1_is_ours(fb_str_n(text, n)))
        return true;
    for (size_t i = 0; i < FB_COUNT(confusable); i++)
        if (fb_str_eq_nocase(fb_str_n(text, n), fb_str_of(confusable[i])))
            return true;
    return false;
}

/* NULL when the names may stand, else what is wrong with them. */
static const char *check_names(const struct fn_h1_head *head)
{
    for (size_t i = 0; i < head->n_fields; i++)
        if (is_confusing(head->fields[i].name))
            return "a field name stands for another one with '_' in place of '-'";
    for (size_t i = 0; i < FB_COUNT(end_to_end); i++)
        if (fn_h1_has_token(head, "connection", end_to_end[i]))
            return "Connection names a field that must arrive";
    return NULL;
}

/* The fields that policy may see are those that will be sent: not hop-by-hop, not named by Connection, not ours. */
static int collect_headers(struct fb_arena *arena, const struct fn_h1_head *head, struct fe_envelope *env)
{
    struct fe_header *out = fb_arena_alloc(arena, (head->n_fields + 1) * sizeof *out);
    if (out == NULL)
        return FB_E_LIMIT;
    size_t n = 0;
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct fn_h1_field *f = &head->fields[i];
        if (f->hop || fn_h1_is_ours(f->name) || fb_str_eq_nocase(f->name, FB_STR("proxy-authorization")))
            continue;
        out[n++] = (struct fe_header){ f->name, f->value };
    }
    env->headers = out;
    env->n_headers = n;
    return 0;
}

static int read_path(struct fb_arena *arena, struct sc_request *ret, char text[SC_INTAKE_TEXT_BYTES])
{
    struct fe_envelope *env = &ret->env;
    struct fb_err err = { 0 };
    if (ret->is_connect) {
        env->path = FB_STR("/");
        env->target = FB_STR("/");
        return 0;
    }
    if (ret->target.form == FN_TARGET_ASTERISK)
        return refuse(text, FB_E_PARSE, "the asterisk form names no path");
    size_t cap = ret->target.path_query.n + 2;
    char *room = fb_arena_alloc(arena, cap);
    struct fb_str target = fb_arena_str(arena, ret->target.path_query);
    if (room == NULL || target.p == NULL)
        return refuse(text, FB_E_LIMIT, "request too large");
    /* Encoded separators pass here: whether they may stand is for the matching rule to say. */
    int r = fn_url_path(target, FN_PATH_ENCODED_SEPARATORS, room, cap, &ret->path, &err);
    if (r < 0)
        return refuse(text, r, err.msg);
    env->path = ret->path.match;
    env->has_encoded_separator = ret->path.has_encoded_separator;
    env->has_query = ret->path.has_query;
    env->query = ret->path.query;
    env->target = target;
    return 0;
}

int sc_intake_read(struct fb_arena *arena, const struct fn_h1_head *head, struct sc_request *ret,
                   char text[SC_INTAKE_TEXT_BYTES])
{
    struct fb_err err = { 0 };
    memset(ret, 0, sizeof *ret);
    ret->head = *head;
    ret->method = fb_arena_str(arena, head->method);
    if (ret->method.p == NULL)
        return refuse(text, FB_E_LIMIT, "request too large");
    ret->is_connect = fb_str_eqz(ret->method, "CONNECT");
    ret->is_head = fb_str_eqz(ret->method, "HEAD");
    ret->repeatable = is_repeatable(ret->method);
    struct fe_envelope *env = &ret->env;
    env->method = ret->method;
    env->is_connect = ret->is_connect;
    env->host = FB_STR("");
    env->path = FB_STR("/");
    int r = fn_url_request(ret->method, head->target, head->host, false, &ret->target, &err);
    if (r == FB_E_NOT_FOUND)
        return refuse(text, r, "missing host");
    if (r < 0)
        return refuse(text, r, err.msg);
    const char *bad = check_names(head);
    if (bad != NULL)
        return refuse(text, FB_E_PARSE, bad);
    env->is_https = ret->target.https;
    size_t n = fn_url_authority_text(&ret->target.authority, ret->target.https ? 443 : 80, ret->authority);
    env->host = fb_str_n(ret->authority, n);
    r = read_path(arena, ret, text);
    if (r < 0)
        return r;
    if (ret->is_connect && head->framing != FN_H1_BODY_NONE && !(head->has_length && head->content_length == 0))
        return refuse(text, FB_E_PARSE, "CONNECT with a body");
    if (collect_headers(arena, head, env) < 0)
        return refuse(text, FB_E_LIMIT, "request too large");
    return 0;
}

static bool is_dropped(struct fb_str name, const struct fb_str *drop, size_t n_drop)
{
    for (size_t i = 0; i < n_drop; i++)
        if (fb_str_eq_nocase(name, drop[i]))
            return true;
    return false;
}

int sc_intake_write(struct fb_buf *out, const struct sc_request *req, const struct fb_str *drop, size_t n_drop,
                    uint64_t body_bytes)
{
    struct fb_str query = req->path.has_query ? req->path.query : fb_str_n(NULL, 0);
    if (req->path.has_query && query.p == NULL)
        query = FB_STR("");
    int r = fn_h1w_request(out, req->method, req->path.wire, query);
    if (r == 0)
        r = fn_h1w_field(out, FB_STR("Host"), req->env.host);
    for (size_t i = 0; r == 0 && i < req->head.n_fields; i++) {
        const struct fn_h1_field *f = &req->head.fields[i];
        if (fn_h1w_forwards(f) && !is_dropped(f->name, drop, n_drop))
            r = fn_h1w_field(out, f->name, f->value);
    }
    bool framed = req->head.has_length || req->head.chunked;
    if (r == 0 && (body_bytes > 0 || framed))
        r = fn_h1w_length(out, body_bytes);
    if (r == 0)
        r = fn_h1w_end(out);
    return r;
}
