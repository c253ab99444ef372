/* Lines of patterns. */
#include "sidecar/routes.h"

#include "enforce/engine.h"

static bool add_line(void *arg, struct fb_str pattern)
{
    struct fb_buf *out = arg;
    return fb_buf_adds(out, pattern) == 0 && fb_buf_addc(out, '\n') == 0;
}

int sc_routes_text(struct fe_engine *engine, struct fb_buf *out)
{
    fe_engine_routes(engine, add_line, out);
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}
