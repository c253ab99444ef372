/* The server name of a ClientHello: record layer put aside, every length checked against what surrounds it. */
#include "net/sni.h"

enum {
    RECORD_HEAD = 5,
    RECORD_MAX = (1 << 14),
    HANDSHAKE = 22,
    CLIENT_HELLO = 1,
    EXT_SERVER_NAME = 0,
    EXT_ALPN = 16,
    EXT_ECH = 0xfe0d,
};

struct reader {
    const uint8_t *p;
    size_t n;
};

static bool take_int(struct reader *r, unsigned bytes, size_t *ret)
{
    if (r->n < bytes)
        return false;
    size_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | r->p[i];
    r->p += bytes;
    r->n -= bytes;
    *ret = v;
    return true;
}

/* A vector with a length of @bytes in front. */
static bool take_vec(struct reader *r, unsigned bytes, struct reader *ret)
{
    size_t n;
    if (!take_int(r, bytes, &n) || r->n < n)
        return false;
    *ret = (struct reader){ r->p, n };
    r->p += n;
    r->n -= n;
    return true;
}

static int malformed(struct fb_err *err, const char *what)
{
    return fb_err_set(err, FB_E_PARSE, "malformed ClientHello: %s", what);
}

static int server_name(struct reader ext, struct fn_sni *ret, struct fb_err *err)
{
    struct reader list;
    if (!take_vec(&ext, 2, &list) || ext.n != 0 || list.n == 0)
        return malformed(err, "server name list");
    while (list.n > 0) {
        size_t type;
        struct reader text;
        if (!take_int(&list, 1, &type) || !take_vec(&list, 2, &text))
            return malformed(err, "server name");
        /* Only host names exist; a second entry could be read by somebody else. */
        if (type != 0 || ret->host.kind != FN_HOST_NONE)
            return malformed(err, "more than one server name, or one of an unknown type");
        struct fb_str name = fb_str_n((const char *)text.p, text.n);
        if (fb_str_trim(name).n != name.n)
            return malformed(err, "a blank in the server name");
        int rc = fn_url_host(name, &ret->host, err);
        if (rc < 0) {
            fb_err_wrap(err, "server name");
            return FB_E_PARSE;
        }
        if (ret->host.kind != FN_HOST_NAME)
            return malformed(err, "the server name is an address");
    }
    return 0;
}

static int alpn(struct reader ext, struct fn_sni *ret, struct fb_err *err)
{
    struct reader list;
    if (!take_vec(&ext, 2, &list) || ext.n != 0 || list.n == 0)
        return malformed(err, "protocol list");
    ret->offers_h1 = false;
    while (list.n > 0) {
        struct reader name;
        if (!take_vec(&list, 1, &name) || name.n == 0)
            return malformed(err, "protocol name");
        if (fb_str_eqz(fb_str_n((const char *)name.p, name.n), "http/1.1"))
            ret->offers_h1 = true;
    }
    return 0;
}

static int extensions(struct reader exts, struct fn_sni *ret, struct fb_err *err)
{
    bool seen_name = false;
    bool seen_alpn = false;
    while (exts.n > 0) {
        size_t type;
        struct reader body;
        if (!take_int(&exts, 2, &type) || !take_vec(&exts, 2, &body))
            return malformed(err, "extension");
        int rc = 0;
        if (type == EXT_SERVER_NAME) {
            rc = seen_name ? malformed(err, "two server name extensions") : server_name(body, ret, err);
            seen_name = true;
        } else if (type == EXT_ALPN) {
            rc = seen_alpn ? malformed(err, "two protocol extensions") : alpn(body, ret, err);
            seen_alpn = true;
        } else if (type == EXT_ECH) {
            /* First byte 0: outer. GREASE looks the same on purpose and is reported the same. */
            ret->has_ech = true;
        }
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int hello(struct reader r, struct fn_sni *ret, struct fb_err *err)
{
    size_t version;
    struct reader skip;
    struct reader suites;
    struct reader compression;
    if (!take_int(&r, 2, &version) || version >> 8 != 3)
        return malformed(err, "version");
    if (r.n < 32)
        return malformed(err, "random");
    r.p += 32;
    r.n -= 32;
    if (!take_vec(&r, 1, &skip) || skip.n > 32)
        return malformed(err, "session id");
    if (!take_vec(&r, 2, &suites) || suites.n < 2 || suites.n % 2 != 0)
        return malformed(err, "cipher suites");
    if (!take_vec(&r, 1, &compression) || compression.n == 0)
        return malformed(err, "compression methods");
    ret->offers_h1 = true;
    if (r.n == 0)
        return FN_SNI_NONE;
    struct reader exts;
    if (!take_vec(&r, 2, &exts) || r.n != 0)
        return malformed(err, "extensions");
    int rc = extensions(exts, ret, err);
    if (rc < 0)
        return rc;
    return ret->host.kind == FN_HOST_NAME ? FN_SNI_NAME : FN_SNI_NONE;
}

/* What has been put together from the records so far. */
struct join {
    uint8_t *out;
    size_t n;
    size_t want; /* of the handshake message with its 4 bytes; 0 while unknown */
};

/* 1: the message is whole. */
static int add(struct join *j, const uint8_t *p, size_t n, struct fb_err *err)
{
    memcpy(j->out + j->n, p, n);
    j->n += n;
    if (j->n > 0 && j->out[0] != CLIENT_HELLO)
        return malformed(err, "the first message is another one");
    if (j->n < 4)
        return 0;
    j->want = 4 + ((size_t)j->out[1] << 16 | (size_t)j->out[2] << 8 | j->out[3]);
    if (j->want > FN_SNI_INPUT_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "the ClientHello is longer than %d bytes", FN_SNI_INPUT_MAX_BYTES);
    return j->n >= j->want ? 1 : 0;
}

/* Header of a record as far as it is there: 0 = fine so far, else an outcome or an error. */
static int record_head(const uint8_t *p, size_t n, bool first, struct fb_err *err)
{
    bool ours = p[0] == HANDSHAKE && (n < 2 || p[1] == 3) && (n < 3 || p[2] <= 4);
    if (!ours)
        return first ? FN_SNI_NOT_TLS : malformed(err, "a record of another kind inside it");
    if (n < RECORD_HEAD)
        return 0;
    size_t len = (size_t)p[3] << 8 | p[4];
    if (len == 0 || len > RECORD_MAX)
        return first ? FN_SNI_NOT_TLS : malformed(err, "record length");
    return 0;
}

int fn_sni_parse(const uint8_t *p, size_t n, struct fn_sni *ret, struct fb_err *err)
{
    uint8_t message[FN_SNI_INPUT_MAX_BYTES];
    struct join j = { .out = message };
    *ret = (struct fn_sni){ 0 };
    size_t limit = n > FN_SNI_INPUT_MAX_BYTES ? FN_SNI_INPUT_MAX_BYTES : n;
    for (size_t at = 0; at < limit;) {
        int rc = record_head(p + at, limit - at, at == 0, err);
        if (rc != 0)
            return rc;
        if (limit - at < RECORD_HEAD)
            break;
        size_t len = (size_t)p[at + 3] << 8 | p[at + 4];
        at += RECORD_HEAD;
        size_t have = limit - at < len ? limit - at : len;
        rc = add(&j, p + at, have, err);
        if (rc < 0)
            return rc;
        if (rc == 1) {
            /* One hello, one flight: bytes behind it in the same record belong to nothing a client may send yet. */
            if (have < len && j.n == j.want)
                break;
            if (j.n > j.want || have < len)
                return malformed(err, "bytes behind it in its record");
            ret->hello_bytes = at + len;
            return hello((struct reader){ message + 4, j.want - 4 }, ret, err);
        }
        at += have;
    }
    if (n >= FN_SNI_INPUT_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "no whole ClientHello in the first %d bytes", FN_SNI_INPUT_MAX_BYTES);
    return FN_SNI_MORE;
}
