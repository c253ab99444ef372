/* Where an Authority URL leads. Layer: rpc (L2), private. Thread: any. */
#ifndef RPC_ENDPOINT_PRIV_H
#define RPC_ENDPOINT_PRIV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum { RP_ADDRS_MAX = 4, RP_AUTHORITY_TEXT_BYTES = 300 };

struct rp_endpoint {
    char authority[RP_AUTHORITY_TEXT_BYTES]; /* for :authority, "host:port" */
    struct sockaddr_storage addrs[RP_ADDRS_MAX];
    socklen_t addr_lens[RP_ADDRS_MAX];
    size_t n_addrs;
};

/* Reads @url and looks its host up; a name other than localhost blocks for the system's resolver. FB_E_CONFIG_VALIDATION, or
 * FB_E_AUTHORITY_UNREACHABLE when the name has no address. */
int rp_endpoint_resolve(const char *url, struct rp_endpoint *ret, struct fb_err *err);
/* A non-blocking socket whose connect is under way or done (*@ret_done). Returns the descriptor or
 * FB_E_AUTHORITY_UNREACHABLE. */
int rp_endpoint_connect(const struct rp_endpoint *ep, size_t which, bool *ret_done, struct fb_err *err);

#endif
