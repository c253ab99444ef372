/* DNS questions in, small replies out. */
#include "net/dnsmsg.h"

enum {
    HEADER = 12,
    TYPE_OPT = 41,
    CLASS_IN = 1,
    WIRE_NAME_MAX = 255,
    LABEL_MAX = 63,
    EDNS_SIZE = 1232,
};

static unsigned u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static uint8_t *put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
    return p + 2;
}

static bool is_plain(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Reads the name at @p; its length on the wire, 0 when malformed. The text stays empty for odd bytes. */
static size_t read_name(const uint8_t *p, size_t n, struct fn_dnsmsg_query *q)
{
    size_t at = 0;
    size_t out = 0;
    bool odd = false;
    while (at < n && at < WIRE_NAME_MAX) {
        size_t len = p[at++];
        if (len == 0) {
            q->name_n = odd ? 0 : out;
            q->name[q->name_n] = '\0';
            return at;
        }
        /* Anything above is a compression pointer or an extended label: a lone question needs neither. */
        if (len > LABEL_MAX || len > n - at || at + len >= WIRE_NAME_MAX)
            return 0;
        if (out > 0)
            q->name[out++] = '.';
        for (size_t i = 0; i < len; i++) {
            uint8_t c = p[at + i];
            if (c >= 'A' && c <= 'Z')
                c = (uint8_t)(c - 'A' + 'a');
            odd |= !is_plain(c);
            q->name[out++] = (char)c;
        }
        at += len;
    }
    return 0;
}

static int fault(struct fn_dnsmsg_query *q, enum fn_dnsmsg_rcode code)
{
    q->fault = code;
    return FN_DNSMSG_FAULT;
}

/* The one additional record that may follow: OPT at the root, whose options must fill it. */
static int read_opt(const uint8_t *p, size_t n, struct fn_dnsmsg_query *q)
{
    if (n < 11 || p[0] != 0 || u16(p + 1) != TYPE_OPT || u16(p + 9) != n - 11)
        return fault(q, FN_DNSMSG_FORMERR);
    for (size_t at = 11; at < n;) {
        if (n - at < 4 || u16(p + at + 2) > n - at - 4)
            return fault(q, FN_DNSMSG_FORMERR);
        at += 4 + u16(p + at + 2);
    }
    q->edns = true;
    return p[6] == 0 ? 0 : fault(q, FN_DNSMSG_BADVERS);
}

int fn_dnsmsg_parse(const uint8_t *p, size_t n, struct fn_dnsmsg_query *ret)
{
    *ret = (struct fn_dnsmsg_query){ 0 };
    if (n < HEADER || (p[2] & 0x80) != 0)
        return FN_DNSMSG_SILENT;
    ret->id = (uint16_t)u16(p);
    ret->opcode = p[2] >> 3 & 15;
    ret->recursion_desired = (p[2] & 1) != 0;
    if (ret->opcode != 0)
        return fault(ret, FN_DNSMSG_NOTIMP);
    bool counts = u16(p + 4) == 1 && u16(p + 6) == 0 && u16(p + 8) == 0 && u16(p + 10) <= 1;
    bool truncated = (p[2] & 2) != 0;
    if (n > FN_DNSMSG_QUERY_MAX_BYTES || !counts || truncated)
        return fault(ret, FN_DNSMSG_FORMERR);
    const uint8_t *q = p + HEADER;
    size_t left = n - HEADER;
    size_t name = read_name(q, left, ret);
    if (name == 0 || left - name < 4)
        return fault(ret, FN_DNSMSG_FORMERR);
    ret->type = (uint16_t)u16(q + name);
    unsigned class = u16(q + name + 2);
    size_t question_n = name + 4;
    left -= question_n;
    bool has_more = u16(p + 10) == 1;
    if (!has_more && left > 0)
        return fault(ret, FN_DNSMSG_FORMERR);
    int rc = has_more ? read_opt(q + question_n, left, ret) : 0;
    if (rc != 0 && ret->fault == FN_DNSMSG_FORMERR)
        return rc;
    ret->question = q;
    ret->question_n = question_n;
    if (rc != 0)
        return rc;
    return class == CLASS_IN ? 0 : fault(ret, FN_DNSMSG_NOTIMP);
}

size_t fn_dnsmsg_reply(const struct fn_dnsmsg_query *q, enum fn_dnsmsg_rcode rcode, const uint8_t addr[4],
                       uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES])
{
    bool answer = addr != NULL && rcode == FN_DNSMSG_NOERROR && q->type == FN_DNSMSG_TYPE_A && q->question != NULL;
    uint8_t *p = put16(out, q->id);
    /* QR and AA: glibc takes an empty answer without AA and RA for a lame server and asks again. */
    *p++ = (uint8_t)(0x84 | q->opcode << 3 | (q->recursion_desired ? 1 : 0));
    *p++ = (uint8_t)(rcode & 15);
    p = put16(p, q->question != NULL ? 1 : 0);
    p = put16(p, answer ? 1 : 0);
    p = put16(p, 0);
    p = put16(p, q->edns ? 1 : 0);
    if (q->question != NULL) {
        memcpy(p, q->question, q->question_n);
        p += q->question_n;
    }
    if (answer) {
        p = put16(p, 0xc000 | HEADER); /* the name in the question */
        p = put16(p, FN_DNSMSG_TYPE_A);
        p = put16(p, CLASS_IN);
        p = put16(p, 0);
        p = put16(p, FN_DNSMSG_TTL_S);
        p = put16(p, 4);
        memcpy(p, addr, 4);
        p += 4;
    }
    if (q->edns) {
        *p++ = 0;
        p = put16(p, TYPE_OPT);
        p = put16(p, EDNS_SIZE);
        *p++ = (uint8_t)((unsigned)rcode >> 4);
        *p++ = 0;
        p = put16(p, 0);
        p = put16(p, 0);
    }
    return (size_t)(p - out);
}

int fn_dnsmsg_tcp_take(const uint8_t *p, size_t n, const uint8_t **ret_msg, size_t *ret_n, size_t *ret_used)
{
    if (n < 2)
        return FN_DNSMSG_MORE;
    size_t len = u16(p);
    if (len == 0)
        return FB_E_PARSE;
    if (len > FN_DNSMSG_QUERY_MAX_BYTES)
        return FB_E_LIMIT;
    if (n - 2 < len)
        return FN_DNSMSG_MORE;
    *ret_msg = p + 2;
    *ret_n = len;
    *ret_used = len + 2;
    return 0;
}

void fn_dnsmsg_tcp_head(uint8_t out[2], size_t n)
{
    put16(out, (unsigned)n);
}
