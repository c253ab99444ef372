/* Resource scopes of a capability. Source: [the Firma specification, sidecar 8.1]. Layer: token (L2). Thread: any.
 * A resource is host and path (with query), both canonical; comparison is byte by byte. */
#ifndef TOKEN_SCOPE_H
#define TOKEN_SCOPE_H

#include "base/err.h"
#include "base/str.h"

/* True when @scope covers @resource:
 *   `*`        everything;
 *   `P` + slash + star P itself and what follows P and a slash;
 *   `S`        S itself and what follows S and a slash or a question mark; one trailing star (`wttr.in*`) is cut first.
 * Empty scopes, scopes with a scheme and scopes with a star elsewhere cover nothing. */
bool tk_scope_match(struct fb_str scope, struct fb_str resource);

enum { TK_SCOPE_NEVER = 1 };
/* Looks at a scope when it is loaded or asked for. 0: fine. TK_SCOPE_NEVER: accepted, but it can match nothing (empty,
 * or with a scheme); @err then holds the warning. FB_E_PARSE: a star where none may be, or a control character.
 * FB_E_LIMIT. */
int tk_scope_check(struct fb_str scope, struct fb_err *err);

#endif
