/* The Authority: issues capabilities, streams policy and revocations. Entry points of the folder.
 * Source: [the Firma specification, authority]; docs/reference/authority.md. Layer: authority (L3). Thread: each entry
 * makes its own loop; call before any thread exists. */
#ifndef AUTHORITY_AUTHORITY_H
#define AUTHORITY_AUTHORITY_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Everywhere below, @config_path may be NULL: then firma.toml is discovered (core/config.h). */

/* `firma authority -c FILE`: serves until SIGINT or SIGTERM, logs on stderr. 0 after a graceful stop, or the code of
 * what stopped the start. */
int au_main(const char *config_path, struct fb_err *err);

/* The per-run Authority: the body of a child that the launcher has forked. Waits on @ctl_fd (taken) for
 * START{config | run_dir + profile, log}, serves, answers READY{addr, public_key} or FAILED{name, text, remedy}, drains
 * on STOP and ends when the socket closes. Returns the exit status of the process.
 *  - config: path of an authority.toml to serve from, as it stands.
 *  - run_dir, profile: the directory is made 0700 with policy_dir/, issuance/, keys/ (a fresh pair), revocations.txt and
 *    authority.toml, everything 0600; an unknown profile is FAILED AuthorityUnknownProfile before anything is made.
 *  - log: file that gets every line (created 0600, appended); absent: stderr. */
int au_child(int ctl_fd);

/* `firma authority generate-key`: a new Ed25519 pair; the public path follows from the secret one (its last extension
 * becomes ".pub"). FB_E_EXISTS when either file is there. @ret_public_path (may be NULL) gets a heap string. */
int au_generate_key(const char *secret_path, char **ret_public_path, struct fb_err *err);

struct au_issue_args {
    const char *agent_id;
    const char *session_id;
    const char *const *actions;
    size_t n_actions;
    const char *resource_scope; /* NULL: "*" */
    int32_t ttl_s;
    const char *output; /* capability file, replaced atomically, 0600 */
};
/* `firma authority issue`: judges by the issuance bundle of the configuration and writes the capability file.
 * FB_E_DENIED with the reason code in the text when the policy says no. */
int au_issue_offline(const char *config_path, const struct au_issue_args *args, struct fb_err *err);

/* `firma authority revocations add`: appends one line under a lock. 1 when the id is revoked already (nothing written).
 * FB_E_CONFIG_VALIDATION for an id or reason that cannot stand in the file. */
int au_revoke(const char *config_path, const char *token_id, const char *reason, struct fb_err *err);
/* `firma authority revocations compact`: rewrites the file without expired entries. @ret_path (may be NULL): heap string. */
int au_compact(const char *config_path, char **ret_path, struct fb_err *err);

#endif
