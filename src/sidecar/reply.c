/* Denials, aborts, plain texts. */
#include "sidecar/reply.h"

#include "base/jsonw.h"
#include "net/h1w.h"

enum { BODY_MAX_BYTES = 256 << 10 };

static int answer(struct fb_buf *out, unsigned status, struct fb_str body, const char *event_id, bool keep_alive,
                  bool head_only)
{
    int r = fn_h1w_status(out, status);
    if (r == 0)
        r = fn_h1w_fieldz(out, "content-type", "application/json");
    if (r == 0)
        r = fn_h1w_length(out, body.n);
    if (r == 0)
        r = fn_h1w_fieldz(out, "cache-control", "no-store");
    if (r == 0 && event_id != NULL && event_id[0] != '\0')
        r = fn_h1w_fieldz(out, SC_REPLY_EVENT_FIELD, event_id);
    if (r == 0 && !keep_alive)
        r = fn_h1w_fieldz(out, "connection", "close");
    if (r == 0)
        r = fn_h1w_end(out);
    if (r == 0 && !head_only)
        r = fb_buf_adds(out, body);
    return r;
}

static int json(struct fb_buf *body, const char *flag, struct fb_str detail, struct fb_str reason)
{
    struct fb_jsonw w;
    fb_jsonw_init(&w, body, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, flag);
    fb_jsonw_bool(&w, true);
    fb_jsonw_key(&w, "detail");
    fb_jsonw_str(&w, detail);
    fb_jsonw_key(&w, "reason");
    fb_jsonw_str(&w, reason);
    fb_jsonw_object_end(&w);
    return fb_buf_failed(body) ? FB_E_NOMEM : 0;
}

int sc_reply_deny(struct fb_buf *out, unsigned status, enum fc_reason reason, struct fb_str detail,
                  const char *event_id, bool keep_alive, bool head_only)
{
    fb_auto(fb_buf_done) struct fb_buf body;
    fb_buf_init(&body, BODY_MAX_BYTES);
    int r = json(&body, "denied", detail, fb_str_of(fc_reason_wire(reason)));
    return r < 0 ? r : answer(out, status, fb_buf_str(&body), event_id, keep_alive, head_only);
}

int sc_reply_abort(struct fb_buf *out, const char *code, struct fb_str detail, const char *event_id, bool keep_alive,
                   bool head_only)
{
    fb_auto(fb_buf_done) struct fb_buf body;
    fb_buf_init(&body, BODY_MAX_BYTES);
    int r = json(&body, "aborted", detail, fb_str_of(code));
    return r < 0 ? r : answer(out, 504, fb_buf_str(&body), event_id, keep_alive, head_only);
}

int sc_reply_text(struct fb_buf *out, unsigned status, struct fb_str body, bool keep_alive)
{
    return fn_h1w_response(out, status, "text/plain; charset=utf-8", FB_STR(""), keep_alive, body);
}
