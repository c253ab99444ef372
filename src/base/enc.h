/* Hex, base64 and base64url, strict in both directions. Layer: base (L0). Thread: any. */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"

/* Value of one hex digit of either case, -1 for any other byte. */
static inline int fb_enc_hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Lower-case hex; @out holds 2 * n + 1 bytes. */
void fb_enc_hex(char *out, const void *p, size_t n);
/* Exactly 2 * @n hex digits of either case; FB_E_PARSE otherwise. */
int fb_enc_unhex(void *out, size_t n, struct fb_str text);
/* Standard alphabet with padding. */
int fb_enc_base64(struct fb_buf *out, const void *p, size_t n);
int fb_enc_unbase64(struct fb_buf *out, struct fb_str text);
/* URL alphabet, no padding; the reader refuses padding, other alphabets and stray bits. */
int fb_enc_base64url(struct fb_buf *out, const void *p, size_t n);
int fb_enc_unbase64url(struct fb_buf *out, struct fb_str text);

#endif
