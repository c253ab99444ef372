/* The PROXY protocol v2 header with which a relay of ours says for whom it speaks, on the Unix door only.
 * Source: [the Firma design, section 2 "identity"]. Layer: sidecar (L3). Thread: the loop's. */
#ifndef SIDECAR_PREFACE_H
#define SIDECAR_PREFACE_H

#include "sidecar/conn.h"

enum { SC_PREFACE_MORE = 1 };
/* Looks at the first bytes of c->in. 0: there was none, or it was read and taken off, and c->ident is set.
 * SC_PREFACE_MORE: undecided. FB_E_PARSE: malformed, or an id that is none; the connection must end. */
int sc_preface_read(struct sc_conn *c) FB_MUST_USE;

#endif
