/* The directory of a per-run Authority. Source: [the Firma specification, authority 15]; [the Firma design, section 4,
 * "developer profile"]. Layer: authority (L3). Thread: start-up. */
#ifndef AUTHORITY_RUNDIR_H
#define AUTHORITY_RUNDIR_H

#include "authority/config.h"
#include "stack/child.h"

/* Makes @run_dir (0700) with policy_dir/, issuance/, keys/, revocations.txt and authority.toml, everything private, and
 * fills @c so that it serves from there on an ephemeral loopback port. @start may carry policy_dir,
 * issuance_policy_dir, schema_path, revocation_file, key_file of a persisted choice, which take the place of the
 * per-run ones: the first three must exist (FB_E_CONFIG_VALIDATION naming the key), a key pair is generated when absent
 * and then keys/ is not made, the revocation file is made by the server. FB_E_AUTHORITY_UNKNOWN_PROFILE before anything
 * is made; FB_E_IO, FB_E_INSECURE. */
int au_rundir_make(const char *run_dir, const char *profile, const struct st_msg *start, struct au_config *c,
                   struct fb_err *err);
/* After ready: authority.pid and metadata.toml. */
int au_rundir_note_ready(const char *run_dir, const char *profile, const struct st_msg *start, const char *addr,
                         struct fb_err *err);

#endif
