/* Hosts, ports, request targets and paths in one canonical form, made once and used everywhere after that.
 * Source: RFC 3986, RFC 9112 3.2, RFC 1123 2.1, [the Firma specification, sidecar 4.1 and 7.1; security 2].
 * Layer: net (L1). Thread: any. Nothing here allocates. Every refusal is FB_E_PARSE (FB_E_LIMIT past a length), with
 * a text in @err that quotes no more than the part that is wrong; *@ret is then not to be read. */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FN_HOST_MAX_BYTES = 253, /* a name without its trailing dot */
    FN_LABEL_MAX_BYTES = 63,
    FN_HOST_TEXT_BYTES = 256,
    FN_AUTHORITY_TEXT_BYTES = 264, /* "[v6]:65535" or "name:65535" and a NUL */
    FN_METHOD_MAX_BYTES = 32,
};

enum fn_host_kind { FN_HOST_NONE = 0, FN_HOST_NAME, FN_HOST_IPV4, FN_HOST_IPV6 };

struct fn_host {
    enum fn_host_kind kind;
    size_t n;                      /* bytes of text */
    char text[FN_HOST_TEXT_BYTES]; /* canonical, NUL-terminated; IPv6 without brackets */
};

static inline struct fb_str fn_host_str(const struct fn_host *h)
{
    return fb_str_n(h->text, h->n);
}

/* One host, no port. Blanks around are dropped, letters lowered, one trailing dot dropped. Names: letters, digits,
 * hyphens inside a label, dots. IPv4: exactly four decimal numbers without leading zeros; every other text whose last
 * label is a number (short, octal, hex, decimal forms) is refused. IPv6: with or without brackets, no zone; the text
 * becomes that of inet_ntop. */
int fn_url_host(struct fb_str raw, struct fn_host *ret, struct fb_err *err) FB_MUST_USE FB_NONNULL(2);
bool fn_url_host_eq(const struct fn_host *a, const struct fn_host *b) FB_NONNULL(1, 2);

struct fn_authority {
    struct fn_host host;
    uint16_t port; /* 0: none was written */
};

/* "host", "host:port", "[v6]", "[v6]:port"; port 1..65535 without leading zeros; an empty port ("host:") and user
 * information ("user@host") are refused, a bare IPv6 address too. */
int fn_url_authority(struct fb_str raw, struct fn_authority *ret, struct fb_err *err) FB_MUST_USE FB_NONNULL(2);
/* Same host, and same port once @default_port stands in for an absent one. */
bool fn_url_authority_eq(const struct fn_authority *a, const struct fn_authority *b, uint16_t default_port)
    FB_NONNULL(1, 2);
/* The text that rules and records see: brackets around IPv6, the port unless it is absent or @default_port (0: keep
 * any). Returns the length; @out is NUL-terminated. */
size_t fn_url_authority_text(const struct fn_authority *a, uint16_t default_port, char out[FN_AUTHORITY_TEXT_BYTES])
    FB_NONNULL(1, 3);

enum fn_target_form { FN_TARGET_ORIGIN, FN_TARGET_ABSOLUTE, FN_TARGET_AUTHORITY, FN_TARGET_ASTERISK };

struct fn_target {
    enum fn_target_form form;
    bool https;                    /* absolute form: its scheme; authority form: true; else what the caller passed */
    struct fn_authority authority; /* .host.kind is FN_HOST_NONE in origin and asterisk form */
    struct fb_str path_query; /* into the input, as sent; empty in authority and asterisk form, and for "http://h" */
};

/* Takes the request-target apart. CONNECT must have authority form (and only CONNECT), `*` belongs to OPTIONS only,
 * schemes are http and https. @over_tls says what origin form means. */
int fn_url_target(struct fb_str method, struct fb_str raw, bool over_tls, struct fn_target *ret,
                  struct fb_err *err) FB_MUST_USE FB_NONNULL(4);

/* fn_url_target, then the one authority of the request: target and Host field (@host_field; .p NULL when there was
 * none) must agree where both name one. On success ret->authority is complete and its port is never 0 (443 when https,
 * else 80). Neither names a host: FB_E_NOT_FOUND. They differ: FB_E_PARSE. */
int fn_url_request(struct fb_str method, struct fb_str raw_target, struct fb_str host_field, bool over_tls,
                   struct fn_target *ret, struct fb_err *err) FB_MUST_USE FB_NONNULL(5);

struct fn_path {
    struct fb_str wire;         /* canonical path, to be forwarded byte for byte; in the caller's buffer */
    struct fb_str match;        /* the same without one trailing '/' ("/" stays): what rules see */
    struct fb_str query;        /* after the first '?', as sent, into the input */
    bool has_query;             /* "/a?" has an empty one */
    bool has_encoded_separator; /* %2f or %5c was let through by FN_PATH_ENCODED_SEPARATORS */
};

/* For fn_url_path: hand %2f and %5c through (a rule may opt in); encoded controls never pass. */
enum { FN_PATH_ENCODED_SEPARATORS = 1u << 0 };

/* Only the percent escapes of a path, or of a rule's pattern, in canonical form (RFC 3986 6.2.2): those of letters, digits
 * and `-._~` are decoded, the others get upper-case digits. Refused: a backslash, a broken escape, an encoded control
 * (%00-%1f, %7f), a double encoding (%25 before two hex digits), and (without the flag) %2f and %5c.
 * @out has path.n bytes; *@ret_n is what was written, *@ret_separator becomes true when %2f or %5c was let through. */
int fn_url_escapes(struct fb_str path, unsigned flags, char *out, size_t *ret_n, bool *ret_separator,
                   struct fb_err *err) FB_MUST_USE FB_NONNULL(4, 5);

/* @raw is path and query as sent ("" becomes "/"). Cuts at '#', collapses '//', takes '.' and '..' segments away
 * without leaving the root, escapes made canonical first (fn_url_escapes); every other byte stays as sent. Refused:
 * controls, blanks, bytes above 0x7e, whatever fn_url_escapes refuses, a path that does not begin with '/'.
 * @out has @cap bytes, raw.n + 1 always suffices. */
int fn_url_path(struct fb_str raw, unsigned flags, char *out, size_t cap, struct fn_path *ret,
                struct fb_err *err) FB_MUST_USE FB_NONNULL(3, 5);

#endif
