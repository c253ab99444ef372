/* The upstream's answer: strictly read, written anew, passed on as it comes.
 * Source: [the Firma specification, sidecar 4.3, 12.6, 13]; RFC 9112. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_ANSWER_H
#define SIDECAR_ANSWER_H

#include "sidecar/conn.h"

/* The upstream socket has something, or its end. */
void sc_answer_readable(struct sc_conn *c);
/* The client has taken what waited for it: goes on with what was received meanwhile. */
void sc_answer_continue(struct sc_conn *c);

#endif
