#include "base/err.h"
#include "base/utf8.h"
#include "rpc/wirecheck_priv.h"

#include <stdint.h>

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

static int take_varint(struct fb_str *in, uint64_t *ret)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->n == 0)
            return FB_E_PARSE;
        unsigned char c = (unsigned char)*in->p++;
        in->n--;
        v |= (uint64_t)(c & 0x7f) << shift;
        if ((c & 0x80) == 0) {
            *ret = v;
            return shift == 63 && c > 1 ? FB_E_PARSE : 0;
        }
    }
    return FB_E_PARSE;
}

static int take_bytes(struct fb_str *in, uint64_t n, struct fb_str *ret)
{
    if (n > in->n)
        return FB_E_PARSE;
    *ret = fb_str_n(in->p, (size_t)n);
    in->p += n;
    in->n -= (size_t)n;
    return 0;
}

/* Takes one field's value off *@in. */
static int take_value(struct fb_str *in, unsigned wire, struct fb_str *ret)
{
    uint64_t n = 0;

    *ret = fb_str_n(NULL, 0);
    switch (wire) {
    case WIRE_VARINT:
        return take_varint(in, &n);
    case WIRE_FIXED64:
        return take_bytes(in, 8, ret);
    case WIRE_FIXED32:
        return take_bytes(in, 4, ret);
    case WIRE_BYTES:
        return take_varint(in, &n) != 0 ? FB_E_PARSE : take_bytes(in, n, ret);
    default: /* groups are long gone */
        return FB_E_PARSE;
    }
}

/* One level of the walk: at most RP_WIRE_DEPTH_MAX of them, so recursion is bounded. */
static int check_level(const ProtobufCMessageDescriptor *type, struct fb_str in, int depth, unsigned *fields)
{
    if (depth > RP_WIRE_DEPTH_MAX)
        return FB_E_LIMIT;
    while (in.n > 0) {
        uint64_t tag = 0;
        struct fb_str value;

        if (++*fields > RP_WIRE_FIELDS_MAX)
            return FB_E_LIMIT;
        if (take_varint(&in, &tag) != 0 || tag >> 3 == 0 || tag >> 3 > 536870911 ||
            take_value(&in, (unsigned)(tag & 7), &value) != 0)
            return FB_E_PARSE;
        const ProtobufCFieldDescriptor *f = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (f == NULL || (tag & 7) != WIRE_BYTES)
            continue;
        if (f->type == PROTOBUF_C_TYPE_STRING &&
            (!fb_utf8_valid(value) || (value.n > 0 && memchr(value.p, '\0', value.n) != NULL)))
            return FB_E_PARSE;
        if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
            int rc = check_level(f->descriptor, value, depth + 1, fields);
            if (rc != 0)
                return rc;
        }
    }
    return 0;
}

int rp_wire_check(const ProtobufCMessageDescriptor *type, struct fb_str in)
{
    unsigned fields = 0;

    return check_level(type, in, 1, &fields);
}
