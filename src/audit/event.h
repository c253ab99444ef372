/* One audit event: the values of the 20 keys of an audit line.
 * Source: [the Firma specification, sidecar 16]. Layer: audit (L2). Thread: a plain value. */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

/* Numbers of the `decision` key. 0 is never written by the pipeline. */
enum fa_decision {
    FA_DECISION_UNSPECIFIED,
    FA_ALLOW = 1, /* also passthrough */
    FA_DENY = 2,
    FA_ABORT = 3,
    FA_MODIFY = 4,
    FA_STEP_UP = 5,
    FA_DEFER = 6,
};

/* Longer values are cut at a character and end in "[cut]". */
enum {
    FA_RESOURCE_MAX_BYTES = 8192,
    FA_DENY_REASON_MAX_BYTES = 4096,
    FA_FIELD_MAX_BYTES = 256, /* every other text */
};

/* Keys 1 to 19; the 20th is the signature. Views are borrowed. Control characters and bytes that are not UTF-8 become
 * U+FFFD before signing, so no value can shift the signed text. */
struct fa_event {
    struct fb_str
        event_id; /* empty: the log makes a UUIDv7 (give your own, from fb_uuid_v7, to show it to the client) */
    struct fb_str session_id;
    struct fb_str token_id;
    struct fb_str agent_id;
    struct fb_str action;
    struct fb_str resource;
    int decision; /* enum fa_decision */
    struct fb_str deny_reason;
    int64_t enforcement_latency_us;
    struct fb_str context_hash;
    struct fb_str bundle_version;
    int64_t timestamp_ns; /* 0: the time at which the log builds the line */
    int64_t dispatch_status;
    int64_t dispatch_latency_us;
    int64_t response_size;
    struct fb_str sandbox_id; /* empty: the one in the log's options */
    struct fb_str provenance;
    struct fb_str thread_id;
    struct fb_str parent_action_id;
};

/* Appends what is signed: the 19 values as text joined by one line feed, none at the end. Values are taken as they are.
 */
int fa_event_signed_text(struct fb_buf *out, const struct fa_event *ev);
/* Appends `{"event_id":...,...,"parent_action_id":"..."` without the closing brace. Values are taken as they are. */
int fa_event_json_head(struct fb_buf *out, const struct fa_event *ev);

/* Copies every text of @ev, cleaned and cut, into @room (FA_EVENT_ROOM_BYTES) and points @ret at the copies. */
enum {
    FA_EVENT_TEXTS = 13,
    FA_EVENT_ROOM_BYTES = FA_RESOURCE_MAX_BYTES + FA_DENY_REASON_MAX_BYTES + 11 * FA_FIELD_MAX_BYTES
};
void fa_event_copy(struct fa_event *ret, char room[FA_EVENT_ROOM_BYTES], const struct fa_event *ev);

#endif
