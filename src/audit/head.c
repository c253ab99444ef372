/* Head records. */
#include "audit/head.h"

#include "base/enc.h"
#include "base/jsonw.h"

#include <jansson.h>
#include <stdio.h>

enum { SIGNED_TEXT_BYTES = 256 };

/* The first line keeps a head's signature from ever being that of an event. */
static size_t signed_text(char out[SIGNED_TEXT_BYTES], const struct fa_head *h)
{
    char hex[2 * FA_HASH_BYTES + 1];
    fb_enc_hex(hex, h->at.hash, sizeof h->at.hash);
    int n = snprintf(out, SIGNED_TEXT_BYTES, "firma.audit.head.v1\n%llu\n%llu\n%s\n%llu\n%lld\n%d",
                     (unsigned long long)h->generation, (unsigned long long)h->at.seq, hex,
                     (unsigned long long)h->bytes, (long long)h->updated_ns, h->sealed ? 1 : 0);
    return n < 0 ? 0 : (size_t)n;
}

int fa_head_format(char out[FA_HEAD_RECORD_BYTES], const struct fa_head *head, struct fa_key *key)
{
    char text[SIGNED_TEXT_BYTES];
    char hex[2 * FA_HASH_BYTES + 1];
    uint8_t der[FA_DER_MAX_BYTES];
    size_t der_n;
    struct fb_buf signature;
    struct fb_buf line;
    struct fb_jsonw w;
    if (fa_key_sign(key, text, signed_text(text, head), der, &der_n) < 0)
        return FB_E_INTERNAL;
    fb_buf_init(&signature, FA_HEAD_RECORD_BYTES);
    fb_buf_init(&line, FA_HEAD_RECORD_BYTES - 1);
    (void)fb_enc_base64(&signature, der, der_n);
    fb_enc_hex(hex, head->at.hash, sizeof head->at.hash);
    fb_jsonw_init(&w, &line, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "generation");
    fb_jsonw_u64(&w, head->generation);
    fb_jsonw_key(&w, "count");
    fb_jsonw_u64(&w, head->at.seq);
    fb_jsonw_key(&w, "last_hash");
    fb_jsonw_strz(&w, hex);
    fb_jsonw_key(&w, "bytes");
    fb_jsonw_u64(&w, head->bytes);
    fb_jsonw_key(&w, "updated");
    fb_jsonw_i64(&w, head->updated_ns);
    fb_jsonw_key(&w, "sealed");
    fb_jsonw_bool(&w, head->sealed);
    fb_jsonw_key(&w, "signature");
    fb_jsonw_str(&w, fb_buf_str(&signature));
    fb_jsonw_object_end(&w);
    bool ok = !fb_buf_failed(&signature) && !fb_buf_failed(&line);
    if (ok) {
        memset(out, ' ', FA_HEAD_RECORD_BYTES);
        memcpy(out, line.p, line.n);
        out[FA_HEAD_RECORD_BYTES - 1] = '\n';
    }
    fb_buf_done(&signature);
    fb_buf_done(&line);
    return ok ? 0 : FB_E_INTERNAL;
}

static bool get_count(const json_t *o, const char *key, uint64_t *ret)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(v);
    return true;
}

static bool read_record(const json_t *o, struct fa_key *key, struct fa_head *ret)
{
    uint64_t updated;
    const json_t *hash = json_object_get(o, "last_hash");
    const json_t *sealed = json_object_get(o, "sealed");
    const json_t *signature = json_object_get(o, "signature");
    if (!get_count(o, "generation", &ret->generation) || !get_count(o, "count", &ret->at.seq) ||
        !get_count(o, "bytes", &ret->bytes) || !get_count(o, "updated", &updated) || !json_is_string(hash) ||
        !json_is_boolean(sealed) || !json_is_string(signature))
        return false;
    ret->updated_ns = (int64_t)updated;
    ret->sealed = json_is_true(sealed);
    if (fb_enc_unhex(ret->at.hash, sizeof ret->at.hash, fb_str_of(json_string_value(hash))) < 0)
        return false;
    struct fb_buf der;
    char text[SIGNED_TEXT_BYTES];
    fb_buf_init(&der, FA_DER_MAX_BYTES);
    bool ok = fb_enc_unbase64(&der, fb_str_of(json_string_value(signature))) == 0 &&
              fa_key_verify(key, text, signed_text(text, ret), (const uint8_t *)fb_buf_str(&der).p, der.n);
    fb_buf_done(&der);
    return ok;
}

static bool parse_record(struct fb_str text, struct fa_key *key, struct fa_head *ret)
{
    json_error_t error;
    if (text.n == 0 || text.n > FA_HEAD_RECORD_BYTES)
        return false;
    json_t *o = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
    bool ok = json_is_object(o) && read_record(o, key, ret);
    json_decref(o);
    return ok;
}

enum fa_head_state fa_head_parse(struct fb_str content, struct fa_key *key, struct fa_head *ret)
{
    struct fb_str line;
    bool any = false;
    bool found = false;
    *ret = (struct fa_head){ 0 };
    for (size_t i = 0; i < content.n && !any; i++)
        any = content.p[i] != '\0' && content.p[i] != ' ' && content.p[i] != '\n';
    if (!any)
        return FA_HEAD_MISSING;
    while (fb_str_split(&content, '\n', &line)) {
        struct fa_head one = { 0 };
        /* Before its first write the first record is a hole of zeros. */
        while (line.n > 0 && line.p[0] == '\0') {
            line.p++;
            line.n--;
        }
        if (parse_record(line, key, &one) && (!found || one.generation > ret->generation)) {
            *ret = one;
            found = true;
        }
    }
    return found ? FA_HEAD_VALID : FA_HEAD_INVALID;
}
