/* What the two halves of the head parser share; nobody else includes this. Layer: net (L1). Thread: one parse, one
 * thread. Source: RFC 9112. */
#ifndef NET_H1_INT_H
#define NET_H1_INT_H

#include "net/h1.h"

/* After the last field: lengths, codings, Connection, Host; fills the rest of h->head. Returns why not, or FN_H1_OK. */
enum fn_h1_refusal h1_settle(struct fn_h1 *h);

#endif
