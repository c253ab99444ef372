/* Looks for the server name in the first bytes of a TLS connection without taking part in it.
 * Source: RFC 8446 4.1.2 and 5.1, RFC 6066 3, TLS Encrypted Client Hello (extension 0xfe0d). Layer: net (L1). Thread:
 * any. */
#ifndef NET_SNI_H
#define NET_SNI_H

#include "net/url.h"

enum {
    FN_SNI_INPUT_MAX_BYTES = 16 << 10, /* records included; a hello that does not end by then is FB_E_LIMIT */
    FN_SNI_NAME = 0,
    FN_SNI_MORE = 1,    /* undecided: call again with more bytes */
    FN_SNI_NOT_TLS = 2, /* the bytes so far cannot begin a TLS connection; nothing of @ret is set */
    FN_SNI_NONE = 3,    /* a whole ClientHello without a server name */
};

struct fn_sni {
    struct fn_host host; /* canonical; always a name, never an address */
    bool has_ech;        /* outer hello of an encrypted one: the name seen is not the one meant */
    bool offers_h1;      /* ALPN lists http/1.1, or there is no ALPN */
    size_t hello_bytes;  /* wire bytes up to the end of the record that ends the ClientHello */
};

/* @p holds everything received so far, from the first byte. Returns one of the outcomes above, or FB_E_PARSE for a
 * ClientHello that is malformed, names no valid host, or names two, or FB_E_LIMIT. Does not depend on how bytes
 * were cut into reads or records. */
int fn_sni_parse(const uint8_t *p, size_t n, struct fn_sni *ret, struct fb_err *err) FB_MUST_USE FB_NONNULL(3);

#endif
