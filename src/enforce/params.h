/* The `params` attribute: one request as JSON text, for policies that look into it with `like`.
 * {"Http":{"method":"POST","headers":{"content-type":"text/plain"},"body":[104,105],"query":{}}}
 * Source: [the Firma specification, sidecar 7.4]. Layer: enforce (L2). Thread: any. */
#ifndef ENFORCE_PARAMS_H
#define ENFORCE_PARAMS_H

#include "base/buf.h"
#include "enforce/decide.h"

/* Replaces the content of @out. Headers: names in lower case, sorted, repeated ones joined by ", "; credentials (authorization, cookie,
 * set-cookie, proxy-authorization, x-api-key) and x-firma-* left out; bytes that are not UTF-8 become U+FFFD. The body is an
 * array of byte numbers, null when there is none. @text is working space. False when the buffer's ceiling or memory is out. */
bool fe_params_write(struct fb_buf *out, struct fb_buf *text, const struct fe_envelope *env);

#endif
