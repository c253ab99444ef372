/* Where clients come in: TCP, Unix socket, or a listening socket handed over by the launcher.
 * Source: [the Firma specification, sidecar 4, 6.1; the Firma design, section 2]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_LISTENER_H
#define SIDECAR_LISTENER_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct sc_server;

enum sc_door {
    SC_DOOR_TCP,
    SC_DOOR_UNIX,   /* peers are checked by uid; a PROXY v2 header may come first; answers GET /routes */
    SC_DOOR_HANDED, /* made inside the sandbox: everything behind it is the agent */
};

enum { SC_LISTENER_ADDR_BYTES = 128, SC_LISTENER_BACKLOG = 1024, SC_LISTENER_WARN_MS = 10000 };

struct sc_listener;

/* Reads "ip:port", "[v6]:port"; unlike an authority, port 0 is a port. FB_E_PARSE. */
struct sc_ip;
int sc_listener_parse(const char *addr, struct sc_ip *ret_ip, unsigned *ret_port) FB_MUST_USE;

/* Binds "ip:port" (port 0: any) and accepts from it. FB_E_CONFIG_VALIDATION for a bad address, FB_E_IO when it cannot
 * be bound. The listener belongs to the server. */
int sc_listener_tcp(struct sc_server *s, const char *addr, struct sc_listener **ret, struct fb_err *err) FB_MUST_USE;
/* Makes the socket 0600. The directory must exist, be ours and 0700 (made if only the last part is missing). Something
 * else than a socket in that place, or a socket on which somebody answers: FB_E_ALREADY_RUNNING / FB_E_IO; a dead
 * socket is replaced. */
int sc_listener_unix(struct sc_server *s, const char *path, struct sc_listener **ret, struct fb_err *err) FB_MUST_USE;
/* Takes @fd, which must be a listening stream socket of the internet families. */
int sc_listener_handed(struct sc_server *s, int fd, struct sc_listener **ret, struct fb_err *err) FB_MUST_USE;

/* The name by which the socket will be found once its directory has its own: shown instead of the bound path. */
void sc_listener_announce(struct sc_listener *l, const char *path);
/* What was really bound: "127.0.0.1:8080", or the socket's path. */
const char *sc_listener_addr(const struct sc_listener *l);

/* All listeners of @s at once. Pausing keeps them bound; closing also removes our socket files. */
void sc_listener_pause_all(struct sc_server *s, bool pause);
void sc_listener_close_all(struct sc_server *s);

/* True when @uid may use the Unix socket: our own effective uid, root, or one of the configured ones. */
bool sc_listener_trusts(const struct sc_server *s, unsigned uid);

#endif
