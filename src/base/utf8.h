/* UTF-8 validation and stepping. Layer: base (L0). Thread: any. Source: RFC 3629. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "base/str.h"

#include <stdint.h>

/* True when all of @s is valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool fb_utf8_valid(struct fb_str s);
/* Decodes the character at @p (n bytes left). Returns its length 1..4, or 0 when invalid. */
size_t fb_utf8_decode(const char *p, size_t n, uint32_t *ret_char);
/* Writes 1..4 bytes; 0 for a value that is no character. */
size_t fb_utf8_encode(char out[4], uint32_t c);

#endif
