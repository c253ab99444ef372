/* Product-wide maximums that more than one folder must agree on. Limits of one parser stand in its own header.
 * Every one has a test at the limit and one past it, where it is enforced. Reference page: docs/reference/limits.md.
 * Source: [the Firma specification, sidecar 24]. Layer: core (L1). */
#ifndef CORE_LIMITS_H
#define CORE_LIMITS_H

enum {
    FC_LIMIT_HEAD_BYTES = 64 << 10,          /* request head; more: 431 */
    FC_LIMIT_HEAD_FIELDS = 100,              /* fields of a request head; more: 431 */
    FC_LIMIT_BODY_BYTES = 4 << 20,           /* request body held for the decision (config) */
    FC_LIMIT_BODIES_BYTES = 64 << 20,        /* all request bodies in memory (config) */
    FC_LIMIT_CLIENTS = 1024,                 /* open client connections; then accepting stops */
    FC_LIMIT_CLIENTS_PER_PEER = 256,         /* of one peer process */
    FC_LIMIT_HEAD_MS = 10000,                /* to receive a head */
    FC_LIMIT_IDLE_MS = 60000,                /* keep-alive without a request */
    FC_LIMIT_BODY_GAP_MS = 30000,            /* between two reads of a body */
    FC_LIMIT_DISPATCH_MS = 30000,            /* a whole dispatch (config) */
    FC_LIMIT_TUNNEL_SETUP_MS = 10000,        /* (config) */
    FC_LIMIT_TUNNEL_LIFE_MS = 600000,        /* (config) */
    FC_LIMIT_ID_BYTES = 128,                 /* agent, session, token and sandbox ids */
    FC_LIMIT_SCOPE_BYTES = 1024,             /* a capability's resource scope */
    FC_LIMIT_BUNDLE_BYTES = 4 << 20,         /* policies and schema, each */
    FC_LIMIT_BUNDLE_VERSION_BYTES = 256,
};

#endif
