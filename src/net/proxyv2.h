/* The PROXY protocol header, version 2, in the one shape that our relay sends to an external Sidecar: no addresses,
 * three identities. Source: the PROXY protocol specification, section 2.2; [the Firma design, section 2]. Layer: net
 * (L1). Thread: any. Both ends are ours, so everything that we would not send is refused. */
#ifndef NET_PROXYV2_H
#define NET_PROXYV2_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum {
    FN_PROXYV2_MAX_BYTES = 1024, /* whole header */
    FN_PROXYV2_ID_MAX_BYTES = 256,
    FN_PROXYV2_TYPE_SANDBOX = 0xe0,
    FN_PROXYV2_TYPE_SESSION = 0xe1,
    FN_PROXYV2_TYPE_AGENT = 0xe2,
};

/* Each 1..FN_PROXYV2_ID_MAX_BYTES printable ASCII bytes without blanks. */
struct fn_proxyv2 {
    struct fb_str sandbox;
    struct fb_str session;
    struct fb_str agent;
    size_t bytes; /* of the header; after parsing */
};

/* Appends the header. FB_E_PARSE for an id that may not be sent, or the buffer's failure; nothing is appended then. */
int fn_proxyv2_write(struct fb_buf *out, const struct fn_proxyv2 *ids) FB_NONNULL(1, 2);

enum { FN_PROXYV2_MORE = 1, FN_PROXYV2_ABSENT = 2 };
/* @p: everything received, from the first byte. 0: *@ret points into it. FN_PROXYV2_MORE. FN_PROXYV2_ABSENT: it begins
 * with something else. FB_E_PARSE, FB_E_LIMIT: a header, but not one of ours. */
int fn_proxyv2_parse(const uint8_t *p, size_t n, struct fn_proxyv2 *ret, struct fb_err *err) FB_MUST_USE FB_NONNULL(3);

#endif
