/* The only name server that the sandbox has, run on the host by the launcher: it answers for routed names and nothing
 * ever leaves. Layer: run (L3). Thread: the loop's. Source: [the Firma specification, run 7.3]; [the Firma design,
 * section 4, "DNS answers"]: A gives 127.0.0.1, other types an empty answer, every other name NXDOMAIN. */
#ifndef RUN_DNSSTUB_H
#define RUN_DNSSTUB_H

#include "base/err.h"
#include "base/loop.h"
#include "run/routes.h"

enum {
    RUN_DNSSTUB_TCP_MAX = 32,          /* connections; the rest waits in the backlog */
    RUN_DNSSTUB_TCP_IDLE_MS = 10 * 1000,
    RUN_DNSSTUB_BATCH = 64,            /* queries answered before the loop turns to others */
};

struct run_dnsstub;

/* Takes both sockets (closed by run_dnsstub_free, and on failure). @routes is borrowed and may change meanwhile. */
int run_dnsstub_new(struct fb_loop *loop, int udp_fd, int tcp_fd, const struct run_routes *routes,
                    struct run_dnsstub **ret, struct fb_err *err);
/* Takes NULL. */
void run_dnsstub_free(struct run_dnsstub *d);

#endif
