/* gRPC status codes, and the percent-encoding of grpc-message. Source: gRPC's "Statuscodes" and "gRPC over HTTP/2".
 * Layer: rpc (L2). Thread: any. */
#ifndef RPC_STATUS_H
#define RPC_STATUS_H

#include "base/str.h"

#include <stdint.h>

enum rp_status {
    RP_OK = 0,
    RP_CANCELLED = 1,
    RP_UNKNOWN = 2,
    RP_INVALID_ARGUMENT = 3,
    RP_DEADLINE_EXCEEDED = 4,
    RP_NOT_FOUND = 5,
    RP_ALREADY_EXISTS = 6,
    RP_PERMISSION_DENIED = 7,
    RP_RESOURCE_EXHAUSTED = 8,
    RP_FAILED_PRECONDITION = 9,
    RP_ABORTED = 10,
    RP_OUT_OF_RANGE = 11,
    RP_UNIMPLEMENTED = 12,
    RP_INTERNAL = 13,
    RP_UNAVAILABLE = 14,
    RP_DATA_LOSS = 15,
    RP_UNAUTHENTICATED = 16
};

/* "INVALID_ARGUMENT"; "UNKNOWN" for a number outside the table. */
const char *rp_status_name(enum rp_status status);
/* Text of a grpc-status trailer; RP_UNKNOWN when it is not a number of the table. */
enum rp_status rp_status_parse(struct fb_str text);
/* Writes @message percent-encoded and NUL-terminated into @out, cut at a whole character; returns the bytes written. */
size_t rp_status_encode(char *out, size_t cap, struct fb_str message);
/* The reverse; a bad escape is kept as it stands. Control characters become '?'. */
size_t rp_status_decode(char *out, size_t cap, struct fb_str text);
/* A grpc-timeout value ("10S", "250m"): 0 with milliseconds (rounded up, at most 24 h), or FB_E_PARSE. */
int rp_status_timeout_ms(struct fb_str text, int64_t *ret_ms);

#endif
