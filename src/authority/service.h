/* The three calls of firma.v1.AuthorityService over the Authority's state. Source: [the Firma specification,
 * authority 7 and 11]; docs/reference/wire.md. Layer: authority (L3). Thread: the loop's. */
#ifndef AUTHORITY_SERVICE_H
#define AUTHORITY_SERVICE_H

#include "authority/config.h"
#include "authority/policy.h"
#include "authority/revlog.h"
#include "base/loop.h"
#include "rpc/server.h"
#include "token/keyfile.h"

struct au_stream;

struct au_service {
    struct fb_loop *loop;
    const struct au_config *config;
    const struct tk_secret_key *key;
    struct au_store *enforcement;
    struct au_store *issuance;
    struct au_revlog *revocations;
    struct au_stream *bundle_streams;
    struct au_stream *revocation_streams;
    struct rp_method methods[4];
};

/* Fills in methods; the pointers above are set by the caller and outlive the service. */
void au_service_init(struct au_service *s);
/* The enforcement bundle changed: every stream gets the new one. */
void au_service_bundle_changed(struct au_service *s);
/* Revocations were added. */
void au_service_revocations_added(struct au_service *s);
/* Forgets the streams; the rpc server must be freed first. */
void au_service_done(struct au_service *s);

#endif
