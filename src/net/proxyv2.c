/* PROXY protocol v2, the subset of our relay. */
#include "net/proxyv2.h"

enum {
    SIGNATURE = 12,
    HEADER = 16,
    TLV_HEAD = 3,
    VERSION_PROXY = 0x21, /* version 2, command PROXY */
    FAMILY_NONE = 0x00,
};

static const uint8_t signature[SIGNATURE] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static bool is_id(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    }
    return s.n > 0 && s.n <= FN_PROXYV2_ID_MAX_BYTES;
}

static uint8_t *put_tlv(uint8_t *p, uint8_t type, struct fb_str id)
{
    *p++ = type;
    *p++ = (uint8_t)(id.n >> 8);
    *p++ = (uint8_t)id.n;
    memcpy(p, id.p, id.n);
    return p + id.n;
}

int fn_proxyv2_write(struct fb_buf *out, const struct fn_proxyv2 *ids)
{
    if (!is_id(ids->sandbox) || !is_id(ids->session) || !is_id(ids->agent))
        return FB_E_PARSE;
    uint8_t header[FN_PROXYV2_MAX_BYTES];
    uint8_t *p = put_tlv(header + HEADER, FN_PROXYV2_TYPE_SANDBOX, ids->sandbox);
    p = put_tlv(p, FN_PROXYV2_TYPE_SESSION, ids->session);
    p = put_tlv(p, FN_PROXYV2_TYPE_AGENT, ids->agent);
    size_t n = (size_t)(p - header);
    memcpy(header, signature, SIGNATURE);
    header[12] = VERSION_PROXY;
    header[13] = FAMILY_NONE;
    header[14] = (uint8_t)((n - HEADER) >> 8);
    header[15] = (uint8_t)(n - HEADER);
    return fb_buf_add(out, header, n);
}

static int refuse(struct fb_err *err, const char *why)
{
    return fb_err_set(err, FB_E_PARSE, "PROXY header: %s", why);
}

static struct fb_str *slot(struct fn_proxyv2 *ret, uint8_t type)
{
    switch (type) {
    case FN_PROXYV2_TYPE_SANDBOX:
        return &ret->sandbox;
    case FN_PROXYV2_TYPE_SESSION:
        return &ret->session;
    case FN_PROXYV2_TYPE_AGENT:
        return &ret->agent;
    default:
        return NULL;
    }
}

static int read_tlvs(const uint8_t *p, size_t n, struct fn_proxyv2 *ret, struct fb_err *err)
{
    while (n > 0) {
        if (n < TLV_HEAD)
            return refuse(err, "a cut field");
        size_t len = (size_t)p[1] << 8 | p[2];
        if (len > n - TLV_HEAD)
            return refuse(err, "a field longer than the header");
        struct fb_str *into = slot(ret, p[0]);
        if (into == NULL)
            return refuse(err, "a field of an unknown type");
        if (into->p != NULL)
            return refuse(err, "a field twice");
        struct fb_str id = fb_str_n((const char *)p + TLV_HEAD, len);
        if (!is_id(id))
            return refuse(err, "an id that is empty, too long or not printable");
        *into = id;
        p += TLV_HEAD + len;
        n -= TLV_HEAD + len;
    }
    if (ret->sandbox.p == NULL || ret->session.p == NULL || ret->agent.p == NULL)
        return refuse(err, "an id is missing");
    return 0;
}

int fn_proxyv2_parse(const uint8_t *p, size_t n, struct fn_proxyv2 *ret, struct fb_err *err)
{
    *ret = (struct fn_proxyv2){ 0 };
    if (n == 0)
        return FN_PROXYV2_MORE;
    if (memcmp(p, signature, n < SIGNATURE ? n : SIGNATURE) != 0)
        return FN_PROXYV2_ABSENT;
    if (n > 12 && p[12] != VERSION_PROXY)
        return refuse(err, "another version or command");
    if (n > 13 && p[13] != FAMILY_NONE)
        return refuse(err, "an address family");
    if (n < HEADER)
        return FN_PROXYV2_MORE;
    size_t len = (size_t)p[14] << 8 | p[15];
    if (HEADER + len > FN_PROXYV2_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "PROXY header: longer than %d bytes", FN_PROXYV2_MAX_BYTES);
    if (n < HEADER + len)
        return FN_PROXYV2_MORE;
    ret->bytes = HEADER + len;
    return read_tlvs(p + HEADER, len, ret, err);
}
