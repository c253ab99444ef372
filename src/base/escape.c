/* Escaping for terminals and log lines. */
#include "base/escape.h"

#include "base/utf8.h"

#include <stdio.h>

enum { PIECE_BYTES = 16 };

static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x061C || c == 0x200E || c == 0x200F || c == 0x2028 ||
           c == 0x2029 || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

/* Writes the form of the character at @p to @piece; *@ret_n tells its length. Returns the input bytes used. */
static size_t next_piece(const char *p, size_t n, char piece[PIECE_BYTES], size_t *ret_n)
{
    uint32_t c = 0;
    size_t used = fb_utf8_decode(p, n, &c);
    int length;
    if (used == 0 || (is_harmful(c) && c < 0x80)) {
        length = snprintf(piece, PIECE_BYTES, "\\x%02x", (unsigned)(unsigned char)p[0]);
        used = 1;
    } else if (is_harmful(c)) {
        length = snprintf(piece, PIECE_BYTES, "\\u{%x}", (unsigned)c);
    } else if (c == '\\') {
        memcpy(piece, "\\\\", 2);
        length = 2;
    } else {
        memcpy(piece, p, used);
        length = (int)used;
    }
    *ret_n = (size_t)length;
    return used;
}

size_t fb_escape_term(char *out, size_t cap, const char *p, size_t n)
{
    if (cap == 0)
        return 0;
    size_t at = 0;
    while (n > 0) {
        char piece[PIECE_BYTES];
        size_t length;
        size_t used = next_piece(p, n, piece, &length);
        if (length > cap - 1 - at)
            break;
        memcpy(out + at, piece, length);
        at += length;
        p += used;
        n -= used;
    }
    out[at] = '\0';
    return at;
}

int fb_escape_term_buf(struct fb_buf *out, struct fb_str s)
{
    size_t start = out->n;
    while (s.n > 0) {
        /* Plain ASCII, nearly everything, goes over in one piece. */
        size_t plain = 0;
        while (plain < s.n && s.p[plain] >= 0x20 && s.p[plain] < 0x7F && s.p[plain] != '\\')
            plain++;
        char piece[PIECE_BYTES];
        size_t length = plain;
        const char *from = s.p;
        size_t used = plain;
        if (plain == 0) {
            used = next_piece(s.p, s.n, piece, &length);
            from = piece;
        }
        int r = fb_buf_add(out, from, length);
        if (r != 0) {
            /* The content must be as it was. */
            out->n = start;
            if (out->p != NULL)
                out->p[start] = '\0';
            return r;
        }
        s.p += used;
        s.n -= used;
    }
    return 0;
}
