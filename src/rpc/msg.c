#include "rpc/msg.h"

#include "base/err.h"
#include "rpc/wirecheck_priv.h"

#include <firma/v1/authority.pb-c.h>
#include <firma/v1/types.pb-c.h>
#include <grpc/health/v1/health.pb-c.h>

enum { NS_PER_S = 1000000000 };

/* ---- plumbing ---- */

static void *arena_alloc(void *arena, size_t n)
{
    return fb_arena_alloc(arena, n);
}

static void arena_free(void *arena, void *p)
{
    (void)arena; /* the arena goes as a whole */
    (void)p;
}

/* Checks, then unpacks into the arena. NULL with *@ret_rc set. */
static void *unpack(const ProtobufCMessageDescriptor *type, struct fb_arena *a, struct fb_str in, int *ret_rc)
{
    ProtobufCAllocator alloc = { arena_alloc, arena_free, a };

    *ret_rc = in.n > RP_MESSAGE_MAX_BYTES ? FB_E_LIMIT : rp_wire_check(type, in);
    if (*ret_rc != 0)
        return NULL;
    ProtobufCMessage *m = protobuf_c_message_unpack(type, &alloc, in.n, (const uint8_t *)(in.n == 0 ? "" : in.p));
    if (m == NULL)
        *ret_rc = FB_E_PARSE;
    return m;
}

static int pack(struct fb_buf *out, const ProtobufCMessage *m)
{
    size_t n = protobuf_c_message_get_packed_size(m);
    int rc = n > RP_MESSAGE_MAX_BYTES ? FB_E_LIMIT : fb_buf_reserve(out, n);

    if (rc != 0)
        return rc;
    /* An empty message packs to nothing, and the buffer may then still be without memory. */
    if (n > 0)
        out->n += protobuf_c_message_pack(m, (uint8_t *)out->p + out->n);
    return 0;
}

/* protobuf-c's fields are char * even where it only reads. Every text passed here ends with a NUL in the arena. */
static char *text_in(struct fb_arena *a, struct fb_str s, int *rc)
{
    struct fb_str copy = fb_arena_str(a, s.p == NULL ? FB_STR("") : s);

    if (copy.p == NULL)
        *rc = FB_E_NOMEM;
    return (char *)(uintptr_t)copy.p;
}

static char **texts_in(struct fb_arena *a, const struct fb_str *items, size_t n, int *rc)
{
    char **list = fb_arena_calloc(a, n + 1, sizeof(*list));

    if (list == NULL)
        *rc = FB_E_NOMEM;
    for (size_t i = 0; list != NULL && i < n; i++)
        list[i] = text_in(a, items[i], rc);
    return list;
}

static struct fb_str *texts_out(struct fb_arena *a, char *const *items, size_t n)
{
    struct fb_str *list = fb_arena_calloc(a, n + 1, sizeof(*list));

    for (size_t i = 0; list != NULL && i < n; i++)
        list[i] = fb_str_of(items[i]);
    return list;
}

static void time_in(Google__Protobuf__Timestamp *t, int64_t ns)
{
    google__protobuf__timestamp__init(t);
    t->seconds = ns / NS_PER_S;
    t->nanos = (int32_t)(ns % NS_PER_S);
    if (t->nanos < 0) {
        t->nanos += NS_PER_S;
        t->seconds--;
    }
}

static struct rp_time time_out(const Google__Protobuf__Timestamp *t)
{
    struct rp_time r = { t != NULL, false, 0 };

    if (t == NULL || t->nanos < 0 || t->nanos >= NS_PER_S)
        return r;
    r.representable = !__builtin_mul_overflow(t->seconds, (int64_t)NS_PER_S, &r.ns) &&
                      !__builtin_add_overflow(r.ns, (int64_t)t->nanos, &r.ns);
    return r;
}

/* ---- IssueCapability ---- */

int rp_msg_put_issue_request(struct fb_buf *out, const struct rp_issue_request *m)
{
    struct fb_arena a;
    int rc = 0;
    Firma__V1__IssueCapabilityRequest pb = FIRMA__V1__ISSUE_CAPABILITY_REQUEST__INIT;

    if (m->n_actions > RP_ACTIONS_MAX)
        return FB_E_LIMIT;
    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    pb.agent_id = text_in(&a, m->agent_id, &rc);
    pb.session_id = text_in(&a, m->session_id, &rc);
    pb.resource_scope = text_in(&a, m->resource_scope, &rc);
    pb.n_requested_actions = m->n_actions;
    pb.requested_actions = texts_in(&a, m->actions, m->n_actions, &rc);
    pb.requested_ttl_seconds = m->ttl_s;
    if (rc == 0)
        rc = pack(out, &pb.base);
    fb_arena_done(&a);
    return rc;
}

int rp_msg_get_issue_request(struct fb_arena *a, struct fb_str in, struct rp_issue_request *m)
{
    int rc = 0;
    const Firma__V1__IssueCapabilityRequest *pb = unpack(&firma__v1__issue_capability_request__descriptor, a, in, &rc);

    *m = (struct rp_issue_request){ 0 };
    if (pb == NULL)
        return rc;
    if (pb->n_requested_actions > RP_ACTIONS_MAX)
        return FB_E_LIMIT;
    m->agent_id = fb_str_of(pb->agent_id);
    m->session_id = fb_str_of(pb->session_id);
    m->resource_scope = fb_str_of(pb->resource_scope);
    m->n_actions = pb->n_requested_actions;
    m->actions = texts_out(a, pb->requested_actions, pb->n_requested_actions);
    m->ttl_s = pb->requested_ttl_seconds;
    return m->actions == NULL ? FB_E_NOMEM : 0;
}

static void token_in(struct fb_arena *a, const struct rp_issue_reply *m, Firma__V1__CapabilityToken *t,
                     Google__Protobuf__Timestamp times[2], int *rc)
{
    firma__v1__capability_token__init(t);
    t->token_id = text_in(a, m->token_id, rc);
    t->agent_id = text_in(a, m->agent_id, rc);
    t->session_id = text_in(a, m->session_id, rc);
    t->n_action_set = m->n_actions;
    t->action_set = texts_in(a, m->actions, m->n_actions, rc);
    t->resource_scope = text_in(a, m->resource_scope, rc);
    t->context_hash = text_in(a, m->context_hash, rc);
    time_in(&times[0], m->issued_at_ns);
    time_in(&times[1], m->expiry_ns);
    t->issued_at = &times[0];
    t->expiry = &times[1];
    /* Borrowed, not copied: the token is a secret and the arena does not wipe. */
    t->signature.data = (uint8_t *)(uintptr_t)m->raw_token.p;
    t->signature.len = m->raw_token.n;
    t->format = FIRMA__V1__TOKEN_FORMAT__TOKEN_FORMAT_PASETO_V4;
}

int rp_msg_put_issue_reply(struct fb_buf *out, const struct rp_issue_reply *m)
{
    struct fb_arena a;
    int rc = 0;
    Firma__V1__IssueCapabilityResponse pb = FIRMA__V1__ISSUE_CAPABILITY_RESPONSE__INIT;
    Firma__V1__CapabilityToken token;
    Google__Protobuf__Timestamp times[2];

    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    pb.granted = m->granted;
    if (m->granted) {
        token_in(&a, m, &token, times, &rc);
        pb.token = &token;
    } else {
        pb.deny_reason = text_in(&a, m->deny_reason, &rc);
        pb.deny_message = text_in(&a, m->deny_message, &rc);
    }
    if (rc == 0)
        rc = pack(out, &pb.base);
    fb_arena_done(&a);
    return rc;
}

/* Copies the token out of protobuf-c's bytes (which have no NUL) and wipes the original. */
static int token_out(struct fb_arena *a, const Firma__V1__CapabilityToken *t, struct rp_issue_reply *m)
{
    struct rp_time issued = time_out(t->issued_at);
    struct rp_time expiry = time_out(t->expiry);

    if (t->format != FIRMA__V1__TOKEN_FORMAT__TOKEN_FORMAT_PASETO_V4 || t->signature.len == 0 ||
        !issued.representable || !expiry.representable || t->n_action_set > RP_ACTIONS_MAX)
        return FB_E_PARSE;
    m->raw_token = fb_arena_str(a, fb_str_n((const char *)t->signature.data, t->signature.len));
    explicit_bzero(t->signature.data, t->signature.len);
    m->token_id = fb_str_of(t->token_id);
    m->agent_id = fb_str_of(t->agent_id);
    m->session_id = fb_str_of(t->session_id);
    m->actions = texts_out(a, t->action_set, t->n_action_set);
    m->n_actions = t->n_action_set;
    m->resource_scope = fb_str_of(t->resource_scope);
    m->context_hash = fb_str_of(t->context_hash);
    m->issued_at_ns = issued.ns;
    m->expiry_ns = expiry.ns;
    return m->raw_token.p == NULL || m->actions == NULL ? FB_E_NOMEM : 0;
}

int rp_msg_get_issue_reply(struct fb_arena *a, struct fb_str in, struct rp_issue_reply *m)
{
    int rc = 0;
    const Firma__V1__IssueCapabilityResponse *pb =
        unpack(&firma__v1__issue_capability_response__descriptor, a, in, &rc);

    *m = (struct rp_issue_reply){ 0 };
    if (pb == NULL)
        return rc;
    if (!pb->granted) {
        m->deny_reason = fb_str_of(pb->deny_reason);
        m->deny_message = fb_str_of(pb->deny_message);
        return 0;
    }
    if (pb->token == NULL)
        return FB_E_PARSE;
    rc = token_out(a, pb->token, m);
    m->granted = rc == 0;
    return rc;
}

/* ---- WatchPolicyBundle ---- */

int rp_msg_put_watch_bundle(struct fb_buf *out, struct fb_str current_version)
{
    struct fb_arena a;
    int rc = 0;
    Firma__V1__WatchPolicyBundleRequest pb = FIRMA__V1__WATCH_POLICY_BUNDLE_REQUEST__INIT;

    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    pb.current_version = text_in(&a, current_version, &rc);
    if (rc == 0)
        rc = pack(out, &pb.base);
    fb_arena_done(&a);
    return rc;
}

int rp_msg_get_watch_bundle(struct fb_arena *a, struct fb_str in, struct fb_str *ret_current_version)
{
    int rc = 0;
    const Firma__V1__WatchPolicyBundleRequest *pb =
        unpack(&firma__v1__watch_policy_bundle_request__descriptor, a, in, &rc);

    if (pb != NULL)
        *ret_current_version = fb_str_of(pb->current_version);
    return rc;
}

static ProtobufCBinaryData bytes_in(struct fb_str s)
{
    return (ProtobufCBinaryData){ s.n, (uint8_t *)(uintptr_t)s.p };
}

static struct fb_str bytes_out(ProtobufCBinaryData b)
{
    return fb_str_n(b.len == 0 ? "" : (const char *)b.data, b.len);
}

int rp_msg_put_bundle(struct fb_buf *out, const struct rp_bundle *m)
{
    struct fb_arena a;
    int rc = 0;
    Firma__V1__PolicyBundleUpdate pb = FIRMA__V1__POLICY_BUNDLE_UPDATE__INIT;
    Firma__V1__PolicyBundle bundle = FIRMA__V1__POLICY_BUNDLE__INIT;
    Google__Protobuf__Timestamp at;

    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    bundle.version = text_in(&a, m->version, &rc);
    bundle.policies = bytes_in(m->policies);
    bundle.entity_schema = bytes_in(m->schema);
    bundle.ttl_seconds = m->ttl_s;
    time_in(&at, m->updated_at_ns);
    pb.bundle = &bundle;
    pb.updated_at = &at;
    if (rc == 0)
        rc = pack(out, &pb.base);
    fb_arena_done(&a);
    return rc;
}

int rp_msg_get_bundle(struct fb_arena *a, struct fb_str in, struct rp_bundle *m)
{
    int rc = 0;
    const Firma__V1__PolicyBundleUpdate *pb = unpack(&firma__v1__policy_bundle_update__descriptor, a, in, &rc);

    *m = (struct rp_bundle){ 0 };
    if (pb == NULL)
        return rc;
    if (pb->bundle == NULL || pb->bundle->version[0] == '\0')
        return FB_E_PARSE;
    struct rp_time at = time_out(pb->updated_at);
    m->version = fb_str_of(pb->bundle->version);
    m->policies = bytes_out(pb->bundle->policies);
    m->schema = bytes_out(pb->bundle->entity_schema);
    m->ttl_s = pb->bundle->ttl_seconds;
    m->updated_at_ns = at.representable ? at.ns : 0;
    return 0;
}

/* ---- WatchRevocations ---- */

int rp_msg_put_watch_revocations(struct fb_buf *out, const struct rp_time *since)
{
    Firma__V1__WatchRevocationsRequest pb = FIRMA__V1__WATCH_REVOCATIONS_REQUEST__INIT;
    Google__Protobuf__Timestamp at;

    if (since != NULL && since->present) {
        time_in(&at, since->ns);
        pb.since = &at;
    }
    return pack(out, &pb.base);
}

int rp_msg_get_watch_revocations(struct fb_arena *a, struct fb_str in, struct rp_time *ret_since)
{
    int rc = 0;
    const Firma__V1__WatchRevocationsRequest *pb =
        unpack(&firma__v1__watch_revocations_request__descriptor, a, in, &rc);

    if (pb != NULL)
        *ret_since = time_out(pb->since);
    return rc;
}

int rp_msg_put_revocation(struct fb_buf *out, struct fb_str token_id, struct fb_str reason, int64_t timestamp_ns)
{
    struct fb_arena a;
    int rc = 0;
    Firma__V1__RevocationEvent pb = FIRMA__V1__REVOCATION_EVENT__INIT;
    Google__Protobuf__Timestamp at;

    fb_arena_init(&a, RP_DECODE_MAX_BYTES);
    pb.token_id = text_in(&a, token_id, &rc);
    pb.reason = text_in(&a, reason, &rc);
    time_in(&at, timestamp_ns);
    pb.timestamp = &at;
    if (rc == 0)
        rc = pack(out, &pb.base);
    fb_arena_done(&a);
    return rc;
}

int rp_msg_get_revocation(struct fb_arena *a, struct fb_str in, struct fb_str *ret_token_id, struct fb_str *ret_reason,
                          int64_t *ret_timestamp_ns)
{
    int rc = 0;
    const Firma__V1__RevocationEvent *pb = unpack(&firma__v1__revocation_event__descriptor, a, in, &rc);

    if (pb == NULL)
        return rc;
    if (pb->token_id[0] == '\0')
        return FB_E_PARSE;
    struct rp_time at = time_out(pb->timestamp);
    *ret_token_id = fb_str_of(pb->token_id);
    *ret_reason = fb_str_of(pb->reason);
    *ret_timestamp_ns = at.representable ? at.ns : 0;
    return 0;
}

/* ---- health ---- */

int rp_msg_get_health(struct fb_arena *a, struct fb_str in, struct fb_str *ret_service)
{
    int rc = 0;
    const Grpc__Health__V1__HealthCheckRequest *pb =
        unpack(&grpc__health__v1__health_check_request__descriptor, a, in, &rc);

    if (pb != NULL)
        *ret_service = fb_str_of(pb->service);
    return rc;
}

int rp_msg_put_health_serving(struct fb_buf *out)
{
    Grpc__Health__V1__HealthCheckResponse pb = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    pb.status = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING;
    return pack(out, &pb.base);
}
