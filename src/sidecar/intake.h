/* From a parsed head to the one canonical request that is decided, recorded and sent.
 * Source: [the Firma specification, sidecar 4.1, 4.2, 7.1; security 2]. Layer: sidecar (L3). Thread: any. */
#ifndef SIDECAR_INTAKE_H
#define SIDECAR_INTAKE_H

#include "base/arena.h"
#include "net/h1.h"
#include "sidecar/conn.h"

enum { SC_INTAKE_TEXT_BYTES = 256 };

/* Fills @ret from @head, whose views must stay good as long as @ret->env is used; what outlives the head (method,
 * path) is copied into @arena. The body, times and session are set by the caller. FB_E_PARSE, FB_E_LIMIT or
 * FB_E_NOT_FOUND (no host) with the detail in @text, ready to follow "MALFORMED_REQUEST: "; ret->env then holds what
 * is known for the record (method; host may be empty). */
int sc_intake_read(struct fb_arena *arena, const struct fn_h1_head *head, struct sc_request *ret,
                   char text[SC_INTAKE_TEXT_BYTES]) FB_MUST_USE;

/* True for the one request that the Unix door answers itself: GET /routes, origin form, Host "firma". */
bool sc_intake_is_routes(const struct fn_h1_head *head);

/* Writes the request head for the other side into @out: method, canonical path, the original query, Host, then the
 * client's fields in order without hop-by-hop ones, x-firma-* and those in @drop; content-length when @has_body or when the
 * client framed an empty one. FB_E_PARSE, or the buffer's failure. */
int sc_intake_write(struct fb_buf *out, const struct sc_request *req, const struct fb_str *drop, size_t n_drop,
                    uint64_t body_bytes) FB_MUST_USE;

#endif
