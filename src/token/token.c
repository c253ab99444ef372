/* Claims to token text and back. */
#include "token/token.h"

#include "base/clock.h"
#include "base/jsonw.h"

#include <paseto/paseto.h>

#include <jansson.h>
#include <stdlib.h>

const char *tk_token_fault_name(enum tk_fault fault)
{
    switch (fault) {
    case TK_FAULT_NONE:
        return "None";
    case TK_FAULT_PARSE:
        return "ParseFailure";
    case TK_FAULT_SIGNATURE:
        return "SignatureInvalid";
    case TK_FAULT_MALFORMED:
        return "Malformed";
    case TK_FAULT_EXPIRED:
        return "Expired";
    case TK_FAULT_SEED_READ:
        return "SeedRead";
    case TK_FAULT_SEED_FORMAT:
        return "SeedFormat";
    case TK_FAULT_SEED_MISMATCH:
        return "SeedMismatch";
    case TK_FAULT_INTERNAL:
        break;
    }
    return "Internal";
}

/* The library of the protocol's other implementation writes `nbf` with a Z, and the rest with an offset. */
static void format_not_before(char out[FB_CLOCK_TEXT_BYTES], int64_t now_ns)
{
    int64_t fraction = now_ns % 1000000000;
    int digits = 0;
    if (fraction != 0)
        digits = fraction % 1000000 == 0 ? 3 : (fraction % 1000 == 0 ? 6 : 9);
    fb_clock_format(out, now_ns, digits, true);
}

static void write_payload(struct fb_buf *out, const struct tk_claims *c, int64_t now_ns)
{
    struct fb_jsonw w;
    char time[FB_CLOCK_TEXT_BYTES];
    fb_jsonw_init(&w, out, 0);
    fb_jsonw_object(&w);
    fb_jsonw_key(&w, "iat");
    fb_clock_format_min(time, c->issued_at_ns);
    fb_jsonw_strz(&w, time);
    fb_jsonw_key(&w, "nbf");
    format_not_before(time, now_ns);
    fb_jsonw_strz(&w, time);
    fb_jsonw_key(&w, "exp");
    fb_clock_format_min(time, c->expiry_ns);
    fb_jsonw_strz(&w, time);
    fb_jsonw_key(&w, "token_id");
    fb_jsonw_str(&w, c->token_id);
    fb_jsonw_key(&w, "agent_id");
    fb_jsonw_str(&w, c->agent_id);
    fb_jsonw_key(&w, "session_id");
    fb_jsonw_str(&w, c->session_id);
    fb_jsonw_key(&w, "action_set");
    fb_jsonw_array(&w);
    for (size_t i = 0; i < c->n_actions; i++)
        fb_jsonw_str(&w, c->action_set[i]);
    fb_jsonw_array_end(&w);
    fb_jsonw_key(&w, "resource_scope");
    fb_jsonw_str(&w, c->resource_scope);
    fb_jsonw_key(&w, "context_hash");
    fb_jsonw_str(&w, c->context_hash);
    if (c->has_budget_ceiling) {
        fb_jsonw_key(&w, "budget_ceiling");
        fb_jsonw_f64(&w, c->budget_ceiling);
    }
    fb_jsonw_object_end(&w);
}

int tk_token_issue(const struct tk_secret_key *key, const struct tk_claims *claims, int64_t now_ns, struct fb_buf *out,
                   struct fb_err *err)
{
    const struct paseto_bytes none = { NULL, 0 };
    struct fb_buf payload;
    int rc = tk_claims_check(claims, err);
    if (rc < 0)
        return rc;
    fb_buf_init(&payload, TK_TOKEN_MAX_BYTES);
    write_payload(&payload, claims, now_ns);
    size_t need = paseto_token_bytes(payload.n, 0);
    if (fb_buf_failed(&payload) || need > TK_TOKEN_MAX_BYTES)
        rc = fb_err_set(err, FB_E_LIMIT, "the token would be longer than %d bytes", TK_TOKEN_MAX_BYTES);
    else if (fb_buf_reserve(out, need + 1) < 0)
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    if (rc == 0) {
        size_t n;
        int code = paseto_v4_public_sign(key->bytes, (struct paseto_bytes){ payload.p, payload.n }, none, none,
                                         out->p + out->n, need + 1, &n);
        if (code == PASETO_OK)
            out->n += n;
        else
            rc = fb_err_set(err, FB_E_INTERNAL, "signing failed: %s", paseto_code_text(code));
    }
    fb_buf_done(&payload);
    return rc;
}

/* A required text claim; NULL text means absent or of another type. */
static struct fb_str text_claim(const json_t *payload, const char *name, const char **ret_bad)
{
    const json_t *v = json_object_get(payload, name);
    if (!json_is_string(v)) {
        *ret_bad = name;
        return fb_str_n("", 0);
    }
    return fb_str_n(json_string_value(v), json_string_length(v));
}

static int bad_claim(struct fb_err *err, const char *name)
{
    return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: claim '%s' is missing or of the wrong kind", name);
}

static int read_actions(const json_t *payload, struct tk_claims *c, struct fb_err *err)
{
    const json_t *list = json_object_get(payload, "action_set");
    const json_t *item;
    size_t i;
    if (!json_is_array(list))
        return bad_claim(err, "action_set");
    c->n_actions = json_array_size(list);
    if (c->n_actions > TK_ACTIONS_MAX)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: action_set has more than %d entries", TK_ACTIONS_MAX);
    if (c->n_actions == 0)
        return 0;
    c->action_set = calloc(c->n_actions, sizeof *c->action_set);
    if (c->action_set == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    json_array_foreach(list, i, item)
    {
        if (!json_is_string(item))
            return bad_claim(err, "action_set");
        c->action_set[i] = fb_str_n(json_string_value(item), json_string_length(item));
    }
    return 0;
}

/* Borrowed claims out of the parsed payload; the caller frees c->action_set in every case. */
static int read_claims(const json_t *payload, struct tk_claims *c, struct fb_err *err)
{
    const char *bad = NULL;
    if (!json_is_object(payload))
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: the payload is not a JSON object");
    struct fb_str issued = text_claim(payload, "iat", &bad);
    struct fb_str expiry = text_claim(payload, "exp", &bad);
    c->token_id = text_claim(payload, "token_id", &bad);
    c->agent_id = text_claim(payload, "agent_id", &bad);
    c->session_id = text_claim(payload, "session_id", &bad);
    c->resource_scope = text_claim(payload, "resource_scope", &bad);
    c->context_hash = text_claim(payload, "context_hash", &bad);
    if (bad != NULL)
        return bad_claim(err, bad);
    if (fb_clock_parse(issued, &c->issued_at_ns, NULL) < 0)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: claim 'iat' is not an RFC 3339 time");
    if (fb_clock_parse(expiry, &c->expiry_ns, NULL) < 0)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: claim 'exp' is not an RFC 3339 time");
    const json_t *ceiling = json_object_get(payload, "budget_ceiling");
    if (ceiling != NULL && !json_is_null(ceiling)) {
        if (!json_is_number(ceiling))
            return bad_claim(err, "budget_ceiling");
        c->has_budget_ceiling = true;
        c->budget_ceiling = json_number_value(ceiling);
    }
    int rc = read_actions(payload, c, err);
    if (rc < 0)
        return rc;
    struct fb_err why = { 0 };
    if (tk_claims_check(c, &why) < 0)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: %s", why.msg);
    return 0;
}

static int parse_claims(const uint8_t *bytes, size_t n, struct tk_claims *ret, struct fb_err *err)
{
    json_error_t why;
    struct tk_claims borrowed = { 0 };
    /* A repeated key could be read two ways, so it is refused. */
    json_t *payload = json_loadb((const char *)bytes, n, JSON_REJECT_DUPLICATES, &why);
    if (payload == NULL)
        return fb_err_set(err, FB_E_TOKEN_INVALID, "Malformed: the payload is not JSON");
    int rc = read_claims(payload, &borrowed, err);
    if (rc == 0)
        rc = tk_claims_copy(ret, &borrowed, err);
    free(borrowed.action_set);
    json_decref(payload);
    return rc;
}

static int refuse(enum tk_fault *ret_fault, enum tk_fault fault, int code)
{
    if (ret_fault != NULL)
        *ret_fault = fault;
    return code;
}

int tk_token_verify_any_time(const struct tk_public_key *key, struct fb_str text, struct tk_claims *ret,
                             enum tk_fault *ret_fault, struct fb_err *err)
{
    const struct paseto_bytes none = { NULL, 0 };
    *ret = (struct tk_claims){ 0 };
    if (text.n > TK_TOKEN_MAX_BYTES)
        return refuse(ret_fault, TK_FAULT_PARSE,
                      fb_err_set(err, FB_E_TOKEN_INVALID, "ParseFailure: longer than %d bytes", TK_TOKEN_MAX_BYTES));
    uint8_t *payload = malloc(text.n + 1);
    if (payload == NULL)
        return refuse(ret_fault, TK_FAULT_INTERNAL, fb_err_set(err, FB_E_NOMEM, "out of memory"));
    size_t n = 0;
    int code = paseto_v4_public_verify(key->bytes, text.p, text.n, none, none, payload, text.n, &n);
    int rc = 0;
    enum tk_fault fault = TK_FAULT_NONE;
    if (code == PASETO_E_NOMEM) {
        fault = TK_FAULT_INTERNAL;
        rc = fb_err_set(err, FB_E_NOMEM, "out of memory");
    } else if (code == PASETO_E_SIGNATURE) {
        fault = TK_FAULT_SIGNATURE;
        rc = fb_err_set(err, FB_E_TOKEN_INVALID,
                        "SignatureInvalid: the token is not signed by this Authority, or was changed");
    } else if (code != PASETO_OK) {
        fault = TK_FAULT_PARSE;
        rc = fb_err_set(err, FB_E_TOKEN_INVALID, "ParseFailure: %s", paseto_code_text(code));
    } else {
        rc = parse_claims(payload, n, ret, err);
        if (rc < 0)
            fault = rc == FB_E_NOMEM ? TK_FAULT_INTERNAL : TK_FAULT_MALFORMED;
    }
    free(payload);
    return refuse(ret_fault, fault, rc);
}

int tk_token_verify(const struct tk_public_key *key, struct fb_str text, int64_t now_ns, int64_t leeway_ns,
                    struct tk_claims *ret, enum tk_fault *ret_fault, struct fb_err *err)
{
    int rc = tk_token_verify_any_time(key, text, ret, ret_fault, err);
    if (rc < 0 || !tk_claims_expired(ret, now_ns, leeway_ns))
        return rc;
    rc = fb_err_set(err, FB_E_TOKEN_EXPIRED, "Expired: token %.*s", FB_STR_ARG(ret->token_id));
    tk_claims_done(ret);
    return refuse(ret_fault, TK_FAULT_EXPIRED, rc);
}
