/* The chunked coding as a machine that takes one byte, or one run of body bytes, at a time. */
#include "net/chunked.h"

#include "net/h1.h"

enum state {
    SIZE_FIRST, /* a digit must come */
    SIZE,
    EXT, /* behind ';' */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER, /* first byte of a trailer line, or the CR of the empty one */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
    REFUSED,
};

void fn_chunked_init(struct fn_chunked *c)
{
    *c = (struct fn_chunked){ .state = SIZE_FIRST };
}

static int refuse(struct fn_chunked *c, int code, const char *why)
{
    c->state = REFUSED;
    c->why = why;
    return code;
}

static int hex_value(unsigned char b)
{
    if (b >= '0' && b <= '9')
        return b - '0';
    if (b >= 'a' && b <= 'f')
        return b - 'a' + 10;
    if (b >= 'A' && b <= 'F')
        return b - 'A' + 10;
    return -1;
}

static bool is_control(unsigned char b)
{
    return (b < 0x20 && b != '\t') || b == 0x7f;
}

static int size_byte(struct fn_chunked *c, unsigned char b)
{
    int v = hex_value(b);
    if (v >= 0) {
        if (++c->digits > FN_CHUNKED_SIZE_DIGITS_MAX)
            return refuse(c, FB_E_LIMIT, "the size of a chunk has too many digits");
        c->left = c->left << 4 | (uint64_t)v;
        c->state = SIZE;
        return 0;
    }
    if (c->state == SIZE_FIRST)
        return refuse(c, FB_E_PARSE, "a chunk without a size");
    if (b == '\r') {
        c->state = SIZE_LF;
        return 0;
    }
    if (b != ';')
        return refuse(c, FB_E_PARSE, "the size of a chunk is not a hex number");
    c->state = EXT;
    c->ext_bytes = 0;
    return 0;
}

/* What an extension says does not matter to us, but what it is made of might to somebody else. */
static int ext_byte(struct fn_chunked *c, unsigned char b)
{
    if (b == '\r') {
        c->state = SIZE_LF;
        return 0;
    }
    if (is_control(b))
        return refuse(c, FB_E_PARSE, "a control byte in a chunk extension");
    if (++c->ext_bytes > FN_CHUNKED_EXT_MAX_BYTES || ++c->ext_total > FN_CHUNKED_EXT_TOTAL_MAX_BYTES)
        return refuse(c, FB_E_LIMIT, "too many bytes in chunk extensions");
    return 0;
}

static int trailer_byte(struct fn_chunked *c, unsigned char b)
{
    if (c->state == TRAILER && b == '\r') {
        c->state = END_LF;
        return 0;
    }
    if (++c->trailer_bytes > FN_CHUNKED_TRAILER_MAX_BYTES)
        return refuse(c, FB_E_LIMIT, "too many bytes in the trailer");
    if (c->state == TRAILER_VALUE) {
        if (b == '\r')
            c->state = TRAILER_LF;
        else if (is_control(b))
            return refuse(c, FB_E_PARSE, "a control byte in the trailer");
        return 0;
    }
    char byte = (char)b;
    if (c->state == TRAILER_NAME && b == ':')
        c->state = TRAILER_VALUE;
    else if (fn_h1_is_token(fb_str_n(&byte, 1)))
        c->state = TRAILER_NAME;
    else
        return refuse(c, FB_E_PARSE, "the trailer holds something else than fields");
    return 0;
}

/* The bytes that are fixed: CR and LF. */
static int expect(struct fn_chunked *c, unsigned char b, unsigned char want, enum state next)
{
    if (b != want)
        return refuse(c, FB_E_PARSE,
                      want == '\r' ? "a chunk is longer than its size" : "a CR without LF in the coding");
    c->state = (int)next;
    return 0;
}

static int one_byte(struct fn_chunked *c, unsigned char b)
{
    switch ((enum state)c->state) {
    case SIZE_FIRST:
    case SIZE:
        return size_byte(c, b);
    case EXT:
        return ext_byte(c, b);
    case SIZE_LF:
        return expect(c, b, '\n', c->left == 0 ? TRAILER : DATA);
    case DATA_CR:
        return expect(c, b, '\r', DATA_LF);
    case DATA_LF:
        c->digits = 0;
        return expect(c, b, '\n', SIZE_FIRST);
    case TRAILER:
    case TRAILER_NAME:
    case TRAILER_VALUE:
        return trailer_byte(c, b);
    case TRAILER_LF:
        return expect(c, b, '\n', TRAILER);
    case END_LF:
        return expect(c, b, '\n', DONE);
    case DATA:
    case DONE:
    case REFUSED:
        break;
    }
    return FB_E_INTERNAL;
}

int fn_chunked_decode(struct fn_chunked *c, struct fb_str in, size_t *ret_used, struct fb_str *ret_data)
{
    *ret_used = 0;
    *ret_data = fb_str_n(in.p, 0);
    if (c->state == REFUSED)
        return FB_E_PARSE;
    size_t i = 0;
    while (i < in.n && c->state != DATA && c->state != DONE) {
        int rc = one_byte(c, (unsigned char)in.p[i++]);
        if (rc < 0)
            return rc;
    }
    if (c->state == DATA && i < in.n) {
        size_t n = in.n - i;
        if ((uint64_t)n > c->left)
            n = (size_t)c->left;
        *ret_data = fb_str_n(in.p + i, n);
        c->left -= n;
        i += n;
        if (c->left == 0)
            c->state = DATA_CR;
    }
    *ret_used = i;
    return c->state == DONE ? FN_CHUNKED_DONE : 0;
}

size_t fn_chunked_head(char out[FN_CHUNKED_HEAD_BYTES], uint64_t n)
{
    static const char digits[] = "0123456789abcdef";
    char reversed[16];
    size_t count = 0;
    do {
        reversed[count++] = digits[n & 15];
        n >>= 4;
    } while (n != 0);
    for (size_t i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    out[count] = '\r';
    out[count + 1] = '\n';
    return count + 2;
}
