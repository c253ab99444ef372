/* Parsed once, before the first request; a second one later is a malformed head like any other. */
#include "sidecar/preface.h"

#include "net/proxyv2.h"

/* False when the id does not fit what a capability may name. */
static bool keep(char out[FC_LIMIT_ID_BYTES + 1], struct fb_str id)
{
    if (id.n > FC_LIMIT_ID_BYTES)
        return false;
    memcpy(out, id.p, id.n);
    out[id.n] = '\0';
    return true;
}

int sc_preface_read(struct sc_conn *c)
{
    struct fn_proxyv2 ids = { 0 };
    if (c->in.n == 0)
        return SC_PREFACE_MORE;
    int r = fn_proxyv2_parse((const uint8_t *)c->in.p, c->in.n, &ids, NULL);
    if (r == FN_PROXYV2_ABSENT)
        return 0;
    if (r == FN_PROXYV2_MORE)
        return SC_PREFACE_MORE;
    if (r < 0)
        return FB_E_PARSE;
    if (!keep(c->ident.sandbox_id, ids.sandbox) || !keep(c->ident.session_id, ids.session) ||
        !keep(c->ident.agent_id, ids.agent))
        return FB_E_PARSE;
    c->prefaced = true;
    fb_buf_consume(&c->in, ids.bytes);
    return 0;
}
