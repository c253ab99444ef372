/* The answers that the Sidecar makes itself. Source: [the Firma specification, sidecar 4.3]. Layer: sidecar (L3).
 * Thread: any. Bodies are JSON with sorted keys; status, length, cache-control: no-store and the event's id go with it. */
#ifndef SIDECAR_REPLY_H
#define SIDECAR_REPLY_H

#include "base/buf.h"
#include "core/reason.h"

#define SC_REPLY_EVENT_FIELD "x-firma-event-id"

/* {"denied":true,"detail":...,"reason":...}; @head_only (HEAD requests) leaves the body out and keeps its length. */
int sc_reply_deny(struct fb_buf *out, unsigned status, enum fc_reason reason, struct fb_str detail,
                  const char *event_id, bool keep_alive, bool head_only) FB_NONNULL(1);
/* {"aborted":true,"detail":...,"reason":...}, status 504. */
int sc_reply_abort(struct fb_buf *out, const char *code, struct fb_str detail, const char *event_id, bool keep_alive,
                   bool head_only) FB_NONNULL(1, 2);
/* Plain text, for GET /routes, 408 and the like. */
int sc_reply_text(struct fb_buf *out, unsigned status, struct fb_str body, bool keep_alive) FB_NONNULL(1);

#endif
