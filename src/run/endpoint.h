/* Where an external Sidecar listens: tcp://host:port or unix:///path. Layer: run (L3). Thread: any.
 * Source: [the Firma specification, run 2.1, 5.4]. */
#ifndef RUN_ENDPOINT_H
#define RUN_ENDPOINT_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum run_endpoint_kind { RUN_ENDPOINT_NONE, RUN_ENDPOINT_UNIX, RUN_ENDPOINT_TCP };

enum {
    RUN_ENDPOINT_TEXT_BYTES = 512,
    RUN_ENDPOINT_UNIX_MAX_BYTES = 107, /* sun_path without its NUL */
    RUN_ENDPOINT_PROBE_MS = 500,
};

struct run_endpoint {
    enum run_endpoint_kind kind;
    char text[RUN_ENDPOINT_TEXT_BYTES]; /* canonical: tcp://host:port, unix:///path */
    char path[RUN_ENDPOINT_UNIX_MAX_BYTES + 1];
    char host[256]; /* name or address, IPv6 without brackets */
    char port[6];
};

/* Accepts the short forms tcp:host:port and unix:/path too. FB_E_CONFIG_VALIDATION with what is wrong. */
int run_endpoint_parse(const char *text, struct run_endpoint *ret, struct fb_err *err);

/* Fills an address to connect to (the first that the name has). FB_E_SIDECAR_UNREACHABLE. */
int run_endpoint_address(const struct run_endpoint *e, struct sockaddr_storage *ret, socklen_t *ret_n, struct fb_err *err);

/* Connects within @timeout_ms; returns a blocking, close-on-exec descriptor. FB_E_SIDECAR_UNREACHABLE. */
int run_endpoint_connect(const struct run_endpoint *e, int timeout_ms, struct fb_err *err);

/* connect(2) with a limit, for any address; 0 or a negative errno. Leaves @fd non-blocking. */
int run_endpoint_connect_fd(int fd, const struct sockaddr *addr, socklen_t n, int timeout_ms);

#endif
