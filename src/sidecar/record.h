/* Between a call and the audit log: what is reserved before, what is written after.
 * Source: [the Firma specification, sidecar 16; the Firma design, "audit order"]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_RECORD_H
#define SIDECAR_RECORD_H

#include "sidecar/conn.h"

/* Takes the reservation for the call's event, and with @tunnel a second one for its end. FB_E_UNAVAILABLE: the call must
 * be denied; nothing is then reserved. */
int sc_record_reserve(struct sc_conn *c, bool tunnel) FB_MUST_USE;
/* Hands in the event of c->call: its verdict as it stands (ALLOW, DENY, ...), or ABORT with "@code: @detail" when @code is
 * not NULL. sc_conn_recorded follows later; at once, with FB_E_UNAVAILABLE, when there is no reservation. */
void sc_record_commit(struct sc_conn *c, const char *code, const char *detail);
/* The end of a tunnel: the opening event's values with what went through, or with @code an ABORT of network.connect.
 * Nobody waits for it. */
void sc_record_tunnel_end(struct sc_conn *c, const char *code, const char *detail);
/* The connection goes away: reservations are given back, committed events are written without telling it. */
void sc_record_drop(struct sc_conn *c);

#endif
