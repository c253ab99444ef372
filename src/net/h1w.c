/* Writing HTTP/1.1 heads. */
#include "net/h1w.h"

const char *fn_h1w_phrase(unsigned status)
{
    static const struct {
        unsigned status;
        const char *phrase;
    } rows[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 103, "Early Hints" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 203, "Non-Authoritative Information" },
        { 204, "No Content" },
        { 205, "Reset Content" },
        { 206, "Partial Content" },
        { 207, "Multi-Status" },
        { 300, "Multiple Choices" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 402, "Payment Required" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 407, "Proxy Authentication Required" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 425, "Too Early" },
        { 426, "Upgrade Required" },
        { 428, "Precondition Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 451, "Unavailable For Legal Reasons" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
    };
    for (size_t i = 0; i < FB_COUNT(rows); i++) {
        if (rows[i].status == status)
            return rows[i].phrase;
    }
    return "";
}

/* Room first, so that a line is written whole or not at all. */
static int line(struct fb_buf *out, const struct fb_str *parts, size_t n_parts)
{
    size_t n = 2;
    for (size_t i = 0; i < n_parts; i++)
        n += parts[i].n;
    int rc = fb_buf_reserve(out, n);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n_parts; i++)
        fb_buf_adds(out, parts[i]);
    return fb_buf_add(out, "\r\n", 2);
}

int fn_h1w_status(struct fb_buf *out, unsigned status)
{
    if (status < 100 || status > 999)
        return FB_E_PARSE;
    char digits[4] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), ' ' };
    const struct fb_str parts[] = { FB_STR("HTTP/1.1 "), { digits, sizeof digits }, fb_str_of(fn_h1w_phrase(status)) };
    return line(out, parts, FB_COUNT(parts));
}

static bool is_target(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c <= 0x20 || c >= 0x7f || c == '#')
            return false;
    }
    return true;
}

int fn_h1w_request(struct fb_buf *out, struct fb_str method, struct fb_str path, struct fb_str query)
{
    if (!fn_h1_is_token(method) || path.n == 0 || !is_target(path) || !is_target(query))
        return FB_E_PARSE;
    bool has_query = query.p != NULL;
    const struct fb_str parts[] = { method, FB_STR(" "),        path, fb_str_n("?", has_query ? 1 : 0),
                                    query,  FB_STR(" HTTP/1.1") };
    return line(out, parts, FB_COUNT(parts));
}

int fn_h1w_field(struct fb_buf *out, struct fb_str name, struct fb_str value)
{
    if (!fn_h1_is_token(name) || !fn_h1_is_value(value))
        return FB_E_PARSE;
    const struct fb_str parts[] = { name, FB_STR(": "), value };
    return line(out, parts, FB_COUNT(parts));
}

int fn_h1w_fieldz(struct fb_buf *out, const char *name, const char *value)
{
    return fn_h1w_field(out, fb_str_of(name), fb_str_of(value));
}

int fn_h1w_length(struct fb_buf *out, uint64_t n)
{
    fb_buf_addz(out, "content-length: ");
    fb_buf_add_u64(out, n);
    return fb_buf_add(out, "\r\n", 2);
}

int fn_h1w_chunked(struct fb_buf *out)
{
    return fb_buf_addz(out, "transfer-encoding: chunked\r\n");
}

int fn_h1w_end(struct fb_buf *out)
{
    return fb_buf_add(out, "\r\n", 2);
}

int fn_h1w_response(struct fb_buf *out, unsigned status, const char *content_type, struct fb_str extra, bool keep_alive,
                    struct fb_str body)
{
    int rc = fn_h1w_status(out, status);
    if (rc == 0 && content_type != NULL)
        rc = fn_h1w_fieldz(out, "content-type", content_type);
    if (rc == 0)
        rc = fn_h1w_length(out, body.n);
    if (rc == 0)
        rc = fb_buf_addz(out, "cache-control: no-store\r\n");
    if (rc == 0 && !keep_alive)
        rc = fb_buf_addz(out, "connection: close\r\n");
    if (rc == 0)
        rc = fb_buf_adds(out, extra);
    if (rc == 0)
        rc = fn_h1w_end(out);
    return rc == 0 ? fb_buf_adds(out, body) : rc;
}

bool fn_h1w_forwards(const struct fn_h1_field *f)
{
    static const char *const own[] = { "host", "content-length", "expect" };
    if (f->hop || fn_h1_is_hop(f->name) || fn_h1_is_ours(f->name))
        return false;
    for (size_t i = 0; i < FB_COUNT(own); i++) {
        if (fb_str_eq_nocase(f->name, fb_str_of(own[i])))
            return false;
    }
    return true;
}
