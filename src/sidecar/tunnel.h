/* CONNECT tunnels: recorded before the 200, the first bytes must be a ClientHello for the very name that was decided, then
 * both directions are copied with half-close. Source: [the Firma specification, sidecar 5.2; the Firma design, section 4
 * "tunnels"]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_TUNNEL_H
#define SIDECAR_TUNNEL_H

#include "sidecar/conn.h"

/* Allowed, both reservations taken: writes the opening event. */
void sc_tunnel_start(struct sc_conn *c);
/* The opening event is on file (or not: then the call is denied). */
void sc_tunnel_recorded(struct sc_conn *c, int code);
void sc_tunnel_client_event(struct sc_conn *c, int ready);
int sc_tunnel_client_events(const struct sc_conn *c);
void sc_tunnel_timeout(struct sc_conn *c);
/* Ends it with an ABORT event; the caller closes the client. */
void sc_tunnel_cut(struct sc_conn *c, const char *why);

#endif
