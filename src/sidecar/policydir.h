/* The version of the policy directory that start-up line 3 shows. It says nothing about the bundle in force.
 * Source: [the Firma specification, sidecar 3.3, 19]. Layer: sidecar (L3). Thread: start-up. */
#ifndef SIDECAR_POLICYDIR_H
#define SIDECAR_POLICYDIR_H

#include "base/err.h"

enum { SC_POLICYDIR_VERSION_CHARS = 8, SC_POLICYDIR_FILES_MAX = 1024, SC_POLICYDIR_FILE_MAX_BYTES = 4 << 20 };

/* First 8 hex digits of SHA-256 over the .cedar files directly in @dir, sorted by name, contents joined; a missing
 * directory counts as empty. FB_E_POLICY_LOAD_FAILED when one cannot be read, FB_E_LIMIT, FB_E_NOMEM. */
int sc_policydir_version(const char *dir, char ret[SC_POLICYDIR_VERSION_CHARS + 1], size_t *ret_files,
                         struct fb_err *err) FB_MUST_USE;

#endif
