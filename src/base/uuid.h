/* UUID text. Layer: base (L0). Thread: any. Source: RFC 9562. */
#ifndef BASE_UUID_H
#define BASE_UUID_H

enum { FB_UUID_TEXT_BYTES = 37 }; /* 36 and a NUL */

/* Version 7: Unix milliseconds first, so that ids sort by time; within one process strictly increasing. */
void fb_uuid_v7(char out[FB_UUID_TEXT_BYTES]);
/* Version 4: random. */
void fb_uuid_v4(char out[FB_UUID_TEXT_BYTES]);

#endif
