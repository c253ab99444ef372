/* The two ways to ask an Authority: one blocking call for a capability, one standing watch for policy and revocations.
 * Source: [the Firma specification, authority 11; sidecar 10.1]; docs/reference/wire.md. Layer: rpc (L2).
 * URLs are "http://host:port"; host is an address ("[::1]" in brackets) or a name. TLS is not spoken yet: "https://" is
 * refused by name. Whether a plaintext address may be remote is the caller's decision (rp_url_is_loopback). */
#ifndef RPC_CLIENT_H
#define RPC_CLIENT_H

#include "base/err.h"
#include "base/loop.h"
#include "base/str.h"
#include "rpc/bounds.h"

#include <stdbool.h>
#include <stdint.h>

/* True when @url names localhost, 127.0.0.0/8 or ::1; false for anything else, malformed text included. */
bool rp_url_is_loopback(const char *url);
/* 0 when @url has the form above; FB_E_CONFIG_VALIDATION with what is wrong. */
int rp_url_check(const char *url, struct fb_err *err);

/* ---- IssueCapability: blocking, no loop needed. Thread: any ------------------------------------------------------- */

struct rp_issue_request {
    struct fb_str agent_id;
    struct fb_str session_id;
    const struct fb_str *actions; /* at most RP_ACTIONS_MAX */
    size_t n_actions;
    struct fb_str resource_scope;
    int32_t ttl_s; /* <= 0: the Authority's maximum */
};

struct rp_issue_reply {
    bool granted;
    /* granted: the token and what the Authority says is in it (verify the token, it decides) */
    struct fb_str raw_token; /* "v4.public...." */
    struct fb_str token_id;
    struct fb_str agent_id;
    struct fb_str session_id;
    struct fb_str *actions;
    size_t n_actions;
    struct fb_str resource_scope;
    struct fb_str context_hash;
    int64_t issued_at_ns; /* since 1970 UTC */
    int64_t expiry_ns;
    /* not granted */
    struct fb_str deny_reason; /* "POLICY_DENIED", ... */
    struct fb_str deny_message;
    struct fb_arena *memory; /* owns every text above, each with a NUL after it */
};

/* Connects, calls, waits at most @timeout_ms for the whole of it. 0: *@ret is filled, granted or not; the caller gives
 * it to rp_issue_reply_done. FB_E_AUTHORITY_UNREACHABLE (no connection), FB_E_TIMEOUT, FB_E_CAPABILITY (the Authority
 * refused the request itself, with its text), FB_E_UNAVAILABLE (connection lost, broken reply), FB_E_CONFIG_VALIDATION
 * (url), FB_E_LIMIT (request too large). On failure *@ret is empty. */
int rp_issue_capability(const char *url, const struct rp_issue_request *request, int64_t timeout_ms,
                        struct rp_issue_reply *ret, struct fb_err *err) FB_MUST_USE;
/* Wipes and frees. Takes an empty struct. */
void rp_issue_reply_done(struct rp_issue_reply *reply);

/* ---- the watch: both streams over one connection. Thread: the loop's --------------------------------------------- */

/* Borrowed for the callback. */
struct rp_bundle {
    struct fb_str version;
    struct fb_str policies; /* Cedar text, not yet looked at */
    struct fb_str schema;
    uint32_t ttl_s;
    int64_t updated_at_ns;
};

enum rp_stream { RP_STREAM_BUNDLE, RP_STREAM_REVOCATIONS };

struct rp_watch_ops {
    /* A whole, well-formed update; may repeat the version in force (a refresh). */
    void (*on_bundle)(void *arg, const struct rp_bundle *bundle);
    void (*on_revocation)(void *arg, struct fb_str token_id, struct fb_str reason, int64_t timestamp_ns);
    /* @open: the Authority has accepted the stream. Lost streams are opened again by themselves; @why says what ended
     * it (empty when @open). Both streams are reported, each open exactly once before it is lost. */
    void (*on_state)(void *arg, enum rp_stream stream, bool open, const char *why);
};

struct rp_watch_opts {
    int64_t connect_timeout_ms;  /* 0: 10000 */
    int64_t backoff_min_ms;      /* 0: 250 */
    int64_t backoff_max_ms;      /* 0: 30000 */
    int64_t keepalive_ms;        /* 0: 20000; PING after so much silence, the connection is lost 10 s later */
};

struct rp_watch;

/* Starts at once and never gives up: waits between attempts grow from backoff_min to backoff_max with jitter, at most
 * RP_RECONNECTS_PER_MINUTE attempts a minute. Every (re)connect states no version and no since, so the current bundle and
 * all live revocations come again. A message that is malformed, compressed or past RP_MESSAGE_MAX_BYTES is dropped and the
 * connection opened anew; nothing reaches the callbacks from it. @ops and @opts are copied. Callbacks may call
 * rp_watch_free. FB_E_CONFIG_VALIDATION (url), FB_E_NOMEM. */
int rp_watch_new(struct fb_loop *loop, const char *url, const struct rp_watch_opts *opts,
                 const struct rp_watch_ops *ops, void *arg, struct rp_watch **ret, struct fb_err *err) FB_MUST_USE;
/* No callback comes after this. Takes NULL. */
void rp_watch_free(struct rp_watch *watch);

#endif
