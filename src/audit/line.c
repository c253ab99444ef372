/* Lines of the log. */
#include "audit/line.h"

#include "base/enc.h"

#include <jansson.h>

int fa_line_finish(struct fb_buf *out, struct fb_str head, struct fb_str signature_base64, struct fa_key *key,
                   struct fa_chain *at)
{
    char hex[2 * FA_HASH_BYTES + 1];
    size_t start = out->n;
    fb_enc_hex(hex, at->hash, sizeof at->hash);
    (void)fb_buf_adds(out, head);
    (void)fb_buf_addz(out, ",\"seq\":");
    (void)fb_buf_add_u64(out, at->seq + 1);
    (void)fb_buf_addz(out, ",\"prev_hash\":\"");
    (void)fb_buf_add(out, hex, sizeof hex - 1);
    (void)fb_buf_addz(out, "\",\"signature\":\"");
    (void)fb_buf_adds(out, signature_base64);
    (void)fb_buf_addz(out, "\"}\n");
    if (fb_buf_failed(out))
        return FB_E_LIMIT;
    at->seq++;
    fa_key_hash(key, out->p + start, out->n - start - 1, at->hash);
    return 0;
}

void fa_line_done(struct fa_line *line)
{
    if (line == NULL)
        return;
    json_decref(line->json);
    *line = (struct fa_line){ 0 };
}

/* Absent texts are empty, absent numbers 0: old logs have fewer keys. */
static bool get_text(const json_t *o, const char *key, struct fb_str *ret)
{
    const json_t *v = json_object_get(o, key);
    *ret = FB_STR("");
    if (v == NULL)
        return true;
    if (!json_is_string(v))
        return false;
    *ret = fb_str_n(json_string_value(v), json_string_length(v));
    return true;
}

static bool get_number(const json_t *o, const char *key, int64_t *ret)
{
    const json_t *v = json_object_get(o, key);
    *ret = 0;
    if (v == NULL)
        return true;
    if (!json_is_integer(v))
        return false;
    *ret = json_integer_value(v);
    return true;
}

static bool read_event(const json_t *o, struct fa_event *ev)
{
    int64_t decision = 0;
    bool ok = get_text(o, "event_id", &ev->event_id) && get_text(o, "session_id", &ev->session_id) &&
              get_text(o, "token_id", &ev->token_id) && get_text(o, "agent_id", &ev->agent_id) &&
              get_text(o, "action", &ev->action) && get_text(o, "resource", &ev->resource) &&
              get_number(o, "decision", &decision) && get_text(o, "deny_reason", &ev->deny_reason) &&
              get_number(o, "enforcement_latency_us", &ev->enforcement_latency_us) &&
              get_text(o, "context_hash", &ev->context_hash) && get_text(o, "bundle_version", &ev->bundle_version) &&
              get_number(o, "timestamp", &ev->timestamp_ns) && get_number(o, "dispatch_status", &ev->dispatch_status) &&
              get_number(o, "dispatch_latency_us", &ev->dispatch_latency_us) &&
              get_number(o, "response_size", &ev->response_size) && get_text(o, "sandbox_id", &ev->sandbox_id) &&
              get_text(o, "provenance", &ev->provenance) && get_text(o, "thread_id", &ev->thread_id) &&
              get_text(o, "parent_action_id", &ev->parent_action_id);
    if (!ok || decision < 0 || decision > INT32_MAX)
        return false;
    ev->decision = (int)decision;
    return true;
}

static bool read_byte_array(const json_t *v, struct fa_line *line)
{
    const json_t *item;
    size_t i;
    if (json_array_size(v) > sizeof line->der)
        return false;
    json_array_foreach(v, i, item)
    {
        json_int_t byte = json_is_integer(item) ? json_integer_value(item) : -1;
        if (byte < 0 || byte > 255)
            return false;
        line->der[line->der_n++] = (uint8_t)byte;
    }
    return true;
}

static bool read_signature(const json_t *o, struct fa_line *line)
{
    const json_t *v = json_object_get(o, "signature");
    if (json_is_array(v))
        return read_byte_array(v, line);
    if (!json_is_string(v))
        return false;
    struct fb_buf der;
    fb_buf_init(&der, sizeof line->der);
    bool ok = fb_enc_unbase64(&der, fb_str_n(json_string_value(v), json_string_length(v))) == 0;
    if (ok) {
        line->der_n = der.n;
        memcpy(line->der, fb_buf_str(&der).p, der.n);
    }
    fb_buf_done(&der);
    return ok;
}

static bool read_chain(const json_t *o, struct fa_line *line)
{
    const json_t *seq = json_object_get(o, "seq");
    const json_t *prev = json_object_get(o, "prev_hash");
    if (seq == NULL && prev == NULL)
        return true;
    if (!json_is_integer(seq) || json_integer_value(seq) < 1 || !json_is_string(prev))
        return false;
    line->has_chain = true;
    line->seq = (uint64_t)json_integer_value(seq);
    return fb_enc_unhex(line->prev_hash, sizeof line->prev_hash,
                        fb_str_n(json_string_value(prev), json_string_length(prev))) == 0;
}

int fa_line_parse(struct fb_str text, struct fa_line *ret, const char **ret_why)
{
    json_error_t error;
    *ret = (struct fa_line){ 0 };
    *ret_why = "longer than any line of this log";
    if (text.n > FA_LINE_MAX_BYTES)
        return FB_E_PARSE;
    json_t *o = json_loadb(text.p == NULL ? "" : text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    ret->json = o;
    *ret_why = NULL;
    if (!json_is_object(o))
        *ret_why = "not a JSON object";
    else if (!read_event(o, &ret->ev))
        *ret_why = "a key has the wrong kind of value";
    else if (!read_signature(o, ret))
        *ret_why = "no readable signature";
    else if (!read_chain(o, ret))
        *ret_why = "seq or prev_hash is not what it must be";
    if (*ret_why == NULL)
        return 0;
    fa_line_done(ret);
    return FB_E_PARSE;
}

bool fa_line_verify(const struct fa_line *line, struct fa_key *key, struct fb_buf *scratch)
{
    fb_buf_reset(scratch);
    return fa_event_signed_text(scratch, &line->ev) == 0 &&
           fa_key_verify(key, scratch->p, scratch->n, line->der, line->der_n);
}

bool fa_line_follows(const struct fa_line *line, const struct fa_chain *at)
{
    return line->has_chain && line->seq == at->seq + 1 && memcmp(line->prev_hash, at->hash, sizeof at->hash) == 0;
}
