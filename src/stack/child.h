/* The control socket between a launcher and a child that it forked (Authority, Sidecar).
 * SOCK_SEQPACKET; one message = one type byte, then NUL-terminated key and value texts in turn; descriptors ride along.
 * The child says READY or FAILED exactly once; the end of the socket means the other side is gone, and a child whose
 * launcher is gone ends. Source: [the Firma design, section 2]. Layer: stack (L2). Thread: one owner a socket. */
#ifndef STACK_CHILD_H
#define STACK_CHILD_H

#include "base/err.h"
#include "base/fd.h"
#include "base/str.h"

enum {
    ST_CHILD_MSG_MAX_BYTES = 256 << 10,
    ST_CHILD_PAIRS_MAX = 32,
};

enum st_msg_type {
    ST_MSG_NONE = 0,
    /* launcher to child */
    ST_MSG_START = 'S',    /* Authority: config, log. Sidecar: config, log, sandbox_id, session_id, agent_id, socket_path */
    ST_MSG_LISTENER = 'L', /* Sidecar: one listening TCP socket made inside the sandbox, to be accepted from directly */
    ST_MSG_RELOAD = 'C',   /* Sidecar: the seed file has changed; sent when START said seed_changes = "told" */
    ST_MSG_STOP = 'X',     /* drain and end */
    /* child to launcher */
    ST_MSG_READY = 'R',    /* Authority: addr, public_key (path). Sidecar: addr, policy_version (8 hex), authority_url */
    ST_MSG_FAILED = 'F',   /* name (contract error name), text, remedy */
    ST_MSG_ROUTES = 'D',   /* Sidecar: routes = names and *.suffixes one a line, at start (before READY) and on change */
    ST_MSG_LISTENING = 'A' /* Sidecar: the passed listener is being accepted from */
};

struct st_pair {
    struct fb_str key;
    struct fb_str value;
};

struct st_msg {
    enum st_msg_type type;
    struct st_pair pairs[ST_CHILD_PAIRS_MAX]; /* point into @bytes */
    size_t n_pairs;
    int fds[FB_FD_PASS_MAX]; /* owned by the message until taken (set to -1) */
    size_t n_fds;
    char *bytes;
};

/* Makes the pair of sockets, both close-on-exec. */
int st_child_pair(int ret_fds[2], struct fb_err *err);
/* Sends; keys and values must hold no NUL. FB_E_LIMIT past the maximum, FB_E_UNAVAILABLE when the peer is gone. */
int st_child_send(int sock, enum st_msg_type type, const struct st_pair *pairs, size_t n_pairs, const int *fds,
                  size_t n_fds, struct fb_err *err);
/* Receives one message, blocking unless the socket is non-blocking. Returns 1 when the peer has closed, 2 when nothing
 * is there yet (non-blocking), 0 with a message that the caller must give to st_msg_done. FB_E_PARSE on a malformed one. */
int st_child_recv(int sock, struct st_msg *ret, struct fb_err *err);
/* Frees the message and closes descriptors not taken. Takes an empty struct. */
void st_msg_done(struct st_msg *m);
/* Value of @key; .p is NULL when absent. */
struct fb_str st_msg_get(const struct st_msg *m, const char *key);
/* Tells the launcher why the child gives up. */
void st_child_fail(int sock, const struct fb_err *err);
/* Turns a FAILED message into *@err: the text, and the code of the name if it is in the table, else @fallback_code. */
void st_msg_to_err(const struct st_msg *m, int fallback_code, struct fb_err *err);

#endif
