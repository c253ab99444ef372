/* HTTP/1.1 message heads: strict, incremental, without copies; and how the body after a head is framed.
 * Source: RFC 9110, RFC 9112, [the Firma specification, sidecar 4.2; security 2, smuggling]. Layer: net (L1).
 * Thread: a parser belongs to one. What passes here is meant to be written anew (h1w.h), never to be relayed as bytes.
 * Nothing depends on how the bytes were cut into reads. */
#ifndef NET_H1_H
#define NET_H1_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum {
    FN_H1_FIELDS_MAX = 100,          /* default, and size of the usual caller's array */
    FN_H1_HEAD_MAX_BYTES = 64 << 10, /* default; counts from the first byte to the empty line's LF */
};

enum fn_h1_refusal {
    FN_H1_OK = 0,
#define FN_H1_REFUSAL(sym, status, name, text) FN_H1_BAD_##sym,
#include "net/h1_refusals.h"
#undef FN_H1_REFUSAL
};

struct fn_h1_field {
    struct fb_str name;  /* as sent */
    struct fb_str value; /* without blanks around; may hold bytes from 0x80 up */
    bool hop;            /* hop-by-hop, or named by Connection: never forwarded */
};

enum fn_h1_framing {
    FN_H1_BODY_NONE = 0,
    FN_H1_BODY_LENGTH,  /* exactly content_length bytes (may be 0 when it was written so) */
    FN_H1_BODY_CHUNKED, /* chunked.h */
    FN_H1_BODY_CLOSE,   /* responses: until the connection ends */
    FN_H1_BODY_TUNNEL,  /* 2xx to CONNECT, 101: no longer HTTP */
};

struct fn_h1_head {
    struct fb_str method; /* requests; case kept (methods are case-sensitive) */
    struct fb_str target; /* requests; see fn_url_request */
    unsigned status;      /* responses: 100..999 */
    struct fb_str reason; /* responses; may be empty */
    unsigned minor;       /* 0 or 1 */
    struct fn_h1_field *fields;
    size_t n_fields;
    size_t head_bytes; /* the body begins here in the caller's buffer */

    struct fb_str host; /* .p NULL when there is no Host field; may be empty text */
    bool has_length;
    bool chunked;
    uint64_t content_length;
    enum fn_h1_framing framing; /* requests: NONE, LENGTH or CHUNKED; responses: see fn_h1_response_framing */
    bool keep_alive;            /* version and Connection together */
    bool upgrade;               /* Connection has the token upgrade, and there is an Upgrade field */
    bool expect_continue;
};

enum fn_h1_kind { FN_H1_REQUEST, FN_H1_RESPONSE };

/* Caller's storage; private but for refusal. */
struct fn_h1 {
    enum fn_h1_kind kind;
    enum fn_h1_refusal refusal; /* why, after a negative return */
    struct fn_h1_field *fields;
    size_t fields_cap;
    size_t head_max_bytes;
    size_t n_fields;
    size_t line_at; /* first byte of the line being read */
    size_t scan_at; /* no LF before this */
    unsigned lines; /* start line and fields taken so far */
    bool skipped_empty;
    const char *base;
    struct fn_h1_head head;
};

/* @fields (borrowed until the head is dropped) has @fields_cap places, which is also the limit; @head_max_bytes 0 means
 * the default. */
void fn_h1_init(struct fn_h1 *h, enum fn_h1_kind kind, struct fn_h1_field *fields, size_t fields_cap,
                size_t head_max_bytes) FB_NONNULL(1, 3);

enum { FN_H1_MORE = 1 };
/* @buf holds everything received of this message, from its first byte; it may have grown and moved since the last call.
 * 0: complete; *@ret_head is set, its views point into @buf and stay good while those bytes do. FN_H1_MORE: call again
 * with more. FB_E_PARSE or FB_E_LIMIT: refused, h->refusal says why (and stays). After 0 or a refusal: fn_h1_init.
 * One empty line (CRLF) before a request is skipped. */
int fn_h1_parse(struct fn_h1 *h, struct fb_str buf, const struct fn_h1_head **ret_head) FB_MUST_USE FB_NONNULL(1, 3);

/* Status to answer (400, 431, 501, 505), short name, and text ("MALFORMED_REQUEST: " goes in front by the caller). */
unsigned fn_h1_refusal_status(enum fn_h1_refusal r);
const char *fn_h1_refusal_name(enum fn_h1_refusal r);
const char *fn_h1_refusal_text(enum fn_h1_refusal r);

/* How the body of a response to @request_method is framed. HEAD, 1xx, 204 and 304 have none; 2xx to CONNECT and 101 are
 * tunnels. */
enum fn_h1_framing fn_h1_response_framing(const struct fn_h1_head *response, struct fb_str request_method)
    FB_NONNULL(1);

/* First field of that name (any case), NULL when absent. */
const struct fn_h1_field *fn_h1_get(const struct fn_h1_head *head, const char *name) FB_NONNULL(1, 2);
/* How many fields have that name. */
size_t fn_h1_count(const struct fn_h1_head *head, const char *name) FB_NONNULL(1, 2);
/* True when the comma-separated lists in all fields of that name hold @token (any case). */
bool fn_h1_has_token(const struct fn_h1_head *head, const char *name, const char *token) FB_NONNULL(1, 2, 3);
/* The fixed list of hop-by-hop names, proxy-authorization among them. */
bool fn_h1_is_hop(struct fb_str name);
/* True for the names of ours, `x-firma-*`, which are dropped on every path. */
bool fn_h1_is_ours(struct fb_str name);
/* RFC 9110 token: at least one tchar and nothing else. */
bool fn_h1_is_token(struct fb_str s);
/* True when @s may be a field value: no control but tab, no blank at either end. */
bool fn_h1_is_value(struct fb_str s);

#endif
