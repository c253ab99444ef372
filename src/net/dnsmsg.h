/* DNS messages of a server that knows one answer: a strict question parser and a writer of small replies, over UDP and
 * TCP. Source: RFC 1035, 6891, 7766; [the Firma specification, run 7.3]. Layer: net (L1). Thread: any. No memory. */
#ifndef NET_DNSMSG_H
#define NET_DNSMSG_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FN_DNSMSG_QUERY_MAX_BYTES = 4096,
    FN_DNSMSG_REPLY_MAX_BYTES = 320, /* header, question, one A record, OPT: never truncated */
    FN_DNSMSG_NAME_BYTES = 256,
    FN_DNSMSG_TTL_S = 5,
    FN_DNSMSG_TYPE_A = 1,
    FN_DNSMSG_TYPE_AAAA = 28,
};

enum fn_dnsmsg_rcode {
    FN_DNSMSG_NOERROR = 0,
    FN_DNSMSG_FORMERR = 1,
    FN_DNSMSG_NXDOMAIN = 3,
    FN_DNSMSG_NOTIMP = 4,
    FN_DNSMSG_BADVERS = 16,
};

struct fn_dnsmsg_query {
    uint16_t id;
    uint8_t opcode;
    bool recursion_desired;
    bool edns;
    uint16_t type;
    /* Lower case, no trailing dot; empty when the name has a byte other than letters, digits, hyphens and underscores
     * (such a name is never routed: NXDOMAIN). */
    char name[FN_DNSMSG_NAME_BYTES];
    size_t name_n;
    const uint8_t *question; /* into the input, echoed in the reply; NULL when it was not readable */
    size_t question_n;
    enum fn_dnsmsg_rcode fault; /* what to answer after FN_DNSMSG_FAULT */
};

enum { FN_DNSMSG_FAULT = 1, FN_DNSMSG_SILENT = 2 };
/* 0: one question of class IN. FN_DNSMSG_FAULT: answer with ret->fault and nothing else (opcode other than QUERY or
 * class other than IN: NOTIMP; EDNS version: BADVERS; all else FORMERR). FN_DNSMSG_SILENT: shorter than a header, or
 * itself a reply: never answered, or two servers could talk for ever. Compression in the question is FORMERR. */
int fn_dnsmsg_parse(const uint8_t *p, size_t n, struct fn_dnsmsg_query *ret) FB_MUST_USE FB_NONNULL(3);

/* Writes the reply: with @addr (and NOERROR, type A) one A record of TTL FN_DNSMSG_TTL_S, else no record. Returns its
 * length. */
size_t fn_dnsmsg_reply(const struct fn_dnsmsg_query *q, enum fn_dnsmsg_rcode rcode, const uint8_t addr[4],
                       uint8_t out[FN_DNSMSG_REPLY_MAX_BYTES]) FB_NONNULL(1, 4);

enum { FN_DNSMSG_MORE = 1 };
/* TCP: takes one message off the front of @p. 0: *@ret_msg, *@ret_n, and *@ret_used bytes are done with.
 * FN_DNSMSG_MORE. FB_E_LIMIT: longer than FN_DNSMSG_QUERY_MAX_BYTES; FB_E_PARSE: empty. Close after both. */
int fn_dnsmsg_tcp_take(const uint8_t *p, size_t n, const uint8_t **ret_msg, size_t *ret_n, size_t *ret_used) FB_MUST_USE
    FB_NONNULL(3, 4, 5);
/* The two bytes in front of a reply of @n bytes. */
void fn_dnsmsg_tcp_head(uint8_t out[2], size_t n) FB_NONNULL(1);

#endif
