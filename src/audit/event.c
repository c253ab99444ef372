/* The values of an event: cleaning, the signed text, the JSON up to the chain keys. */
#include "audit/event.h"

#include "base/err.h"
#include "base/jsonw.h"
#include "base/utf8.h"

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */
static const char cut_mark[] = "[cut]";

static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* True for text that needs no cleaning: the usual case, decided in one pass. */
static bool is_plain(struct fb_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c < 0x20 || c >= 0x7f)
            return false;
    }
    return true;
}

/* Writes the cleaned text, at most @max bytes, to @to. */
static size_t clean(char *to, size_t max, struct fb_str s)
{
    if (s.n <= max && is_plain(s)) {
        if (s.n > 0)
            memcpy(to, s.p, s.n);
        return s.n;
    }
    const size_t mark_n = sizeof cut_mark - 1;
    size_t at = 0;
    size_t last_fit = 0; /* where the mark still has room */
    for (size_t i = 0; i < s.n;) {
        uint32_t c = 0;
        size_t used = fb_utf8_decode(s.p + i, s.n - i, &c);
        const char *piece = s.p + i;
        size_t piece_n = used;
        if (used == 0 || is_control(c)) {
            piece = replacement;
            piece_n = sizeof replacement - 1;
        }
        if (at + piece_n > max) {
            memcpy(to + last_fit, cut_mark, mark_n);
            return last_fit + mark_n;
        }
        memcpy(to + at, piece, piece_n);
        at += piece_n;
        if (at + mark_n <= max)
            last_fit = at;
        i += used == 0 ? 1 : used;
    }
    return at;
}

static struct fb_str put(char **at, size_t max, struct fb_str s)
{
    char *start = *at;
    size_t n = clean(start, max, s);
    *at += n;
    return fb_str_n(start, n);
}

void fa_event_copy(struct fa_event *ret, char room[FA_EVENT_ROOM_BYTES], const struct fa_event *ev)
{
    char *at = room;
    *ret = *ev;
    ret->event_id = put(&at, FA_FIELD_MAX_BYTES, ev->event_id);
    ret->session_id = put(&at, FA_FIELD_MAX_BYTES, ev->session_id);
    ret->token_id = put(&at, FA_FIELD_MAX_BYTES, ev->token_id);
    ret->agent_id = put(&at, FA_FIELD_MAX_BYTES, ev->agent_id);
    ret->action = put(&at, FA_FIELD_MAX_BYTES, ev->action);
    ret->resource = put(&at, FA_RESOURCE_MAX_BYTES, ev->resource);
    ret->deny_reason = put(&at, FA_DENY_REASON_MAX_BYTES, ev->deny_reason);
    ret->context_hash = put(&at, FA_FIELD_MAX_BYTES, ev->context_hash);
    ret->bundle_version = put(&at, FA_FIELD_MAX_BYTES, ev->bundle_version);
    ret->sandbox_id = put(&at, FA_FIELD_MAX_BYTES, ev->sandbox_id);
    ret->provenance = put(&at, FA_FIELD_MAX_BYTES, ev->provenance);
    ret->thread_id = put(&at, FA_FIELD_MAX_BYTES, ev->thread_id);
    ret->parent_action_id = put(&at, FA_FIELD_MAX_BYTES, ev->parent_action_id);
}

static void text_line(struct fb_buf *out, struct fb_str s)
{
    (void)fb_buf_adds(out, s);
    (void)fb_buf_addc(out, '\n');
}

static void number_line(struct fb_buf *out, int64_t v)
{
    (void)fb_buf_add_i64(out, v);
    (void)fb_buf_addc(out, '\n');
}

int fa_event_signed_text(struct fb_buf *out, const struct fa_event *ev)
{
    text_line(out, ev->event_id);
    text_line(out, ev->session_id);
    text_line(out, ev->token_id);
    text_line(out, ev->agent_id);
    text_line(out, ev->action);
    text_line(out, ev->resource);
    number_line(out, ev->decision);
    text_line(out, ev->deny_reason);
    number_line(out, ev->enforcement_latency_us);
    text_line(out, ev->context_hash);
    text_line(out, ev->bundle_version);
    number_line(out, ev->timestamp_ns);
    number_line(out, ev->dispatch_status);
    number_line(out, ev->dispatch_latency_us);
    number_line(out, ev->response_size);
    text_line(out, ev->sandbox_id);
    text_line(out, ev->provenance);
    text_line(out, ev->thread_id);
    (void)fb_buf_adds(out, ev->parent_action_id);
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}

static void text_key(struct fb_jsonw *w, const char *key, struct fb_str s)
{
    fb_jsonw_key(w, key);
    fb_jsonw_str(w, s);
}

static void number_key(struct fb_jsonw *w, const char *key, int64_t v)
{
    fb_jsonw_key(w, key);
    fb_jsonw_i64(w, v);
}

int fa_event_json_head(struct fb_buf *out, const struct fa_event *ev)
{
    struct fb_jsonw w;
    fb_jsonw_init(&w, out, 0);
    fb_jsonw_object(&w);
    text_key(&w, "event_id", ev->event_id);
    text_key(&w, "session_id", ev->session_id);
    text_key(&w, "token_id", ev->token_id);
    text_key(&w, "agent_id", ev->agent_id);
    text_key(&w, "action", ev->action);
    text_key(&w, "resource", ev->resource);
    number_key(&w, "decision", ev->decision);
    text_key(&w, "deny_reason", ev->deny_reason);
    number_key(&w, "enforcement_latency_us", ev->enforcement_latency_us);
    text_key(&w, "context_hash", ev->context_hash);
    text_key(&w, "bundle_version", ev->bundle_version);
    number_key(&w, "timestamp", ev->timestamp_ns);
    number_key(&w, "dispatch_status", ev->dispatch_status);
    number_key(&w, "dispatch_latency_us", ev->dispatch_latency_us);
    number_key(&w, "response_size", ev->response_size);
    text_key(&w, "sandbox_id", ev->sandbox_id);
    text_key(&w, "provenance", ev->provenance);
    text_key(&w, "thread_id", ev->thread_id);
    text_key(&w, "parent_action_id", ev->parent_action_id);
    return fb_buf_failed(out) ? FB_E_LIMIT : 0;
}
