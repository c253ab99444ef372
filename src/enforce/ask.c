#include "enforce/ask.h"

#include "base/num.h"
#include "core/action.h"
#include "enforce/params.h"

static struct cedar_str view(struct fb_str s)
{
    return (struct cedar_str){ s.n == 0 ? "" : s.p, s.n };
}

static const struct cedar_value *text_value(struct cedar_scratch *s, struct fb_str text)
{
    return cedar_value_string_ref(s, text.n == 0 ? "" : text.p, text.n);
}

/* Bytes of a request that are written down as text in the time of one step. */
#define PARAMS_BYTES_PER_STEP 8

/* Writing down a long request is part of Stage 2's work: Cedar gets what is left. */
static bool charge_params(struct fe_scratch *s, const struct fe_envelope *env)
{
    uint64_t bytes = env->body.n;
    for (size_t i = 0; i < env->n_headers; i++)
        bytes += env->headers[i].name.n + env->headers[i].value.n;
    uint64_t cost = bytes / PARAMS_BYTES_PER_STEP;
    s->too_much = cost >= s->steps;
    if (!s->too_much)
        cedar_scratch_set_steps(s->cedar, s->steps - cost);
    return !s->too_much;
}

static const struct cedar_value *params_value(const struct fe_call *c)
{
    struct fe_scratch *s = c->scratch;
    if (!charge_params(s, c->env))
        return NULL;
    if (!fe_params_write(&s->params, &s->text, c->env))
        return NULL;
    return text_value(s->cedar, fb_buf_str(&s->params));
}

static const struct cedar_value *prior_value(const struct fe_call *c)
{
    const struct cedar_value *items[FE_SESSION_HISTORY];
    struct cedar_scratch *s = c->scratch->cedar;
    for (size_t i = 0; i < c->session.n_prior; i++) {
        const struct fc_action *a = fc_action_at(c->session.prior[i]);
        items[i] = text_value(s, fb_str_of(a == NULL ? "" : a->name));
    }
    return cedar_value_set(s, items, c->session.n_prior);
}

static int64_t session_seconds(const struct fe_call *c)
{
    int64_t since_ms = c->now_ms - c->cap->claims.issued_at_ns / 1000000;
    return since_ms > 0 ? since_ms / 1000 : 0;
}

static const struct cedar_value *field_value(const struct fe_call *c, enum fe_field f, uint64_t action_count)
{
    struct cedar_scratch *s = c->scratch->cedar;
    switch (f) {
    case FE_FIELD_SESSION_ID:
        return c->cap->session_id;
    case FE_FIELD_RAW_TRANSPORT:
        return c->env->is_https ? c->bundle->https : c->bundle->http;
    case FE_FIELD_TIMESTAMP_MS:
        return cedar_value_long(s, c->now_ms);
    case FE_FIELD_SESSION_DURATION_S:
        return cedar_value_long(s, session_seconds(c));
    case FE_FIELD_ACTION_COUNT:
        return cedar_value_long(s, (int64_t)action_count);
    case FE_FIELD_BUDGET_REMAINING:
        return cedar_value_long(s, c->cap->budget);
    case FE_FIELD_DENY_COUNT:
        return cedar_value_long(s, (int64_t)c->session.deny_count);
    case FE_FIELD_LAST_RESOURCE:
        return text_value(s, c->session.last_resource);
    case FE_FIELD_PRIOR_ACTION_CLASSES:
        return prior_value(c);
    case FE_FIELD_PARAMS:
        return params_value(c);
    case FE_FIELD_DAILY_CUMULATIVE_AMOUNT:
    case FE_FIELD_RISK_SCORE:
    case FE_FIELD_SAME_PAYEE_COUNT_30M:
    case FE_FIELD_SESSION_TRANSFER_COUNT:
    case FE_FIELD_TRANSFER_AMOUNT:
    case FE_FIELD_TRANSFERS_LAST_10M:
        return c->bundle->zero;
    case FE_FIELD_COUNT:
        break;
    }
    return NULL;
}

bool fe_ask_recount(const struct fe_call *c, struct fe_ask *ask, uint64_t action_count)
{
    struct cedar_field fields[FE_FIELD_COUNT];
    size_t n = 0;
    uint32_t needed = c->bundle->plans[c->action].needed;
    for (unsigned f = 0; f < FE_FIELD_COUNT && needed >> f != 0; f++) {
        if ((needed >> f & 1) == 0)
            continue;
        fields[n].key = cedar_str_c(fe_field_name((enum fe_field)f));
        fields[n].value = field_value(c, (enum fe_field)f, action_count);
        if (fields[n].value == NULL)
            return false;
        n++;
    }
    ask->request.context = n == 0 ? NULL : cedar_value_record(c->scratch->cedar, fields, n);
    return n == 0 || ask->request.context != NULL;
}

/* "[::1]:8080" into "::1" and 8080; no port written gives that of the scheme. */
static void split_host(const struct fe_envelope *env, struct fb_str *ret_name, uint64_t *ret_port)
{
    struct fb_str host = env->host;
    *ret_port = env->is_https ? 443 : 80;
    size_t colon = host.n;
    while (colon > 0 && host.p[colon - 1] != ':' && host.p[colon - 1] != ']')
        colon--;
    if (colon > 0 && host.p[colon - 1] == ':') {
        (void)fb_num_u64(fb_str_n(host.p + colon, host.n - colon), 1, 65535, ret_port);
        host.n = colon - 1;
    }
    if (host.n >= 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = fb_str_n(host.p + 1, host.n - 2);
    *ret_name = host;
}

static const struct cedar_value *attr_value(const struct fe_call *c, enum fe_attr a, struct fb_str name, uint64_t port)
{
    struct cedar_scratch *s = c->scratch->cedar;
    switch (a) {
    case FE_ATTR_HOST:
        return text_value(s, name);
    case FE_ATTR_ID:
        return text_value(s, c->v->resource);
    case FE_ATTR_METHOD:
        return text_value(s, fe_method_name(c->method));
    case FE_ATTR_PATH:
        return text_value(s, c->env->path);
    case FE_ATTR_PORT:
        return cedar_value_long(s, (int64_t)port);
    case FE_ATTR_PROVIDER:
        return text_value(s, c->v->provider);
    case FE_ATTR_SCHEME:
        return c->env->is_https ? c->bundle->https : c->bundle->http;
    case FE_ATTR_COUNT:
        break;
    }
    return NULL;
}

static const struct cedar_value *resource_attrs(const struct fe_call *c)
{
    struct cedar_field fields[FE_ATTR_COUNT];
    size_t n = 0;
    struct fb_str name;
    uint64_t port;
    split_host(c->env, &name, &port);
    for (unsigned a = 0; a < FE_ATTR_COUNT; a++) {
        if ((c->bundle->attrs >> a & 1) == 0 || (a == FE_ATTR_PROVIDER && c->v->provider.n == 0))
            continue;
        fields[n].key = cedar_str_c(fe_attr_name((enum fe_attr)a));
        fields[n++].value = attr_value(c, (enum fe_attr)a, name, port);
    }
    return cedar_value_record(c->scratch->cedar, fields, n);
}

static const struct cedar_value *principal_attrs(const struct fe_call *c)
{
    struct cedar_field id = { cedar_str_c("id"), c->cap->agent_id };
    return cedar_value_record(c->scratch->cedar, &id, 1);
}

static bool build_entities(const struct fe_call *c, struct fe_ask *ask)
{
    const struct fe_bundle *b = c->bundle;
    ask->entities = b->actions;
    if (!b->resource_attrs && !b->principal_attrs)
        return true;
    struct cedar_entities *ents = cedar_entities_in(c->scratch->cedar, b->schema, 2);
    if (ents == NULL)
        return false;
    ask->entities = ents;
    const struct cedar_value *attrs = b->resource_attrs ? resource_attrs(c) : NULL;
    if (b->resource_attrs && attrs == NULL)
        return false;
    if (cedar_entities_add(ents, ask->request.resource, attrs, NULL, NULL, 0, NULL) < 0)
        return false;
    attrs = b->principal_attrs ? principal_attrs(c) : NULL;
    if (b->principal_attrs && attrs == NULL)
        return false;
    return cedar_entities_add(ents, ask->request.principal, attrs, NULL, NULL, 0, NULL) == 0;
}

bool fe_ask_build(const struct fe_call *c, struct fe_ask *ret)
{
    ret->request.principal = c->cap->principal;
    ret->request.action = c->bundle->plans[c->action].action;
    ret->request.resource = cedar_value_entity(c->scratch->cedar, cedar_str_c("Firma::Resource"), view(c->v->resource));
    return ret->request.resource != NULL && build_entities(c, ret) && fe_ask_recount(c, ret, c->session.action_count);
}
