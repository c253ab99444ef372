/* Signed events that wait for the disk. */
#include "audit/log_int.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/uuid.h"

#include <stdlib.h>

void fa_held_init(struct fa_held *h)
{
    *h = (struct fa_held){ 0 };
    fb_buf_init(&h->bytes, FA_HELD_MAX_BYTES);
}

void fa_held_done(struct fa_held *h)
{
    fb_buf_done(&h->bytes);
    free(h->items);
    *h = (struct fa_held){ 0 };
}

void fa_held_reset(struct fa_held *h)
{
    fb_buf_reset(&h->bytes);
    h->n = 0;
}

bool fa_held_grow(struct fa_held *h)
{
    if (h->n < h->cap)
        return true;
    size_t cap = h->cap == 0 ? FA_BATCH_MAX : 2 * h->cap;
    struct fa_item *items = realloc(h->items, cap * sizeof *items);
    if (items == NULL)
        return false;
    h->items = items;
    h->cap = cap;
    return true;
}

bool fa_held_append(struct fa_held *to, const struct fa_held *from)
{
    size_t n = to->n;
    size_t base = to->bytes.n;
    if (fb_buf_reserve(&to->bytes, from->bytes.n) < 0) {
        to->bytes.failed = false; /* the content is whole: only this addition was refused */
        return false;
    }
    for (size_t i = 0; i < from->n; i++) {
        if (!fa_held_grow(to)) {
            to->n = n;
            return false;
        }
        to->items[to->n] = from->items[i];
        to->items[to->n++].head_at += base;
    }
    (void)fb_buf_adds(&to->bytes, fb_buf_str(&from->bytes));
    return true;
}

int fa_held_add_event(struct fa_held *h, struct fa_log *log, const struct fa_slot *slot)
{
    char id[FB_UUID_TEXT_BYTES];
    uint8_t der[FA_DER_MAX_BYTES];
    size_t der_n;
    struct fa_event ev = slot->ev;
    if (ev.event_id.n == 0) {
        fb_uuid_v7(id);
        ev.event_id = fb_str_of(id);
    }
    if (ev.timestamp_ns == 0)
        ev.timestamp_ns = fb_clock_wall_ns();
    fb_buf_reset(&log->scratch);
    if (!fa_held_grow(h) || fa_event_signed_text(&log->scratch, &ev) < 0)
        return FB_E_NOMEM;
    if (fa_key_sign(log->key, log->scratch.p, log->scratch.n, der, &der_n) < 0)
        return FB_E_INTERNAL;
    struct fa_item *item = &h->items[h->n];
    size_t start = h->bytes.n;
    (void)fa_event_json_head(&h->bytes, &ev);
    size_t signature_at = h->bytes.n;
    (void)fb_enc_base64(&h->bytes, der, der_n);
    if (fb_buf_failed(&h->bytes)) {
        h->bytes.n = start;
        h->bytes.failed = false;
        return FB_E_NOMEM;
    }
    *item = (struct fa_item){ start, signature_at - start, h->bytes.n - signature_at, slot->index, true };
    h->n++;
    return 0;
}
