/* metadata.toml of a marker: reading it, strictly. Layer: stack (L2). Thread: any.
 * Source: [the Firma specification, run 10.1]. Unknown keys are left alone: a newer version may have written them. */
#ifndef STACK_META_H
#define STACK_META_H

#include "base/err.h"

#include <stdint.h>

enum { ST_META_MAX_BYTES = 64 << 10 };

struct st_meta {
    char *sandbox_id;
    char *agent_id;
    char *session_id;
    char *authority_url;
    char *policy_bundle_version;
    char *started_at;
    uint32_t pid;             /* 0 = none recorded */
    uint64_t pid_start_ticks; /* 0 = unknown */
};

/* Reads `metadata.toml` below @dir_fd. FB_E_IO, or FB_E_MARKER_PARSE for anything but the schema; *@ret is then empty. */
int st_meta_read(int dir_fd, struct st_meta *ret, struct fb_err *err);
/* Frees; takes an empty struct. */
void st_meta_done(struct st_meta *m);

#endif
