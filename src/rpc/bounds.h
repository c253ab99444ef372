/* Every ceiling of the gRPC transport. Source: [the Firma specification, authority 18.5]; the values that it leaves open
 * are ours. Layer: rpc (L2). No functions. Each has a test at the limit and one past it. */
#ifndef RPC_BOUNDS_H
#define RPC_BOUNDS_H

enum {
    RP_MESSAGE_MAX_BYTES = 4 << 20,    /* one message, either direction (gRPC's default) */
    RP_ACTIONS_MAX = 1024,             /* requested actions of one call, also repeated fields in general */
    RP_DECODE_MAX_BYTES = 16 << 20,    /* memory that decoding one message may take */
    RP_URL_MAX_BYTES = 512,
    RP_CONNECTIONS_MAX = 64,           /* accepted at one time; more wait in the kernel's backlog */
    RP_STREAMS_MAX = 32,               /* open calls of one connection */
    RP_HEADERS_MAX_BYTES = 8 << 10,    /* names and values of one request's header block */
    RP_INBOUND_MAX_BYTES = 32 << 20,   /* request bytes held by the whole server */
    RP_CALL_QUEUE_MAX_BYTES = 9 << 20, /* reply bytes queued for one call: two full messages and their frames */
    RP_RESETS_MAX = 100,               /* streams that a peer may reset within RP_RESETS_WINDOW_MS */
    RP_RESETS_WINDOW_MS = 10000,
    RP_PREFACE_TIMEOUT_MS = 5000,      /* from accept to the client's SETTINGS */
    RP_REQUEST_TIMEOUT_MS = 10000,     /* from HEADERS to the whole request */
    RP_STALL_TIMEOUT_MS = 20000,       /* output pending and not a byte taken by the peer */
    RP_IDLE_TIMEOUT_MS = 300000,       /* a connection without any call */
    RP_KEEPALIVE_MS = 20000,           /* silence after which a PING is sent */
    RP_KEEPALIVE_ACK_MS = 10000,       /* and how long its answer may take */
    RP_RECONNECTS_PER_MINUTE = 12,     /* of a watch */
    RP_GRPC_MESSAGE_MAX_BYTES = 1024   /* status text sent or kept */
};

#endif
