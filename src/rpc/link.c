#include "rpc/link_priv.h"

#include "base/fd.h"
#include "rpc/bounds.h"

#include <errno.h>
#include <sys/socket.h>

enum { READ_CHUNK_BYTES = 32 << 10, READ_ROUNDS = 4 };

static int ended(struct rp_link *link, const char *why)
{
    if (link->why == NULL)
        link->why = why;
    return RP_LINK_ENDED;
}

static void want_write(struct rp_link *link, bool on)
{
    if (link->wants_write == on)
        return;
    link->wants_write = on;
    if (link->watch != NULL)
        (void)fb_watch_set(link->watch, on ? FB_READABLE | FB_WRITABLE : FB_READABLE);
}

int rp_link_flush(struct rp_link *link, int64_t now_ms)
{
    for (;;) {
        if (link->out_n == 0) {
            /* The pointer stays valid until the next call of this function, so nothing is copied. */
            ssize_t n = nghttp2_session_mem_send(link->session, &link->out);
            if (n < 0)
                return ended(link, "out of memory or internal error in HTTP/2");
            if (n == 0)
                break;
            link->out_n = (size_t)n;
        }
        ssize_t sent = send(link->fd, link->out, link->out_n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            want_write(link, true);
            return 0;
        }
        if (sent < 0)
            return ended(link, "connection lost while sending");
        link->out += sent;
        link->out_n -= (size_t)sent;
        link->progress_at_ms = now_ms;
    }
    link->progress_at_ms = now_ms;
    want_write(link, false);
    if (!nghttp2_session_want_read(link->session) && !nghttp2_session_want_write(link->session))
        return ended(link, "session closed");
    return 0;
}

int rp_link_read(struct rp_link *link, int64_t now_ms)
{
    uint8_t chunk[READ_CHUNK_BYTES];

    for (int i = 0; i < READ_ROUNDS; i++) {
        ssize_t n = recv(link->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            break;
        if (n < 0)
            return ended(link, "connection lost while reading");
        if (n == 0)
            return ended(link, "connection closed by the peer");
        link->read_at_ms = now_ms;
        ssize_t used = nghttp2_session_mem_recv(link->session, chunk, (size_t)n);
        if (used < 0) {
            (void)rp_link_flush(link, now_ms); /* the GOAWAY that says why, as far as the socket takes it */
            return ended(link, used == NGHTTP2_ERR_CALLBACK_FAILURE ? "stopped" : "HTTP/2 protocol error");
        }
        if ((size_t)n < sizeof(chunk))
            break;
    }
    return rp_link_flush(link, now_ms);
}

int rp_link_keepalive(struct rp_link *link, int64_t now_ms, int64_t silence_ms, int64_t ack_ms)
{
    if (link->ping_at_ms != 0)
        return now_ms - link->ping_at_ms > ack_ms ? ended(link, "keepalive time-out") : 0;
    if (now_ms - link->read_at_ms < silence_ms)
        return 0;
    link->ping_at_ms = now_ms;
    if (nghttp2_submit_ping(link->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        return ended(link, "out of memory");
    return 0;
}

void rp_link_pong(struct rp_link *link)
{
    link->ping_at_ms = 0;
}

void rp_link_done(struct rp_link *link)
{
    fb_watch_free(link->watch);
    link->watch = NULL;
    nghttp2_session_del(link->session);
    link->session = NULL;
    link->out = NULL;
    link->out_n = 0;
    fb_fd_close(&link->fd);
}
