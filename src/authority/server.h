/* A running Authority: key, two policy stores, revocations, watchers, listener. Layer: authority (L3). Thread: the loop's. */
#ifndef AUTHORITY_SERVER_H
#define AUTHORITY_SERVER_H

#include "authority/config.h"
#include "base/loop.h"

struct au_server;

enum { AU_ADDR_TEXT_BYTES = 64, AU_DRAIN_GRACE_MS = 200 };

/* Loads, binds, watches, and logs the four ready lines. The configuration is borrowed and outlives the server. On failure
 * everything is undone and the err says what stopped it. */
int au_server_start(struct fb_loop *loop, const struct au_config *config, struct au_server **ret,
                    struct fb_err *err) FB_MUST_USE;
/* The real address, "[::1]:43127". */
const char *au_server_addr(const struct au_server *s);
/* Ends streams after a short grace, then stops the loop. */
void au_server_drain(struct au_server *s);
/* Takes NULL. Wipes the key. */
void au_server_free(struct au_server *s);

#endif
