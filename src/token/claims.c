/* Claims: one heap block, grammar and limits. */
#include "token/claims.h"

#include "base/utf8.h"

#include <stdlib.h>

void tk_claims_done(struct tk_claims *c)
{
    if (c == NULL)
        return;
    free(c->block);
    *c = (struct tk_claims){ 0 };
}

struct tk_claims tk_claims_take(struct tk_claims *c)
{
    struct tk_claims taken = *c;
    *c = (struct tk_claims){ 0 };
    return taken;
}

static struct fb_str put(char **at, struct fb_str s)
{
    char *start = *at;
    if (s.n > 0)
        memcpy(start, s.p, s.n);
    start[s.n] = '\0';
    *at += s.n + 1;
    return fb_str_n(start, s.n);
}

/* Each text is bounded first, so that the sum below cannot overflow. */
static int check_sizes(const struct tk_claims *c, struct fb_err *err)
{
    if (c->n_actions > TK_ACTIONS_MAX)
        return fb_err_set(err, FB_E_LIMIT, "action_set has more than %d entries", TK_ACTIONS_MAX);
    for (size_t i = 0; i < c->n_actions; i++)
        if (c->action_set[i].n > TK_ACTION_MAX_BYTES)
            return fb_err_set(err, FB_E_LIMIT, "action %zu is longer than %d bytes", i, TK_ACTION_MAX_BYTES);
    if (c->resource_scope.n > TK_SCOPE_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "resource_scope is longer than %d bytes", TK_SCOPE_MAX_BYTES);
    if (c->token_id.n > TK_ID_MAX_BYTES || c->agent_id.n > TK_ID_MAX_BYTES || c->session_id.n > TK_ID_MAX_BYTES)
        return fb_err_set(err, FB_E_LIMIT, "an id is longer than %d bytes", TK_ID_MAX_BYTES);
    if (c->context_hash.n > TK_CONTEXT_HASH_CHARS)
        return fb_err_set(err, FB_E_LIMIT, "context_hash is longer than %d characters", TK_CONTEXT_HASH_CHARS);
    return 0;
}

int tk_claims_copy(struct tk_claims *ret, const struct tk_claims *c, struct fb_err *err)
{
    struct tk_claims copy = *c;
    *ret = (struct tk_claims){ 0 };
    int rc = check_sizes(c, err);
    if (rc < 0)
        return rc;
    size_t n = c->n_actions * sizeof(struct fb_str);
    n += c->token_id.n + c->agent_id.n + c->session_id.n + c->resource_scope.n + c->context_hash.n + 5;
    for (size_t i = 0; i < c->n_actions; i++)
        n += c->action_set[i].n + 1;
    copy.block = malloc(n);
    if (copy.block == NULL)
        return fb_err_set(err, FB_E_NOMEM, "out of memory");
    copy.action_set = c->n_actions == 0 ? NULL : copy.block;
    char *at = (char *)copy.block + c->n_actions * sizeof(struct fb_str);
    for (size_t i = 0; i < c->n_actions; i++)
        copy.action_set[i] = put(&at, c->action_set[i]);
    copy.token_id = put(&at, c->token_id);
    copy.agent_id = put(&at, c->agent_id);
    copy.session_id = put(&at, c->session_id);
    copy.resource_scope = put(&at, c->resource_scope);
    copy.context_hash = put(&at, c->context_hash);
    *ret = copy;
    return 0;
}

bool tk_claims_expired(const struct tk_claims *c, int64_t now_ns, int64_t leeway_ns)
{
    int64_t last;
    if (leeway_ns < 0)
        leeway_ns = 0;
    if (__builtin_add_overflow(c->expiry_ns, leeway_ns, &last))
        last = INT64_MAX;
    return last <= now_ns;
}

bool tk_claims_has_action(const struct tk_claims *c, struct fb_str action)
{
    for (size_t i = 0; i < c->n_actions; i++)
        if (fb_str_eq(c->action_set[i], action))
            return true;
    return false;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static int check_word(const char *what, struct fb_str id, struct fb_err *err)
{
    if (id.n == 0)
        return fb_err_set(err, FB_E_PARSE, "%s is empty", what);
    if (id.n > TK_ID_MAX_BYTES)
        return fb_err_set(err, FB_E_PARSE, "%s is longer than %d characters", what, TK_ID_MAX_BYTES);
    for (size_t i = 0; i < id.n; i++)
        if (!is_word(id.p[i]))
            return fb_err_set(err, FB_E_PARSE, "%s may hold letters, digits, '_' and '-' only", what);
    return 0;
}

int tk_claims_check_agent_id(struct fb_str id, struct fb_err *err)
{
    return check_word("agent id", id, err);
}

int tk_claims_check_session_id(struct fb_str id, struct fb_err *err)
{
    return check_word("session id", id, err);
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_uuid(struct fb_str id)
{
    if (id.n != 36)
        return false;
    for (size_t i = 0; i < id.n; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? id.p[i] != '-' : !is_hex(id.p[i]))
            return false;
    }
    return true;
}

/* TypeID: the prefix and 128 bits in Crockford base32, so the first of the 26 characters is at most 7. */
static bool is_typeid(struct fb_str id)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    const struct fb_str prefix = FB_STR("ctok_");
    if (id.n != prefix.n + 26 || !fb_str_starts(id, prefix) || id.p[prefix.n] > '7')
        return false;
    for (size_t i = prefix.n; i < id.n; i++)
        if (memchr(digits, id.p[i], sizeof digits - 1) == NULL)
            return false;
    return true;
}

int tk_claims_check_token_id(struct fb_str id, struct fb_err *err)
{
    if (id.n == 0)
        return fb_err_set(err, FB_E_PARSE, "token id is empty");
    if (!is_uuid(id) && !is_typeid(id))
        return fb_err_set(err, FB_E_PARSE, "token id is neither a lower-case UUID nor a ctok_ id");
    return 0;
}

static int check_text(const char *what, struct fb_str s, struct fb_err *err)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
        return fb_err_set(err, FB_E_PARSE, "%s holds a NUL", what);
    if (!fb_utf8_valid(s))
        return fb_err_set(err, FB_E_PARSE, "%s is not UTF-8", what);
    return 0;
}

int tk_claims_check(const struct tk_claims *c, struct fb_err *err)
{
    int rc = check_sizes(c, err);
    if (rc == 0)
        rc = tk_claims_check_token_id(c->token_id, err);
    if (rc == 0)
        rc = tk_claims_check_agent_id(c->agent_id, err);
    if (rc == 0)
        rc = tk_claims_check_session_id(c->session_id, err);
    for (size_t i = 0; rc == 0 && i < c->n_actions; i++)
        rc = check_text("an action", c->action_set[i], err);
    if (rc == 0)
        rc = check_text("resource_scope", c->resource_scope, err);
    if (rc < 0)
        return rc;
    if (c->context_hash.n != TK_CONTEXT_HASH_CHARS)
        return fb_err_set(err, FB_E_PARSE, "context_hash is not %d hex digits", TK_CONTEXT_HASH_CHARS);
    for (size_t i = 0; i < c->context_hash.n; i++)
        if (!is_hex(c->context_hash.p[i]))
            return fb_err_set(err, FB_E_PARSE, "context_hash is not lower-case hex");
    return 0;
}
