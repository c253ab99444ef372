/* Request targets, and the one authority of a request. */
#include "net/url.h"

static int refuse(struct fb_err *err, const char *why)
{
    return fb_err_set(err, FB_E_PARSE, "%s", why);
}

static int absolute(struct fb_str raw, struct fn_target *ret, struct fb_err *err)
{
    static const struct fb_str http = { "http://", 7 };
    static const struct fb_str https = { "https://", 8 };
    struct fb_str rest;
    if (raw.n >= http.n && fb_str_eq_nocase(fb_str_n(raw.p, http.n), http))
        rest = fb_str_n(raw.p + http.n, raw.n - http.n);
    else if (raw.n >= https.n && fb_str_eq_nocase(fb_str_n(raw.p, https.n), https))
        rest = fb_str_n(raw.p + https.n, raw.n - https.n);
    else
        return refuse(err, "the request target is neither a path nor an http or https URL");
    ret->form = FN_TARGET_ABSOLUTE;
    ret->https = rest.p == raw.p + https.n;
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#')
        n++;
    struct fb_str authority = fb_str_n(rest.p, n);
    if (fb_str_trim(authority).n != n)
        return refuse(err, "a blank inside the authority");
    ret->path_query = fb_str_n(rest.p + n, rest.n - n);
    return fn_url_authority(authority, &ret->authority, err);
}

int fn_url_target(struct fb_str method, struct fb_str raw, bool over_tls, struct fn_target *ret, struct fb_err *err)
{
    *ret = (struct fn_target){ .https = over_tls };
    if (raw.n == 0)
        return refuse(err, "the request target is empty");
    if (fb_str_eqz(method, "CONNECT")) {
        ret->form = FN_TARGET_AUTHORITY;
        ret->https = true;
        if (fb_str_trim(raw).n != raw.n)
            return refuse(err, "a blank inside the authority");
        return fn_url_authority(raw, &ret->authority, err);
    }
    if (raw.p[0] == '/') {
        ret->form = FN_TARGET_ORIGIN;
        ret->path_query = raw;
        return 0;
    }
    if (fb_str_eqz(raw, "*")) {
        ret->form = FN_TARGET_ASTERISK;
        return fb_str_eqz(method, "OPTIONS") ? 0 : refuse(err, "the request target '*' belongs to OPTIONS only");
    }
    return absolute(raw, ret, err);
}

int fn_url_request(struct fb_str method, struct fb_str raw_target, struct fb_str host_field, bool over_tls,
                   struct fn_target *ret, struct fb_err *err)
{
    int rc = fn_url_target(method, raw_target, over_tls, ret, err);
    if (rc < 0)
        return rc;
    uint16_t default_port = ret->https ? 443 : 80;
    bool in_target = ret->authority.host.kind != FN_HOST_NONE;
    if (host_field.p != NULL) {
        struct fn_authority host;
        rc = fn_url_authority(host_field, &host, err);
        if (rc < 0)
            return rc;
        if (in_target && !fn_url_authority_eq(&ret->authority, &host, default_port))
            return refuse(err, "the Host field differs from the request target");
        if (!in_target)
            ret->authority = host;
    } else if (!in_target) {
        return fb_err_set(err, FB_E_NOT_FOUND, "missing host");
    }
    if (ret->authority.port == 0)
        ret->authority.port = default_port;
    return 0;
}
