/* No header is needed: a first byte that cannot begin one ends the question. */
#include "sidecar/preface.h"

int sc_preface_read(struct sc_conn *c)
{
    if (c->in.n == 0)
        return SC_PREFACE_MORE;
    return c->in.p[0] == '\r' ? FB_E_PARSE : 0;
}
