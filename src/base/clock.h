/* Time. Wall clock for claims and records, monotonic for every timer and time-out. Layer: base (L0). Thread: any.
 * Tests shift the wall clock with fb_clock_set_offset_ms (also read once from FIRMA_TEST_CLOCK_OFFSET_MS in test builds only
 * through the unit tests; the product never reads it from the environment). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

int64_t fb_clock_wall_ns(void); /* since 1970-01-01T00:00:00Z */
int64_t fb_clock_wall_ms(void);
int64_t fb_clock_wall_s(void);
int64_t fb_clock_mono_ns(void);
int64_t fb_clock_mono_ms(void);
void fb_clock_set_offset_ms(int64_t offset_ms);

enum { FB_CLOCK_TEXT_BYTES = 48 };
/* RFC 3339 in UTC. @out gets "2026-05-18T08:00:00Z" (digits 0), or 3, 6, 9 fraction digits. @zulu false writes "+00:00". */
void fb_clock_format(char out[FB_CLOCK_TEXT_BYTES], int64_t unix_ns, int fraction_digits, bool zulu);
/* Fraction digits as needed, in groups of three: 0, 3, 6 or 9; suffix "+00:00". */
void fb_clock_format_min(char out[FB_CLOCK_TEXT_BYTES], int64_t unix_ns);
/* Reads RFC 3339 with `Z` or a numeric offset and 0 to 9 fraction digits, years 1678 to 2261. FB_E_PARSE otherwise. */
int fb_clock_parse(struct fb_str text, int64_t *ret_unix_ns, struct fb_err *err);

#endif
