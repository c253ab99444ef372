/* Strict numbers: the whole text or nothing, always with a range. Layer: base (L0). Thread: any. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include "base/str.h"

#include <stdint.h>

/* Decimal digits only (no sign, blank, or plus; "0" but not "00"); 0, or FB_E_PARSE outside [min, max]. */
int fb_num_u64(struct fb_str text, uint64_t min, uint64_t max, uint64_t *ret);
/* Optional leading '-'. */
int fb_num_i64(struct fb_str text, int64_t min, int64_t max, int64_t *ret);
/* "250ms", "10s", "10m", "24h": milliseconds. */
int fb_num_duration_ms(struct fb_str text, uint64_t *ret_ms);
/* "4096", "4MiB", "10MB", "64KiB": bytes. */
int fb_num_size_bytes(struct fb_str text, uint64_t *ret_bytes);

#endif
