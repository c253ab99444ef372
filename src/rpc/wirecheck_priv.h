/* Looks at a protobuf message before protobuf-c does: that library counts neither fields nor memory, and cuts texts at a
 * NUL. Layer: rpc (L2), private. */
#ifndef RPC_WIRECHECK_PRIV_H
#define RPC_WIRECHECK_PRIV_H

#include "base/str.h"

#include <protobuf-c/protobuf-c.h>

enum { RP_WIRE_DEPTH_MAX = 8, RP_WIRE_FIELDS_MAX = 4096 };

/* 0 when every field of @in is whole, every string field of @type (and of the messages inside) is UTF-8 without NUL, and
 * there are at most RP_WIRE_FIELDS_MAX fields in all; FB_E_PARSE or FB_E_LIMIT. */
int rp_wire_check(const ProtobufCMessageDescriptor *type, struct fb_str in);

#endif
