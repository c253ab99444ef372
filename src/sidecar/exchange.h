/* One dispatched request: dial or reuse, send, read the answer, pass it on written anew.
 * Source: [the Firma specification, sidecar 12.6, 13]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_EXCHANGE_H
#define SIDECAR_EXCHANGE_H

#include "sidecar/conn.h"

enum { SC_INTERIM_MAX = 16 };

/* c->req, c->body and the reservation are ready; the verdict dispatches. The head is serialised at once, so that nothing
 * of the client's buffer is needed afterwards. */
void sc_exchange_start(struct sc_conn *c);
/* The client's socket has taken what waited: goes on passing the answer. */
void sc_exchange_drained(struct sc_conn *c);
/* Closes the upstream connection and stops dialling. */
void sc_exchange_hang_up(struct sc_conn *c);
/* The same, and forgets the exchange. */
void sc_exchange_drop(struct sc_conn *c);
/* The upstream connection broke: once more on a fresh one if that is safe, else an abort with "transport: @why". */
void sc_exchange_lost(struct sc_conn *c, const char *why);
/* "connect: ..." or the like, for a deadline that has just passed. */
const char *sc_exchange_timeout_detail(const struct sc_conn *c);

#endif
