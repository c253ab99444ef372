/* Opening event, 200, ClientHello, dial, copy. Nothing is looked up or dialled before the name in the hello is known to be
 * the one that was decided. */
#include "sidecar/tunnel.h"

#include "base/log.h"
#include "net/sni.h"
#include "sidecar/record.h"
#include "sidecar/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

#define RELAY_FAILURE "CONNECT_RELAY_FAILURE"

static void on_up(void *arg, int ready);

/* --- ends --- */

static void end_failed(struct sc_conn *c, const char *class, const char *text)
{
    char detail[SC_DIAL_WHY_BYTES + 64];
    snprintf(detail, sizeof detail, "%s: %s", class, text);
    c->server->counters.aborted++;
    FB_LOG(FB_LOG_WARN, "CONNECT relay failed after policy allow", FB_KS("host", c->req.env.host),
           FB_KZ("failure_class", class), FB_KZ("detail", text));
    sc_record_tunnel_end(c, RELAY_FAILURE, detail);
    sc_conn_close(c, NULL);
}

static void end_well(struct sc_conn *c)
{
    if (c->tun.up_bytes > 0 && c->tun.down_bytes == 0)
        FB_LOG(FB_LOG_WARN, "CONNECT tunnel closed without upstream response bytes", FB_KS("host", c->req.env.host));
    c->call.dispatch_status = 200;
    c->call.response_bytes = c->tun.down_bytes;
    sc_record_tunnel_end(c, NULL, NULL);
    sc_conn_close(c, NULL);
}

void sc_tunnel_cut(struct sc_conn *c, const char *why)
{
    sc_record_tunnel_end(c, RELAY_FAILURE, why);
}

void sc_tunnel_timeout(struct sc_conn *c)
{
    if (c->tun.relaying)
        end_failed(c, "timeout", "the tunnel has lived as long as it may");
    else
        end_failed(c, "timeout", c->ex.dial != NULL ? "connect timed out" : "no ClientHello in time");
}

static const char *class_of(int os_errno)
{
    return os_errno == ECONNRESET || os_errno == EPIPE ? "reset" : os_errno == ECONNREFUSED ? "refused" : "other";
}

/* --- copying --- */

/* Sends buf[*off..] to @fd. 1: all gone; 0: the socket is full; negative errno. */
static int drain(int fd, struct fb_buf *buf, size_t *off, uint64_t *count)
{
    while (*off < buf->n) {
        ssize_t n = send(fd, buf->p + *off, buf->n - *off, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
        *off += (size_t)n;
        if (count != NULL)
            *count += (uint64_t)n;
    }
    *off = 0;
    fb_buf_reset(buf);
    return 1;
}

/* 1: something came; 0: nothing now; 2: end; negative errno. */
static int fill(int fd, struct fb_buf *buf)
{
    if (fb_buf_reserve(buf, SC_READ_BYTES) < 0)
        return -ENOMEM;
    ssize_t n = recv(fd, buf->p + buf->n, SC_READ_BYTES, 0);
    if (n > 0) {
        buf->n += (size_t)n;
        return 1;
    }
    if (n == 0)
        return 2;
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
}

int sc_tunnel_client_events(const struct sc_conn *c)
{
    const struct sc_tunnel *t = &c->tun;
    bool room = t->relaying ? c->in.n == 0 : !t->dialling && c->in.n < FN_SNI_INPUT_MAX_BYTES;
    return (t->opened && !c->in_eof && room ? FB_READABLE : 0) | (t->client_full ? FB_WRITABLE : 0);
}

static void watch(struct sc_conn *c)
{
    struct sc_tunnel *t = &c->tun;
    sc_conn_watch(c);
    if (c->ex.up != NULL)
        sc_up_want(c->ex.up, (!t->up_eof && c->ex.up->in.n == 0 ? FB_READABLE : 0) | (t->up_full ? FB_WRITABLE : 0));
}

/* Client to upstream. False when the tunnel ended. */
static bool pump_up(struct sc_conn *c)
{
    struct sc_tunnel *t = &c->tun;
    int r = drain(c->ex.up->fd, &c->in, &t->in_off, &t->up_bytes);
    if (r < 0) {
        end_failed(c, class_of(-r), "upstream write failed");
        return false;
    }
    t->up_full = r == 0;
    if (r == 1 && c->in_eof && !t->up_shut) {
        t->up_shut = true;
        (void)shutdown(c->ex.up->fd, SHUT_WR);
    }
    return true;
}

/* Upstream to client, our own 200 first. */
static bool pump_down(struct sc_conn *c)
{
    struct sc_tunnel *t = &c->tun;
    int r = drain(c->fd, &c->out, &c->out_off, NULL);
    if (r == 1 && c->ex.up != NULL)
        r = drain(c->fd, &c->ex.up->in, &t->up_off, &t->down_bytes);
    if (r < 0) {
        end_failed(c, class_of(-r), "client write failed");
        return false;
    }
    t->client_full = r == 0;
    if (r == 1 && t->up_eof && !t->client_shut) {
        t->client_shut = true;
        (void)shutdown(c->fd, SHUT_WR);
    }
    return true;
}

static void settle(struct sc_conn *c)
{
    struct sc_tunnel *t = &c->tun;
    if (t->up_shut && t->client_shut)
        end_well(c);
    else
        watch(c);
}

static void on_up(void *arg, int ready)
{
    struct sc_conn *c = arg;
    struct sc_tunnel *t = &c->tun;
    if (c->state != SC_CONN_TUNNEL || c->ex.up == NULL)
        return;
    if ((ready & FB_WRITABLE) != 0 && t->up_full && !pump_up(c))
        return;
    if ((ready & FB_READABLE) != 0 && !t->up_eof && c->ex.up->in.n == 0) {
        int r = fill(c->ex.up->fd, &c->ex.up->in);
        if (r < 0) {
            end_failed(c, class_of(-r), "upstream read failed");
            return;
        }
        t->up_eof = r == 2;
        if (!pump_down(c))
            return;
    }
    settle(c);
}

/* --- opening --- */

static const char *dial_class(enum sc_dial_result result, const char *why)
{
    switch (result) {
    case SC_DIAL_TIMEOUT:
        return "timeout";
    case SC_DIAL_DNS:
        return "dns";
    case SC_DIAL_CONNECT:
        return strcmp(why, strerror(ECONNREFUSED)) == 0 ? "refused" : strcmp(why, strerror(ECONNRESET)) == 0 ? "reset" : "other";
    case SC_DIAL_OK:
    case SC_DIAL_REFUSED_ADDRESS:
        break;
    }
    return "other";
}

static void on_dialled(void *arg, enum sc_dial_result result, struct sc_up *up, const char *why)
{
    struct sc_conn *c = arg;
    struct sc_tunnel *t = &c->tun;
    c->ex.dial = NULL;
    t->dialling = false;
    if (result != SC_DIAL_OK) {
        end_failed(c, dial_class(result, why), why);
        return;
    }
    c->ex.up = up;
    sc_up_own(up, on_up, c);
    t->relaying = true;
    c->deadline_ms = t->end_ms;
    if (pump_up(c) && pump_down(c))
        settle(c);
}

static void dial(struct sc_conn *c)
{
    struct sc_server *s = c->server;
    const struct fn_authority *to = &c->req.target.authority;
    c->tun.dialling = true;
    sc_conn_deadline(c, s->limits.tunnel_setup_ms + SC_SWEEP_MS);
    if (sc_dial_start(s->pool, s->resolver, &to->host, to->port,
                      sc_guard_exempt(&to->host, c->call.verdict.rule_names_host), s->limits.tunnel_setup_ms,
                      on_dialled, c, &c->ex.dial, NULL) < 0) {
        c->ex.dial = NULL;
        end_failed(c, "other", "no resources");
        return;
    }
    watch(c);
}

/* The first bytes: whom does the client mean to talk to? */
static void inspect(struct sc_conn *c)
{
    struct fn_sni sni;
    if (c->call.verdict.rule_opaque) {
        dial(c);
        return;
    }
    int r = c->in.n == 0 ? FN_SNI_MORE : fn_sni_parse((const uint8_t *)c->in.p, c->in.n, &sni, NULL);
    if (r == FN_SNI_MORE && !c->in_eof && c->in.n < FN_SNI_INPUT_MAX_BYTES)
        watch(c);
    else if (r == FN_SNI_MORE)
        end_failed(c, "tls_handshake", "the connection ended before a whole ClientHello");
    else if (r == FN_SNI_NOT_TLS)
        end_failed(c, "tls_handshake", "the client does not speak TLS");
    else if (r == FN_SNI_NONE)
        end_failed(c, "tls_handshake", "the ClientHello names no server");
    else if (r < 0)
        end_failed(c, "tls_handshake", "the ClientHello is malformed");
    else if (sni.has_ech)
        end_failed(c, "tls_handshake", "the ClientHello hides its server name");
    else if (!fn_url_host_eq(&sni.host, &c->req.target.authority.host))
        end_failed(c, "tls_handshake", "the server name differs from the CONNECT target");
    else
        dial(c);
}

void sc_tunnel_client_event(struct sc_conn *c, int ready)
{
    struct sc_tunnel *t = &c->tun;
    if ((ready & FB_WRITABLE) != 0 && t->client_full && !pump_down(c))
        return;
    if ((ready & FB_READABLE) != 0 && (sc_tunnel_client_events(c) & FB_READABLE) != 0) {
        int r = fill(c->fd, &c->in);
        if (r < 0) {
            end_failed(c, class_of(-r), "client read failed");
            return;
        }
        c->in_eof = r == 2;
        if (!t->relaying) {
            inspect(c);
            return;
        }
        if (!pump_up(c))
            return;
    }
    if (t->relaying)
        settle(c);
    else
        watch(c);
}

void sc_tunnel_start(struct sc_conn *c)
{
    c->state = SC_CONN_TUNNEL;
    memset(&c->tun, 0, sizeof c->tun);
    c->tun.end_ms = fb_loop_now_ms(c->server->loop) + c->server->limits.tunnel_life_ms;
    sc_conn_deadline(c, c->server->limits.tunnel_setup_ms);
    sc_record_commit(c, NULL, NULL);
    if (c->state == SC_CONN_TUNNEL)
        sc_conn_watch(c);
}

void sc_tunnel_recorded(struct sc_conn *c, int code)
{
    if (code < 0) {
        sc_record_tunnel_end(c, RELAY_FAILURE, "other: the opening event could not be written");
        sc_conn_close(c, NULL);
        return;
    }
    c->tun.opened = true;
    c->server->counters.tunnels++;
    FB_LOG(FB_LOG_INFO, "CONNECT authorized and handled by sidecar", FB_KS("host", c->req.env.host),
           FB_KZ("relay_mode", "tunnel"));
    if (fb_buf_adds(&c->out, FB_STR("HTTP/1.1 200 Connection established\r\n\r\n")) < 0) {
        end_failed(c, "other", "out of memory");
        return;
    }
    sc_conn_deadline(c, c->server->limits.tunnel_setup_ms);
    if (pump_down(c))
        inspect(c);
}
