/* Hosts and authorities in canonical form. */
#include "net/url.h"

#include "base/num.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_hex(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static int refuse(struct fb_err *err, const char *why)
{
    return fb_err_set(err, FB_E_PARSE, "%s", why);
}

static int ipv6(struct fb_str text, struct fn_host *ret, struct fb_err *err)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr a;
    if (text.n == 0 || text.n >= sizeof copy)
        return refuse(err, "the host is no valid IPv6 address");
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    /* A NUL in the text would hide the rest from inet_pton. */
    if (memchr(text.p, '\0', text.n) != NULL || inet_pton(AF_INET6, copy, &a) != 1 ||
        inet_ntop(AF_INET6, &a, ret->text, sizeof ret->text) == NULL)
        return refuse(err, "the host is no valid IPv6 address");
    ret->kind = FN_HOST_IPV6;
    ret->n = strlen(ret->text);
    return 0;
}

/* Resolvers take a name for an address when its last label is a number in C's sense. */
static bool ends_in_number(const char *text, size_t n)
{
    size_t from = n;
    while (from > 0 && text[from - 1] != '.')
        from--;
    const char *label = text + from;
    size_t len = n - from;
    size_t digits = 0;
    while (digits < len && is_digit(label[digits]))
        digits++;
    if (digits == len)
        return true;
    if (len < 2 || label[0] != '0' || label[1] != 'x')
        return false;
    for (size_t i = 2; i < len; i++) {
        if (!is_hex(label[i]))
            return false;
    }
    return true;
}

static bool is_dotted_quad(const char *text, size_t n)
{
    struct fb_str rest = fb_str_n(text, n);
    struct fb_str part;
    unsigned parts = 0;
    while (fb_str_split(&rest, '.', &part)) {
        uint64_t v;
        if (fb_num_u64(part, 0, 255, &v) < 0)
            return false;
        parts++;
    }
    return parts == 4;
}

/* Lowers into ret->text and checks label by label. */
static int name(struct fb_str text, struct fn_host *ret, struct fb_err *err)
{
    if (text.n > 0 && text.p[text.n - 1] == '.')
        text.n--;
    if (text.n == 0)
        return refuse(err, "the host is empty");
    if (text.n > FN_HOST_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "the host is longer than %d bytes", FN_HOST_MAX_BYTES);
    size_t label = 0;
    for (size_t i = 0; i <= text.n; i++) {
        char c = i < text.n ? lower(text.p[i]) : '.';
        if (c == '.') {
            if (label == 0)
                return refuse(err, "the host has an empty label");
            if (text.p[i - 1] == '-')
                return refuse(err, "a label of the host ends in a hyphen");
            label = 0;
        } else {
            if (!is_digit(c) && !(c >= 'a' && c <= 'z') && c != '-')
                return refuse(err, "the host holds something else than letters, digits, hyphens and dots");
            if (c == '-' && label == 0)
                return refuse(err, "a label of the host begins with a hyphen");
            if (++label > FN_LABEL_MAX_BYTES)
                return fb_err_set(err, FB_E_LIMIT, "a label of the host is longer than %d bytes", FN_LABEL_MAX_BYTES);
        }
        ret->text[i] = c;
    }
    ret->text[text.n] = '\0';
    ret->n = text.n;
    ret->kind = FN_HOST_NAME;
    if (!ends_in_number(ret->text, ret->n))
        return 0;
    if (!is_dotted_quad(ret->text, ret->n))
        return refuse(err, "the host is an address in an unusual form");
    ret->kind = FN_HOST_IPV4;
    return 0;
}

int fn_url_host(struct fb_str raw, struct fn_host *ret, struct fb_err *err)
{
    struct fb_str s = fb_str_trim(raw);
    ret->kind = FN_HOST_NONE;
    ret->n = 0;
    ret->text[0] = '\0';
    int rc;
    if (s.n > 1 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        rc = ipv6(fb_str_n(s.p + 1, s.n - 2), ret, err);
    else if (fb_str_index(s, ':') < s.n)
        rc = ipv6(s, ret, err);
    else
        rc = name(s, ret, err);
    if (rc < 0)
        ret->kind = FN_HOST_NONE;
    return rc;
}

bool fn_url_host_eq(const struct fn_host *a, const struct fn_host *b)
{
    return a->kind != FN_HOST_NONE && a->kind == b->kind && fb_str_eq(fn_host_str(a), fn_host_str(b));
}

int fn_url_authority(struct fb_str raw, struct fn_authority *ret, struct fb_err *err)
{
    struct fb_str s = fb_str_trim(raw);
    ret->host.kind = FN_HOST_NONE;
    ret->port = 0;
    if (fb_str_index(s, '@') < s.n)
        return refuse(err, "user information in the authority");
    size_t host_n;
    if (s.n > 0 && s.p[0] == '[') {
        host_n = fb_str_index(s, ']');
        if (host_n == s.n)
            return refuse(err, "the bracket around an IPv6 address is not closed");
        host_n++;
    } else {
        host_n = fb_str_index(s, ':');
    }
    struct fb_str host = fb_str_n(s.p, host_n);
    /* The authority was trimmed as a whole; a blank before the colon is no part of a host. */
    if (host_n > 0 && (host.p[host_n - 1] == ' ' || host.p[host_n - 1] == '\t'))
        return refuse(err, "a blank inside the authority");
    if (host_n < s.n) {
        uint64_t port;
        if (s.p[host_n] != ':' || fb_num_u64(fb_str_n(s.p + host_n + 1, s.n - host_n - 1), 1, 65535, &port) < 0)
            return refuse(err, "the port is no number from 1 to 65535");
        ret->port = (uint16_t)port;
    }
    return fn_url_host(host, &ret->host, err);
}

static uint16_t port_or(uint16_t port, uint16_t fallback)
{
    return port == 0 ? fallback : port;
}

bool fn_url_authority_eq(const struct fn_authority *a, const struct fn_authority *b, uint16_t default_port)
{
    return fn_url_host_eq(&a->host, &b->host) && port_or(a->port, default_port) == port_or(b->port, default_port);
}

size_t fn_url_authority_text(const struct fn_authority *a, uint16_t default_port, char out[FN_AUTHORITY_TEXT_BYTES])
{
    bool v6 = a->host.kind == FN_HOST_IPV6;
    bool with_port = a->port != 0 && a->port != default_port;
    int n =
        snprintf(out, FN_AUTHORITY_TEXT_BYTES, "%s%.*s%s", v6 ? "[" : "", (int)a->host.n, a->host.text, v6 ? "]" : "");
    if (with_port)
        n += snprintf(out + n, FN_AUTHORITY_TEXT_BYTES - (size_t)n, ":%u", (unsigned)a->port);
    return (size_t)n;
}
